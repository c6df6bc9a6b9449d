"""The gate on the suite's own metrics: fresh smoke results against the committed baseline."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from common.store import load_arrays, save_arrays
from tests.conftest import run

BASELINE = Path("tests/regression/smoke.json").absolute()


def check(results: Path, baseline: Path = BASELINE) -> tuple[int, str]:
    command = [
        sys.executable,
        "-m",
        "common.run.regression",
        "check",
        "--results",
        str(results),
        "--baseline",
        str(baseline),
    ]
    ended = run(command, Path.cwd())
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.slow
def test_fresh_smoke_metrics_are_within_their_tolerances(smoke: Path) -> None:
    status, output = check(smoke / "results")
    assert status == 0, output


@pytest.mark.slow
def test_a_damaged_network_fails_the_gate(smoke: Path, tmp_path: Path) -> None:
    copy = tmp_path / "damaged"
    shutil.copytree(smoke, copy, symlinks=True)
    weights = copy / "models/udncnn/table1/dncnn/seed0.safetensors"
    arrays = load_arrays(weights)
    spread = arrays["tail.weight"].std()
    arrays["tail.weight"] += spread * np.random.default_rng(0).standard_normal(arrays["tail.weight"].shape).astype("f4")
    save_arrays(weights, arrays)
    ended = run([sys.executable, "-m", "replications.udncnn.evaluate"], copy)
    assert ended.returncode == 0, ended.stderr
    status, output = check(copy / "results")
    assert status == 1
    assert "dncnn.psnr_db" in output
    assert "tolerance" in output


def test_a_missing_baseline_fails_the_gate(tmp_path: Path) -> None:
    status, output = check(Path("results"), tmp_path / "none.json")
    assert status == 2
    assert "none.json" in output
