"""Panels: one picture for each image, its noisy version, what every network makes of it, and the clean original."""

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from common.score.metrics import psnr_db
from common.store import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 3
CELL_INCHES = 1.25
"""Width of one image; three fit a phone at natural size, with 9-point titles."""
DPI = 160
INSET_SHARE = 4
"""The inset is a window of a quarter of the image's shorter side, shown four times as large."""
LARGEST_BYTES = 300_000
STEPS = (1, 4, 6, 8, 12, 24)
"""Distance of neighbouring grey levels in a saved panel. Scores are computed before."""
OUTLINE = "#ffb000"


def draw_panels(
    folder: Path,
    images: Sequence[str],
    clean: Mapping[str, np.ndarray],
    noisy: Mapping[str, np.ndarray],
    estimates: Mapping[str, Mapping[str, np.ndarray]],
    given: str = "noisy",
) -> None:
    """Draw <folder>/<image>.png for each of `images`: noisy | every network of `estimates` | clean.

    clean, noisy and each network's estimates: image id → (H, W, C) on the 0–255 scale, clean uint8, the rest float and
    unclipped. given: what the noisy images are called. The title is the name and the PSNR under the suite's convention.
    Below each picture lies the same window of it, enlarged, and outlined above: the one in which the clean image varies
    most (`inset_window`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    for image in images:
        columns = {given: noisy[image]} | {name: members[image] for name, members in estimates.items()}
        write_bytes(folder / f"{file_name(image)}.png", _panel(columns, clean[image]))


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


def _panel(columns: Mapping[str, np.ndarray], clean: np.ndarray) -> bytes:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.patches import Rectangle

    top, left, side = inset_window(clean)
    titles = {name: f"{name}\n{psnr_db(estimate, clean):.2f} dB" for name, estimate in columns.items()}
    shown = {titles[name]: estimate for name, estimate in columns.items()} | {"clean\n": clean}
    rows = -(-len(shown) // COLUMNS)
    tall = CELL_INCHES * clean.shape[0] / clean.shape[1]
    size = (COLUMNS * CELL_INCHES + 0.2, rows * (tall + CELL_INCHES + 0.5))
    figure = Figure(size, dpi=DPI, layout=ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0))
    grid = figure.subplots(2 * rows, COLUMNS, squeeze=False, height_ratios=[tall, CELL_INCHES] * rows)
    for axes in grid.flat:
        axes.axis("off")
    for index, (title, image) in enumerate(shown.items()):
        row, column = divmod(index, COLUMNS)
        whole, inset = grid[2 * row, column], grid[2 * row + 1, column]
        pixels = np.clip(np.round(image), 0, 255).astype(np.uint8)
        style: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 255}
        whole.imshow(pixels.squeeze(), interpolation="antialiased", **style)
        inset.imshow(pixels[top : top + side, left : left + side].squeeze(), interpolation="nearest", **style)
        corner = (left - 0.5, top - 0.5)
        whole.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=OUTLINE, linewidth=1.2))
        inset.add_patch(Rectangle((-0.5, -0.5), side, side, fill=False, edgecolor=OUTLINE, linewidth=2))
        whole.set_title(title, fontsize=9, pad=3)
    return _small_png(figure)


def _small_png(figure: "Figure") -> bytes:
    """The figure as a PNG of at most `LARGEST_BYTES`, in the finest of `STEPS` that allows it (else the coarsest).

    A step moves a colour by half of itself at most; a palette of 256 colours moves some by 80 levels, or dithers, which
    looks like noise.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[:, :, :3].astype(int)
    for step in STEPS:
        small = io.BytesIO()
        coarse = 255 - np.minimum((255 - pixels + step // 2) // step * step, 255)  # white stays white
        Image.fromarray(coarse.astype(np.uint8)).save(small, format="PNG", compress_level=6)
        if small.tell() <= LARGEST_BYTES:
            break
    return small.getvalue()
