"""The networks that papers enter in the benchmark, and what all of them learn on."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from common import params
from common.benchmark.learners import Learner, batches_of, entered, noise_of, watched
from common.benchmark.protocol import CORRUPTIONS
from common.benchmark.table import TRAININGS
from common.errors import UserError
from common.noise.sensor import BlindGaussian, OneOf
from common.params import Rates

LISTED = yaml.safe_load(Path("common/benchmark/dvc.yaml").read_text())["stages"]["entrants"]["foreach"]
ENTRANTS = [(name, item["paper"]) for name, item in LISTED.items()]


def learners(paper: str) -> dict[str, Learner]:
    own: dict[str, Learner] = import_module(f"replications.{paper}.benchmark").learners(params.load(paper, "smoke"))
    return own


def test_dvc_lists_every_network_that_a_paper_enters() -> None:
    entering = [paper for paper in params.papers() if params.load(paper).benchmark]
    assert {(name, paper) for paper in entering for name in learners(paper)} == set(ENTRANTS)


@pytest.mark.parametrize("profile", params.PROFILES)
def test_every_network_has_its_learning_rates(profile: str) -> None:
    for paper in {paper for _, paper in ENTRANTS}:
        assert params.load(paper, profile).benchmark.keys() == learners(paper).keys()


@pytest.mark.parametrize(("name", "paper"), ENTRANTS)
def test_what_is_kept_denoises_and_its_costs_are_known(name: str, paper: str) -> None:
    learner = learners(paper)[name]
    network = learner.keep(learner.build()).eval()
    images = torch.full((1, 3, 20, 24), learner.scale.high)
    assert network(images).shape == images.shape
    models = import_module(f"replications.{paper}.models")
    costed = models.networks(params.load(paper, "smoke"))[learner.architecture]()
    assert [tuple(value.shape) for value in costed.parameters()] == [tuple(v.shape) for v in network.parameters()]


def test_the_second_training_sees_every_corruption_of_the_protocol() -> None:
    budget = params.budget("smoke")
    assert noise_of("blind", budget) == BlindGaussian(0.0, 55.0)
    together = noise_of("all", budget)
    assert isinstance(together, OneOf)
    assert together.parts[0] == BlindGaussian(0.0, 55.0)
    tested = [make(level) for name, (make, levels) in CORRUPTIONS.items() if name != "gaussian" for level in levels]
    assert list(together.parts[1:]) == tested


@pytest.mark.parametrize("training", TRAININGS)
def test_a_batch_is_a_function_of_its_step(training: str) -> None:
    budget = params.budget("smoke")
    images = {"one": np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)}
    first, again = (batches_of(training, budget, images, seed=3) for _ in range(2))
    again(0)
    np.testing.assert_array_equal(first(5).inputs, again(5).inputs)
    assert first(5).inputs.shape == (budget.batch, budget.crop, budget.crop, 3)


def test_a_training_is_watched_on_what_it_is_for() -> None:
    """An identity scores the noisy input's PSNR: 20 log10(255 / σ), averaged over σ = 15, 25, 50, but for clipping."""
    budget = params.budget("smoke")
    measured = watched("blind", budget, Learner(torch.nn.Identity, "").scale, seed=0)(WithWeights())
    assert measured["val_psnr_db"] == pytest.approx(np.mean([20 * np.log10(255 / s) for s in (15, 25, 50)]), abs=0.8)
    assert measured["val_mse"] == pytest.approx(np.mean([15**2, 25**2, 50**2]), rel=0.05)


class WithWeights(torch.nn.Identity):
    """A denoiser asks a network's weights for their device."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))


def test_a_network_that_is_not_entered_or_has_no_rates_is_named() -> None:
    known = {"one": Learner(torch.nn.Identity, "one")}
    with pytest.raises(UserError, match=r"toy enters no network two; known in its benchmark.py: one"):
        entered("two", "toy", known, {})
    with pytest.raises(UserError, match=r"benchmark.one is missing \(replications/toy/params.yaml\)"):
        entered("one", "toy", known, {"two": Rates(blind=1.0, all=1.0)})
