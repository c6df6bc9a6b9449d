"""`make bench`: what the small parts of a training, scoring and noise cost (networks: `common.run.bench`)."""

import statistics

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from torch import nn

from common.noise.sensor import Gaussian, corrupt
from common.params import Adam, Constant, Recipe
from common.score.metrics import CONVENTIONS, score
from common.train.loop import fit
from common.train.patches import Batch, Patches

BATCH, CROP, WIDTH = 8, 40, 16
RECIPE = Recipe(
    steps=20,
    batch=BATCH,
    crop=CROP,
    optimizer=Adam(name="adam", betas=[0.9, 0.999], weight_decay=0.0),
    lr=1e-3,
    schedule=Constant(name="constant"),
    precision="fp32",
    validate_every=20,
)


def small() -> nn.Module:
    """The size that the smoke profile trains, where the loop itself counts."""
    middle = (nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU())
    return nn.Sequential(nn.Conv2d(3, WIDTH, 3, padding=1), nn.ReLU(), *middle, nn.Conv2d(WIDTH, 3, 3, padding=1))


def crops() -> Patches:
    images = {"noise": np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)}
    return Patches(images, Gaussian(30), batch=BATCH, crop=CROP, seed=0)


def test_twenty_steps_of_a_small_network(benchmark: BenchmarkFixture) -> None:
    trained = benchmark.pedantic(
        lambda: fit(small, crops(), RECIPE, seed=0, validate=lambda network: {"val": 0.0}), rounds=3, warmup_rounds=1
    )
    assert np.isfinite(trained.history["train_loss"]).all()


def test_a_batch(benchmark: BenchmarkFixture) -> None:
    batch: Batch = benchmark(crops(), 0)
    assert batch.inputs.shape == (BATCH, CROP, CROP, 3)


@pytest.mark.parametrize("convention", ["suite", "luma"])
def test_scoring_a_photograph(benchmark: BenchmarkFixture, convention: str) -> None:
    rng = np.random.default_rng(0)
    clean = rng.uniform(0, 255, (256, 256, 3)).astype(np.float32)
    noisy = clean + 30 * rng.standard_normal(clean.shape, np.float32)
    assert benchmark(score, noisy, clean, CONVENTIONS[convention]).mse > 0


def test_noise_for_a_photograph(benchmark: BenchmarkFixture) -> None:
    clean = {"grey": np.full((256, 256, 3), 128, np.uint8)}
    noisy = benchmark(corrupt, clean, Gaussian(30), seed=0)
    assert statistics.pstdev(noisy["grey"].ravel()[:1000].tolist()) > 0
