"""The noises: Gaussian in colour and grey; Poisson and both in grey."""

from functools import partial

import numpy as np

from common.noise.sensor import (
    BlindGaussian,
    BlindPoisson,
    Chain,
    Corruption,
    Gaussian,
    Noisy,
    Poisson,
    PoissonGaussian,
)
from replications.udncnn.params import Settings

PAPER = "udncnn"
TABLE1, GAUSSIAN, POISSON, POISSON_GAUSSIAN = "table1", "gaussian", "poisson", "poisson_gaussian"
"""Experiments of claims.yaml: Table 1 in colour, then DN-ResNet's three noises."""


def corruptions(settings: Settings) -> dict[str, Corruption]:
    """Experiment → the corruption of its test images."""
    return _known(settings, settings.noise.sigma)


def watched(settings: Settings) -> dict[str, Corruption]:
    """Experiment → the corruption of the validation images that its blind trainings are watched on."""
    return _known(settings, settings.noise.watched_sigma)


def _known(settings: Settings, sigma: float) -> dict[str, Corruption]:
    both = settings.noise.poisson_gaussian
    return {
        TABLE1: Gaussian(sigma),
        GAUSSIAN: Gaussian(sigma),
        POISSON: Poisson(settings.noise.peak),
        POISSON_GAUSSIAN: PoissonGaussian(both.peak, both.sigma),
    }


def blind_corruptions(settings: Settings) -> dict[str, Corruption]:
    """Experiment → the corruption that blind networks are trained on."""
    noise = settings.noise
    both = noise.poisson_gaussian
    return {
        GAUSSIAN: BlindGaussian(*noise.blind_sigma),
        POISSON: BlindPoisson(*noise.blind_peak),
        POISSON_GAUSSIAN: Chain((BlindPoisson(*both.blind_peak), Gaussian(both.sigma))),
    }


def colours_of(experiment: str, settings: Settings) -> int:
    """Channels of an experiment's images."""
    return 3 if experiment == TABLE1 else settings.network.dn_resnet.colours


def noisy_images(settings: Settings) -> list[Noisy]:
    """The noisy validation and test images of every experiment, in its colours."""
    return [
        Noisy(name, corruption, split, partial(_has_colours, colours=colours_of(name, settings)))
        for name, corruption in corruptions(settings).items()
        for split in ("val", "test")
    ]


def _has_colours(name: str, image: np.ndarray, colours: int) -> bool:
    return image.shape[-1] == colours
