"""The paper's figures from our measurements: Figs. 4–6, 10 and 11 (curves), and 7–9 (Conv-1)."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from common.report.plots import figure, legend_below, line_styles
from common.score.evaluation import as_denoiser
from common.store import Arrays, write_json
from replications.dsc_autoencoder.measures import OMITTED, SCALE, conv1_map
from replications.dsc_autoencoder.models import CLASSES, Autoencoder

DENOISERS = ("dsc", "plain", "plain_dsc_rate")
CLASSIFIERS = ("classifier", "classifier_dsc")
STEP = 8
CAPTIONS = {
    "mse": "Fig. 6: validation MSE (0–255 scale), the first tenth left out; mean and range over seeds.",
    "perceptual": "Fig. 5: validation MSE of the plain network under the perceptual loss.",
    "accuracy": "Figs. 4 and 11: test accuracy of the classifier from random weights and from the DSC encoder's; "
    "mean and range over seeds. Labelled images: {labelled} (embedded_scenes is a stand-in for STL-10's classes).",
    "cross_entropy": "Fig. 10: test cross-entropy of the same trainings, in nats.",
    "conv1": "Figs. 7–9: noisy, mean of Conv-1's maps, denoised by DSC, clean; below, noise in a box alone.",
}


def draw_curves(
    folder: Path, histories: Mapping[str, pd.DataFrame], names: Mapping[str, str], black_mse: float, labelled: str
) -> None:
    """Write the curves that this profile trained, and the captions of all figures.

    histories: variant → its history. names: variant → its name for readers.
    black_mse: of an all-black output on the validation images. labelled: name of the labelled images' data set.
    """
    write_json(folder / "captions.json", {name: text.format(labelled=labelled) for name, text in CAPTIONS.items()})
    denoisers, perceptual, classifiers = (
        {names[variant]: histories[variant] for variant in variants if variant in histories}
        for variants in (DENOISERS, ("perceptual",), CLASSIFIERS)
    )
    black = ("all black", black_mse)
    _curves(folder / "mse.png", denoisers, "val_mse", "validation MSE", omitted=OMITTED, level=black)
    _curves(folder / "perceptual.png", perceptual, "val_mse", "validation MSE", level=black)
    chance = ("chance", 100 / CLASSES)
    _curves(folder / "accuracy.png", classifiers, "test_accuracy", "test accuracy, %", level=chance)
    guess = ("chance", math.log(CLASSES))
    _curves(folder / "cross_entropy.png", classifiers, "test_cross_entropy", "test cross-entropy", level=guess)


def draw_conv1(folder: Path, network: Autoencoder, noisy: Mapping[str, Arrays], clean: Arrays) -> None:
    """Write conv1.png: a row for each corruption of `noisy`, with the first test images."""
    titles = ("noisy", "Conv-1", "denoised", "clean")
    denoise = as_denoiser(network, SCALE)
    style = {"cmap": "gray", "interpolation": "nearest"}  # smoothed pixels would double the file
    with figure(len(noisy) * 0.97 + 0.25, folder / "conv1.png") as drawn:
        grid = drawn.subplots(len(noisy), len(titles), squeeze=False)
        for axes, title in zip(grid[0], titles, strict=True):
            axes.set_title(title)
        for row, own, name in zip(grid, noisy.values(), clean, strict=False):
            shown = (own[name], conv1_map(network, own[name]), denoise(own[name]), clean[name])
            for axes, image in zip(row, shown, strict=True):
                colour = image.ndim == 3
                axes.imshow(_coarse(image) if colour else image, **style)
                axes.set(xticks=[], yticks=[])
                axes.grid(visible=False)


def _coarse(image: np.ndarray) -> np.ndarray:
    """An image as uint8 in steps of `STEP` grey levels, so that its noise does not make the file large."""
    return (np.clip(image, 0, 255) // STEP * STEP).astype(np.uint8)


def _curves(
    path: Path,
    histories: Mapping[str, pd.DataFrame],
    column: str,
    label: str,
    *,
    level: tuple[str, float],
    omitted: float = 0.0,
) -> None:
    """Mean and range over seeds of one column of the histories, and a dotted line at a level: (its name, height)."""
    if not histories:
        return
    with figure(2.6, path) as drawn:
        axes = drawn.subplots()
        for (name, history), style in zip(histories.items(), line_styles(list(histories)).values(), strict=True):
            shown = history[history["step"] >= omitted * history["step"].max()]
            by_step = shown.groupby("step")[column].agg(["mean", "min", "max"])
            axes.plot(by_step.index, by_step["mean"], label=name, **style)
            axes.fill_between(
                by_step.index, by_step["min"], by_step["max"], color=style["color"], alpha=0.2, linewidth=0
            )
        name, height = level
        axes.axhline(height, color="0.3", linestyle=":", linewidth=1, label=name)
        axes.set(xlabel="iteration", ylabel=label)
        legend_below(drawn, [axes])
