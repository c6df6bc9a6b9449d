"""Trimap segmentation: three classes, cross-entropy, mean intersection over union."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from common.score.machine import exact_float32
from common.score.scale import Scale
from common.store import load_arrays

CLASSES = 3
"""Object, background and border: trimap values 1, 2 and 3."""
BATCH = 16


def load_segmentation(paper: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, H, W, 3) uint8 of a split and the classes of their pixels, (N, H, W) uint8."""
    images, trimaps = (load_arrays(f"data/{paper}/segmentation_{split}{kind}.safetensors") for kind in ("", "_trimaps"))
    return np.stack([images[name] for name in sorted(images)]), classes(trimaps)


def classes(trimaps: Mapping[str, np.ndarray]) -> np.ndarray:
    """Trimaps (H, W, 1) with values 1, 2, 3 → classes 0, 1, 2 as (N, H, W) uint8, in the order of the ids."""
    stacked = np.stack([trimaps[name][:, :, 0] for name in sorted(trimaps)])
    if not np.isin(stacked, (1, 2, 3)).all():
        raise ValueError(f"a trimap has values 1, 2 and 3, got {np.unique(stacked).tolist()}")
    return stacked - 1


def measure(network: nn.Module, images: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Cross-entropy over all pixels, and the classes' mean intersection over union (`miou`), evaluation mode.

    images: uint8 (N, H, W, 3). targets: classes (N, H, W).
    """
    network.eval()
    device = next(network.parameters()).device
    total, confusion = 0.0, np.zeros((CLASSES, CLASSES))
    with torch.inference_mode(), exact_float32():
        for first in range(0, len(images), BATCH):
            wanted = torch.from_numpy(targets[first : first + BATCH]).long().to(device)
            logits = network(Scale().to_network(images[first : first + BATCH]).to(device)).float()
            total += float(F.cross_entropy(logits, wanted, reduction="sum"))
            pairs = CLASSES * wanted + logits.argmax(1)
            confusion += np.bincount(pairs.cpu().numpy().ravel(), minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    return {"cross_entropy": total / targets.size, "miou": mean_iou(confusion)}


def measure_prior(known: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """`measure` of a predictor that never looks: everywhere the shares of the classes in the `known` labels."""
    shares = np.bincount(known.ravel(), minlength=CLASSES) / known.size
    wanted = np.bincount(targets.ravel(), minlength=CLASSES)
    confusion = np.zeros((CLASSES, CLASSES))
    confusion[:, shares.argmax()] = wanted
    return {"cross_entropy": float(-(wanted @ np.log(shares)) / targets.size), "miou": mean_iou(confusion)}


def mean_iou(confusion: np.ndarray) -> float:
    """Mean over classes of intersection / union of predicted and true pixels; a class in neither is left out.

    confusion: pixels by (true class, predicted class).
    """
    intersection = np.diag(confusion)
    union = confusion.sum(0) + confusion.sum(1) - intersection
    return float(np.mean(intersection[union > 0] / union[union > 0]))


def validation(images: np.ndarray, targets: np.ndarray) -> Callable[[nn.Module], dict[str, float]]:
    """`measure` as columns of the history, val_cross_entropy and val_miou."""
    return lambda network: {f"val_{name}": value for name, value in measure(network, images, targets).items()}
