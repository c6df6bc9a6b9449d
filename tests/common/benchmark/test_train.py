"""A network's two trainings for the benchmark and their scores, as the stage does them."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from common import params
from common.benchmark import train
from common.benchmark.table import TRAININGS
from common.run import settings
from common.store import read_json
from common.train.loop import NotFiniteLossError
from tests.conftest import REPOSITORY, smoke_folder


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the stage of udncnn's DnCNN can run, on the smoke profile."""
    (tmp_path / "replications").symlink_to(REPOSITORY / "replications")
    smoke_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    for arguments in ([], ["udncnn"]):
        monkeypatch.setattr(sys, "argv", ["settings", *arguments])
        settings.main()
    monkeypatch.setattr(sys, "argv", ["train", "udncnn", "dncnn"])
    return tmp_path


def made(folder: Path) -> dict[str, bytes]:
    """What a run leaves that holds no times."""
    files = [*folder.glob("models/benchmark/dncnn/*"), folder / "results/benchmark/scores/dncnn.csv"]
    return {path.name: path.read_bytes() for path in files}


@pytest.mark.long
def test_the_stage_trains_twice_and_scores_under_the_whole_protocol(stage: Path) -> None:
    train.main()
    first = made(stage)
    assert set(first) == {"blind.safetensors", "all.safetensors", "dncnn.csv"}
    scores = pd.read_csv(stage / "results/benchmark/scores/dncnn.csv")
    assert set(scores["denoiser"]) == {"dncnn.blind", "dncnn.all"}
    assert set(scores["kind"]) == {"trained"}
    assert scores.groupby("denoiser").size().tolist() == [8 * 2 * 2, 8 * 2 * 2]  # two images of each of two sets
    gaussian = scores[(scores["corruption"] == "gaussian") & (scores["level"] == 50)].groupby("denoiser")["psnr_db"]
    assert (gaussian.mean() > 15.3).all()  # the noisy input has 15.0
    record = read_json(stage / "results/benchmark/training/dncnn.json")
    assert record["trainings"]["blind"]["images_seen"] == 24 * 4
    assert list((stage / ".scratch").glob("checkpoints/*")) == []
    train.main()
    assert made(stage) == first


@pytest.mark.long
def test_a_stage_that_was_killed_after_its_trainings_does_not_train_again(
    stage: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(train, "score_table", killed)
        with pytest.raises(KeyboardInterrupt):
            train.main()
    before = made_weights(stage)
    train.main()
    assert capfd.readouterr().out.count("resumed at step 24 of 24") == len(TRAININGS)
    assert made_weights(stage) == before


def made_weights(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("models/benchmark/dncnn/*")}


def test_a_training_that_diverges_is_named(stage: Path) -> None:
    budget = params.budget("smoke")
    job = train.Job("udncnn", "dncnn", "all", budget.recipe(1e30), budget)
    with pytest.raises(NotFiniteLossError, match=r"^dncnn, all, lr 1e\+30: the train loss is (nan|inf) at step"):
        train.train_one(1, job)
