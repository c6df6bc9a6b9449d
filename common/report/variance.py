"""What a difference between two networks is worth: results/tables/variance.csv in a paper's section."""

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from common.benchmark.variance import CURRENT
from common.report.blocks import Block, Fold, Paragraph, Table
from common.report.front import number
from common.report.ledger import run_name
from common.report.material import Material
from common.report.names import experiment_name, name_of


def _db(value: Any) -> str:
    return number(value, ".2f")


def _count(value: Any) -> str:
    return number(value, ",.0f")


COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "images": ("images", _count),
    "draws": ("draws", _count),
    "seeds": ("seeds", _count),
    "std_image": ("image", _db),
    "std_draw": ("draw", _db),
    "std_seed": ("seed", _db),
    "std_seed_image": ("seed × image", _db),
    "std_rest": ("rest", _db),
    "std_paired": ("difference, by image", _db),
    "se_paired": ("± same images", _db),
    "se_unpaired": ("± other images", _db),
}
TEXT = (
    "Standard deviations in dB of what a score is made of (image, draw of noise and crop, training seed), and of the "
    "difference from another of these networks over the images; then the standard error (±) of that difference of "
    "means, on the same images and on others. With one seed a draw holds the rest, with one draw an image the draw's."
)


def variance_fold(material: Material, paper: str) -> Iterator[Block]:
    """The table of a paper's published networks, and in a sentence what 0.2 dB takes; nothing without scores."""
    own = material.variance[material.variance["paper"] == paper].dropna(subset="std_image")
    if own.empty:
        return
    rows: list[list[str] | str] = []
    used = {key: column for key, column in COLUMNS.items() if own[key].notna().any()}
    for (run, experiment), members in own.groupby(["run", "experiment"], sort=False):
        told_run = str(run) if run == CURRENT else run_name(str(run))
        rows.append(f"{told_run}: {experiment_name(paper, str(experiment))}")
        for row in members.to_dict("records"):
            cells = [shape(row[key]) for key, (_, shape) in used.items()]
            rows.append([name_of(paper, row["network"], str(experiment)), *cells])
    table = Table(["network", *(title for title, _ in used.values())], rows)
    yield Fold(
        "What a difference of 0.2 dB is worth (tables/variance.csv)", [Paragraph(told(own)), Paragraph(TEXT), table]
    )


def told(own: pd.DataFrame) -> str:
    """What 0.2 dB takes: the median over the networks of the run with most seeds, then with most images."""
    _, best = max(own.groupby(["run", "experiment"], sort=False), key=lambda group: _weight(group[1]))
    if best["images_paired"].isna().all():
        return "A single network has nothing to be told from."
    paired, unpaired, seeds = (best[key].median() for key in ("images_paired", "images_unpaired", "seeds_needed"))
    trainings = "" if pd.isna(seeds) else f", and {seeds:,.0f} trainings of each"
    return (
        "To tell 0.2 dB between two of these networks from nothing (95 %, four times in five) takes about "
        f"{paired:,.0f} images where both are given the same, {unpaired:,.0f} where they are not{trainings}."
    )


def _weight(members: pd.DataFrame) -> tuple[int, int]:
    return int(members["seeds"].max()), int(members["images"].max())
