"""Every command of the README: run in the smoke copy, or listed here with the reason why not."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from common.params import papers
from tests.conftest import dvc, run, stages_run
from tests.test_readme_denoisers import COMMANDS as README_DENOISERS

README = Path("README.md").read_text()
NOT_RUN = {
    "make smoke": "what the `smoke` fixture runs",
    "make test": "the tests but for these",
    "python3.11 -m venv .venv && . .venv/bin/activate": "checked against the Makefile",
    'pip install --constraint constraints.txt --editable ".[dev]"': "checked against the Makefile",
    "PROFILE=paper make repro": "takes hours; its stages are listed instead",
}
RUN = {  # by a test below, in test_dag.py or in test_profiles.py
    "make repro",
    "dvc repro",
    "dvc exp run -S noise.sigma=50",
    "dvc exp run -S noise.sigma=50 replications/udncnn/dvc.yaml",
    "dvc exp run -S replications/udncnn/params.yaml:train.recipe.steps.quick=100",
    "dvc exp run -S profile=smoke",
    "dvc exp run -S profile=quick",
    "make runs",
    'make sweep SIGMA="15 25 50" PAPER=udncnn',
    *README_DENOISERS,
}

SIGMA_TRAININGS = {
    "edcnn": ("train_noise",),
    "n2n_resnet": (),
    "udncnn": ("train_table1", "train_gaussian"),
    "wgan_denoiser": ("train_games", "train_families"),
}
"""Trained on the level that is tested; n2n_resnet trains on a range of levels, dsc_autoencoder on a mixture."""
SIGMA_STAGES = (
    {
        *("networks", "claims", "report", "shared_settings"),
        *("common/benchmark/dvc.yaml:benchmark", "replications/udncnn/dvc.yaml:shipped"),
    }
    | {f"settings@{paper}" for paper in papers()}
    | {f"{stage}@{paper}" for paper in SIGMA_TRAININGS for stage in ("baselines", "inventory")}
    | {
        f"replications/{paper}/dvc.yaml:{stage}"
        for paper, trainings in SIGMA_TRAININGS.items()
        for stage in ("noise", "evaluate", *trainings)
    }
)
"""What depends on the noise level: no data, complexity or latency, no blind training, no other corruption, and of the
common benchmark only the table, which reads what networks cost in what a paper's stages left."""


UDNCNN = {"settings@udncnn", *(stage for stage in SIGMA_STAGES if stage.startswith("replications/udncnn/"))}
"""Those of one paper alone."""


def lines_changed(folder: Path, file: str) -> int:
    """Lines of a file that differ from the commit."""
    counted = run(["git", "diff", "--numstat", "--", file], folder).stdout.split()
    assert counted[0] == counted[1]
    return int(counted[0])


def readme_commands() -> set[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    return {line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()}


def test_every_command_of_the_readme_is_run_or_excused() -> None:
    assert readme_commands() == RUN | set(NOT_RUN)


def test_the_readme_sets_up_as_the_makefile_does() -> None:
    makefile = Path("Makefile").read_text()
    assert '--constraint constraints.txt --editable ".[dev]"' in makefile


def test_the_readme_counts_the_metrics_of_the_gate() -> None:
    gate = json.loads(Path("tests/regression/smoke.json").read_text())
    assert f"{len(gate['metrics'])} fresh" in README


@pytest.mark.slow
def test_make_repro_prints_the_table_and_the_report(copy: Path) -> None:
    ended = run(["make", "--assume-old", ".venv/.ready", "repro"], copy)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "stages" in ended.stdout
    assert "28.97" in ended.stdout
    assert "results/report.html" in ended.stdout


@pytest.mark.slow
def test_a_noise_level_for_one_paper_leaves_the_other_stages_alone(copy: Path) -> None:
    ran = stages_run(dvc(copy, "exp", "run", "-S", "noise.sigma=50", "replications/udncnn/dvc.yaml"))
    assert ran == UDNCNN
    assert lines_changed(copy, "params.yaml") == 1


@pytest.mark.slow
def test_a_noise_level_turns_the_report_off_protocol_and_back_is_cached(copy: Path) -> None:
    ran = stages_run(dvc(copy, "exp", "run", "-S", "noise.sigma=50"))  # the paper's own stages have run already
    assert ran == SIGMA_STAGES - UDNCNN
    assert "off-protocol" in (copy / "results/report.md").read_text()
    claims = pd.read_csv(copy / "results/claims.csv").set_index("id")
    assert set(claims.loc[["U1.dncnn", "U1.udncnn", "U1.dudncnn", "U2.figure"], "verdict"]) == {"off-protocol"}
    shown = dvc(copy, "exp", "show", "--csv")
    assert "noise.sigma" in shown.splitlines()[0]
    assert "udncnn" in dvc(copy, "metrics", "diff")
    dvc(copy, "plots", "show")
    back = dvc(copy, "exp", "run", "-S", "noise.sigma=null")
    assert "Running stage 'replications/udncnn/dvc.yaml:train" not in back


@pytest.mark.slow
def test_a_sweep_gathers_its_levels_and_leaves_the_work_tree_alone(copy: Path) -> None:
    """After the tests of the level 50, which it then finds in DVC's cache, and not before them."""
    before = run(["git", "status", "--porcelain"], copy).stdout
    make = ["make", "--assume-old", ".venv/.ready"]
    ended = run([*make, "sweep", "SIGMA=15 50", "PAPER=udncnn"], copy)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert stages_run(ended.stdout) <= UDNCNN | {"baselines@udncnn"}  # no blind training, no other corruption
    assert run(["git", "status", "--porcelain"], copy).stdout == before
    table = pd.read_csv(copy / ".scratch/sweep/sigma.csv")
    assert set(table["experiment"]) == {"table1", "gaussian"}
    psnr = table.set_index(["experiment", "network", "sigma"])["psnr_db"]
    for network in ("dncnn", "dudncnn", "noisy", "nlm"):
        assert psnr["table1", network, 15] > psnr["table1", network, 50] + 2, network
    assert (copy / ".scratch/sweep/sigma_udncnn.png").is_file()
    shown = run([*make, "runs", "PAPER=udncnn"], copy)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert {"sigma15-smoke-udncnn", "sigma50-smoke-udncnn", "workspace"} <= set(shown.stdout.split())
    assert len(shown.stdout.splitlines()[1].split()) <= 16  # words of at most a dozen columns
