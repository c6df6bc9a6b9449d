import contextlib
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from common import params
from common.benchmark import table as benchmark
from common.claims import ledger
from common.errors import UserError
from common.report import __main__ as report
from common.report import environment, snapshot
from common.report.document import TONES, Table, filled, render
from common.report.material import Material, read
from common.report.overview import off_protocol
from common.report.sections import SECTIONS, against_published, claim_ledger, notes, shown
from common.store import read_json
from tests.common import fake_results


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with its report."""
    folder = tmp_path_factory.mktemp("finished")
    fake_results.make(folder)
    fake_results.draw(folder)
    with contextlib.chdir(folder):
        benchmark.main()
        ledger.write(Path("results"))
        report.write(Path("results"))
    return folder


@pytest.fixture
def results(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The results of that run, in a folder that the test may change."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Path("results")


def read_again(results: Path) -> Material:
    return read(results, read_json(results / "environment.json"))


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
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_one_file_that_loads_nothing(results: Path) -> None:
    html = (results / "report.html").read_text()
    page = Page(html)
    assert page.open == []
    assert len(page.loads) == 5  # published against ours, MACs, latency, training, one panel
    assert all(source.startswith("data:image/webp;base64,") for source in page.loads)
    assert "<script" not in html
    assert not re.search(r"url\(|@import", html)


def test_page_and_markdown_say_the_same(results: Path) -> None:
    page, markdown = Page((results / "report.html").read_text()).text, (results / "report.md").read_text()
    for title in SECTIONS:
        assert title in page
        assert f"## {title}" in markdown
    for text in ("28.74", "U2", "225,859", "holds here", "non-commercial", "which test set is open"):
        assert text in page
        assert text in markdown.replace("\\", "")


def test_the_input_is_called_as_in_its_experiment(results: Path) -> None:
    names = results.parent / "replications" / fake_results.PAPER / "names.yaml"
    names.write_text(f"{names.read_text()}table1/noisy: what is given\n")
    report.write(results)
    text = (results / "report.md").read_text()
    assert text.count("| what is given |") == 4  # at a glance, comparison, conventions, trivial predictors
    assert "noisy input" not in text


def test_every_link_of_the_markdown_leads_to_a_file(results: Path) -> None:
    for name in ("report.md", "README.md"):
        links = re.findall(r"\]\(([^)]+)\)", (results / name).read_text())
        assert links
        for link in links:
            assert (results / link).exists(), link


def test_text_of_a_paper_is_escaped(results: Path) -> None:
    assert "two &lt;networks&gt;" in (results / "report.html").read_text()
    assert r"two \<networks\>" in (results / "report.md").read_text()


def test_a_stand_in_is_told_to_say_nothing_about_the_paper(results: Path) -> None:
    text = " ".join((results / "report.md").read_text().split())
    assert "says nothing for or against the published one" in text
    assert "not reproduced" not in text.split("## Claim ledger")[1]


def test_other_noise_than_the_papers_raises_a_banner(results: Path) -> None:
    assert off_protocol(read_again(results), fake_results.PAPER) == []
    text = params.PARAMS_FILE.read_text()
    params.PARAMS_FILE.write_text(text.replace("sigma: null", "sigma: 50"))
    (banner,) = off_protocol(read_again(results), fake_results.PAPER)
    assert banner.text == "udncnn: σ = 50 instead of the published 30: off-protocol"


def test_a_snapshot_is_a_column_of_ledger_and_published_tables(results: Path) -> None:
    snapshot.take("earlier")
    material = read_again(results)
    (ledger_table,) = (block for block in claim_ledger(material) if isinstance(block, Table))
    column = list(ledger_table.columns).index("earlier")
    rows = {row[0]: row for row in ledger_table.rows}
    assert rows["U2"][column] == "0.5 (holds here)"
    (published,) = (block for block in against_published(material) if isinstance(block, Table))
    assert published.columns[-1] == "ours, earlier"
    assert [row[-1] for row in published.rows] == ["28.75", "29.25"]


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


def test_printing_shows_networks_and_filters_and_where_the_report_is(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report.show(results)
    printed = capsys.readouterr().out
    for text in ("DnCNN", "28.74", "BM3D (filter)", "30.50", (results / "report.html").absolute().as_uri()):
        assert text in printed


def test_printing_without_a_report_names_the_fix(results: Path) -> None:
    (results / "report.html").unlink()
    with pytest.raises(UserError, match="dvc repro"):
        report.show(results)


def test_what_a_profile_leaves_out_is_left_out(results: Path) -> None:
    for missing in ("history", "training", "panels"):
        shutil.rmtree(results / "udncnn" / missing)
    report.write(results)
    assert "0 networks trained" in (results / "report.md").read_text()


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


def test_a_reason_that_adds_to_another_refers_to_it() -> None:
    assert notes(["a; b", "a; b; c", "d", "", "a; b; e; f"]) == {
        "": [],
        "a; b": ["a; b"],
        "a; b; c": ["a; b", "c"],
        "d": ["d"],
        "a; b; e; f": ["a; b", "e", "f"],
    }


def test_a_claim_heads_its_rows_once(results: Path) -> None:
    (table,) = (block for block in claim_ledger(read_again(results)) if isinstance(block, Table))
    assert [isinstance(row, str) for row in table.rows] == [True, False, False, True, False, True, False]


@pytest.mark.parametrize(
    ("measured", "text"),
    [
        ("225859", "225,859"),
        ("1000", "1000"),
        ("26.3587", "26.36"),
        ("a 29.4999 > b 8.38343e-06", "a 29.5 > b 8.383e-06"),
    ],
)
def test_measurements_are_shown_with_four_digits_and_counts_in_full(measured: str, text: str) -> None:
    assert shown(measured) == text


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


def test_a_pipe_in_a_cell_does_not_end_it(tmp_path: Path) -> None:
    text = render("report.md.j2", tmp_path, title="t", lead=[Table(["a"], [["x | y"]])], sections=[])
    assert r"| x \| y |" in text
