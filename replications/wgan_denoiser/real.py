"""Genuinely noisy photographs, to look at: nothing is known of them but the noise they came with (claim G7)."""

import numpy as np

from common.datasets.images import center_crop
from common.datasets.registry import load
from common.store import Arrays
from replications.wgan_denoiser.params import Data

TILE = 32
"""Side of the tiles in which noise is estimated, pixels; every other one of a row, and every other row, is enough."""
FLATTEST = 10
"""Percentile of the tiles' estimates: that of the flattest tiles, where texture is not taken for noise."""


def photographs(settings: Data) -> Arrays:
    """Centre crops of the noisiest photographs of `data.real`, uint8 (H, W, 3), noisiest first.

    The embedded test set holds scans of film, whose grain is such noise; with a data set of their own,
    `folder:<path>`, users see their photographs.
    """
    images = load(settings.real, "test", settings.root)
    levels = {name: noise_level(image) for name, image in images.items()}
    noisiest = sorted(images, key=lambda name: (-levels[name], name))[: settings.real_images]
    return {name: center_crop(images[name], settings.real_crop, name) for name in noisiest}


def noise_level(image: np.ndarray) -> float:
    """Standard deviation of an image's own noise, from the finest wavelets of its flat tiles (Donoho & Johnstone 1994).

    image: (H, W, C) on the 0–255 scale, H, W ≥ 32. Tiles near black or white are left out, as clipping hides noise
    there; 0 where there are no others.
    """
    from skimage.restoration import estimate_sigma

    pixels = image.astype(np.float64)
    tiles = [
        pixels[top : top + TILE, left : left + TILE]
        for top in range(0, image.shape[0] - TILE + 1, 2 * TILE)
        for left in range(0, image.shape[1] - TILE + 1, 2 * TILE)
    ]
    levels = [estimate_sigma(tile, channel_axis=-1, average_sigmas=True) for tile in tiles if 20 < tile.mean() < 235]
    return float(np.percentile(levels, FLATTEST)) if levels else 0.0
