from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from common.noise.sensor import Gaussian
from common.params import SGD, Constant, Recipe
from common.run import bench
from common.run.bench import Row, random_data, time_training
from common.train.patches import Patches
from common.train.turns import Player, supervised
from common.train.variants import Training

RECIPE = Recipe(
    steps=1000,
    batch=2,
    crop=16,
    optimizer=SGD(name="sgd", momentum=0.0, weight_decay=0.0),
    lr=1e-3,
    schedule=Constant(name="constant"),
    precision="fp32",
    validate_every=10,
)
IMAGES = {"image": np.zeros((20, 20, 3), np.uint8)}
MACS = 16 * 16 * 9 * (3 * 8 + 8 * 3)
"""Of one image: 3 → 8 → 3 maps by 3×3 convolutions."""
FIRST_MACS = 16 * 16 * 9 * 3 * 8


def build() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1))


def training(*players: Player) -> Training:
    return Training(
        build=build,
        batches=lambda seed: Patches(IMAGES, Gaussian(30.0), batch=2, crop=16, seed=seed),
        validate=lambda network: {},
        recipe=RECIPE,
        players=players or (supervised(),),
    )


def test_a_step_counts_forward_gradient_of_weights_and_gradient_of_inputs_but_the_first() -> None:
    counted = bench._tflop_of_one(training(), training().batches(0)(0), torch.device("cpu"))
    assert counted * 1e12 == pytest.approx(2 * (3 * MACS - FIRST_MACS))


def test_every_player_counts_with_all_its_updates() -> None:
    def squared(network: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, step: int) -> torch.Tensor:
        return nn.functional.mse_loss(network(inputs), targets)

    last = Player(squared, "last", lambda network: network[2], updates=3)  # type: ignore[index]
    counted = bench._tflop_of_one(training(last, supervised()), training().batches(0)(0), torch.device("cpu"))
    # The last layer alone: everything forward, and the gradient of its own weights.
    of_last = 2 * (MACS + MACS - FIRST_MACS)
    assert counted * 1e12 == pytest.approx(3 * of_last + 2 * (3 * MACS - FIRST_MACS))


def test_a_row_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "TIMED_SECONDS", 0.1)
    row = time_training("paper", "small", training(), RECIPE, trainings=3, peak=0.5)
    assert isinstance(row, Row)
    assert (row.batch, row.precision, row.passes, row.steps, row.trainings) == ("2 × 16²", "fp32", "eager", 1000, 3)
    assert row.tflops == pytest.approx(2 * 2 * (3 * MACS - FIRST_MACS) / 1e12 / (row.step_ms / 1000))
    assert row.share == pytest.approx(row.tflops / 0.5)
    assert row.seconds >= 1000 * max(row.step_ms, row.batch_ms) / 1000 * 0.999
    assert row.batch_ms > 0


def test_random_data_is_where_a_training_looks_for_it_and_gone_afterwards(tmp_path: Path) -> None:
    before = Path.cwd()
    with random_data("paper", {"gaussian"}):
        folder = Path.cwd()
        assert Path("data/paper/train.safetensors").is_file()
        assert Path("data/paper/noisy/gaussian/val.safetensors").is_file()
    assert Path.cwd() == before
    assert not folder.exists()
