"""What is trained: each variant's task, network, loss and start."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from torch import nn

from replications.edcnn.models import EDCNN, UPSAMPLINGS, build_of
from replications.edcnn.params import Settings

SEGMENTATION = "segmentation"
"""The experiment of Table 2; every other experiment is a restoration task of `noise.corruptions`."""


@dataclass(frozen=True)
class Plan:
    """How a variant differs from the plain one, which restores with bilinear upsampling and skips, MSE and Adam.

    experiment: its task. architecture: its network in `models.ARCHITECTURES`.
    loss: the text says MSE, equation (1) is L1. gradient_descent: plain, at a constant rate, as printed.
    images: the split it learns from. inherits: the variant whose trained weights it starts from.
    """

    experiment: str
    architecture: str = "bilinear"
    loss: Literal["mse", "l1"] = "mse"
    gradient_descent: bool = False
    images: Literal["train", "pretrain"] = "train"
    inherits: str | None = None


PLANS: dict[str, Plan] = {
    # Table 3, and the same two restoration tasks apart and together
    "x4_no_skip": Plan("x4", "no_skip"),
    "x4_skip": Plan("x4"),
    "full_no_skip": Plan("full", "no_skip"),
    "full_skip": Plan("full"),
    "pretrain": Plan("full", images="pretrain"),
    "full_skip_pretrained": Plan("full", inherits="pretrain"),
    "noise_skip": Plan("noise"),
    "erased_skip": Plan("erased"),
    "together_skip": Plan("together"),
    # What the paper leaves open
    "full_no_inner_skip": Plan("full", "no_inner_skip"),
    "full_enhanced": Plan("full", "enhanced"),
    "full_l1": Plan("full", loss="l1"),
    "full_sgd": Plan("full", gradient_descent=True),
    # The other ways up, restoring
    **{f"full_{how}": Plan("full", how) for how in UPSAMPLINGS if how != "bilinear"},
    # Table 2
    **{f"segment_{how}": Plan(SEGMENTATION, how) for how in UPSAMPLINGS},
}


def builder(name: str, settings: Settings) -> Callable[[], nn.Module]:
    """Makes the untrained network of a variant; a segmentation has no input to add its output to."""
    plan = PLANS[name]
    build = build_of(plan.architecture, settings)
    return partial(EDCNN, replace(build, residual=build.residual and plan.experiment != SEGMENTATION))
