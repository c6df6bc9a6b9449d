"""White Gaussian noise of one level. The paper names no level."""

from common.noise.sensor import Corruption, Gaussian, Noisy
from replications.wgan_denoiser.params import Settings

PAPER = "wgan_denoiser"
TABLE1 = "table1"
"""The experiment of claims.yaml that the score tables belong to: the test images of both families."""


def corruptions(settings: Settings) -> dict[str, Corruption]:
    """Experiment → the corruption of its test images."""
    return {TABLE1: Gaussian(settings.noise.sigma)}


def noisy_images(settings: Settings) -> list[Noisy]:
    """The noisy validation and test images."""
    return [Noisy(TABLE1, corruptions(settings)[TABLE1], split) for split in ("val", "test")]
