"""Super-resolution (U18): ×2, ×3, ×4 on the luminance of Set14, by the protocol of the networks compared with.

Published protocol (SRCNN, VDSR, DRRN, MemNet): Y of BT.601, rounded; sides cut to a multiple of the factor; bicubic
reduction, and bicubic enlargement as the network's input; PSNR and SSIM of the rounded estimate without a border as
wide as the factor. On Set14 the bicubic baseline made here has 30.23 / 27.54 / 26.00 dB and SSIM 0.8687 / 0.7736 /
0.7019; published are 30.24 / 27.55 / 26.00 and 0.8688 / 0.7742 / 0.7027.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common.noise.sensor import corrupt
from common.score.evaluation import Denoiser, denoise_all, score_table
from common.score.metrics import luma
from common.store import Arrays

FACTORS = (2, 3, 4)
PUBLISHED = Path(__file__).with_name("super_resolution.csv")
"""Set14 as published: method, factor, psnr_db, ssim, parameters, source."""
CONVENTION = "rounded"
"""The score tables' convention that is the published one: what is scored here has no colour and no border any more."""
GREY = frozenset({"bridge"})
"""Images of Set14 whose file has one channel: published scores take it as Y. Grey RGB files (man) go through BT.601."""


@dataclass(frozen=True)
class Bicubic:
    """Antialiased bicubic reduction by a factor, then bicubic enlargement to the size it had. Nothing is random.

    Like MATLAB's imresize: Keys' kernel (a = -0.5), widened by the factor in the reduction, pixel areas aligned,
    nothing rounded in between. Unlike it, the kernel is cut off and renormalised at the borders, where MATLAB mirrors
    the image: 0.002 dB on Set14, whose borders are shaved.

    factor: a whole number ≥ 1. A batch (N, H, W, C), 0–255, with H or W that is no multiple of it is a ValueError.
    Ringing may leave [0, 255].
    """

    factor: int

    def __post_init__(self) -> None:
        if self.factor < 1 or self.factor != int(self.factor):
            raise ValueError(f"factor must be a whole number ≥ 1, got {self.factor}")

    def __call__(self, clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        import torch
        from torch.nn.functional import interpolate

        height, width = clean.shape[1:3]
        if height % self.factor or width % self.factor:
            raise ValueError(f"{width}×{height} is no multiple of {self.factor}: cut the images or crops to one")
        images = torch.from_numpy(np.ascontiguousarray(clean)).permute(0, 3, 1, 2)  # (N, C, H, W)
        # antialias=True enlarges with a = -0.5, too; without it, torch's kernel has a = -0.75.
        small = interpolate(images, [height // self.factor, width // self.factor], mode="bicubic", antialias=True)
        large = interpolate(small, [height, width], mode="bicubic", antialias=True)
        return np.ascontiguousarray(large.permute(0, 2, 3, 1).numpy())


def luminance(images: Mapping[str, np.ndarray]) -> Arrays:
    """Y of every RGB image, (H, W, 1) uint8 as MATLAB's rgb2ycbcr rounds it.

    Training images and test images both pass through here.
    """
    return {name: image[:, :, :1] if name in GREY else _luminance(image) for name, image in images.items()}


def experiment(factor: int) -> str:
    """The experiment of the score tables."""
    return f"super_resolution_x{factor}"


def score_factor(
    factor: int, denoisers: Mapping[str, Mapping[int, Denoiser]], clean: Mapping[str, np.ndarray]
) -> tuple[pd.DataFrame, dict[str, Arrays]]:
    """Bicubic enlargement (`noisy`) and every network of every seed on the reduced images.

    denoisers: name → training seed → denoiser of (H, W, 1) images. clean: Y (H, W, 1), uint8, of any size.
    Returns the scores (columns: `common.score.metrics.COLUMNS`) and each name's estimates of its first seed, both
    without the border.
    """
    whole = {name: modcrop(image, factor) for name, image in clean.items()}
    enlarged, target = corrupt(whole, Bicubic(factor), seed=0), _shave(whole, factor)
    shown = {"noisy": _shave(enlarged, factor)}
    tables = [score_table(experiment(factor), "noisy", 0, shown["noisy"], target)]
    for name, seeds in denoisers.items():
        for seed, denoiser in seeds.items():
            estimates = _shave(denoise_all(denoiser, enlarged), factor)
            tables.append(score_table(experiment(factor), name, seed, estimates, target))
            shown.setdefault(name, estimates)
    return pd.concat(tables, ignore_index=True), shown


def published() -> pd.DataFrame:
    """The published results on Set14."""
    return pd.read_csv(PUBLISHED)


def record(scores: pd.DataFrame, test: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Ours beside the published, for results/udncnn/super_resolution.json: "x<factor>" → psnr_db, ssim → row → value.

    scores: the tables of `score_factor`. A row of ours is a list of means over images, one for each training seed. The
    published rows stand beside ours only where the test set is theirs, set14: on other images they mean nothing.
    """
    known = published() if test == "set14" else published().iloc[:0]
    own = scores[scores["convention"] == CONVENTION]
    result: dict[str, dict[str, dict[str, Any]]] = {}
    for factor in published()["factor"].unique():
        theirs, ours = known[known["factor"] == factor], own[own["experiment"] == experiment(factor)]
        result[f"x{factor}"] = {
            measure: dict(zip(theirs["method"], theirs[measure], strict=True)) | _by_seed(ours, measure)
            for measure in ("psnr_db", "ssim")
        }
    return result


def _by_seed(scores: pd.DataFrame, measure: str) -> dict[str, list[float]]:
    means = scores.groupby(["network", "seed"], sort=False)[measure].mean()
    return {str(name): [round(value, 5) for value in rows] for name, rows in means.groupby("network", sort=False)}


def _luminance(image: np.ndarray) -> np.ndarray:
    return np.round(luma(image.astype(np.float64))).astype(np.uint8)


def modcrop(image: np.ndarray, factor: int) -> np.ndarray:
    """The image without what is left of its sides, at the bottom and the right, by division by the factor."""
    height, width = image.shape[:2]
    return image[: height - height % factor, : width - width % factor]


def _shave(images: Mapping[str, np.ndarray], border: int) -> Arrays:
    return {name: image[border:-border, border:-border] for name, image in images.items()}
