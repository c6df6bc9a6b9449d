"""Denoisers on a corrupted test set: one table of scores, one row per image and convention."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import torch
from torch import nn

from common.progress import progress
from common.score.machine import exact_float32
from common.score.metrics import COLUMNS, psnr, score_all
from common.score.scale import Scale, channels_last
from common.store import Arrays

Denoiser = Callable[[np.ndarray], np.ndarray]
"""Noisy image (H, W, C), float32 on the 0–255 scale, unclipped → estimate of the same shape and scale."""


def as_denoiser(network: nn.Module, scale: Scale = Scale()) -> Denoiser:
    """A network as a denoiser: evaluation mode, float32 whatever it was trained in, one image at a time."""
    with torch.inference_mode(False):  # a weight that is laid out anew in inference mode could not be trained on
        network = channels_last(network.eval().float())
    device = next(network.parameters()).device

    def denoise(noisy: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), exact_float32():
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
    with ThreadPoolExecutor() as pool:  # SSIM takes most of an evaluation; its filters leave Python's lock to others
        scores = pool.map(lambda image: score_all(estimates[image], clean[image].astype(np.float32)), estimates)
    rows = [
        (experiment, network, seed, image, convention, result.mse, result.psnr_db, result.ssim)
        for image, results in zip(estimates, scores, strict=True)
        for convention, result in results.items()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def score_experiment(
    experiment: str,
    denoisers: Mapping[str, Mapping[int, Denoiser]],
    noisy: Mapping[str, np.ndarray],
    clean: Mapping[str, np.ndarray],
) -> tuple[pd.DataFrame, dict[str, list[Arrays]]]:
    """Trivial predictors and every denoiser of every seed on an experiment's images.

    denoisers: name → training seed → denoiser. noisy: the experiment's images; `clean` may hold more.
    Returns the scores (columns: `COLUMNS`) and each name's estimates, one set of images a seed, in order.
    """
    tables = [score_table(experiment, name, 0, denoise_all(trivial, noisy), clean) for name, trivial in TRIVIAL.items()]
    kept: dict[str, list[Arrays]] = {}
    with progress(len(denoisers), f"evaluating {experiment}") as advance:
        for name, seeds in denoisers.items():
            for seed, denoiser in seeds.items():
                estimates = denoise_all(denoiser, noisy)
                tables.append(score_table(experiment, name, seed, estimates, clean))
                kept.setdefault(name, []).append(estimates)
            advance()
    return pd.concat(tables, ignore_index=True), kept


def validation(
    noisy: Mapping[str, np.ndarray], clean: Mapping[str, np.ndarray], scale: Scale = Scale()
) -> Callable[[nn.Module], dict[str, float]]:
    """Measures a network on validation images, without the cost of SSIM.

    val_psnr_db: mean PSNR over images in dB under the suite's convention. val_mse, val_mae: mean squared and mean
    absolute error on the 0–255 scale, unclipped.
    """

    def measure(network: nn.Module) -> dict[str, float]:
        denoiser = as_denoiser(network, scale)
        rows = [_errors(denoiser(image), clean[name].astype(np.float64)) for name, image in noisy.items()]
        means = np.mean(rows, axis=0)
        return dict(zip(("val_psnr_db", "val_mse", "val_mae"), map(float, means), strict=True))

    return measure


def _errors(estimate: np.ndarray, clean: np.ndarray) -> tuple[float, float, float]:
    error = estimate - clean
    clipped = float(np.mean((np.clip(estimate, 0, 255) - clean) ** 2))
    return psnr(clipped), float(np.mean(error**2)), float(np.mean(np.abs(error)))


def summary(scores: pd.DataFrame, convention: str = "suite") -> dict[str, dict[str, dict[str, float]]]:
    """Experiment → network → mean PSNR and SSIM over its images and seeds, for `dvc metrics`."""
    chosen = scores[scores["convention"] == convention]
    means = chosen.groupby(["experiment", "network"], sort=False)[["psnr_db", "ssim"]].mean().round(4)
    record: dict[str, dict[str, dict[str, float]]] = {}
    for row in means.reset_index().to_dict("records"):
        own = {"psnr_db": float(row["psnr_db"]), "ssim": float(row["ssim"])}
        record.setdefault(row["experiment"], {})[row["network"]] = own
    return record
