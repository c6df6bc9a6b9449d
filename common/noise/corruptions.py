"""Corruptions that act on regions of an image: text, a box of noise, erasing, low resolution.

Like those of `common.noise.sensor`: frozen dataclasses called with a batch (N, H, W, C), float32, 0–255, and a
generator. Each image of a batch has its own draw.
"""

import string
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from common.noise.sensor import Gaussian, check_fractions

LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Text:
    """Random strings of random size, colour and place, also on top of each other, until a share p of pixels is covered.

    p ~ U[low, high] is drawn for each image, 0 ≤ low ≤ high < 1 (equal bounds fix it), and met exactly: the last string
    is cut off where round(p · H · W) pixels are covered. A covered pixel has its string's colour, each channel from
    U[0, 255]; every other pixel keeps its value (no antialiasing). The law of the corruption is Noise2Noise's (Lehtinen
    et al. 2018), font and orientation fixed; sizes of 8 to 24 pixels, 5 to 15 letters or digits and DejaVu Sans
    (matplotlib's copy) are ours.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        check_fractions(low=self.low, high=self.high)
        if self.high == 1:
            raise ValueError("high must be below 1: text never covers an image entirely")

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return _each(self._write, clean, rng)

    def _write(self, image: np.ndarray, rng: np.random.Generator) -> None:
        shape = image.shape[:2]
        writer = np.full(shape, -1, np.int16)  # number of the last string on a pixel
        colours: list[np.ndarray] = []
        missing = round(rng.uniform(self.low, self.high) * writer.size)
        while missing > 0:
            window, glyphs = _random_string(shape, rng)
            fresh = glyphs & (writer[window] < 0)
            covered = int(np.count_nonzero(fresh))
            if covered > missing:  # counted down the columns, so that a string ends as if its writer had stopped
                glyphs = glyphs & (fresh.T.cumsum() <= missing).reshape(fresh.T.shape).T
            np.copyto(writer[window], len(colours), where=glyphs)
            colours.append(rng.uniform(0, 255, size=image.shape[2:]))
            missing -= min(missing, covered)
        if colours:
            written = writer >= 0
            image[written] = np.array(colours)[writer[written]]


@dataclass(frozen=True)
class BoxPatch:
    """Additive white Gaussian noise inside one random square, the rest of the image untouched.

    sigma: standard deviation on the 0–255 scale, ≥ 0. share: the square's side as a share of the image's shorter side,
    in [0, 1]. The square is uniform over its possible places.
    """

    sigma: float
    share: float

    def __post_init__(self) -> None:
        Gaussian(self.sigma)  # refuses an impossible level
        check_fractions(share=self.share)

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return _each(self._disturb, clean, rng)

    def box(self, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int, int]:
        """(top, left, side) of the square in an image of this shape (H, W, …).

        It is the first draw: given a new generator of the image's key, it is the square of the corrupted image.
        """
        side = round(self.share * min(shape[:2]))
        top, left = (int(rng.integers(length - side + 1)) for length in shape[:2])
        return top, left, side

    def _disturb(self, image: np.ndarray, rng: np.random.Generator) -> None:
        top, left, side = self.box(image.shape, rng)
        box = image[top : top + side, left : left + side]
        box[:] = Gaussian(self.sigma)(box, rng)


@dataclass(frozen=True)
class Erase:
    """Random erasing (Zhong et al. 2020): one random rectangle of the image takes a constant value.

    Its area is a share of the image drawn from U[low, high], 0 < low ≤ high ≤ 1 (to whole pixels); height : width is
    log-uniform in [1/2, 2], or the nearest that fits into the image. It is uniform over its possible places.
    value: the fill on the 0–255 scale.
    """

    low: float
    high: float
    value: float = 0.0

    def __post_init__(self) -> None:
        check_fractions(low=self.low, high=self.high)
        if self.low == 0:
            raise ValueError("low must be above 0: a rectangle has an area")
        if not 0 <= self.value <= 255:
            raise ValueError(f"value must be in [0, 255], got {self.value}")

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return _each(self._erase, clean, rng)

    def _erase(self, image: np.ndarray, rng: np.random.Generator) -> None:
        height, width, _ = image.shape
        share = rng.uniform(self.low, self.high)
        fitting = np.clip([1 / 2, 2], share * height / width, height / (share * width))
        aspect = np.exp(rng.uniform(*np.log(fitting)))
        rows = max(1, round(np.sqrt(share * height * width * aspect)))
        columns = max(1, round(np.sqrt(share * height * width / aspect)))
        top, left = int(rng.integers(height - rows + 1)), int(rng.integers(width - columns + 1))
        image[top : top + rows, left : left + columns] = self.value


@dataclass(frozen=True)
class LowResolution:
    """Lost resolution: antialiased bicubic reduction, then bilinear enlargement to the size it had.

    factor: a whole number ≥ 1; the reduced image is round(H / factor) × round(W / factor), at least 1×1. Both are
    torch's, with pixel areas aligned. Bicubic ringing may leave [0, 255]. Nothing is random.
    """

    factor: int

    def __post_init__(self) -> None:
        if self.factor < 1 or self.factor != int(self.factor):
            raise ValueError(f"factor must be a whole number ≥ 1, got {self.factor}")

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        import torch
        from torch.nn.functional import interpolate

        images = torch.from_numpy(np.ascontiguousarray(clean)).permute(0, 3, 1, 2)  # (N, C, H, W)
        size = images.shape[2:]
        small = interpolate(
            images, [max(1, round(side / self.factor)) for side in size], mode="bicubic", antialias=True
        )
        return np.ascontiguousarray(interpolate(small, size, mode="bilinear").permute(0, 2, 3, 1).numpy())


def _each(
    change: Callable[[np.ndarray, np.random.Generator], None], clean: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    corrupted = clean.copy()
    for image in corrupted:
        change(image, rng)
    return corrupted


def _random_string(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[tuple[slice, slice], np.ndarray]:
    """Where a random string lies in an image of shape (H, W), and which pixels of that window its glyphs cover.

    The string's box touches the image, at any place with equal probability: text is as dense at the borders.
    """
    size = int(rng.integers(8, 25))
    letters = [_glyph(LETTERS[index], size) for index in rng.integers(len(LETTERS), size=int(rng.integers(5, 16)))]
    ends = list(accumulate(letter.shape[1] for letter in letters))
    (height, width), rows, columns = shape, len(letters[0]), ends[-1]
    top, left = int(rng.integers(1 - rows, height)), int(rng.integers(1 - columns, width))
    # Only the letters inside the image are joined: of a small one they are few.
    first, last = bisect_right(ends, -left), bisect_left(ends, width - left)
    text = np.concatenate(letters[first : last + 1], axis=1)
    start = ends[first] - letters[first].shape[1]
    window = slice(max(top, 0), top + rows), slice(max(left, 0), left + columns)
    return window, text[max(-top, 0) : height - top, max(-left, 0) - start : width - left - start]


@cache
def _glyph(letter: str, size: int) -> np.ndarray:
    """Which pixels a letter covers in its cell (line height, advance). Cached: rendering takes most of the time."""
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
    font = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    cell = Image.new("1", (round(font.getlength(letter, mode="1")), sum(font.getmetrics())))
    ImageDraw.Draw(cell).text((0, 0), letter, fill=1, font=font)
    return np.array(cell)
