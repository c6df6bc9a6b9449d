"""What claims need beside the scores: networks before training (U4), and how fast and at what cost they learn (U6)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from common.score.complexity import input_channels, macs
from common.score.scale import Scale
from common.store import Arrays
from common.train.seeding import seeded
from replications.udncnn.models import Build, DnCNN

PROBED_DEPTHS = (1, 2, 4, 8, 16)
PROBE_CROP = 64
COUNT_SIZE = 32
"""Side of the image on which multiply-accumulates per pixel are counted."""


def probe_initialisation(noisy: Arrays, seed: int) -> dict[str, dict[str, dict[str, float]]]:
    """What an untrained DnCNN of the paper's width does, by initialisation and depth (claim U4).

    For each, with the noisy test images in [-1, 1] as input: the standard deviation over pixels of the residual f(x)
    (its mean is the last bias, which knows nothing of the input), and the root mean square of the gradient that the
    squared error of a noise-free mid-grey target sends to the first convolution's weights.
    """
    crops = np.stack([image[:PROBE_CROP, :PROBE_CROP] for image in noisy.values()])
    images = Scale().to_network(crops)
    probe: dict[str, dict[str, dict[str, float]]] = {}
    for initialisation in ("he", "default"):
        probe[initialisation] = {}
        for depth in PROBED_DEPTHS:
            with seeded(seed):
                network = DnCNN(Build(depth=depth, initialisation=initialisation))
            residual = network.residual(images)
            (images + residual).square().mean().backward()
            gradient = network.head.weight.grad
            assert gradient is not None
            probe[initialisation][f"d{depth}"] = {
                "residual_std": _rounded(residual.std(dim=(0, 2, 3)).mean()),
                "first_gradient_rms": _rounded(gradient.square().mean().sqrt()),
            }
    return probe


def convergence(
    history: pd.DataFrame, record: Mapping[str, Any], phases: Mapping[str, nn.Module]
) -> dict[str, list[float] | float]:
    """How a variant learnt (claim U6).

    mean_val_psnr_db: validation PSNR averaged over the images of the training, for each seed: higher is faster.
    training_macs: multiply-accumulates of the forward passes of one training; the backward passes cost twice as much.
    images_seen: in one training.

    history, record: of results/udncnn. phases: each phase's network by its name.
    """
    recipe = record["recipe"]
    pixels = recipe["batch"] * recipe["crop"] ** 2
    facts = next(iter(record["seeds"].values()))
    steps = {name: phase["steps"] for name, phase in facts.get("phases", {}).items()} or {"": facts["steps"]}
    return {
        "mean_val_psnr_db": [round(_mean_over_images(own), 4) for _, own in history.groupby("seed")],
        "training_macs": round(sum(steps[name] * pixels * _macs_per_pixel(phases[name]) for name in steps)),
        "images_seen": int(history["images_seen"].max()),
    }


def _mean_over_images(history: pd.DataFrame) -> float:
    """Each validation stands for the images seen since the one before."""
    return float(np.average(history["val_psnr_db"], weights=np.diff(history["images_seen"], prepend=0)))


def _macs_per_pixel(network: nn.Module) -> float:
    return macs(network, (1, input_channels(network), COUNT_SIZE, COUNT_SIZE)) / COUNT_SIZE**2


def _rounded(value: torch.Tensor) -> float:
    return float(f"{value.item():.4g}")
