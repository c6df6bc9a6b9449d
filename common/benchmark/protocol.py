"""What every denoiser is tested on: corruptions at their levels, keyed by image; PSNR and SSIM as the suite takes them.

The noise is neither clipped nor rounded, so an image that a denoiser sees may leave its range.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from common.datasets import registry
from common.datasets.folders import folder_files, read_member
from common.errors import UserError
from common.noise.codecs import Jpeg
from common.noise.corruptions import Text
from common.noise.sensor import Chain, Corruption, Gaussian, Poisson, RandomImpulse, SaltAndPepper, rms

CONVENTION = "suite"
GAUSSIAN = "gaussian"
SIGMAS = (15.0, 25.0, 50.0)
"""Levels of Gaussian noise on the 0–255 scale: the literature's."""
SALT_AND_PEPPER = 0.1
"""Share of pixels turned black or white on top of Gaussian noise."""

CORRUPTIONS: dict[str, tuple[Callable[[float], Corruption], tuple[float, ...]]] = {
    GAUSSIAN: (Gaussian, SIGMAS),  # level: σ
    "poisson": (Poisson, (4.0,)),  # photons of a white pixel
    "impulse": (lambda share: RandomImpulse(share, share), (0.5,)),  # share of replaced pixels
    "gaussian_salt_and_pepper": (lambda sigma: Chain((Gaussian(sigma), SaltAndPepper(SALT_AND_PEPPER))), (25.0,)),  # σ
    "text": (lambda share: Text(share, share), (0.25,)),  # share of covered pixels
    "jpeg": (lambda quality: Jpeg(int(quality)), (10.0,)),  # quality
}
"""Name → how it is made from its level, and the levels at which it is tested."""


@dataclass(frozen=True)
class Case:
    """A corruption at a level."""

    corruption: str
    level: float
    seed: int

    @property
    def make(self) -> Corruption:
        """The corruption itself."""
        return CORRUPTIONS[self.corruption][0](self.level)

    @cached_property
    def sigma(self) -> float:
        """What a denoiser that asks for a noise level is given, 0–255 scale.

        Its own of Gaussian noise; of anything else, the root mean squared error on the embedded validation images.
        """
        return self.level if self.corruption == GAUSSIAN else rms(self.make, validation(), seed=self.seed)


@cache
def validation() -> dict[str, np.ndarray]:
    """Images from which filters take the level of a corruption that has no σ; none of them is tested on."""
    return registry.load("embedded", "val", None)


def cases(corruptions: Iterable[str], sigmas: Collection[float], seed: int) -> list[Case]:
    """Every corruption at its levels; Gaussian noise at these. UserError for an unknown one, or a level below 0."""
    chosen = []
    for name in corruptions:
        if name not in CORRUPTIONS:
            raise UserError(f"--corruptions {name} is unknown: known are {', '.join(CORRUPTIONS)}")
        levels = tuple(sigmas) if name == GAUSSIAN else CORRUPTIONS[name][1]
        if name == GAUSSIAN and (wrong := [level for level in levels if not 0 < level <= 255]):
            raise UserError(f"--sigma must be above 0 and at most 255 (the 0–255 scale), got {wrong[0]:g}")
        chosen += [Case(name, float(level), seed) for level in levels]
    return chosen


def images(name: str, root: str | None, limit: int | None) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """Id and reader of each image of a test set, in the order of the ids; a plain folder's are read one at a time.

    limit: only the first so many. The reader's UserError names a picture that cannot be used.
    """
    kind, _, path = name.partition(":")
    if kind in registry.PLAIN_FOLDERS:
        files = folder_files(path, "test", registry.local_root(root), word=kind)
        readers = [(key, _reader(files[key], kind == "grey")) for key in sorted(files)]
    else:
        loaded = registry.load(name, "test", root)
        readers = [(key, _constant(image)) for key, image in loaded.items()]
    yield from readers[:limit]


def _reader(file: Path, grey: bool) -> Callable[[], np.ndarray]:
    return lambda: read_member(file, grey=grey)


def _constant(image: np.ndarray) -> Callable[[], np.ndarray]:
    return lambda: image
