"""Two scene families, marine and grassland: the embedded stand-ins, or the folders `data.root` holds.

The documentaries that the paper took its screenshots from are not named. Image ids begin with their family.
"""

import numpy as np

from common import command, params
from common.datasets.images import center_crop
from common.datasets.registry import load
from common.datasets.splits import save_splits
from common.store import Arrays
from replications.wgan_denoiser.params import Data, Settings

PAPER = "wgan_denoiser"


def main() -> None:
    """Write the clean images of the three splits, both families in each."""
    everything: Settings = params.load(PAPER)
    settings: Data = everything.data
    root = everything.data.root
    splits: dict[str, Arrays] = {"train": {}, "val": {}, "test": {}}
    for name, family in settings.families.items():
        train = load(family.train, "train", root)
        validation = tiles(load(family.validation, "val", root), settings.validation_crop, settings.validation_images)
        test = tiles(load(family.test, "test", root), settings.test_crop, settings.test_images)
        for split, images in (("train", train), ("val", validation), ("test", test)):
            splits[split] |= {f"{name}/{image}": pixels for image, pixels in images.items()}
    sources = {
        "train": [family.train for family in settings.families.values()],
        "val": [family.validation for family in settings.families.values()],
        "test": [family.test for family in settings.families.values()],
    }
    save_splits(PAPER, {split: (" + ".join(sources[split]), images) for split, images in splits.items()})


def tiles(images: dict[str, np.ndarray], side: int, wanted: int) -> Arrays:
    """`wanted` squares of the images, spread over them: tile (row, column) of image i is named "i_<row>_<column>".

    Every image is cut into as many tiles as it holds, around its centre; of all tiles every so many is taken. With
    fewer tiles than `wanted`, all of them. UserError for an image smaller than a tile.
    """
    cut = {}
    for name, image in images.items():
        rows, columns = (max(length // side, 1) for length in image.shape[:2])
        whole = center_crop(image, side, name) if rows * columns == 1 else _middle(image, rows * side, columns * side)
        for row, column in np.ndindex(rows, columns):
            tile = whole[row * side : (row + 1) * side, column * side : (column + 1) * side]
            cut[f"{name}_{row}_{column}"] = tile.copy()
    names = list(cut)
    chosen = np.unique(np.linspace(0, len(names) - 1, min(wanted, len(names))).round().astype(int))
    return {names[index]: cut[names[index]] for index in chosen}


def _middle(image: np.ndarray, height: int, width: int) -> np.ndarray:
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


if __name__ == "__main__":
    command.run(main)
