"""What the claims need beside PSNR and SSIM: saturation, texture, steadiness of a training, guidance late in it."""

import numpy as np
import pandas as pd

GUIDANCE = ("critic_gap", "adversarial_gradient", "adversarial_share")
"""Columns of the history that `guidance.watch` adds."""


def saturation(image: np.ndarray) -> float:
    """Mean saturation, S of HSV in [0, 1], of an image (H, W, 3) on the 0–255 scale, clipped to it."""
    from skimage.color import rgb2hsv

    return float(rgb2hsv(_clipped(image) / 255)[..., 1].mean())


def gradient_energy(image: np.ndarray) -> float:
    """Mean squared difference of neighbouring pixels, right and below; image (H, W, C) on the 0–255 scale."""
    return float(sum(np.mean(np.diff(image.astype(np.float64), axis=axis) ** 2) for axis in (0, 1)))


def texture_error(estimate: np.ndarray, clean: np.ndarray) -> float:
    """Energy of the error's gradient over that of the clean image's: 0 keeps every edge, 1 is as bad as no edge at all.

    Noise that was left in counts, and so does texture that was smoothed away.
    """
    return gradient_energy(_clipped(estimate) - clean.astype(np.float64)) / gradient_energy(clean)


def texture_energy(estimate: np.ndarray, clean: np.ndarray) -> float:
    """Gradient energy of an estimate over that of the clean image; below 1 it is smoother."""
    return gradient_energy(_clipped(estimate)) / gradient_energy(clean)


def psnr_spread(history: pd.DataFrame) -> float:
    """Standard deviation, in dB, of validation PSNR about its straight line over the last half of one training.

    history: rows of one seed. ValueError with fewer than three validations there: two lie on a line.
    """
    late = history[history["step"] > history["step"].max() / 2]
    if len(late) < 3:
        raise ValueError(f"{len(late)} validations in the last half of the training: set validate_every lower")
    steps, values = late["step"].to_numpy(float), late["val_psnr_db"].to_numpy(float)
    line = np.polynomial.Polynomial.fit(steps, values, 1)
    return float(np.sqrt(np.sum((values - line(steps)) ** 2) / (len(values) - 2)))


def thirds(history: pd.DataFrame, column: str) -> tuple[float, float]:
    """Mean of a column over the first and over the last third of one training's validations."""
    third = max(len(history) // 3, 1)
    values = history.sort_values("step")[column].to_numpy(float)
    return float(values[:third].mean()), float(values[-third:].mean())


def _clipped(image: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(image.astype(np.float64), 0, 255))
