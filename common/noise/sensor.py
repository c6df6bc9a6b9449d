"""Corruptions, keyed: the noise of an image depends on what it is, never on when or where it is drawn.

Images are float32 on the 0–255 scale, and corrupted images are neither clipped nor quantised. A corruption is a small
frozen dataclass called with a batch and a generator; a new one needs nothing else. Here are those that treat every
pixel alike; text, boxes, erasing and low resolution are in `common.noise.corruptions`.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from common.store import Arrays


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


@dataclass(frozen=True)
class Chain:
    """Several corruptions, one after the other.

    parts: applied in this order, all drawing from the same generator.
    """

    parts: tuple[Corruption, ...]

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        for part in self.parts:
            clean = part(clean, rng)
        return clean


@dataclass(frozen=True)
class OneOf:
    """One of several corruptions for each image, each with equal probability, for training on all of them together.

    parts: at least one; all draw from the same generator.
    """

    parts: tuple[Corruption, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("parts must name at least one corruption")

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        chosen = rng.integers(len(self.parts), size=len(clean))
        return np.concatenate([self.parts[part](image[None], rng) for part, image in zip(chosen, clean, strict=True)])


@dataclass(frozen=True)
class Poisson:
    """Photon noise: y = 255 · k / peak, k ~ Poisson(peak · x / 255): mean x, variance 255 · x / peak.

    peak: photons expected in a white pixel, > 0; fewer are noisier. Negative input is a ValueError: it has no photons.
    """

    peak: float

    def __post_init__(self) -> None:
        if not 0 < self.peak < float("inf"):
            raise ValueError(f"peak must be a finite number of photons > 0, got {self.peak}")

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        gain = 255 / self.peak
        return (gain * rng.poisson(clean / gain)).astype(np.float32)


@dataclass(frozen=True)
class BlindPoisson:
    """Photon noise whose peak is drawn for each image, for blind training: log peak ~ U[log low, log high].

    low, high: bounds of the peak, photons expected in a white pixel, 0 < low ≤ high. Uniform in the logarithm, since
    published levels double from one to the next.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        Poisson(self.low)  # refuses an impossible peak
        if not self.low <= self.high < float("inf"):
            raise ValueError(f"high must be ≥ low = {self.low}, got {self.high}")

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        peak = np.exp(rng.uniform(np.log(self.low), np.log(self.high), size=(len(clean), 1, 1, 1)))
        gain = 255 / peak
        return (gain * rng.poisson(clean / gain)).astype(np.float32)


@dataclass(frozen=True)
class PoissonGaussian:
    """Photon noise and then the read-out noise of a sensor: y = Poisson(x) + σ·n.

    peak: photons expected in a white pixel, > 0. sigma: standard deviation on the 0–255 scale, ≥ 0.
    """

    peak: float
    sigma: float

    def __post_init__(self) -> None:
        self._parts()  # refuses impossible levels

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self._parts()(clean, rng)

    def _parts(self) -> Chain:
        return Chain((Poisson(self.peak), Gaussian(self.sigma)))


@dataclass(frozen=True)
class RandomImpulse:
    """Random-valued impulse noise: each pixel is replaced, with probability p, by a uniformly random colour.

    A pixel keeps its colour or loses all of it: one draw decides for its channels, and each then takes a value of its
    own from U[0, 255], as in Noise2Noise (Lehtinen et al. 2018; a widespread port to Keras decides channel by channel
    instead). p ~ U[low, high] is drawn for each image, 0 ≤ low ≤ high ≤ 1; equal bounds fix it.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        check_fractions(low=self.low, high=self.high)

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        p = rng.uniform(self.low, self.high, size=(len(clean), 1, 1, 1))
        replaced = rng.random((*clean.shape[:3], 1), dtype=np.float32) < p
        return np.where(replaced, np.float32(255) * rng.random(clean.shape, dtype=np.float32), clean)


@dataclass(frozen=True)
class SaltAndPepper:
    """Salt and pepper: a pixel turns white (255) or black (0), all channels together, each with probability fraction/2.

    fraction: expected share of corrupted pixels, in [0, 1].
    """

    fraction: float

    def __post_init__(self) -> None:
        check_fractions(fraction=self.fraction)

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        draw = rng.random((*clean.shape[:3], 1), dtype=np.float32)
        salt_or_pepper = np.where(draw < self.fraction / 2, np.float32(255), np.float32(0))
        return np.where(draw < self.fraction, salt_or_pepper, clean)


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


def every_image(name: str, image: np.ndarray) -> bool:
    """All images of a split."""
    return True


@dataclass(frozen=True)
class Noisy:
    """Images that a paper's noise stage makes.

    experiment: names their folder. split: of the clean images, of which `chosen` (id, image) takes some.
    """

    experiment: str
    corruption: Corruption
    split: str
    chosen: Callable[[str, np.ndarray], bool] = every_image


def noisy_file(paper: str, experiment: str, split: str) -> Path:
    """Where the corrupted images of an experiment's split lie."""
    return Path("data") / paper / "noisy" / experiment / f"{split}.safetensors"


def rms(corruption: Corruption, images: Mapping[str, np.ndarray], seed: int) -> float:
    """Root mean squared error of the corrupted images over all their values, on the 0–255 scale.

    What a filter that asks for a noise level is given where the corruption has no σ. The noise is `corrupt`'s, draw 0.
    """
    noisy = corrupt(images, corruption, seed=seed)
    squared = sum(float(np.square(noisy[name] - image, dtype=np.float64).sum()) for name, image in images.items())
    return float(np.sqrt(squared / sum(image.size for image in images.values())))


def check_fractions(**bounds: float) -> None:
    """ValueError, naming the first culprit, unless the bounds are fractions in [0, 1] in ascending order."""
    least = 0.0
    for name, fraction in bounds.items():
        if not least <= fraction <= 1:
            raise ValueError(f"{name} must be a fraction in [{least}, 1], got {fraction}")
        least = fraction


def _check_level(name: str, level: float) -> None:
    if not 0 <= level < float("inf"):
        raise ValueError(f"{name} must be a finite level ≥ 0 on the 0–255 scale, got {level}")
