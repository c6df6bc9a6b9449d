"""Restoring compressed images (U17, Fig. 7): a quality ladder for each codec, PSNR over bits per pixel.

A codec is an experiment of the score tables. Its images are the test images at every rung, "<image>#<quality>", so that
a score of the experiment is the mean over the ladder, and comparisons stay paired by image; `noisy` is the decoded
image.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from common.noise.codecs import CODECS, Codec, RandomQuality
from common.noise.sensor import Chain, corrupt
from common.store import Arrays
from common.train.patches import Batch, Patches

PANEL_RATE = 0.15
"""Bits per pixel of the panels of Fig. 7."""
CODINGS = 4
"""Of each training photograph, at random qualities (ours)."""


@dataclass(frozen=True)
class Compressed:
    """Images after a codec, by "<image>#<quality>": decoded (float32), their originals, and the bits they took."""

    decoded: Arrays
    clean: Arrays
    bits_per_pixel: dict[str, float]


def training_corruption(codec: str, ladder: Sequence[int]) -> RandomQuality:
    """What a restorer is trained on: any quality between the ends of the ladder (ours: the paper says nothing)."""
    return RandomQuality(codec, min(ladder), max(ladder))


class CodedPatches:
    """Draws batches as `common.train.patches.Patches`, from photographs that were coded whole, `CODINGS` times each.

    A codec spends its bits over a picture: a crop of a coded photograph is not that crop coded alone. JPEG 2000 differs
    most, since it aims at a PSNR: at 36 dB, that of 48×48 crops has a standard deviation of 0.9 dB coded alone, and of
    3.5 dB cut from coded photographs. And a photograph is coded once for hundreds of crops.

    corruption: of a photograph, in whole levels 0–255; the seed draws its qualities.
    """

    def __init__(
        self, images: Mapping[str, np.ndarray], corruption: Codec | RandomQuality, *, batch: int, crop: int, seed: int
    ) -> None:
        pairs = {
            f"{name}#{draw}": np.concatenate([decoded.astype(np.uint8), images[name]], axis=2)
            for draw in range(CODINGS)
            for name, decoded in corrupt(images, corruption, seed=seed, draw=draw).items()
        }
        self.pairs = Patches(pairs, Chain(()), batch=batch, crop=crop, seed=seed)

    def __call__(self, step: int) -> Batch:
        """The batch of a step, the same at every call."""
        decoded, clean = np.split(self.pairs(step).targets, 2, axis=3)
        return Batch(decoded, clean)


def compress(clean: Mapping[str, np.ndarray], codec: str, ladder: Sequence[int]) -> Compressed:
    """Every image (H, W, C), 0–255, at every quality of the ladder, in ascending order."""
    return _compressed([(name, clean[name], CODECS[codec](quality)) for quality in sorted(ladder) for name in clean])


def compress_to(clean: Mapping[str, np.ndarray], codec: str, bits_per_pixel: float = PANEL_RATE) -> Compressed:
    """Every image at the quality whose file comes nearest to a rate."""
    return _compressed([(name, image, at_rate(image, codec, bits_per_pixel)) for name, image in clean.items()])


def at_rate(image: np.ndarray, codec: str, bits_per_pixel: float) -> Codec:
    """The codec at the quality whose file of this image comes nearest to so many bits per pixel.

    By bisection: files grow with quality. The end of the scale where even that is too large, or too small.
    """
    kind = CODECS[codec]
    below, above = kind.lowest, kind.highest
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (middle, above) if kind(middle).encode(image)[1] <= bits_per_pixel else (below, middle)
    return min((kind(below), kind(above)), key=lambda each: abs(each.encode(image)[1] - bits_per_pixel))


def rate_distortion(scores: pd.DataFrame, bits_per_pixel: Mapping[str, float]) -> pd.DataFrame:
    """What restoring gains at every rung of a ladder: the points of one codec's panel of Fig. 7.

    scores: a table of `common.score.evaluation.score_experiment` for one codec (its experiment) and one restorer, or
    none: restored and gained are then NaN.
    bits_per_pixel: of its images. Columns: codec, quality, bits_per_pixel, and decoded, restored and gained PSNR in dB
    and SSIM; means over images and training seeds, under the suite's convention.
    """
    own = scores[(scores["convention"] == "suite") & ~scores["network"].isin(["black", "mean"])]
    own = own.assign(
        series=np.where(own["network"] == "noisy", "decoded", "restored"),
        quality=own["image"].str.rpartition("#")[2].astype(int),
        bits_per_pixel=own["image"].map(bits_per_pixel),
    ).rename(columns={"experiment": "codec"})
    rungs = ["codec", "quality"]
    table = own.groupby(rungs, sort=False)[["bits_per_pixel"]].mean()
    for measure in ("psnr_db", "ssim"):
        means = own.pivot_table(index=rungs, columns="series", values=measure).reindex(columns=["decoded", "restored"])
        table[f"decoded_{measure}"], table[f"restored_{measure}"] = means["decoded"], means["restored"]
        table[f"gain_{measure}"] = means["restored"] - means["decoded"]
    return table.reset_index()


def _compressed(tasks: Sequence[tuple[str, np.ndarray, Codec]]) -> Compressed:
    """The images (id, pixels) after their codecs."""
    made = Compressed({}, {}, {})
    for name, image, codec in tasks:
        rung = f"{name}#{codec.quality}"
        made.decoded[rung], made.bits_per_pixel[rung] = codec.encode(image)
        made.clean[rung] = image
    return made
