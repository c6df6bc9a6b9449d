"""Another profile in place, and a training shared by two processes, in a copy in which smoke has ended."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.params import papers
from common.score.results import history as read_history
from common.score.results import training_records
from tests.conftest import dvc, run, stages_run


@pytest.mark.slow
def test_another_profile_and_back_restores_from_the_run_cache(copy: Path) -> None:
    """With the quick profile made as small as smoke's, but not the same."""
    one = "replications/udncnn/dvc.yaml"  # the rest would be the same
    own = copy / "replications/udncnn/params.yaml"
    own.write_text(yaml.safe_dump(like_smoke(yaml.safe_load(own.read_text())), sort_keys=False))
    for change in ("steps", "validate_every"):
        dvc(copy, "exp", "run", "-S", f"replications/udncnn/params.yaml:train.recipe.{change}.quick=20", one)
    metrics = (copy / "results/udncnn/metrics.json").read_bytes()
    there = dvc(copy, "exp", "run", "-S", "profile=quick", one)
    assert "Running stage 'replications/udncnn/dvc.yaml:train_table1'" in there
    assert (copy / "results/udncnn/metrics.json").read_bytes() != metrics
    back = dvc(copy, "exp", "run", "-S", "profile=smoke", one)
    assert "Running stage 'replications/udncnn/dvc.yaml:train" not in back
    assert (copy / "results/udncnn/metrics.json").read_bytes() == metrics


def like_smoke(record: Any) -> Any:
    """The record with smoke's value for quick wherever there is a value for each profile."""
    if not isinstance(record, dict):
        return record
    if "smoke" in record:
        return {**record, "quick": record["smoke"]}
    return {key: like_smoke(value) for key, value in record.items()}


@pytest.mark.slow
def test_the_paper_profile_would_run_every_stage(copy: Path) -> None:
    params = copy / "params.yaml"
    before = params.read_text()
    params.write_text(before.replace("profile: smoke", "profile: paper", 1))
    try:
        stages = stages_run(dvc(copy, "repro", "--dry"))
    finally:
        params.write_text(before)
    # A dry run lists what parameters change, not what follows from it: each stage's own follow from these.
    assert stages >= {"shared_settings", *(f"settings@{paper}" for paper in papers())}


@pytest.mark.slow
def test_a_training_can_be_shared_by_two_processes(copy: Path) -> None:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    ended = run([*launch, "-m", "replications.udncnn.train", "table1"], copy)
    assert ended.returncode == 0, ended.stderr
    record = training_records("udncnn", copy / "results")["dncnn"]
    assert record["seeds"]["0"]["processes"] == 2
    history = read_history("udncnn", "dncnn", copy / "results")
    assert history["val_psnr_db"].iloc[-1] > history["val_psnr_db"].iloc[0]
