"""The restoration tasks: ×4 low resolution, noise and erasing, alone and together."""

from common.noise.corruptions import Erase, LowResolution
from common.noise.sensor import Chain, Corruption, Gaussian, Noisy
from replications.edcnn.params import Settings

PAPER = "edcnn"


def corruptions(settings: Settings) -> dict[str, Corruption]:
    """Experiment → the corruption of its test images.

    The paper names the three and no level. `full`, Table 3's rows without a scale, is noise, then erasing, at full
    resolution; `together` loses the resolution first.
    """
    levels = settings.noise
    low_resolution, noise, erase = LowResolution(levels.factor), Gaussian(levels.mixed_sigma), Erase(*levels.erased)
    return {
        "x4": low_resolution,
        "noise": Gaussian(levels.sigma),
        "erased": erase,
        "full": Chain((noise, erase)),
        "together": Chain((low_resolution, noise, erase)),
    }


def noisy_images(settings: Settings) -> list[Noisy]:
    """The degraded validation and test images of every task."""
    return [Noisy(name, task, split) for name, task in corruptions(settings).items() for split in ("val", "test")]
