"""The paper's own figures: the five ways up on both tasks, Table 3 beside ours, and Table 1 beside our ×4 row."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from common.report.plots import colours, figure, legend_below
from common.score.statistics import mean_estimate, paired_interval
from common.store import write_json
from replications.edcnn.models import UPSAMPLINGS
from replications.edcnn.variants import PLANS

TABLE2 = {"bilinear": 0.4025, "reshape": 0.6648, "pixel_shuffle": 0.4561, "unpooling": 0.5466, "transposed": 0.4788}
"""Published test loss."""
REFERENCE = "bilinear"
SIZES = {"x4": "×4", "full": "full size"}
"""Experiments of Table 3."""
CAPTIONS = {
    "upsampling": "The five ways up. Above: test cross-entropy of the trimap segmentation, a dot for each training, "
    "their mean and its 95 % interval over trainings; diamonds: Table 2, on other images; dashed: a predictor "
    "that knows the classes' shares alone. Below: restoration of noise "
    "and erasing, PSNR over bilinear's on the same images, with the 95 % interval over images.",
    "table3": "Table 3's test PSNR (diamonds; cars and motorcycles) and ours (circles; mean over images and "
    "trainings). Triangles: the degraded input. Only distances between rows compare.",
    "super_resolution": "Table 1: published PSNR of other super-resolution networks, whose data and factor the paper "
    "does not name; below them Table 3's ×4 row and ours on our images. The rows do not share a protocol.",
}


def draw_figures(
    folder: Path,
    scores: pd.DataFrame,
    table2: Mapping[str, Mapping[str, list[float] | float]],
    names: Mapping[str, str],
) -> None:
    """Write the figures and captions.json.

    scores: columns `common.score.metrics.COLUMNS`. table2: variant → measure → a value for each training, or one for
    `prior`. names: way up or variant → its name for readers.
    """
    suite = scores[scores["convention"] == "suite"]
    draw_upsamplings(folder / "upsampling.png", suite, table2, names)
    draw_table3(folder / "table3.png", suite, names)
    draw_super_resolution(folder / "super_resolution.png", suite)
    write_json(folder / "captions.json", CAPTIONS)


def draw_upsamplings(
    path: Path,
    scores: pd.DataFrame,
    table2: Mapping[str, Mapping[str, list[float] | float]],
    names: Mapping[str, str],
) -> None:
    """Both rankings; a way up that this profile does not train has no marker."""
    rows = {how: height for height, how in enumerate(UPSAMPLINGS)}
    ours, published = colours(2)
    with figure(5.4, path) as drawn:
        above, below = drawn.subplots(2)
        for how, height in rows.items():
            losses = np.atleast_1d(table2.get(f"segment_{how}", {}).get("test_cross_entropy", []))
            above.plot(losses, [height] * len(losses), ".", color=ours, markersize=4)
            if losses.size:
                bar = _bar(float(losses.mean()), mean_estimate(losses).interval())
                above.errorbar(losses.mean(), height, xerr=bar, fmt="o", color=ours, capsize=2, markersize=5)
            above.plot(TABLE2[how], height, "D", color=published, markerfacecolor="white", markersize=5)
            pair = [_by_image(scores, "full", f"full_{name}") for name in (how, REFERENCE)]
            if all(table.size for table in pair):
                difference = float(pair[0].mean() - pair[1].mean())
                bar = None if how == REFERENCE else _bar(difference, paired_interval(pair[0], pair[1], seed=0))
                below.errorbar(difference, height, xerr=bar, fmt="o", color=ours, capsize=2, markersize=5)
        above.axvline(table2["prior"]["test_cross_entropy"], color="0.5", linestyle="--", linewidth=0.8)
        below.axvline(0, color="0.5", linewidth=0.8)
        above.set(title="Segmentation", xlabel="test cross-entropy (lower is better)")
        below.set(title="Restoration", xlabel="PSNR over bilinear, dB (higher is better)")
        for axes in (above, below):
            axes.set(yticks=list(rows.values()), yticklabels=[names[how] for how in rows])
            axes.set_ylim(len(rows) - 0.5, -0.5)


def draw_table3(path: Path, scores: pd.DataFrame, names: Mapping[str, str]) -> None:
    """Published and measured test PSNR of the five configurations."""
    table = pd.read_csv(Path(__file__).parent / "table3.csv")
    variants = [str(variant) for variant in table["variant"]]
    experiments = [PLANS[variant].experiment for variant in variants]
    means = {
        "published": table["test_psnr_db"].tolist(),
        "ours": [_mean(scores, *key) for key in zip(experiments, variants, strict=True)],
        "input": [_mean(scores, experiment, "noisy") for experiment in experiments],
    }
    rows = [f"{SIZES[size]}, {names[variant]}" for size, variant in zip(experiments, variants, strict=True)]
    with figure(3.2, path) as drawn:
        axes = drawn.subplots()
        for (series, values), marker, colour in zip(means.items(), "Do^", colours(3), strict=True):
            face = "white" if series == "published" else colour
            axes.plot(values, range(len(rows)), marker, color=colour, markerfacecolor=face, label=series)
        axes.set(yticks=range(len(rows)), yticklabels=rows, xlabel="test PSNR, dB", ylim=(len(rows) - 0.5, -0.5))
        legend_below(drawn, [axes])


def draw_super_resolution(path: Path, scores: pd.DataFrame) -> None:
    """Table 1 from low to high, then the ×4 rows."""
    table = pd.read_csv(Path(__file__).parent / "super_resolution.csv").dropna(subset="psnr_db").sort_values("psnr_db")
    table3 = pd.read_csv(Path(__file__).parent / "table3.csv").set_index("variant")["test_psnr_db"]
    published = {**dict(zip(table["network"], table["psnr_db"], strict=True)), "EDCNN ×4 (Table 3)": table3["x4_skip"]}
    ours = {"EDCNN ×4, ours": _mean(scores, "x4", "x4_skip"), "bilinear ×4, ours": _mean(scores, "x4", "noisy")}
    rows = [*published, *ours]
    with figure(0.19 * len(rows) + 0.7, path) as drawn:
        axes = drawn.subplots()
        for values, marker, colour in zip((published, ours), "Do", colours(2), strict=True):
            axes.plot(list(values.values()), [rows.index(name) for name in values], marker, color=colour, markersize=5)
        axes.set(yticks=range(len(rows)), yticklabels=rows, xlabel="PSNR, dB", ylim=(len(rows) - 0.5, -0.5))


def _by_image(scores: pd.DataFrame, experiment: str, network: str) -> np.ndarray:
    """PSNR in dB (seeds, images); empty where it was not measured. The plain network's upsampling is bilinear."""
    name = "full_skip" if network == f"full_{REFERENCE}" else network
    own = scores[(scores["experiment"] == experiment) & (scores["network"] == name)]
    return own.pivot_table(index="seed", columns="image", values="psnr_db").to_numpy()


def _mean(scores: pd.DataFrame, experiment: str, network: str) -> float:
    """Mean PSNR in dB over images and seeds; NaN, which leaves no marker, where it was not measured."""
    values = _by_image(scores, experiment, network)
    return float(values.mean()) if values.size else float("nan")


def _bar(mean: float, interval: tuple[float, float] | None) -> list[list[float]] | None:
    return None if interval is None else [[mean - interval[0]], [interval[1] - mean]]
