"""The networks that papers enter in the benchmark untrained, and the two trainings that each of them gets.

All learn on one budget (common/benchmark/budget.yaml): the same crops with the same noise in the same order, by the
same optimiser. Their own are only the loss, squared error unless said otherwise, and the searched learning rates.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from torch import nn

from common.benchmark.protocol import CORRUPTIONS, GAUSSIAN, Case, cases
from common.datasets import registry
from common.datasets.images import center_crop
from common.errors import UserError
from common.noise.sensor import BlindGaussian, Corruption, OneOf, corrupt
from common.params import Budget, Rates
from common.score.evaluation import validation
from common.score.scale import Scale
from common.store import Arrays
from common.train.loop import Validate
from common.train.patches import Patches
from common.train.turns import Player, supervised, whole


@dataclass(frozen=True)
class Learner:
    """A network that enters the benchmark.

    build: makes it untrained, with whatever is trained beside it. architecture: its name in the paper's
    `models.networks`, by which its costs are known. scale: its range of values. players: what is minimised.
    keep: the part that denoises. fp32: it trains in float32, where bf16 is slower.
    """

    build: Callable[[], nn.Module]
    architecture: str
    scale: Scale = Scale()
    players: tuple[Player, ...] = (supervised(),)
    keep: Callable[[nn.Module], nn.Module] = whole
    fp32: bool = False


def entered(name: str, paper: str, learners: Mapping[str, Learner], rates: Mapping[str, Rates]) -> Learner:
    """A paper's network of that name; UserError where the paper enters none, or its learning rates are missing."""
    if name not in learners:
        raise UserError(f"{paper} enters no network {name}; known in its benchmark.py: {', '.join(learners)}")
    if name not in rates:
        raise UserError(f"benchmark.{name} is missing (replications/{paper}/params.yaml): give its learning rates")
    return learners[name]


def noise_of(training: str, budget: Budget) -> Corruption:
    """What a training corrupts its crops by; every corruption but Gaussian noise is at the level of the protocol."""
    blind = BlindGaussian(*budget.sigma)
    if training == "blind":
        return blind
    others = (make(level) for name, (make, levels) in CORRUPTIONS.items() for level in levels if name != GAUSSIAN)
    return OneOf((blind, *others))


def batches_of(training: str, budget: Budget, images: Mapping[str, np.ndarray], seed: int) -> Patches:
    """Step → crops and their noise: the same for every network."""
    return Patches(images, noise_of(training, budget), batch=budget.batch, crop=budget.crop, seed=seed)


def watched(training: str, budget: Budget, scale: Scale, seed: int) -> Validate:
    """PSNR of the embedded validation images' centres under what the protocol tests and the training is for."""
    side = budget.validation_crop
    images = {key: center_crop(image, side, key) for key, image in registry.load("embedded", "val", None).items()}
    noisy: Arrays = {}
    clean: Arrays = {}
    for case in _tested(training, seed):
        for key, image in corrupt(images, case.make, seed=seed).items():
            name = f"{key}, {case.corruption} {case.level:g}"
            noisy[name], clean[name] = image, images[key]
    return validation(noisy, clean, scale)


def _tested(training: str, seed: int) -> list[Case]:
    names = (GAUSSIAN,) if training == "blind" else tuple(CORRUPTIONS)
    return cases(names, CORRUPTIONS[GAUSSIAN][1], seed)
