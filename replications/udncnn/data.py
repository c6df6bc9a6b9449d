"""The photographs: BSDS300 in `paper`, the embedded ones elsewhere; test images cut to one size, in colour and grey."""

from collections.abc import Mapping
from itertools import islice

import numpy as np

from common import command, params
from common.datasets.images import center_crop, random_crop
from common.datasets.registry import load
from common.datasets.splits import save_splits
from common.noise.sensor import keyed_rng
from common.store import Arrays
from replications.udncnn.params import Data, Settings
from replications.udncnn.pictures import in_grey

PAPER = "udncnn"


def main() -> None:
    """Write the clean images of the three splits, each with its grey version, and those of super-resolution."""
    everything: Settings = params.load(PAPER)
    settings, root = everything.data, everything.data.root
    validation = {
        name: center_crop(image, settings.validation_crop, name)
        for name, image in load(settings.validation, "val", root).items()
    }
    test = crop_test(load(settings.test, "test", root), settings, everything.seed)
    splits = {
        "train": (settings.train, load(settings.train, "train", root)),
        "val": (settings.validation, validation),
        "test": (settings.test, test),
    }
    own = everything.super_resolution
    enlarged = {
        name: image if own.test_crop is None else center_crop(image, own.test_crop, name)
        for name, image in load(own.test, "test", root).items()
    }
    save_splits(
        PAPER,
        {**splits, "super_resolution": (own.test, enlarged)},
        {split: in_grey(first_draws(images)) for split, (_, images) in splits.items()},
    )


def first_draws(images: Mapping[str, np.ndarray]) -> Arrays:
    """One crop of each image: further draws are Table 1's protocol, and would multiply the cost of all other noises."""
    return {name: image for name, image in images.items() if name.partition("#")[2] in ("", "0")}


def crop_test(images: Mapping[str, np.ndarray], settings: Data, seed: int) -> Arrays:
    """Cut every test image to one square: its centre, or random places as in the lineage's protocol.

    With several draws, or at random places, draw k of image i is named "i#k", which gives it noise of its own; draw by
    draw, so that a batch of the lineage's protocol holds different images.
    """
    chosen = dict(islice(images.items(), settings.test_images))
    centre = settings.test_crops == "center"
    if centre and settings.test_draws == 1:
        return {name: center_crop(image, settings.test_crop, name) for name, image in chosen.items()}
    return {
        f"{name}#{draw}": center_crop(image, settings.test_crop, name)
        if centre
        else random_crop(image, settings.test_crop, keyed_rng("test crop", name, draw, seed), name)
        for draw in range(settings.test_draws)
        for name, image in chosen.items()
    }


if __name__ == "__main__":
    command.run(main)
