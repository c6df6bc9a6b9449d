"""Photographs to denoise, and labelled 64×64 images: STL-10 in `paper`, the embedded ones and a stand-in elsewhere."""

from collections.abc import Iterable, Mapping
from itertools import groupby, islice

import numpy as np

from common import command, params
from common.datasets.images import center_crop
from common.datasets.registry import load
from common.datasets.splits import save_splits
from common.store import Arrays
from replications.dsc_autoencoder.labels import label_of
from replications.dsc_autoencoder.params import Data, Settings

PAPER = "dsc_autoencoder"
SIDE = 64
"""Of a labelled image: the size of Table 2."""


def main() -> None:
    """Write the clean images of all splits; the labelled ones as labelled_train, labelled_val and labelled_test."""
    everything: Settings = params.load(PAPER)
    settings, root = everything.data, everything.data.root
    validation = load(settings.validation, "val", root).items()
    test = islice(load(settings.test, "test", root).items(), settings.test_images)
    splits = {
        "train": (settings.train, load(settings.train, settings.train_split, root)),
        "val": (settings.validation, _cropped(validation, settings.validation_crop)),
        "test": (settings.test, _cropped(test, settings.test_crop)),
    }
    labelled = labelled_splits(load(settings.labelled, "train", root), load(settings.labelled, "test", root), settings)
    save_splits(PAPER, splits | {name: (settings.labelled, images) for name, images in labelled.items()})


def labelled_splits(
    train: Mapping[str, np.ndarray], test: Mapping[str, np.ndarray], settings: Data
) -> dict[str, Arrays]:
    """The labelled images as 64×64: some of each class to validate and test on, the rest to train on.

    The paper trains on 13,000, all that STL-10 has, and tests on some of them. Here nothing that is tested on is
    trained on: STL-10's own 5,000 and 8,000.
    """
    validation = dict(_of_each_class(train, settings.labelled_validation))
    kept = {name: image for name, image in train.items() if name not in validation}
    chosen = {"train": kept, "val": validation, "test": dict(_of_each_class(test, settings.labelled_test))}
    return {
        f"labelled_{split}": {name: small(image) for name, image in images.items()} for split, images in chosen.items()
    }


def small(image: np.ndarray) -> np.ndarray:
    """The middle square of an image, (H, W, 3) uint8, brought to 64×64 by Lanczos filtering; 64×64 stays as it is."""
    from PIL import Image, ImageOps

    return np.asarray(ImageOps.fit(Image.fromarray(image), (SIDE, SIDE), Image.Resampling.LANCZOS))


def _of_each_class(images: Mapping[str, np.ndarray], count: int | None) -> Iterable[tuple[str, np.ndarray]]:
    """The last `count` images of each class, or all; ids are sorted, so classes come one after the other."""
    for _, members in groupby(images.items(), key=lambda item: label_of(item[0])):
        yield from list(members)[-(count or 0) :]


def _cropped(images: Iterable[tuple[str, np.ndarray]], side: int) -> Arrays:
    return {name: center_crop(image, side, name) for name, image in images}


if __name__ == "__main__":
    command.run(main)
