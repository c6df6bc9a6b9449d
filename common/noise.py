"""Corruptions, keyed: the noise of an image depends on what it is, never on when or where it is drawn.

Images are float32 on the 0–255 scale, and corrupted images are neither clipped nor quantised. A corruption is a small
frozen dataclass called with a batch and a generator; a new one needs nothing else.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from common.store import Arrays, save_arrays


class Corruption(Protocol):
    """Anything that turns clean images (N, H, W, C), float32, 0–255, into corrupted ones of the same shape."""

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray: ...


@dataclass(frozen=True)
class Gaussian:
    """Additive white Gaussian noise: y = x + σ·n, n ~ N(0, 1), independent over pixels and colours.

    sigma: standard deviation on the 0–255 scale, ≥ 0.
    """

    sigma: float

    def __post_init__(self) -> None:
        _check_level("sigma", self.sigma)

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return clean + np.float32(self.sigma) * rng.standard_normal(clean.shape, dtype=np.float32)


@dataclass(frozen=True)
class BlindGaussian:
    """Additive white Gaussian noise whose level is drawn for each image, σ ~ U[low, high], for blind training.

    low, high: bounds of the standard deviation on the 0–255 scale, 0 ≤ low ≤ high.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_level("low", self.low)
        if not self.low <= self.high < float("inf"):
            raise ValueError(f"high must be ≥ low = {self.low}, got {self.high}")

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        sigma = rng.uniform(self.low, self.high, size=(len(clean), 1, 1, 1)).astype(np.float32)
        return clean + sigma * rng.standard_normal(clean.shape, dtype=np.float32)


def keyed_rng(*key: object) -> np.random.Generator:
    """A counter-based generator (Philox) whose stream depends on the key alone.

    The key's parts are hashed by their `repr`, so ints, floats, strings and frozen dataclasses serve, and 1 and "1"
    differ. Two keys that differ anywhere give independent streams.
    """
    digest = hashlib.blake2b(repr(key).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def corrupt(images: Mapping[str, np.ndarray], corruption: Corruption, *, seed: int, draw: int = 0) -> Arrays:
    """Corrupt a set of images (H, W, C), each with the noise of (its id, the corruption and its level, seed, draw).

    Returns float32 arrays on the 0–255 scale under the same ids. Two draws of one image are independent.
    """
    return {
        name: corruption(image[None].astype(np.float32), keyed_rng(name, corruption, seed, draw))[0]
        for name, image in images.items()
    }


def save_noisy(
    paper: str, experiments: Mapping[str, tuple[Corruption, Mapping[str, Mapping[str, np.ndarray]]]], *, seed: int
) -> None:
    """Write data/<paper>/noisy/<experiment>/<split>.safetensors: float32, unclipped, keyed by image.

    experiments: experiment → (its corruption, split → the clean images it corrupts).
    """
    for experiment, (corruption, splits) in experiments.items():
        for split, images in splits.items():
            file = noisy_file(paper, experiment, split)
            save_arrays(file, corrupt(images, corruption, seed=seed))


def noisy_file(paper: str, experiment: str, split: str) -> Path:
    """Where the corrupted images of an experiment's split lie."""
    return Path("data") / paper / "noisy" / experiment / f"{split}.safetensors"


def _check_level(name: str, level: float) -> None:
    if not 0 <= level < float("inf"):
        raise ValueError(f"{name} must be a finite level ≥ 0 on the 0–255 scale, got {level}")
