"""What is trained: which noise, on which targets, with which loss. A variant of the parameters is one of these."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from torch import nn

from common.noise.corruptions import Text
from common.noise.sensor import BlindGaussian, Corruption, RandomImpulse
from common.train.losses import annealed_l0
from common.train.turns import Loss, Player, supervised, supervised_at
from replications.n2n_resnet.params import Annealing, Settings

NoiseName = Literal["gaussian", "impulse", "text"]


@dataclass(frozen=True)
class Task:
    """One training.

    noise: the corruption of the input. noisy_targets: whether the target is a second corruption of the same crop, or
    the clean crop. loss: l2, l1, or the annealed l0 that seeks the mode. architecture: in `models.networks`.
    images: how many of the training images it sees; None: all.
    """

    noise: NoiseName
    noisy_targets: bool
    loss: Literal["l2", "l1", "l0"]
    architecture: Literal["resnet", "plain", "dncnn"] = "resnet"
    images: int | None = None


TASKS = {
    "gaussian_noisy": Task("gaussian", True, "l2"),
    "gaussian_clean": Task("gaussian", False, "l2"),
    "impulse_noisy": Task("impulse", True, "l0"),
    "impulse_clean": Task("impulse", False, "l0"),
    "impulse_noisy_l1": Task("impulse", True, "l1"),
    "impulse_noisy_l2": Task("impulse", True, "l2"),
    "text_noisy": Task("text", True, "l1"),
    "text_clean": Task("text", False, "l1"),
    "gaussian_plain": Task("gaussian", True, "l2", architecture="plain"),
    "gaussian_dncnn": Task("gaussian", True, "l2", architecture="dncnn"),
    "gaussian_noisy_20": Task("gaussian", True, "l2", images=20),
    "gaussian_clean_20": Task("gaussian", False, "l2", images=20),
    "gaussian_noisy_60": Task("gaussian", True, "l2", images=60),
    "gaussian_clean_60": Task("gaussian", False, "l2", images=60),
}
"""The paper's noises and losses; clean targets keep the loss of the noisy ones, so that nothing else differs."""

PAIRS: dict[NoiseName, tuple[str, str]] = {
    noise: (f"{noise}_noisy", f"{noise}_clean") for noise in ("gaussian", "impulse", "text")
}
"""Noise → the variants that differ in their targets alone."""


def training_noise(noise: NoiseName, settings: Settings) -> Corruption:
    """The corruption of the training crops, its level drawn anew for each (source of the ranges: the paper)."""
    ranges = settings.train.noise
    if noise == "gaussian":
        return BlindGaussian(ranges.sigma.low, ranges.sigma.high)
    if noise == "impulse":
        return RandomImpulse(ranges.impulse.low, ranges.impulse.high)
    return Text(ranges.text.low, ranges.text.high)


def gamma(step: int, steps: int, annealing: Annealing) -> float:
    """Exponent of the annealed L0 loss at a step in 0 … steps − 1."""
    done = min(step / (annealing.share * steps), 1.0)
    return annealing.start + (annealing.end - annealing.start) * done


def player(task: Task, steps: int, annealing: Annealing) -> Player:
    """The loss of a task over a training of `steps` steps."""
    if task.loss == "l0":
        return supervised_at(lambda step: partial(annealed_l0, gamma=gamma(step, steps, annealing)))
    losses: dict[str, Loss] = {"l2": nn.functional.mse_loss, "l1": nn.functional.l1_loss}
    return supervised(losses[task.loss])
