"""The corruptions: Gaussian noise with salt and pepper over it, and a box of noise in a clean image (Fig. 9)."""

from common.noise.corruptions import BoxPatch
from common.noise.sensor import Chain, Corruption, Gaussian, Noisy, SaltAndPepper
from replications.dsc_autoencoder.params import Settings

PAPER = "dsc_autoencoder"
DENOISE, BOX = "denoise", "box"
"""Folders of noisy images; `denoise` is an experiment of claims.yaml."""


def corruptions(settings: Settings) -> dict[str, Corruption]:
    """Experiment → the corruption of its test images. The levels are a mixture's, which `noise.sigma` leaves alone."""
    levels = settings.noise
    return {DENOISE: Chain((Gaussian(levels.gaussian), SaltAndPepper(levels.salt_and_pepper)))}


def boxed(settings: Settings) -> Corruption:
    """The box of noise, which is looked at (D8) and not scored beside other denoisers."""
    return BoxPatch(settings.noise.box_sigma, settings.noise.box_share)


def noisy_images(settings: Settings) -> list[Noisy]:
    """The noisy validation images of the mixture, and the test images of both."""
    mixture = corruptions(settings)[DENOISE]
    return [Noisy(DENOISE, mixture, "val"), Noisy(DENOISE, mixture, "test"), Noisy(BOX, boxed(settings), "test")]
