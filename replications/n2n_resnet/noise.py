"""The corrupted validation, test and panel images of each experiment."""

import numpy as np

from common.noise.corruptions import Text
from common.noise.sensor import Corruption, Gaussian, Noisy, RandomImpulse
from replications.n2n_resnet.params import Settings

PAPER = "n2n_resnet"
MEDICAL = "medical/"
"""Ids of the medical test images start so."""
FIG19 = "fig19"
"""Validation images at the level of Fig. 19."""


def corruptions(settings: Settings) -> dict[str, Corruption]:
    """Experiment → the corruption of its test images."""
    levels = settings.noise
    gaussian = Gaussian(levels.sigma)
    return {
        "gaussian": gaussian,
        "medical": gaussian,
        "impulse": RandomImpulse(levels.impulse, levels.impulse),
        "heavy_impulse": RandomImpulse(levels.heavy_impulse, levels.heavy_impulse),
        "text": Text(levels.text, levels.text),
    }


def watched(settings: Settings) -> dict[str, Corruption]:
    """Noise, and the level of Fig. 19's curve → the corruption of the validation images."""
    levels, tested = settings.noise, corruptions(settings)
    gaussian = {"gaussian": Gaussian(levels.watched_sigma), FIG19: Gaussian(levels.curve_sigma)}
    return gaussian | {name: tested[name] for name in ("impulse", "text")}


def is_natural(name: str, image: np.ndarray) -> bool:
    """Whether a test image is a photograph."""
    return not name.startswith(MEDICAL)


def is_medical(name: str, image: np.ndarray) -> bool:
    """Whether it is one of the medical images, which are an experiment of their own."""
    return name.startswith(MEDICAL)


def noisy_images(settings: Settings) -> list[Noisy]:
    """The corrupted test images and the face of each experiment, and the validation images of each noise."""
    made = [Noisy(name, corruption, "val") for name, corruption in watched(settings).items()]
    for name, corruption in corruptions(settings).items():
        made.append(Noisy(name, corruption, "test", is_medical if name == "medical" else is_natural))
        made.append(Noisy(name, corruption, "face"))
    return made
