"""What the claims ask of trained networks beyond scores: curves, paths through the network, outlines, boxes.

Each function returns the numbers of one training.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from common.score.machine import exact_float32
from common.score.metrics import psnr
from common.score.scale import Scale
from common.store import Arrays
from replications.dsc_autoencoder.models import Autoencoder, padded

SCALE = Scale(0, 255)
OMITTED = 0.1
"""Share of the training that Fig. 6 leaves out at its start."""
LAST_FIFTH = 0.8
NEAR_BLACK = 16
"""A pixel all of whose colours are below is near black, 0–255 scale (ours)."""
EARLY, PUBLISHED = 20, 100
"""Iterations at which the paper reads the classifiers' curves."""


def curve(history: pd.DataFrame) -> dict[str, float]:
    """The shape of a curve of validation MSE (columns step, val_mse), the first tenth of the training left out.

    fall: share of the MSE lost from there to the end, 0 where it has risen; fall_late: from the middle of the training
    to the end. span_last: (highest - lowest) / mean over the last fifth, 0 on a plateau. roughness: mean rise between
    neighbouring validations (a fall counts as 0), over the mean: 0 for a curve that only falls.
    """
    steps, errors = history["step"].to_numpy(), history["val_mse"].to_numpy()
    total = steps[-1]
    shown, last = errors[steps >= OMITTED * total], errors[steps >= LAST_FIFTH * total]
    middle = errors[steps >= total / 2][0]
    return {
        "fall": max(float(1 - shown[-1] / shown[0]), 0.0),
        "fall_late": max(float(1 - shown[-1] / middle), 0.0),
        "span_last": float(np.ptp(last) / last.mean()),
        "roughness": float(np.maximum(np.diff(shown), 0).sum() / max(len(shown) - 1, 1) / shown.mean()),
    }


def outputs(estimates: Mapping[str, np.ndarray], clean: Mapping[str, np.ndarray]) -> dict[str, float]:
    """test_mse: mean squared difference on the 0–255 scale, unclipped. near_black: share of such pixels.

    zeros: share of values that the last ReLU holds at 0, where it passes no gradient.
    """
    squares = [np.mean((estimate - clean[name].astype(np.float64)) ** 2) for name, estimate in estimates.items()]
    pixels = np.concatenate([estimate.reshape(-1, estimate.shape[-1]) for estimate in estimates.values()])
    return {
        "test_mse": float(np.mean(squares)),
        "near_black": float(np.mean((pixels < NEAR_BLACK).all(axis=1))),
        "zeros": float(np.mean(pixels <= 0)),
    }


def classification(history: pd.DataFrame) -> dict[str, float]:
    """Test accuracy in percent and cross-entropy in nats at the paper's iterations, from a classifier's history.

    <measure>_20, _100: at the last validation no later than that. cross_entropy_mean: over the validations until 100:
    the lower, the faster it fell. plateau: mean accuracy over the last fifth of the training; gain_last: what it gains
    there.
    """
    accuracy, entropy = (history[f"test_{column}"].to_numpy() for column in ("accuracy", "cross_entropy"))
    steps = history["step"].to_numpy()
    early, published = (max(int((steps <= step).sum()) - 1, 0) for step in (EARLY, PUBLISHED))
    last = accuracy[steps >= LAST_FIFTH * steps[-1]]
    return {
        "accuracy_20": float(accuracy[early]),
        "accuracy_100": float(accuracy[published]),
        "cross_entropy_20": float(entropy[early]),
        "cross_entropy_100": float(entropy[published]),
        "cross_entropy_mean": float(entropy[: published + 1].mean()),
        "plateau": float(last.mean()),
        "gain_last": float(last[-1] - last[0]),
    }


def flow(network: Autoencoder, noisy: Mapping[str, np.ndarray]) -> dict[str, float]:
    """How much of the output's variation over pixels goes through the bottleneck, and through each connection (D9).

    A path is cut by zeros in its place. <path>: standard deviation, over pixels, of what the output loses, as a share
    of the output's own; a constant that a path adds counts as nothing. bottleneck_energy, connection_1_energy: mean
    square of X_5 and of (1 - δ_1) · X_1. dead_maps: share of the bottleneck's maps that are 0 for every image.
    """
    lost: dict[str, float] = {}
    energies: list[tuple[float, float]] = []
    alive: list[Tensor] = []
    whole = 0.0
    for image in noisy.values():
        with torch.inference_mode(), exact_float32():
            bottleneck, connected = network.encode(padded(_tensor(image, network)))
            output = network.decode(bottleneck, connected)
            cuts = {"bottleneck": network.decode(torch.zeros_like(bottleneck), connected)}
            for layer in range(len(connected)):
                kept = [torch.zeros_like(x) if i == layer else x for i, x in enumerate(connected)]
                cuts[f"connection_{layer + 1}"] = network.decode(bottleneck, kept)
        whole += _variation(output)
        for path, cut in cuts.items():
            lost[path] = lost.get(path, 0.0) + _variation(output - cut)
        first = (1 - network.gates[0]) * connected[0]
        energies.append((bottleneck.square().mean().item(), first.square().mean().item()))
        alive.append((bottleneck > 0).any(dim=3).any(dim=2)[0])
    through, across = np.mean(energies, axis=0)
    shares = {path: (variation / whole) ** 0.5 if whole else 0.0 for path, variation in lost.items()}
    dead = 1 - torch.stack(alive).any(dim=0).double().mean().item()
    return {**shares, "bottleneck_energy": through, "connection_1_energy": across, "dead_maps": dead}


def conv1_map(network: Autoencoder, noisy: np.ndarray) -> np.ndarray:
    """Mean over maps of X_1, (H, W): what Figs. 7–9 show between the noisy and the denoised image."""
    height, width = noisy.shape[:2]
    with torch.inference_mode(), exact_float32():
        _, (first, *_) = network.encode(padded(_tensor(noisy, network)))
    return first[0].mean(dim=0)[:height, :width].cpu().numpy()


def outline(maps: Mapping[str, np.ndarray], clean: Mapping[str, np.ndarray]) -> dict[str, float]:
    """How well maps (H, W) outline objects: correlations over pixels with the Sobel magnitude of the clean, grey image.

    Ours: the paper judges by eye. on_edges: of the map itself, high on edges. edges: of the map's own Sobel magnitude,
    so that what has the same edges as the clean image has 1. Means over images; 0 for a map that is constant.
    """
    from skimage.filters import sobel

    wanted = {name: sobel(clean[name].astype(np.float64).mean(axis=-1)) for name in maps}
    return {
        "on_edges": float(np.mean([_correlation(shown, wanted[name]) for name, shown in maps.items()])),
        "edges": float(np.mean([_correlation(sobel(shown), wanted[name]) for name, shown in maps.items()])),
    }


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return 0.0 if a.std() == 0 or b.std() == 0 else float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def box(estimates: Mapping[str, np.ndarray], noisy: Arrays, clean: Arrays) -> dict[str, float]:
    """PSNR in dB (clipped) inside the box of noise and outside it, mean over images; the box is where noisy ≠ clean.

    The boxed image itself is exact outside: infinite.
    """
    errors: dict[str, list[float]] = {"inside_db": [], "outside_db": []}
    for name, estimate in estimates.items():
        inside = (noisy[name] != clean[name]).any(axis=-1)
        squares = (np.clip(estimate, 0, 255) - clean[name].astype(np.float64)) ** 2
        for part, mask in (("inside_db", inside), ("outside_db", ~inside)):
            errors[part].append(psnr(float(squares[mask].mean())))
    means = {part: float(np.mean(values)) for part, values in errors.items()}
    return {**means, "inside_minus_outside_db": means["inside_db"] - means["outside_db"]}


def _tensor(image: np.ndarray, network: Autoencoder) -> Tensor:
    return SCALE.to_network(image[None]).to(next(network.parameters()).device)


def _variation(images: Tensor) -> float:
    return float(images.double().var(dim=(2, 3), unbiased=False).mean())
