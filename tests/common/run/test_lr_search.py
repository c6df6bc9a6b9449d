"""The search of learning rates for the common benchmark."""

import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from common.errors import UserError
from common.run import lr_search
from tests.conftest import REPOSITORY, smoke_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the search reads, on the smoke profile."""
    own = tmp_path / "replications/udncnn"
    own.mkdir(parents=True)
    shutil.copy(REPOSITORY / "replications/udncnn/params.yaml", own)
    smoke_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    return own


def search(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["lr_search", "udncnn", *words])
    lr_search.main()


@pytest.mark.long
def test_both_trainings_are_tried_at_every_rate_and_one_that_diverges_has_no_score(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):  # rows are added
        search(monkeypatch, "dncnn", "--benchmark", "--steps", "3", "--lrs", "0.01", "1e30")
    table = pd.read_csv(folder / "benchmark_lr_search.csv")
    assert table.columns.tolist() == ["profile", "network", "training", "steps", "lr", "val_psnr_db"]
    assert table["training"].tolist() == ["blind", "blind", "all", "all"] * 2
    assert set(table["steps"]) == {3}
    diverged = table["lr"] > 1
    assert table.loc[diverged, "val_psnr_db"].isna().all()
    assert (table.loc[~diverged, "val_psnr_db"] > 10).all()
    assert table[:4].equals(table[4:].reset_index(drop=True))


def test_a_network_that_is_not_in_the_benchmark_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="udncnn enters no network dncnn_d1"):
        search(monkeypatch, "dncnn_d1", "--benchmark", "--lrs", "0.01")
