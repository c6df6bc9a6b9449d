"""White Gaussian noise of one level."""

from replications.toy.params import Settings

from common.noise.sensor import Corruption, Gaussian, Noisy


def corruptions(settings: Settings) -> dict[str, Corruption]:
    """Experiment → the corruption of its test images."""
    return {"table1": Gaussian(settings.noise.sigma)}


def noisy_images(settings: Settings) -> list[Noisy]:
    """The noisy validation and test images."""
    return [Noisy("table1", corruptions(settings)["table1"], split) for split in ("val", "test")]
