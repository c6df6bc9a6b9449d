"""PSNR and SSIM under a named convention.

A PSNR means nothing without its convention: clipping, rounding to uint8, colour, a shaved border, and what is averaged
(images, batches, the error itself) move it by tenths of a decibel or more. The suite's own is `suite`; every
prediction is scored under all of them, and a claim names the one its verdict uses.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from common.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("experiment", "network", "seed", "image", "convention", "mse", "psnr_db", "ssim")
"""Of a table of scores, a row for each image and convention."""
DATA_RANGE = 255.0
BATCH = 4
"""Images whose mean squared error the lineage averages before it takes the logarithm."""


@dataclass(frozen=True)
class Convention:
    """How an estimate becomes a score.

    clip: bring the estimate into [0, 255] first.
    round: then round it to whole grey levels, as writing a PNG does.
    luma: compare Y of BT.601 (16–235, as MATLAB's rgb2ycbcr) instead of RGB; a grey image stays as it is.
    border: pixels cut off every side before comparing.
    pool: what is averaged: PSNR over images; or squared error over `BATCH` images, then PSNR over batches; or squared
        error over all images.
    """

    name: str
    clip: bool = True
    round: bool = False
    luma: bool = False
    border: int = 0
    pool: Literal["images", "batches", "error"] = "images"
    note: str = ""


CONVENTIONS = {
    convention.name: convention
    for convention in (
        Convention("suite", note="RGB, clipped, float, mean over images: the suite's own"),
        Convention("unclipped", clip=False, note="RGB as the network gives it"),
        Convention("rounded", round=True, note="RGB clipped and rounded to uint8, as saved PNGs are scored"),
        Convention("luma", luma=True, round=True, note="Y of BT.601 from the rounded RGB"),
        Convention("border", round=True, border=4, note="as `rounded`, 4 pixels shaved off every side"),
        Convention("lineage", clip=False, pool="batches", note="10·log10(4n/‖y-d‖²) over batches of 4, unclipped"),
        Convention("pooled", pool="error", note="one PSNR of the mean squared error of all images"),
    )
}


@dataclass(frozen=True)
class Score:
    """Mean squared error (0–255 scale), PSNR in dB and SSIM of one image under one convention.

    An exact estimate has PSNR = inf.
    """

    mse: float
    psnr_db: float
    ssim: float


def psnr(mse: float) -> float:
    """10·log10(255² / mse) in dB."""
    return math.inf if mse == 0 else 10 * math.log10(DATA_RANGE**2 / mse)


def psnr_db(estimate: np.ndarray, clean: np.ndarray, convention: Convention = CONVENTIONS["suite"]) -> float:
    """PSNR of `score` alone, in dB, without the cost of SSIM: most of a score's time."""
    estimate, clean = _compared(estimate, clean, convention)
    return psnr(_mean_squared_error(estimate, clean))


def score(estimate: np.ndarray, clean: np.ndarray, convention: Convention) -> Score:
    """Score an estimate (H, W, C), float on the 0–255 scale, against the clean image of the same shape.

    SSIM is that of Wang et al. 2004 (11×11 Gaussian window, σ = 1.5, K = 0.01 and 0.03), mean over channels, by
    scikit-image. Raises ValueError where the shapes differ or an estimate is not finite.
    """
    from skimage.metrics import structural_similarity

    estimate, clean = _compared(estimate, clean, convention)
    mse = _mean_squared_error(estimate, clean)
    ssim = structural_similarity(
        estimate,
        clean,
        data_range=DATA_RANGE,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return Score(mse, psnr(mse), float(ssim))


def score_all(estimate: np.ndarray, clean: np.ndarray) -> dict[str, Score]:
    """Score an estimate under every convention; conventions that differ only in pooling share the work."""
    done: dict[tuple[object, ...], Score] = {}
    scores = {}
    for convention in CONVENTIONS.values():
        key = (convention.clip, convention.round, convention.luma, convention.border)
        if key not in done:
            done[key] = score(estimate, clean, convention)
        scores[convention.name] = done[key]
    return scores


def pools(mse: "Sequence[float] | np.ndarray", convention: Convention, batch: int = BATCH) -> list[float]:
    """PSNRs in dB whose mean is a set's: of each image, of each batch, or the one of all, as the convention pools.

    mse: each image's mean squared error in the order of the set; the images are equally large.
    """
    errors = np.asarray(mse, dtype=float)
    size = {"images": 1, "batches": batch, "error": len(errors)}[convention.pool]
    return [psnr(float(errors[start : start + size].mean())) for start in range(0, len(errors), size)]


def set_scores(scores: "pd.DataFrame", measure: str, convention: str) -> np.ndarray:
    """What the convention averages over a test set, (seeds, draws, images or batches), of one network's score rows.

    measure: psnr_db, ssim or mse. The images' order is that of their names.
    """
    psnr_db = measure == "psnr_db"
    places, sizes = [], []
    for column in ("seed", "draw", "image"):
        known, place = np.unique(scores[column].to_numpy(), return_inverse=True)
        places.append(place)
        sizes.append(len(known))
    table = np.full(sizes, np.nan)
    table[tuple(places)] = scores["mse" if psnr_db else measure]
    if np.isnan(table).any():
        raise UserError(f"scores.csv: the seeds of {scores['network'].iloc[0]} were not scored on the same images")
    return np.array([[pools(row, CONVENTIONS[convention]) for row in rows] for rows in table]) if psnr_db else table


def luma(image: np.ndarray) -> np.ndarray:
    """Y of BT.601 (16–235, as MATLAB's rgb2ycbcr, before it rounds) of an RGB image (H, W, 3), 0–255: (H, W, 1)."""
    return 16 + image @ np.array([[65.481], [128.553], [24.966]]) / 255


def _mean_squared_error(estimate: np.ndarray, clean: np.ndarray) -> float:
    return float(np.mean((estimate - clean) ** 2))


def _compared(estimate: np.ndarray, clean: np.ndarray, convention: Convention) -> tuple[np.ndarray, np.ndarray]:
    """Both images as the convention compares them; ValueError where they cannot be."""
    estimate, clean = _prepare(estimate, convention, is_estimate=True), _prepare(clean, convention, is_estimate=False)
    if estimate.shape != clean.shape:
        raise ValueError(f"estimate {estimate.shape} and clean image {clean.shape} differ in shape")
    if not np.isfinite(estimate).all():
        raise ValueError("the estimate holds values that are not finite")
    return estimate, clean


def _prepare(image: np.ndarray, convention: Convention, *, is_estimate: bool) -> np.ndarray:
    pixels = image.astype(np.float64)
    if is_estimate and convention.clip:
        pixels = np.clip(pixels, 0, DATA_RANGE)
    if is_estimate and convention.round:
        pixels = np.round(pixels)
    if convention.luma and pixels.shape[-1] == 3:
        pixels = luma(pixels)
    if convention.border:
        inner = slice(convention.border, -convention.border)
        pixels = pixels[inner, inner]
    return pixels
