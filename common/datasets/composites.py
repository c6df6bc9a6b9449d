"""Textured shapes cut from one embedded photograph onto another: a stand-in for segmented photographs of objects.

The masks are exact, which no hand-drawn trimap is: a pixel comes from one photograph or the other, never from both.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from common.datasets import embedded
from common.datasets.images import Images, random_crop
from common.datasets.pets import BACKGROUND, BORDER, PET, TRIMAPS
from common.noise.sensor import keyed_rng

SIZE = 128
COUNTS = {"train": 240, "val": 24, "test": 80}
CONTRAST = 30
"""Least difference of the two mean colours in one channel at least, 0–255: else some shapes could not be seen."""
BORDER_REACH = 2
"""Pixels on either side of the outline that are border: a band 4 wide."""
HARMONICS = 5


def load_composites(split: str, root: Path | None) -> Images:
    """Images (128, 128, 3) of a split, or their trimaps (128, 128, 1) of "…_trimaps": 1 shape, 2 background, 3 border.

    Both photographs of a composite are of the split's own part of `embedded`. `root` plays no part.
    """
    part = split.removesuffix(TRIMAPS)
    if split.endswith(TRIMAPS):
        return {_id(part, k): _trimap(_mask(part, k)) for k in range(COUNTS[part])}
    photographs = embedded.load_embedded(part, root)
    return {_id(part, k): _composite(photographs, part, k) for k in range(COUNTS[part])}


def _id(part: str, k: int) -> str:
    return f"{part}_{k:03d}"


def _composite(photographs: Mapping[str, np.ndarray], part: str, k: int) -> np.ndarray:
    """The shape's photograph inside the mask, the other one outside, unblended."""
    shape, ground = draw_pair(photographs, part, k)
    return np.where(_mask(part, k)[:, :, None], shape, ground)


def draw_pair(photographs: Mapping[str, np.ndarray], part: str, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The crops (128, 128, 3) of two photographs that composite `k` is made of: the shape's and the ground's."""
    rng = keyed_rng("embedded_composites", "photographs", part, k)
    names = sorted(photographs)
    while True:
        pair = [names[i] for i in rng.choice(len(names), size=2, replace=False)]
        shape, ground = (random_crop(photographs[name], SIZE, rng, name) for name in pair)
        if np.abs(shape.mean(axis=(0, 1)) - ground.mean(axis=(0, 1))).max() >= CONTRAST:
            return shape, ground


def _mask(part: str, k: int) -> np.ndarray:
    """(128, 128) bool: the inside of a closed curve r(φ) = r₀ (1 + Σₙ aₙ cos(nφ + φₙ)), wholly inside the image.

    r₀ ~ U[26, 40] pixels, aₙ ~ U[0, 0.3 / n] for n = 2 … 5, φₙ uniform; the centre is anywhere that has room for it.
    """
    from skimage.draw import polygon

    rng = keyed_rng("embedded_composites", "mask", part, k)
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    radius = np.ones_like(angle)
    for n in range(2, HARMONICS + 1):
        radius += rng.uniform(0, 0.3 / n) * np.cos(n * angle + rng.uniform(0, 2 * np.pi))
    radius *= rng.uniform(26, 40)
    rows, columns = radius * np.sin(angle), radius * np.cos(angle)
    margin = BORDER_REACH + 1
    places = [rng.uniform(margin - line.min(), SIZE - 1 - margin - line.max()) for line in (rows, columns)]
    mask = np.zeros((SIZE, SIZE), bool)
    mask[polygon(rows + places[0], columns + places[1])] = True
    return mask


def _trimap(mask: np.ndarray) -> np.ndarray:
    from scipy.ndimage import binary_dilation, binary_erosion

    trimap = np.full(mask.shape, BACKGROUND, np.uint8)
    trimap[binary_dilation(mask, iterations=BORDER_REACH)] = BORDER
    trimap[binary_erosion(mask, iterations=BORDER_REACH)] = PET
    return trimap[:, :, None]


COMPOSITES = replace(
    embedded.EMBEDDED,
    name="embedded_composites",
    title="embedded composites",
    splits={part + kind: count for kind in ("", TRIMAPS) for part, count in COUNTS.items()},
    loader=load_composites,
    checksum="as embedded; shapes and places by a keyed generator",
    notes="stand-in for Oxford-IIIT Pet: 128×128, a random shape of one photograph on another, each split from its own "
    "part of embedded; trimaps, exact: 1 shape, 2 background, 3 border (4 pixels wide)",
)
