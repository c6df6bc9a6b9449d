"""CONTRIBUTING's "Add a paper", followed to the letter with a paper of two variants and one claim (tests/toy)."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common.score.results import history
from tests.conftest import dvc, run

TOY = Path("tests/toy")
STAGES = ("data", "noise", "train", "evaluate")
JUDGE = """
from pathlib import Path
from common.claims.ledger import ledger, settings_of
for row in ledger("toy", settings_of("toy", None), Path("results")):
    print(row.id, row.verdict)
"""


def test_a_paper_takes_less_than_150_lines() -> None:
    lines = [line for file in TOY.iterdir() if file.is_file() for line in file.read_text().splitlines() if line.strip()]
    assert len(lines) < 150


@pytest.mark.slow
def test_a_paper_runs_and_is_judged(tmp_path: Path) -> None:
    for folder in ("common", "replications"):
        shutil.copytree(
            folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "pretrained", "dvc.lock")
        )
    shutil.copytree(TOY, tmp_path / "replications/toy")
    text = Path("params.yaml").read_text().replace("profile: quick", "profile: smoke")
    (tmp_path / "params.yaml").write_text(text)
    listed = Path("dvc.yaml").read_text().replace("udncnn, wgan_denoiser]", "udncnn, wgan_denoiser, toy]")
    (tmp_path / "dvc.yaml").write_text(listed)  # the one file outside the paper's folder
    if Path(".scratch/downloads").is_dir():
        (tmp_path / ".scratch").mkdir()
        (tmp_path / ".scratch/downloads").symlink_to(Path(".scratch/downloads").absolute())
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    shutil.copytree(".dvc", tmp_path / ".dvc", ignore=shutil.ignore_patterns("cache", "tmp"))
    ran = dvc(tmp_path, "repro", "inventory@toy")  # which depends on all that the paper comes to
    shared = [f"{stage}@toy" for stage in ("settings", "baselines", "complexity", "latency", "inventory")]
    for stage in (*shared, *(f"replications/toy/dvc.yaml:{own}" for own in STAGES)):
        assert f"Running stage '{stage}'" in ran
    assert list(history("toy", "deep", tmp_path / "results")["step"]) == [20, 40]
    judged = run([sys.executable, "-c", JUDGE], tmp_path)
    assert judged.returncode == 0, judged.stderr
    assert judged.stdout.startswith("T1 ")
