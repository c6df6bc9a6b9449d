import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from common.claims.ledger import claims_table, main, published_tables
from common.command import run
from tests.common import fake_results
from tests.common.claims.conftest import Judge, claim, scores


def judged(folder: str, *options: str) -> dict[str, dict[str, str]]:
    main_with(folder, *options)
    table = pd.read_csv(f"{folder}/claims.csv", dtype=str, keep_default_na=False)
    return table.set_index("id").to_dict("index")


def main_with(folder: str, *options: str) -> None:
    sys.argv = ["claims", "--results", folder, *options]
    main()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another run's results, beside the project's own."""
    fake_results.make(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [])
    shutil.move("results", "reference")
    return tmp_path / "reference"


def test_the_ledger_has_the_columns_that_the_report_reads(judge: Judge) -> None:
    rows = judge(claim("dncnn == 29 +- 0.1"), scored=scores("dncnn", [29.0, 29.0, 29.03]))
    assert " ".join(claims_table(list(rows.values())).columns) == (
        "id paper source kind says test published ours ci_low ci_high verdict because fidelity reason"
        " profile data n seeds convention"
    )


def test_a_published_table_stands_beside_ours(judge: Judge) -> None:
    rows = judge(
        claim(parts=["dncnn == 28.9662 +- 0.15", "udncnn == 28.3076 +- 0.15"], table="toy_table1"),
        scored=scores("dncnn", [29.0, 29.0, 29.03]),
    )
    table = published_tables(list(rows.values()))["toy_table1"]
    assert table["row"].tolist() == ["U1.dncnn", "U1.udncnn"]
    assert table["difference"].tolist() == ["0.0438", ""]
    assert table["verdict"].tolist() == ["reproduced", "not run in this profile"]


def test_another_runs_folder_is_judged_under_the_profile_it_was_run_with(elsewhere: Path) -> None:
    quick, paper = (judged("reference", "--profile", profile) for profile in ("quick", "paper"))
    assert (quick["U1.dncnn"]["verdict"], quick["U1.dncnn"]["fidelity"]) == ("off-protocol", "stand-in")
    assert (paper["U1.dncnn"]["fidelity"], paper["U1.dncnn"]["profile"]) == ("full", "paper")
    assert "(one training)" in paper["U1.dncnn"]["because"]
    assert (elsewhere / "tables/udncnn_table1.csv").is_file()
    assert not Path("results").exists()


def test_a_part_of_a_run_has_rows_for_what_is_missing(elsewhere: Path) -> None:
    for file in ("complexity.json", "data.json"):
        (elsewhere / "udncnn" / file).unlink()
    rows = judged("reference")
    assert rows["U20"]["verdict"] == "not run in this profile"
    assert rows["U20"]["because"] == "reference/udncnn/complexity.json is missing"
    assert (rows["U2"]["verdict"], rows["U2"]["data"]) == ("holds here", "")


def test_a_folder_without_scores_keeps_what_it_has(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (elsewhere / "udncnn/scores.csv").unlink()
    with pytest.raises(SystemExit) as ended:
        run(lambda: main_with("reference"))
    assert ended.value.code == 2
    told = "error: reference holds no <paper>/scores.csv: nothing there can be judged"
    assert capsys.readouterr().err.strip() == told
    assert not (elsewhere / "claims.csv").exists()
