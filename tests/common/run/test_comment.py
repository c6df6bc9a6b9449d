import json
import subprocess
import sys
from pathlib import Path

import pytest

from common.errors import UserError
from common.run import comment
from common.run.comment import against, gate, metrics_diff
from common.store import write_json

BASELINE = {"value": 24.0, "tolerance": 0.4, "spread": 0.1, "seeds": 3}


def write_results(folder: Path, psnr_db: float) -> Path:
    write_json(folder / "results/toy/metrics.json", {"table": {"net": {"psnr_db": psnr_db, "ssim": 0.8}}})
    return folder / "results"


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    ssim = {"value": 0.8, "tolerance": 0.01, "spread": 0.001, "seeds": 3}
    metrics = {"toy.table.net.psnr_db": BASELINE, "toy.table.net.ssim": ssim}
    write_json(tmp_path / "smoke.json", {"profile": "smoke", "metrics": metrics})
    return tmp_path / "smoke.json"


def test_the_gate_shows_only_what_moved_beyond_its_tolerance(tmp_path: Path, baseline: Path) -> None:
    text = gate(write_results(tmp_path, 23.5), baseline)
    assert "**Gate, profile `smoke`:** 1 of 2 metrics within tolerance, 1 regressed, 0 improved." in text
    assert "| `toy.table.net.psnr_db` | 24.0000 | 23.5000 | -0.5000 | ±0.4000 | worse |" in text
    assert "ssim" not in text


def test_a_gate_that_holds_is_one_sentence(tmp_path: Path, baseline: Path) -> None:
    assert gate(write_results(tmp_path, 24.1), baseline).splitlines() == [
        "**Gate, profile `smoke`:** 2 of 2 metrics within tolerance, 0 regressed, 0 improved."
    ]


def test_a_gate_without_a_baseline_names_the_fix(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="regression record"):
        gate(write_results(tmp_path, 24.1), tmp_path / "none.json")


def test_committed_metrics_count_where_they_moved_by_what_matters() -> None:
    changed: dict[str, dict[str, dict[str, float | None]]] = {
        "results/toy/metrics.json": {
            "table.net.psnr_db": {"old": 24.0, "new": 24.2},
            "table.net.ssim": {"old": 0.8, "new": 0.8005},  # less than matters
            "table.net.mse": {"old": 100.0, "new": 110.0},
            "table.new.psnr_db": {"old": None, "new": 25.0},
            "table.old.psnr_db": {"old": 23.0, "new": None},
        },
        "results/toy/latency.json": {"net.median_ms": {"old": 10.0, "new": 90.0}},
    }
    text = against("main", changed)
    assert "2 metrics moved by more than what matters, 1 are new, 1 are gone" in text
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert [row.split("|")[1].strip() for row in rows] == [
        "`toy.table.old.psnr_db`",
        "`toy.table.net.mse`",
        "`toy.table.net.psnr_db`",
    ]
    assert rows[1].endswith("| worse |")
    assert rows[2].endswith("| better |")
    assert "latency" not in text


def test_many_movements_are_cut_and_counted() -> None:
    moved = {f"table.net{index}.psnr_db": {"old": 20.0, "new": 21.0} for index in range(comment.ROWS + 3)}
    text = against("main", {"results/toy/metrics.json": moved})
    assert text.count("| `") == comment.ROWS
    assert text.endswith("… and 3 more.")


@pytest.mark.long
def test_the_comment_compares_the_work_tree_with_a_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def shell(*arguments: str) -> None:
        subprocess.run(arguments, cwd=tmp_path, check=True, capture_output=True)

    shell("git", "init", "-b", "main")
    shell(sys.executable, "-m", "dvc", "init")
    write_results(tmp_path, 24.0)
    (tmp_path / "dvc.yaml").write_text("metrics: [results/toy/metrics.json]\n")
    shell("git", "add", ".")
    shell("git", "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-m", "first")
    write_results(tmp_path, 24.5)
    monkeypatch.chdir(tmp_path)
    assert metrics_diff("main")["results/toy/metrics.json"]["table.net.psnr_db"] == {"old": 24.0, "new": 24.5}
    with pytest.raises(UserError, match="dvc metrics diff nowhere failed"):
        metrics_diff("nowhere")


def test_the_command_prints_both_parts(
    tmp_path: Path, baseline: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = {"results/toy/metrics.json": {"table.net.psnr_db": {"old": 24.0, "new": 24.5}}}
    monkeypatch.setattr(comment, "metrics_diff", lambda base: json.loads(json.dumps(changed)))
    results = str(write_results(tmp_path, 24.0))
    arguments = ["comment", "--base", "main", "--results", results, "--baseline", str(baseline)]
    monkeypatch.setattr(sys, "argv", arguments)
    comment.main()
    printed = capsys.readouterr().out
    assert printed.startswith("## Metrics\n\n**Gate")
    assert "**Committed results against `main`:** 1 metrics moved" in printed
    monkeypatch.setattr(sys, "argv", arguments[:-2])
    with pytest.raises(UserError, match="go together"):
        comment.main()
