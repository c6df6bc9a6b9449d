"""Panels: an image noisy, as every network restores it, and clean, a WebP each, and panel.json, which names them."""

import io
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from common.score.metrics import psnr_db
from common.store import write_bytes, write_json

RECORD = "panel.json"
CLEAN = "clean"
INSET_SHARE = 4
"""The inset is a window of a quarter of the image's shorter side."""
QUALITY = 95
"""Of lossy WebP, which halves the resolution of colour: not to be seen in a photograph, but it takes noise away."""
LARGEST_RMS = 4.0
"""Error of a lossy picture in grey levels up to which it is kept; beyond, the picture is lossless in steps."""
STEP = 10
"""Distance of neighbouring grey levels in a lossless picture. Scores are computed before."""


def draw_panels(
    folder: Path,
    images: Sequence[str],
    clean: Mapping[str, np.ndarray],
    noisy: Mapping[str, np.ndarray],
    estimates: Mapping[str, Mapping[str, np.ndarray]],
    given: str = "noisy",
) -> None:
    """Write <folder>/<image>/ for each of `images`: the noisy one, every network of `estimates`, and the clean one.

    clean, noisy and each network's estimates: image id → (H, W, C) on the 0–255 scale, clean uint8, the rest float and
    unclipped. given: what the noisy images are called. panel.json holds the image's id and size, the inset (top, left,
    side), and of each picture its file, its name and its PSNR in dB under the suite's convention: null for the clean
    one, and for an exact one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for image in images:
        columns = {given: noisy[image]} | {name: members[image] for name, members in estimates.items()}
        _write_panel(folder / file_name(image), image, columns, clean[image])


def file_name(image: str) -> str:
    """An image's id as a file name that needs no escaping in a link."""
    return re.sub(r"[^\w.-]+", "_", image)


def inset_window(clean: np.ndarray) -> tuple[int, int, int]:
    """(top, left, side) of the window of greatest local variance of the clean image's mean over channels.

    side: a quarter of the shorter side, at least 8 pixels. Of equals, the first from the top left.
    """
    grey = clean.astype(np.float64).mean(axis=-1)
    side = min(max(min(grey.shape) // INSET_SHARE, 8), *grey.shape)
    mean, mean_square = (_window_means(values, side) for values in (grey, grey**2))
    variance = np.round(mean_square - mean**2, 6)
    top, left = np.unravel_index(int(variance.argmax()), variance.shape)
    return int(top), int(left), side


def _window_means(values: np.ndarray, side: int) -> np.ndarray:
    """Mean over every side × side window, by an integral image: (H, W) → (H - side + 1, W - side + 1)."""
    sums = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    windows = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return np.asarray(windows / side**2)


def _write_panel(folder: Path, image: str, columns: Mapping[str, np.ndarray], clean: np.ndarray) -> None:
    pictures = []
    for number, (name, pixels) in enumerate({**columns, CLEAN: clean}.items()):
        file = f"{number}_{file_name(name)}.webp"
        pictures.append(
            {"file": file, "name": name, "psnr_db": None if name == CLEAN else _rounded_psnr_db(pixels, clean)}
        )
        write_bytes(folder / file, _webp(pixels))
    height, width = clean.shape[:2]
    sizes = {"width": width, "height": height, "inset": list(inset_window(clean))}
    write_json(folder / RECORD, {"image": image, **sizes, "pictures": pictures})


def _rounded_psnr_db(estimate: np.ndarray, clean: np.ndarray) -> float | None:
    """None where the estimate is exact: JSON has no infinity."""
    exact = psnr_db(estimate, clean)
    return round(exact, 2) if math.isfinite(exact) else None


def _webp(pixels: np.ndarray) -> bytes:
    """(H, W, C) on the 0–255 scale as a WebP, whose bytes depend on the pixels alone."""
    rounded = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
    lossy = _encoded(rounded, quality=QUALITY, method=6)
    with Image.open(io.BytesIO(lossy)) as picture:
        error = np.asarray(picture.convert("RGB")).astype(float) - rounded
    if math.sqrt((error**2).mean()) <= LARGEST_RMS:
        return lossy
    stepped = np.minimum((rounded.astype(int) + STEP // 2) // STEP * STEP, 255)
    return _encoded(stepped.astype(np.uint8), lossless=True, quality=80, method=4)


def _encoded(pixels: np.ndarray, **how: Any) -> bytes:
    saved = io.BytesIO()
    Image.fromarray(pixels.squeeze()).convert("RGB").save(saved, "WEBP", **how)
    return saved.getvalue()
