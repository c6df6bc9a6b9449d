import json
import subprocess
from pathlib import Path

import pytest

from common.run import committed

IDENTITY = ["-c", "user.name=test", "-c", "user.email=test@example.com"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Committed results of one paper."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/udncnn").mkdir(parents=True)
    save("settings.json", {"profile": "quick"})
    save("udncnn/metrics.json", {"table1": {"dncnn": {"psnr_db": 28.75, "ssim": 0.8}}})
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "-A"], check=True)
    subprocess.run(["git", *IDENTITY, "commit", "-qm", "results"], check=True)
    return tmp_path


def save(name: str, record: object) -> None:
    Path("results", name).write_text(json.dumps(record))


def test_last_digits_are_the_committed_scores(folder: Path) -> None:
    save("udncnn/metrics.json", {"table1": {"dncnn": {"psnr_db": 28.79, "ssim": 0.8}}})
    assert committed.outcome() == "2 of 2 scores are those committed, but for what does not matter"


def test_what_moved_most_is_named(folder: Path) -> None:
    save("udncnn/metrics.json", {"table1": {"dncnn": {"psnr_db": 28.95, "ssim": 0.9}}})
    line = committed.outcome()
    assert line is not None
    assert line.startswith("0 of 2 scores")
    assert "most of all differs udncnn.table1.dncnn.ssim: 0.8 there, 0.9 here\n" in line


def test_a_number_that_is_new_is_not_compared(folder: Path) -> None:
    save("udncnn/metrics.json", {"table1": {"udncnn": {"psnr_db": 1.0}}})
    assert committed.outcome() is None


def test_another_profile_is_not_compared(folder: Path) -> None:
    save("settings.json", {"profile": "smoke"})
    assert committed.outcome() is None


def test_without_a_commit_nothing_is_compared(folder: Path) -> None:
    subprocess.run(["git", "update-ref", "-d", "HEAD"], check=True)
    assert committed.outcome() is None
