"""Training batches: random crops with flips and quarter turns, cut from uint8 images in memory, then corrupted.

A batch is a function of (seed, step) alone. Under several processes each makes its own share of the same batch, so
the number of processes does not change what is learnt.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from common.errors import UserError
from common.noise import Corruption, keyed_rng


@dataclass(frozen=True)
class Batch:
    """Input and target of a training step, each (N, H, W, C) float32 on the 0–255 scale."""

    noisy: np.ndarray
    clean: np.ndarray


class Patches:
    """Draws batches of corrupted crops.

    images: uint8 (H, W, C), any sizes that hold the crop.
    corruption: applied to the whole batch.
    batch, crop: number of crops and their side in pixels.
    """

    def __init__(self, images: Mapping[str, np.ndarray], corruption: Corruption, *, batch: int, crop: int, seed: int):
        for name, image in images.items():
            if min(image.shape[:2]) < crop:
                height, width = image.shape[:2]
                raise UserError(f"image {name} is {width}×{height}, smaller than a training crop of {crop}×{crop}")
        self.images = list(images.values())
        self.corruption, self.batch, self.crop, self.seed = corruption, batch, crop, seed

    def __call__(self, step: int) -> Batch:
        """The batch of a step, the same at every call."""
        rng = keyed_rng("patches", self.seed, step)
        clean = np.stack([self._crop(rng) for _ in range(self.batch)]).astype(np.float32)
        return Batch(self.corruption(clean, keyed_rng("training noise", self.corruption, self.seed, step)), clean)

    def _crop(self, rng: np.random.Generator) -> np.ndarray:
        image = self.images[rng.integers(len(self.images))]
        top, left = (int(rng.integers(side - self.crop + 1)) for side in image.shape[:2])
        crop = image[top : top + self.crop, left : left + self.crop]
        if rng.integers(2):
            crop = crop[:, ::-1]
        return np.rot90(crop, k=int(rng.integers(4)))
