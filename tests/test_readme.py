"""Every command of the README: run in the smoke copy, or listed here with the reason why not."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from common.params import papers
from common.store import read_json
from tests.conftest import dvc, run

README = Path("README.md").read_text()
NOT_RUN = {
    "make smoke": "what the `smoke` fixture runs",
    "make test": "this very run",
    "python3.11 -m venv .venv && . .venv/bin/activate": "checked against the Makefile",
    'pip install --constraint constraints.txt --editable ".[dev]"': "checked against the Makefile",
    "PROFILE=paper make repro": "takes hours; its stages are listed instead",
}
RUN = {  # by a test below or in test_dag.py
    "make repro",
    "dvc repro",
    "dvc exp run -S noise.sigma=50",
    "dvc exp run -S noise.sigma=50 replications/udncnn/dvc.yaml",
    "dvc exp run -S profile=smoke",
    "dvc exp run -S profile=quick",
    "dvc exp show",
}

SIGMA_TRAININGS = {
    "edcnn": ("train_noise",),
    "n2n_resnet": (),
    "udncnn": ("train", "train_gaussian"),
    "wgan_denoiser": ("train", "train_families"),
}
"""Trained on the level that is tested; n2n_resnet trains on a range of levels, dsc_autoencoder on a mixture."""
SIGMA_STAGES = (
    {"benchmark", "claims", "report"}
    | {f"baselines@{paper}" for paper in papers()}  # a mixture's filters cannot be told apart from the others'
    | {
        f"replications/{paper}/dvc.yaml:{stage}"
        for paper, trainings in SIGMA_TRAININGS.items()
        for stage in ("noise", "evaluate", *trainings)
    }
)
"""What depends on the noise level: no data, complexity or latency, no blind training, no other corruption."""


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '([^']+)'", output))


def readme_commands() -> set[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    return {line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()}


@pytest.fixture(scope="module")
def copy(smoke: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smoke copy as a user's repository: committed, with an environment."""
    folder = tmp_path_factory.mktemp("readme") / "copy"
    shutil.copytree(smoke, folder, symlinks=True)
    (folder / ".venv").symlink_to(sys.prefix)
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    subprocess.run(["git", *identity, "commit", "-qm", "smoke"], cwd=folder, check=True)
    return folder


def test_every_command_of_the_readme_is_run_or_excused() -> None:
    assert readme_commands() == RUN | set(NOT_RUN)


def test_the_readme_sets_up_as_the_makefile_does() -> None:
    makefile = Path("Makefile").read_text()
    assert '--constraint constraints.txt --editable ".[dev]"' in makefile


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
    assert ran == {stage for stage in SIGMA_STAGES if stage.startswith("replications/udncnn/")}


@pytest.mark.slow
def test_a_noise_level_turns_the_report_off_protocol_and_back_is_cached(copy: Path) -> None:
    ran = stages_run(dvc(copy, "exp", "run", "-S", "noise.sigma=50"))  # the paper's own stages have run already
    assert ran == {stage for stage in SIGMA_STAGES if not stage.startswith("replications/udncnn/")}
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
def test_another_profile_and_back_restores_from_the_run_cache(copy: Path) -> None:
    """With the quick profile made as small as smoke's, but not the same."""
    params = copy / "params.yaml"
    record = yaml.safe_load(params.read_text())
    record["profiles"]["quick"] = json.loads(json.dumps(record["profiles"]["smoke"]))
    record["profiles"]["quick"]["udncnn"]["train"]["recipe"] |= {"steps": 20, "validate_every": 20}
    one = "replications/udncnn/dvc.yaml"  # the rest would be the same
    params.write_text(yaml.safe_dump(record, sort_keys=False))
    metrics = (copy / "results/udncnn/metrics.json").read_bytes()
    there = dvc(copy, "exp", "run", "-S", "profile=quick", one)
    assert "Running stage 'replications/udncnn/dvc.yaml:train'" in there
    assert (copy / "results/udncnn/metrics.json").read_bytes() != metrics
    back = dvc(copy, "exp", "run", "-S", "profile=smoke", one)
    assert "Running stage 'replications/udncnn/dvc.yaml:train" not in back
    assert (copy / "results/udncnn/metrics.json").read_bytes() == metrics


@pytest.mark.slow
def test_the_paper_profile_would_run_every_stage(copy: Path) -> None:
    params = copy / "params.yaml"
    before = params.read_text()
    params.write_text(before.replace("profile: smoke", "profile: paper", 1))
    try:
        stages = stages_run(dvc(copy, "repro", "--dry"))
    finally:
        params.write_text(before)
    # A dry run lists what parameters change, not what follows from it.
    assert stages >= {"replications/udncnn/dvc.yaml:data", "baselines@udncnn", "latency@udncnn", "complexity@udncnn"}
    assert {f"replications/udncnn/dvc.yaml:{stage}" for stage in ("train", "train_gaussian")} <= stages


@pytest.mark.slow
def test_a_training_can_be_shared_by_two_processes(copy: Path) -> None:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    ended = run([*launch, "-m", "replications.udncnn.train", "dncnn"], copy)
    assert ended.returncode == 0, ended.stderr
    record = read_json(copy / "results/udncnn/training/dncnn.json")
    assert record["seeds"]["0"]["processes"] == 2
    history = pd.read_csv(copy / "results/udncnn/history/dncnn.csv")
    assert history["val_psnr_db"].iloc[-1] > history["val_psnr_db"].iloc[0]
