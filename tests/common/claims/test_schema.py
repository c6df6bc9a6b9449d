import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.claims.schema import load, parse
from common.errors import UserError
from common.params import papers
from tests.common.claims.conftest import claim, document


def refusal(*claims: dict[str, Any], **fields: Any) -> str:
    with pytest.raises(UserError) as error:
        parse(document(*claims, **fields), "claims.yaml")
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("paper", papers())
def test_every_papers_claims_are_understood(paper: str) -> None:
    assert load(paper).paper == paper


def test_the_language_is_understood_as_contributing_shows_it() -> None:
    claims, checks = re.findall(r"```yaml\n(.*?)```", Path("CONTRIBUTING.md").read_text(), re.DOTALL)
    shown = document(*yaml.safe_load(claims), self_checks=yaml.safe_load(checks))
    shown["experiments"] |= {name: {} for name in ("jpeg", "jpeg2000", "denoise")}
    understood = parse(shown, "CONTRIBUTING.md")
    assert {one.kind for one in understood.claims} == {"value", "margin", "order", "ratio", "bound", "fact"}
    assert [check.test is None for check in understood.self_checks] == [False, True]


def test_an_unknown_key_is_refused_with_the_key_that_was_meant() -> None:
    message = refusal(claim("dncnn == 29 +- 0.1", mesure="ssim"))
    assert message == "U1: mesure is not a key of claim; did you mean measure? (claims.yaml)"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"source": None}, "U1: source is missing"),
        ({"test": None}, "U1: test is missing"),
        ({"test": "a is better than b"}, "U1: test must be a sentence such as a - b >= -0.3"),
        ({"test": "a == 29"}, "U1: test must say what is within the claim, as in a == 29 +- 0.15"),
        ({"test": "a - b"}, "U1: test must say what is within the claim"),
        ({"test": "a == 1 / 0"}, "U1: test: float division by zero"),
        ({"measure": "psnr"}, "U1: measure must be one of psnr_db, ssim, mse or <file>.<path"),
        ({"measure": "curves.rise"}, "U1: measure must be one of psnr_db"),
        ({"measure": None}, "U1: measure is missing"),
        ({"experiment": None}, "U1: experiment is missing"),
        ({"experiment": "table9"}, "U1: experiment must be one of table1"),
        ({"convention": "sweet"}, "U1: convention must be one of suite"),
        ({"profiles": ["huge"]}, "U1: profiles.0 must be 'smoke', 'quick' or"),
        ({"id": "1X"}, "1X: id must be"),
        ({"parts": 3}, "U1: parts must be sentences, or a mapping of names to them"),
        ({"parts": {"jpeg": 3}}, "every claim must be a mapping, every part one or a sentence"),
    ],
)
def test_a_wrong_claim_is_refused_in_one_line(fields: dict[str, Any], words: str) -> None:
    assert refusal(claim(**{"test": "a == 29 +- 0.1", **fields})).startswith(words)


def test_an_id_stands_once() -> None:
    one = claim("dncnn == 29 +- 0.1")
    assert refusal(one, one).startswith("U1: the id stands twice")
    assert refusal(claim(parts=["a > b", "a > c"])).startswith("U1.a: the id stands twice")


def test_a_wrong_file_is_refused_in_one_line() -> None:
    choice = {"parameter": "depth", "value": 6, "provenance": "hearsay", "note": "n"}
    assert refusal(choices=[choice]).startswith("choices.0.provenance must be 'paper', 'lineage' or 'ours'")
    assert refusal(self_checks=[{"id": "US1", "source": "s", "says": "t", "test": "4 = 5"}]).startswith(
        "US1: test must"
    )
    with pytest.raises(UserError, match="claims must be a list"):
        parse({"paper": "toy"}, "claims.yaml")


def test_a_paper_without_claims_is_told_where_they_belong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"replications/toy/claims\.yaml must be a YAML file of claims"):
        load("toy")


def test_parts_repeat_a_claim_with_their_own_fields() -> None:
    jp2 = {"convention": "luma", "parts": {"sign": "dn > noisy", "size": "dn - noisy >= 0.5"}}
    claims = parse(document(claim(id="U17", parts={"jpeg": "1 <= dn - noisy <= 2", "jp2": jp2})), "").claims
    assert [(one.id, one.test.text, one.convention) for one in claims] == [
        ("U17.jpeg", "1 <= dn - noisy <= 2", "suite"),
        ("U17.jp2.sign", "dn > noisy", "luma"),
        ("U17.jp2.size", "dn - noisy >= 0.5", "luma"),
    ]


def test_sentences_alone_are_parts_named_after_their_first_row() -> None:
    claims = parse(document(claim(parts=["dncnn == 29 +- 0.1", "noisy < dncnn"])), "").claims
    assert [(one.id, one.kind) for one in claims] == [("U1.dncnn", "value"), ("U1.noisy", "margin")]
