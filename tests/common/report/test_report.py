import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from common import params
from common.claims import schema as claims
from common.errors import UserError
from common.report import __main__ as report
from common.report import environment, snapshot
from common.report.blocks import Table, filled
from common.report.front import front, off_protocol
from common.report.ledger import PaperLedger, by_name, ledger, shown
from common.report.material import Material, Published, read
from common.report.words import TONES
from common.store import read_json, write_csv
from tests.common import fake_results


def read_again(results: Path) -> Material:
    return read(results, read_json(results / "environment.json"))


def whole_ledger(material: Material, figures: dict[str, str] | None = None) -> PaperLedger:
    (paper,) = ledger(material, {"udncnn": figures or {}})
    return paper


class Page(HTMLParser):
    """What a page loads, its tags that are not closed, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [str(value) for name, value in attrs if name == "src" or (name == "href" and tag == "link")]
        if tag not in ("meta", "img", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_one_file_that_loads_nothing(results: Path) -> None:
    html = (results / "report.html").read_text()
    page = Page(html)
    assert page.open == []
    assert {source.split(",")[0] for source in page.loads} == {"data:image/webp;base64", "data:"}  # "data:,": no icon
    assert not re.search(r"url\(|@import", html)
    assert "default-src &#39;none&#39;" in html


def test_page_and_markdown_say_the_same(results: Path) -> None:
    page, markdown = Page((results / "report.html").read_text()).text, (results / "report.md").read_text()
    for text in ("28.74", "225,859", "holds here", "At the published scale DUDnCNN is 0.50 dB above DnCNN.", "Table 1"):
        assert text in page, text
        assert text in markdown.replace("\\", ""), text
    for text in ("non-commercial", "which test set is open", "1,000 images of a set of 300"):
        assert text in page, text


def test_the_input_is_called_as_in_its_experiment(results: Path) -> None:
    names = results.parent / "replications" / fake_results.PAPER / "names.yaml"
    names.write_text(f"{names.read_text()}table1/noisy: what is given\n")
    report.write(results)
    text = (results / "report.html").read_text()
    assert text.count(">what is given<") == 4  # at a glance, networks, conventions, trivial predictors
    assert text.count(">noisy input<") == 1  # in the benchmark of all denoisers, which belongs to no paper


def test_every_link_of_the_markdown_leads_to_a_file(results: Path) -> None:
    for name in ("report.md", "README.md"):
        links = re.findall(r"\]\(([^)]+)\)", (results / name).read_text())
        assert links
        for link in links:
            assert (results / link).exists(), link


def test_text_of_a_paper_is_escaped(results: Path) -> None:
    assert "Two &lt;networks&gt;" in (results / "report.html").read_text()
    assert r"Two \<networks\>" in (results / "report.md").read_text()


def test_a_stand_in_is_told_to_say_nothing_about_the_paper(results: Path) -> None:
    text = " ".join((results / "report.md").read_text().split())
    assert "says nothing for or against the published one" in text
    assert "not reproduced" not in text.split("## The ledger")[1]


def test_other_noise_than_the_papers_raises_a_banner(results: Path) -> None:
    assert off_protocol(read_again(results), fake_results.PAPER) == []
    text = params.PARAMS_FILE.read_text()
    params.PARAMS_FILE.write_text(text.replace("sigma: null", "sigma: 50"))
    (banner,) = off_protocol(read_again(results), fake_results.PAPER)
    assert banner.text == "udncnn: σ = 50 instead of the published 30: off-protocol"


def test_a_snapshot_is_a_fact_of_each_row_and_a_column_of_published_tables(results: Path) -> None:
    snapshot.take("earlier")
    material = read_again(results)
    facts = {entry.id: dict(entry.facts) for claim in whole_ledger(material).claims for entry in claim.entries}
    assert facts["U1.dncnn"]["run earlier"].startswith("28.75, ")
    assert facts["U1.dncnn"]["run earlier"].endswith(": off-protocol")
    rows = material.published_table("udncnn_table1")
    assert [row["ours, earlier"] for row in rows] == ["28.75", "29.25"]


def test_a_snapshot_is_overwritten_only_by_force(results: Path) -> None:
    folder, count = snapshot.take("earlier")
    assert count == sum(path.is_file() for path in folder.rglob("*"))
    assert (folder / "tables/udncnn_table1.csv").is_file()
    with pytest.raises(UserError, match="--force"):
        snapshot.take("earlier")
    snapshot.take("earlier", force=True)


@pytest.mark.parametrize("name", ["", "../escape", "two words", ".hidden"])
def test_a_snapshot_needs_a_plain_name(results: Path, name: str) -> None:
    with pytest.raises(UserError, match="NAME"):
        snapshot.take(name)


def test_a_snapshot_of_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="make repro"):
        snapshot.take("early")


def test_printing_is_short_and_says_what_came_out_and_where_the_report_is(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report.show(results)
    printed = capsys.readouterr().out
    for text in ("DnCNN", "28.74", "28.85", "28.75", "not run", (results / "report.html").absolute().as_uri()):
        assert text in printed, text
    assert len(printed.splitlines()) < 25


def test_printing_without_a_report_names_the_fix(results: Path) -> None:
    (results / "report.html").unlink()
    with pytest.raises(UserError, match="dvc repro"):
        report.show(results)


def test_what_a_profile_leaves_out_is_left_out(results: Path) -> None:
    for missing in ("history", "training", "panels"):
        shutil.rmtree(results / "udncnn" / missing)
    report.write(results)
    page = (results / "report.html").read_text()
    assert 'class="comparison"' not in page
    assert "validation PSNR, dB over training" not in page


@pytest.mark.parametrize("missing", ["claims.csv", "tables/benchmark.csv", "udncnn/data.json"])
def test_what_every_run_makes_is_asked_for(results: Path, missing: str) -> None:
    (results / missing).unlink()
    with pytest.raises(UserError, match=f"{missing} is missing"):
        report.write(results)


def test_the_environment_is_recorded(results: Path) -> None:
    record = read_json(results / "environment.json")
    assert record["run"]["profile"] == "quick"
    assert record["run"]["code"] == "not a git checkout"
    assert record["versions"]["numpy"] == np.__version__
    assert record["data"]["udncnn"]["test"]["sha256"] == "0" * 64


def test_the_code_is_modified_where_code_is_and_not_by_results(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        own = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *own, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    assert environment.code_state(tmp_path) == "a git checkout without a commit"
    (tmp_path / "params.yaml").write_text("seed: 0\n")
    git("add", ".")
    git("commit", "-m", "first")
    (tmp_path / "results").mkdir()
    (tmp_path / "results/claims.csv").write_text("id\n")
    (tmp_path / "dvc.lock").write_text("")
    assert re.fullmatch(r"[0-9a-f]{40}", environment.code_state(tmp_path))
    (tmp_path / "params.yaml").write_text("seed: 1\n")
    assert environment.code_state(tmp_path).endswith(", modified")


def test_what_differs_from_the_protocol_is_listed_point_by_point(results: Path) -> None:
    entries = {entry.id: entry for claim in whole_ledger(read_again(results)).claims for entry in claim.entries}
    assert "data.test embedded (paper bsds300)" in entries["U1.dncnn"].departures
    assert entries["U20"].departures == []


def test_a_claim_heads_its_rows_and_has_one_address(results: Path) -> None:
    material = read_again(results)
    claims = whole_ledger(material).claims
    assert [claim.id for claim in claims] == ["U1", "U2", "U20", "US1"]
    assert [claim.anchor for claim in claims] == ["U1", "", "", ""]  # the others are rows of their own
    assert sum(len(claim.entries) for claim in claims) == len(material.ledger)
    assert [entry.label for entry in claims[0].entries] == ["DnCNN", "DUDnCNN"]


def test_a_row_links_to_what_it_rests_on(results: Path) -> None:
    figures = {
        "panel-udncnn-table1": "",
        "figure-udncnn-own-depth": "By depth (claim U2).",
        "figure-other": "claim U20",
    }
    entries = {
        entry.id: entry for claim in whole_ledger(read_again(results), figures).claims for entry in claim.entries
    }
    assert entries["U2"].links == [("figure", "figure-udncnn-own-depth"), ("pictures", "panel-udncnn-table1")]
    assert entries["US1"].links == []


def test_networks_have_their_names_in_a_ranking() -> None:
    row = {"paper": "udncnn", "kind": "order"}
    assert by_name(row, "dudncnn 29.4999 > dncnn 29") == "DUDnCNN 29.50 > DnCNN 29"
    assert by_name({**row, "kind": "value"}, "29.4999") == "29.50"


def test_the_published_scale_stands_beside_the_run(results: Path) -> None:
    (scale,) = front(read_again(results)).scales
    assert [(row.name, row.published, row.ours, row.this_run) for row in scale.rows] == [
        ("DnCNN", "28.74", "28.85", "28.75"),
        ("DUDnCNN", "29.10", "29.35", "29.25"),
        ("dudncnn > dncnn", "", "", "holds here"),
    ]
    assert scale.where == "profile paper, seed 0 · tested on BSDS300 · a large GPU, 2 cores · 2026-01-31 · code 0000000"


def test_what_a_run_at_the_published_scale_does_otherwise_than_the_paper_is_said(results: Path) -> None:
    ledger = results / "reference/paper/claims.csv"
    table = pd.read_csv(ledger, dtype=str, keep_default_na=False)
    table.loc[table["kind"] == "value", "reason"] = "train.recipe.steps 2000 (paper 10000); 1 of 3 training seeds"
    write_csv(ledger, table)
    report.write(results)
    told = "what differs from the paper: train.recipe.steps 2000 (paper 10000); 1 of 3 training seeds."
    for name in ("report.html", "report.md"):
        assert (results / name).read_text().count(told) == 1


def test_without_a_run_at_the_published_scale_the_page_says_so(results: Path) -> None:
    shutil.rmtree(results / "reference/paper")
    report.write(results)
    for name in ("report.html", "report.md"):
        text = (results / name).read_text()
        assert "The run at the published scale is not here" in text
        assert "At the published scale DUDnCNN" not in text


def test_the_first_screen_counts_a_papers_rows_and_says_what_was_found(results: Path) -> None:
    (told,) = front(read_again(results)).outlines
    assert told.name == "Two <networks>"
    assert told.claims == "DUDnCNN is 0.36 dB above DnCNN."
    assert told.found == "It is 0.50 dB above it, as claimed."
    assert told.total == len(read_again(results).rows("udncnn"))
    assert told.counts == {"hold": told.total - 2, "do not": 0, "open": 0, "not judged": 2, "not run": 0}
    assert told.contradictions == 1


def test_the_picture_is_the_one_that_the_summary_names(results: Path) -> None:
    picture = front(read_again(results)).picture
    assert picture is not None
    assert [one.name for one in picture.pictures] == ["noisy", "dncnn", "clean"]
    assert (results / "figures/front.webp").is_file()


@pytest.mark.parametrize(
    ("measured", "text"),
    [
        ("225859", "225,859"),
        ("1000", "1000"),
        ("26.3587", "26.36"),
        ("a 29.4999 > b 8.38343e-06", "a 29.50 > b 8.383e-06"),
        ("29.0953", "29.10"),
        ("0.5", "0.5"),
        ("15750.3", "15,750"),
    ],
)
def test_measurements_are_shown_with_four_digits_and_counts_in_full(measured: str, text: str) -> None:
    assert shown(measured) == text


@pytest.mark.parametrize(
    ("measure", "unit"),
    [
        ("psnr_db", "PSNR, dB"),
        ("curves.{}.test_mse", "test mean squared error, 0–255 scale"),
        ("table3.{}.val_l1", "validation L1"),
        ("classify.{}.accuracy_20", "accuracy 20"),
        (None, "value"),
    ],
)
def test_an_axis_says_in_words_what_is_measured(measure: str | None, unit: str) -> None:
    (claim, *_) = claims.load("udncnn").claims
    assert Published(claim.model_copy(update={"measure": measure}), "dncnn", {}).unit == unit


def test_only_what_refutes_a_paper_is_coloured_so() -> None:
    assert {word for word, tone in TONES.items() if tone == "bad"} == {"not reproduced", "contradiction"}


def test_columns_that_are_empty_throughout_are_left_out_and_headings_stay() -> None:
    assert filled(["a", "b", "c"], ["x", ["1", "", "2"], ["", "", ""]]) == Table(
        ["a", "c"], ["x", ["1", "2"], ["", ""]]
    )


def test_a_column_of_numbers_is_set_to_the_right() -> None:
    table = Table(["a", "b"], [["1,024", "x"], ["–", "2"], ["-1.5e-05", "a much longer text than a word"]])
    assert [table.style(0, row[0]) for row in table.rows] == ["number", "number", "number"]
    assert [table.style(1, row[1]) for row in table.rows] == ["short", "short", ""]


def test_a_pipe_in_a_sentence_does_not_end_a_cell(results: Path) -> None:
    summary = results.parent / "replications/udncnn/summary.yaml"
    summary.write_text(summary.read_text().replace("It is {{", "x | y {{"))
    report.write(results)
    assert r"x \| y 0.50 dB above" in (results / "report.md").read_text()


def test_a_paper_says_what_a_difference_is_worth(results: Path) -> None:
    text = Page((results / "report.html").read_text()).text
    assert "To tell 0.2 dB between two of these networks from nothing" in text
    table = "".join(text[text.index("What a difference of 0.2 dB is worth") :].split())
    assert "DnCNN2111.41" in table  # two images, of 28 and 30 dB, one draw, one seed
