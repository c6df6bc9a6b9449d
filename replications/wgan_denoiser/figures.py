"""Figures of this paper alone: the course of the trainings (G4), the discriminator's guidance (G9), real noise (G7)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from common.report.plots import colours, figure, legend_below
from common.store import Arrays, write_json

GAMES = ("wgan", "minimax", "dcgan")
GUIDANCE = {"critic_gap": "score gap", "adversarial_share": "adversarial share"}
CAPTIONS = {
    "stability": (
        "Validation PSNR over training, a line for each seed: the paper's Wasserstein loss with gradient penalty "
        "(WGAN-GP), the same networks under the plain min-max loss, and the native DCGAN (claim G4)."
    ),
    "guidance": (
        "What the discriminator tells the generator, a line for each seed. Above: mean score of clean minus denoised "
        "validation images. Below: gradient of the adversarial loss by the denoised image, as a share of the "
        "restoration loss's (claim G9)."
    ),
    "real_noise": (
        "Photographs with noise of their own (film grain), as they are and as the networks restore them; there is no "
        "clean original to score against (claim G7)."
    ),
}


def draw(
    folder: Path,
    histories: Mapping[str, pd.DataFrame],
    photographs: Arrays,
    restored: Mapping[str, Arrays],
    names: Mapping[str, str],
) -> None:
    """Write the figures and captions.json.

    histories: variant → its history. photographs: uint8 images of one size. restored: variant → those, restored.
    names: variant → its name for readers.
    """
    trained = [name for name in GAMES if name in histories]
    draw_stability({names[name]: histories[name] for name in trained}, folder / "stability.png")
    draw_guidance({names[name]: histories[name] for name in trained if name != "dcgan"}, folder / "guidance.png")
    shown = {names[name]: restored[name] for name in GAMES if name in restored}
    draw_real_noise(photographs, shown, folder / "real_noise.png")
    write_json(folder / "captions.json", CAPTIONS)


def draw_stability(histories: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Validation PSNR over steps."""
    with figure(2.9, path) as drawn:
        axes = drawn.subplots()
        _lines(axes, histories, "val_psnr_db")
        axes.set(xlabel="training step", ylabel="validation PSNR, dB")
        legend_below(drawn, [axes])


def draw_guidance(histories: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Score gap and adversarial share over steps."""
    with figure(4.6, path) as drawn:
        panels = drawn.subplots(len(GUIDANCE), sharex=True)
        for axes, (column, label) in zip(panels, GUIDANCE.items(), strict=True):
            _lines(axes, histories, column)
            axes.set(ylabel=label)
        panels[-1].set(xlabel="training step", yscale="log")
        legend_below(drawn, panels)


def draw_real_noise(photographs: Arrays, restored: Mapping[str, Arrays], path: Path) -> None:
    """A row for each photograph: as it is, and what each network makes of it."""
    columns = {"photograph": photographs, **restored}
    with figure(1.25 * len(photographs) + 0.3, path) as drawn:
        grid = drawn.subplots(len(photographs), len(columns), squeeze=False)
        for row, name in zip(grid, photographs, strict=True):
            for axes, images in zip(row, columns.values(), strict=True):
                axes.imshow(np.clip(np.round(images[name]), 0, 255).astype(np.uint8), interpolation="nearest")
                axes.axis("off")
        for axes, title in zip(grid[0], columns, strict=True):
            axes.set_title(title)


def _lines(axes: Axes, histories: Mapping[str, pd.DataFrame], column: str) -> None:
    for colour, (name, history) in zip(colours(len(GAMES)), histories.items(), strict=False):
        for number, (_, own) in enumerate(history.groupby("seed")):
            axes.plot(own["step"], own[column], color=colour, linewidth=1, label=None if number else name)
