"""The photographs to restore, those to pretrain on, and the pictures with trimaps."""

from collections.abc import Mapping

import numpy as np
from PIL import Image

from common import command, params
from common.datasets.images import Images, center_crop
from common.datasets.registry import describe, load
from common.datasets.splits import save_splits
from replications.edcnn.params import Data, Segmentation, Settings

PAPER = "edcnn"
HELD_OUT = 10
"""Every so many-th training image validates where a set has no validation images of its own."""


def main() -> None:
    """Write the clean images of every split, and the trimaps."""
    everything: Settings = params.load(PAPER)
    settings, root = everything.data, everything.data.root
    save_splits(PAPER, photographs(settings, root) | segmentation(settings.segmentation, root))


def photographs(settings: Data, root: str | None) -> dict[str, tuple[str, Images]]:
    """The restoration splits: train, pretrain, val and test, each with the name of its set.

    Where pretraining is on the training set too, its images train and pretrain in turns, by id.
    """
    train, validation = _train_and_val(settings.train, "", root)
    if settings.pretrain == settings.train:
        names = sorted(train)
        pretrain = {name: train.pop(name) for name in names[1::2]}
    else:
        pretrain = load(settings.pretrain, "train", root)
    test = spread(load(settings.test, "test", root), settings.test_images)
    if settings.fit == "resize":
        train, pretrain, validation, test = (
            resized(images, settings.size) for images in (train, pretrain, validation, test)
        )
    else:
        validation, test = (
            {name: center_crop(image, settings.size, name) for name, image in images.items()}
            for images in (validation, test)
        )
    return {
        "train": (settings.train, train),
        "pretrain": (settings.pretrain, pretrain),
        "val": (settings.train, validation),
        "test": (settings.test, test),
    }


def segmentation(settings: Segmentation, root: str | None) -> dict[str, tuple[str, Images]]:
    """The splits segmentation_<split> and segmentation_<split>_trimaps, all of one size."""
    splits = {}
    for kind in ("", "_trimaps"):
        train, validation = _train_and_val(settings.images, kind, root)
        test = load(settings.images, f"test{kind}", root)
        chosen = {
            "train": spread(train, settings.train_images),
            "val": validation,
            "test": spread(test, settings.test_images),
        }
        for split, images in chosen.items():
            same_size = resized(images, settings.size, smooth=not kind)
            splits[f"segmentation_{split}{kind}"] = (settings.images, same_size)
    return splits


def spread(images: Mapping[str, np.ndarray], count: int | None) -> Images:
    """`count` images evenly spread over the ids, in which sets list class after class; all where there are fewer."""
    names = sorted(images)
    wanted = len(names) if count is None else min(count, len(names))
    return {name: images[name] for name in (names[k * len(names) // wanted] for k in range(wanted))}


def resized(images: Mapping[str, np.ndarray], size: int, *, smooth: bool = True) -> Images:
    """Every image as (size, size, C), its proportions given up; bicubic, or the nearest pixel's value for labels."""
    method = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    return {
        name: np.asarray(Image.fromarray(image.squeeze()).resize((size, size), method)).reshape(size, size, -1)
        for name, image in images.items()
    }


def _train_and_val(name: str, kind: str, root: str | None) -> tuple[Images, Images]:
    """The training and the validation images of a set, or (kind `_trimaps`) their label maps."""
    train = load(name, f"train{kind}", root)
    if "val" in describe(name).splits:
        return train, load(name, f"val{kind}", root)
    held_out = sorted(train)[::HELD_OUT]
    return {key: image for key, image in train.items() if key not in held_out}, {key: train[key] for key in held_out}


if __name__ == "__main__":
    command.run(main)
