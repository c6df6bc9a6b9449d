from pathlib import Path

import pytest

from common import params
from common.errors import UserError
from common.report.material import Material, read
from common.report.summaries import load, say
from common.store import read_json

ROWS = {
    "U1.a": {"ours": "29.152", "published": "28.9662", "verdict": "reproduced"},
    "U1.b": {"ours": "28.315", "published": "28.3076", "verdict": "reproduced"},
    "U2": {"ours": "a 29 > b 28", "published": "a > b", "verdict": "does not hold here"},
    "U3": {"ours": "", "published": "≥ 0.1", "verdict": "not run in this profile"},
}


@pytest.fixture(scope="module")
def committed() -> Material:
    return read(Path("results"), read_json("results/environment.json"))


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ('{{ ours["U1.a"] | db }}', "29.15"),
        ('{{ (ours["U1.b"] - ours["U1.a"]) | apart }} a', "0.84 dB below a"),
        ('{{ published["U1.a"] | digits(3) }}', "29"),
        ('{{ "yes" if holds("U1.a") else "no" }}, {{ "yes" if fails("U2") else "no" }}', "yes, yes"),
        ("{{ psnr.table.net | db }}\n  in two\n lines", "30.00 in two lines"),
        ('{{ "same" if same(ours["U1.b"], published["U1.b"], 0.15) else "other" }}', "same"),
    ],
)
def test_a_sentence_takes_its_numbers_from_the_ledger(template: str, said: str) -> None:
    assert say(template, ROWS, {"table": {"net": 30.0}}) == said


@pytest.mark.parametrize(
    "template",
    [
        '{{ ours["U9"] | db }}',
        '{{ ours["U2"] | db }}',
        '{{ ours["U3"] | db }}',
        '{% if holds("U3") %}x{% endif %}',
        '{% if fails("U9") %}x{% endif %}',
        "{{ psnr.table.other | db }}",
        "{{ psnr.nowhere.net | db }}",
    ],
)
def test_what_was_not_measured_is_not_said(template: str) -> None:
    assert say(template, ROWS, {"table": {"net": 30.0}}) is None


def test_a_broken_template_is_one_line() -> None:
    with pytest.raises(UserError, match="is no template") as raised:
        say("{{ ours[", ROWS, {})
    assert "\n" not in str(raised.value)


def test_an_unknown_key_of_a_summary_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "replications/toy").mkdir(parents=True)
    file = tmp_path / "replications/toy/summary.yaml"
    monkeypatch.chdir(tmp_path)
    file.write_text("name: Toy\nclaims: x\nfound: y\nfuond: z\n")
    with pytest.raises(UserError, match=r"replications/toy/summary.yaml: fuond"):
        load("toy", "A toy")
    file.unlink()
    assert load("toy", "A toy").name == "A toy"


def test_every_paper_says_what_it_claims_and_what_was_found(committed: Material) -> None:
    for paper in params.papers():
        summary = committed.summaries[paper]
        assert Path(f"replications/{paper}/summary.yaml").is_file()
        assert say(summary.claims, committed.ledger, committed.psnr[paper]), paper
        assert say(summary.found, committed.ledger, committed.psnr[paper]), paper


def at_scale(dncnn: float, figure: float, code: float, dudncnn: float, order: str = "reproduced") -> str:
    """The published-scale sentence of udncnn, had these been measured."""
    published = {"dncnn": 28.9662, "udncnn": 28.3076, "udncnn_code": 28.3076, "dudncnn": 29.1349}
    ours = {"dncnn": dncnn, "udncnn": figure, "udncnn_code": code, "dudncnn": dudncnn}
    rows = {
        f"U1.{name}": {"ours": str(value), "published": str(published[name]), "verdict": ""}
        for name, value in ours.items()
    }
    rows["U2.code"] = {"ours": "", "published": "", "verdict": order}
    told = load("udncnn", "").published_scale
    assert told is not None
    said = say(told.found, rows, {})
    assert said is not None
    return said


def test_the_published_scale_finding_is_said_only_where_the_numbers_say_it() -> None:
    found = at_scale(dncnn=29.152, figure=29.095, code=28.315, dudncnn=29.342)
    assert "UDnCNN holds, with the published gap between the first two: 0.19 dB, 0.17 published" in found
    unsure = at_scale(dncnn=29.152, figure=29.095, code=28.315, dudncnn=29.342, order="inconclusive")
    assert "the means are in the published order" in unsure
    assert "a finding about the order of convolution and unpooling" in found
    assert "falls 0.66 dB behind" in found
    assert "holds, with another gap" in at_scale(dncnn=29.152, figure=29.095, code=28.315, dudncnn=29.5)
    assert "does not hold" in at_scale(dncnn=29.4, figure=29.095, code=28.315, dudncnn=29.342)
    for figure, code in ((28.4, 28.315), (29.095, 28.9)):  # one order is as good as the other; the code's is not near
        assert "is a finding" not in at_scale(dncnn=29.152, figure=figure, code=code, dudncnn=29.342)
