"""The paper's figures: validation curves of both kinds of targets (Figs. 13–15, 19–21), and Noise2Noise's numbers."""

from pathlib import Path

import numpy as np
import pandas as pd

from common.report.plots import colours, figure, legend_below
from common.store import write_json
from replications.n2n_resnet.curves import LOSSES
from replications.n2n_resnet.tasks import PAIRS, NoiseName
from replications.n2n_resnet.train import FIG19_COLUMN, PAPER

INDEPENDENT = Path("replications") / PAPER / "noise2noise.csv"
LABELS = {
    "val_psnr_db": "PSNR, dB",
    FIG19_COLUMN: "PSNR, dB",
    "val_mse": "squared error",
    "val_mae": "absolute error",
}
TARGETS = list(zip(("noisy targets", "clean targets"), ("-", "--"), colours(2), strict=True))
CAPTIONS = {
    "noisy_against_clean": (
        "Validation curves of networks trained on noisy and on clean targets, as in Figs. 13–15 (loss, 0–255 scale) "
        "and 19–21 (PSNR; Gaussian noise at Fig. 19's level). The paper counts epochs, the axis training crops. "
        "Bands span the training seeds."
    ),
    "independent": (
        "Noise2Noise's published PSNR and that of a public re-implementation beside ours. Networks, training sets and "
        "test sets all differ: only the distance between noisy and clean targets is to be compared."
    ),
}


def draw(folder: Path, histories: dict[NoiseName, dict[str, pd.DataFrame]], scores: pd.DataFrame) -> None:
    """Draw the figures and write their captions.

    histories: noise → variant → columns images_seen and the validations. scores: the evaluation's table.
    """
    noisy_against_clean(histories, folder / "noisy_against_clean.png")
    independent(scores, folder / "independent.png")
    write_json(folder / "captions.json", CAPTIONS)


def noisy_against_clean(histories: dict[NoiseName, dict[str, pd.DataFrame]], path: Path) -> None:
    """PSNR on the left, loss on the right, a row for each noise."""
    with figure(2.0 * len(histories) + 0.4, path) as drawn:
        grid = drawn.subplots(len(histories), 2, squeeze=False)
        for row, (noise, members) in zip(grid, histories.items(), strict=True):
            psnr = FIG19_COLUMN if noise == "gaussian" else "val_psnr_db"
            for axes, column in zip(row, (psnr, LOSSES[noise]), strict=True):
                for (label, line, colour), history in zip(TARGETS, members.values(), strict=True):
                    runs = history.groupby("images_seen")[column]
                    seen = runs.mean().index / 1000
                    axes.plot(seen, runs.mean(), line, color=colour, label=label)
                    axes.fill_between(seen, runs.min(), runs.max(), color=colour, alpha=0.2, linewidth=0)
                axes.set(title=f"{noise}: {LABELS[column]}")
        for axes in grid[-1]:
            axes.set(xlabel="crops seen, thousands")
        legend_below(drawn, grid.flat)


def independent(scores: pd.DataFrame, path: Path) -> None:
    """PSNR with noisy and with clean targets: a row for each published pair and each of ours."""
    published = pd.read_csv(INDEPENDENT)
    means = scores[scores["convention"] == "suite"].groupby(["experiment", "network"])["psnr_db"].mean()
    rows: dict[str, tuple[float, float]] = {
        f"{row['label']}, {row['noise']}": (row["noisy_db"], row["clean_db"]) for row in published.to_dict("records")
    }
    for noise, (noisy, clean) in PAIRS.items():
        rows[f"ours, {noise}"] = (means[noise, noisy], means[noise, clean])
    with figure(0.3 * len(rows) + 1.0, path) as drawn:
        axes = drawn.subplots()
        for index, (label, _, colour) in enumerate(TARGETS):
            values = [pair[index] for pair in rows.values()]
            marker = {"marker": "os"[index], "markerfacecolor": [colour, "none"][index], "markersize": [4, 9][index]}
            axes.plot(values, np.arange(len(rows)), linestyle="", color=colour, label=label, **marker)
        axes.set(xlabel="PSNR, dB", yticks=range(len(rows)), yticklabels=list(rows))
        axes.invert_yaxis()
        legend_below(drawn, [axes])
