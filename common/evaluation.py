"""Denoisers on a corrupted test set: one table of scores, one row per image and convention."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import torch
from torch import nn

from common.metrics import score_all
from common.scale import Scale, channels_last
from common.store import Arrays

Denoiser = Callable[[np.ndarray], np.ndarray]
"""Noisy image (H, W, C), float32 on the 0–255 scale, unclipped → estimate of the same shape and scale."""

COLUMNS = ("experiment", "network", "seed", "image", "convention", "mse", "psnr_db", "ssim")


def as_denoiser(network: nn.Module, scale: Scale = Scale()) -> Denoiser:
    """A network as a denoiser: evaluation mode, float32 whatever it was trained in, one image at a time."""
    network = channels_last(network.eval().float())
    device = next(network.parameters()).device

    def denoise(noisy: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return scale.to_image(network(scale.to_network(noisy[None]).to(device)))[0]

    return denoise


def denoise_all(denoiser: Denoiser, noisy: Mapping[str, np.ndarray]) -> Arrays:
    """Denoise a set of images, under the same ids."""
    return {name: denoiser(image) for name, image in noisy.items()}


TRIVIAL: dict[str, Denoiser] = {
    "noisy": lambda noisy: noisy,
    "black": np.zeros_like,
    "mean": lambda noisy: np.broadcast_to(noisy.mean(axis=(0, 1), keepdims=True), noisy.shape),
}
"""Predictors that know nothing: the input as it is, an all-black image, the input's mean colour everywhere."""


def score_table(
    experiment: str, network: str, seed: int, estimates: Mapping[str, np.ndarray], clean: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """Score estimates against the clean images under every convention (columns: `COLUMNS`)."""
    rows = [
        (experiment, network, seed, image, convention, result.mse, result.psnr_db, result.ssim)
        for image, estimate in estimates.items()
        for convention, result in score_all(estimate, clean[image].astype(np.float32)).items()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def mean_psnr(denoiser: Denoiser, noisy: Mapping[str, np.ndarray], clean: Mapping[str, np.ndarray]) -> float:
    """Mean PSNR over images in dB under the suite's convention, without the cost of SSIM (validation curves)."""
    from common.metrics import psnr

    errors = [
        np.mean((np.clip(denoiser(image), 0, 255) - clean[name].astype(np.float64)) ** 2)
        for name, image in noisy.items()
    ]
    return float(np.mean([psnr(float(error)) for error in errors]))


def summary(scores: pd.DataFrame, convention: str = "suite") -> dict[str, dict[str, float]]:
    """Mean PSNR and SSIM of each network over its images and seeds, for `dvc metrics`."""
    chosen = scores[scores["convention"] == convention]
    means = chosen.groupby("network", sort=False)[["psnr_db", "ssim"]].mean().round(4)
    return {
        str(network): {"psnr_db": float(row["psnr_db"]), "ssim": float(row["ssim"])}
        for network, row in means.iterrows()
    }
