"""Training batches from uint8 images in memory: random crops with flips and quarter turns, corrupted; labelled images.

A batch is a function of (seed, step) alone. Under several processes each makes its own share of the same batch, so
the number of processes does not change what is learnt.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from common.errors import UserError
from common.noise.sensor import Corruption, keyed_rng


@dataclass(frozen=True)
class Batch:
    """Inputs of a training step, (N, H, W, C) float32 on the 0–255 scale, and their targets.

    targets: images like the inputs; or integers, classes of images (N,) or of pixels (N, H, W).
    """

    inputs: np.ndarray
    targets: np.ndarray


class Patches:
    """Draws batches of corrupted crops and their targets.

    images: uint8 (H, W, C), any sizes that hold the crop.
    corruption: applied to the whole batch.
    batch, crop: number of crops and their side in pixels.
    noisy_targets: the target is a second, independent corruption of the crop, not the clean crop (Noise2Noise); crops
        and inputs are the same either way.
    """

    def __init__(
        self,
        images: Mapping[str, np.ndarray],
        corruption: Corruption,
        *,
        batch: int,
        crop: int,
        seed: int,
        noisy_targets: bool = False,
    ) -> None:
        for name, image in images.items():
            if min(image.shape[:2]) < crop:
                height, width = image.shape[:2]
                raise UserError(f"image {name} is {width}×{height}, smaller than a training crop of {crop}×{crop}")
        self.images = list(images.values())
        self.corruption, self.noisy_targets = corruption, noisy_targets
        self.batch, self.crop, self.seed = batch, crop, seed

    def __call__(self, step: int) -> Batch:
        """The batch of a step, the same at every call."""
        rng = keyed_rng("patches", self.seed, step)
        clean = np.stack([self._crop(rng) for _ in range(self.batch)]).astype(np.float32)
        inputs = self._corrupted(clean, "training noise", step)
        return Batch(inputs, self._corrupted(clean, "target noise", step) if self.noisy_targets else clean)

    def _corrupted(self, clean: np.ndarray, draw: str, step: int) -> np.ndarray:
        return self.corruption(clean, keyed_rng(draw, self.corruption, self.seed, step))

    def _crop(self, rng: np.random.Generator) -> np.ndarray:
        image = self.images[rng.integers(len(self.images))]
        top, left = (int(rng.integers(side - self.crop + 1)) for side in image.shape[:2])
        crop = image[top : top + self.crop, left : left + self.crop]
        if rng.integers(2):
            crop = crop[:, ::-1]
        return np.rot90(crop, k=int(rng.integers(4)))


class Labelled:
    """Draws batches of labelled images, all of one size.

    inputs: uint8 (N, H, W, C). targets: integers, (N,) or (N, H, W).
    batch: images a step, drawn with replacement, half of them mirrored left to right with their labels.
    """

    def __init__(self, inputs: np.ndarray, targets: np.ndarray, *, batch: int, seed: int) -> None:
        self.inputs, self.targets, self.batch, self.seed = inputs, targets, batch, seed

    def __call__(self, step: int) -> Batch:
        """The batch of a step, the same at every call."""
        rng = keyed_rng("labelled", self.seed, step)
        chosen = rng.integers(len(self.inputs), size=self.batch)
        mirrored = rng.integers(2, size=self.batch).astype(bool)
        inputs, targets = self.inputs[chosen].astype(np.float32), self.targets[chosen].astype(np.int64)
        inputs[mirrored] = inputs[mirrored, :, ::-1]
        if targets.ndim > 1:
            targets[mirrored] = targets[mirrored, :, ::-1]
        return Batch(inputs, targets)
