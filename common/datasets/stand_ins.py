"""Stand-ins for published sets, cut from the embedded photographs: they need no download, and are not the real thing.

The patches of an image share its look; nothing learnt from them says how a network does on the sets they stand for.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from common.datasets import embedded
from common.datasets.images import Images, read_image
from common.noise.sensor import keyed_rng

SCENES_OF = {
    "nonface_03": "tree trunks",
    "nonface_10": "flowers",
    "nonface_16": "sand",
    "nonface_18": "surf",
    "nonface_20": "blossoming bush",
    "nonface_22": "castle at night",
    "nonface_26": "meadow",
    "nonface_27": "stones on a slope",
    "nonface_44": "bathroom",
    "nonface_50": "reef",
}
"""Chosen by eye: each looks much the same in its left and its right half, and unlike the nine others."""
PATCH = 64
PATCHES = {"train": 200, "test": 50}

MARINE_OF = ("nonface_47", "nonface_48", "nonface_49", "nonface_50")
MARINE_HELD_OUT = "nonface_51"
TILE = 160
GRASSLAND_OF = {
    "train": ("nonface_04", "nonface_06", "nonface_27", "nonface_28", "nonface_34"),
    "val": ("nonface_05",),
    "test": ("nonface_08", "nonface_35"),
}
MEDICAL = ("cell.png", "ihc.png", "retina.jpg")


def load_scenes(split: str, root: Path | None) -> Images:
    """Patches 64×64 of ten photographs, "<photograph>/<number>" → pixels. `root` plays no part.

    Those to train on lie in the left half of their photograph, those to test on in the right half, at places drawn by
    `keyed_rng`; patches of one split may overlap.
    """
    photographs = embedded.load_nonface(SCENES_OF)
    first = 0 if split == "train" else PATCHES["train"]
    return {
        f"{name}/{first + k:03d}": patch
        for name, photograph in photographs.items()
        for k, patch in enumerate(_patches(name, photograph, split))
    }


def load_marine(split: str, root: Path | None) -> Images:
    """Four underwater photographs to train on; of a fifth, 160×160 tiles: 3 to validate (left), 9 to test."""
    if split == "train":
        return embedded.load_nonface(MARINE_OF)
    photograph = embedded.load_nonface((MARINE_HELD_OUT,))[MARINE_HELD_OUT]
    height, width = photograph.shape[:2]
    columns = range(0, TILE, TILE) if split == "val" else range(TILE, width, TILE)
    return {
        f"{MARINE_HELD_OUT}_{top:03d}_{left:03d}": photograph[top : top + TILE, left : left + TILE].copy()
        for top in range(0, height, TILE)
        for left in columns
    }


def load_grassland(split: str, root: Path | None) -> Images:
    """Photographs of grassland and mountains: 5 to train on, 1 to validate, 2 to test. `root` plays no part."""
    return embedded.load_nonface(GRASSLAND_OF[split])


def load_medical(split: str, root: Path | None) -> Images:
    """Three images that come with scikit-image: a cell, stained tissue, a retina. `root` plays no part."""
    folder = embedded.skimage_data()
    return {Path(file).stem: read_image(folder / file, str(folder / file), grey_to_rgb=True) for file in MEDICAL}


def _patches(name: str, photograph: np.ndarray, split: str) -> list[np.ndarray]:
    height, width = photograph.shape[:2]
    half = photograph[:, : width // 2] if split == "train" else photograph[:, width // 2 :]
    rng = keyed_rng("embedded_scenes", name, split)
    tops = rng.integers(height - PATCH + 1, size=PATCHES[split])
    lefts = rng.integers(half.shape[1] - PATCH + 1, size=PATCHES[split])
    return [half[top : top + PATCH, left : left + PATCH].copy() for top, left in zip(tops, lefts, strict=True)]


SCENES = replace(
    embedded.EMBEDDED,
    name="embedded_scenes",
    title="embedded scenes",
    splits={split: count * len(SCENES_OF) for split, count in PATCHES.items()},
    loader=load_scenes,
    url=embedded.PYVISION_URL,
    licence=embedded.PYVISION_LICENCE,
    checksum="as embedded; the places by a keyed generator",
    citation="pyvision-toolkit",
    notes="stand-in for STL-10: ten classes are ten photographs of embedded's train, 64×64 patches of the left half to "
    'train, of the right half to test; ids "<photograph>/<number>"; far easier than ten kinds of objects',
)

MARINE = replace(
    SCENES,
    name="embedded_marine",
    title="embedded marine photographs",
    splits={"train": 4, "val": 3, "test": 9},
    loader=load_marine,
    checksum="as embedded",
    notes="stand-in for a documentary of marine life: nonface 47 to 50 (640×480) to train; 160×160 tiles of nonface "
    "51, the left column to validate, the others to test; all are in embedded's train: never mix the two",
)

GRASSLAND = replace(
    SCENES,
    name="embedded_grassland",
    title="embedded grassland photographs",
    splits={split: len(names) for split, names in GRASSLAND_OF.items()},
    loader=load_grassland,
    checksum="as embedded",
    notes="stand-in for a documentary of grassland: nonface 4, 6, 27, 28, 34 to train, 5 to validate, 8 and 35 to "
    "test (640×480); all are in embedded's train: never mix the two",
)

MEDICAL_IMAGES = replace(
    embedded.EMBEDDED_GREY,
    name="embedded_medical",
    title="embedded medical images",
    splits={"test": len(MEDICAL)},
    loader=load_medical,
    url="https://scikit-image.org",
    checksum="the package's version (constraints.txt)",
    licence="cell and retina CC0; ihc: no known copyright restrictions",
    citation=(
        "scikit-image; retina: M. Häggström: Medical gallery of Mikael Häggström 2014. WikiJournal of Medicine 1 (2); "
        "cell: P. Müller et al.: Accurate evaluation of size and refractive index for spherical objects in "
        "quantitative phase imaging. Optics Express 26, 10729–10743, 2018"
    ),
    notes="stand-in for medical image sets: a cell (550×660, grey as three equal channels), stained tissue (512×512), "
    "a retina (1411×1411, JPEG)",
)
