"""The corrupted validation, test and panel images of each experiment, made once: float, unclipped, keyed by image."""

from collections.abc import Mapping

import numpy as np

from common import command, params
from common.noise.corruptions import Text
from common.noise.sensor import Corruption, Gaussian, RandomImpulse, save_noisy
from common.params import Params
from common.store import Arrays, load_arrays
from replications.n2n_resnet.params import Noise

PAPER = "n2n_resnet"
MEDICAL = "medical/"
"""Ids of the medical test images start so."""
FIG19 = "fig19"
"""Validation images at the level of Fig. 19."""


def corruptions(everything: Params) -> dict[str, Corruption]:
    """Experiment → the corruption of its test images."""
    levels: Noise = everything.paper(PAPER).noise
    gaussian = Gaussian(everything.sigma(PAPER))
    return {
        "gaussian": gaussian,
        "medical": gaussian,
        "impulse": RandomImpulse(levels.impulse, levels.impulse),
        "heavy_impulse": RandomImpulse(levels.heavy_impulse, levels.heavy_impulse),
        "text": Text(levels.text, levels.text),
    }


def watched(everything: Params) -> dict[str, Corruption]:
    """Noise, and the level of Fig. 19's curve → the corruption of the validation images.

    `noise.sigma` does not replace these: they watch trainings that are blind to the level.
    """
    levels: Noise = everything.paper(PAPER).noise
    noises = {name: corruption for name, corruption in corruptions(everything).items() if name in ("impulse", "text")}
    return {"gaussian": Gaussian(levels.sigma), FIG19: Gaussian(levels.curve_sigma), **noises}


def test_images(experiment: str, images: Mapping[str, np.ndarray]) -> Arrays:
    """The test images of an experiment: the medical ones are its own."""
    return {name: image for name, image in images.items() if name.startswith(MEDICAL) == (experiment == "medical")}


def main() -> None:
    """Write the corrupted images."""
    everything = params.load()
    clean = {split: load_arrays(f"data/{PAPER}/{split}.safetensors") for split in ("val", "test", "face")}
    tested = {
        name: (corruption, {"test": test_images(name, clean["test"]), "face": clean["face"]})
        for name, corruption in corruptions(everything).items()
    }
    save_noisy(PAPER, tested, seed=everything.seed)
    watching = {name: (corruption, {"val": clean["val"]}) for name, corruption in watched(everything).items()}
    save_noisy(PAPER, watching, seed=everything.seed)


if __name__ == "__main__":
    command.run(main)
