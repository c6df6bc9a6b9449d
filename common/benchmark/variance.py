"""How much of a PSNR is training seed, noise draw and image, and what a difference between two networks is worth.

Written to results/tables/variance.csv by the stage `common.benchmark.networks`: of the networks whose PSNR a paper
prints, in this run and in those of results/reference that kept their scores.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtri

from common.claims.schema import load
from common.score.results import NotMeasuredError, score_table
from common.score.statistics import mean_estimate, paired_estimate

DIFFERENCE_DB = 0.2
"""The difference whose worth is told."""
LEVEL, POWER = 0.95, 0.8
"""Confidence with which a difference is told from none, and how often one of that size shall be."""
FACTOR = float(ndtri((1 + LEVEL) / 2) + ndtri(POWER))
"""Standard errors that a difference must have for both: 2.80."""
CURRENT = "this run"
COLUMNS = (
    "paper", "run", "experiment", "network", "images", "draws", "seeds",
    "std_image", "std_draw", "std_seed", "std_seed_image", "std_rest",
    "std_paired", "se_paired", "se_unpaired", "images_paired", "images_unpaired", "seeds_needed",
)  # fmt: skip


def variance(results: Path, paper: str) -> pd.DataFrame:
    """A row for each network of a published PSNR, in this run and in each reference run with scores of the paper.

    std_…, in dB: see `components`; std_paired: of the difference from another network, over the same images, the
    root mean square over the others. se_paired, se_unpaired: standard error of that difference of means with as many
    images and seeds, on the same images and on others. images_paired, images_unpaired, seeds_needed: how many it takes
    to tell `DIFFERENCE_DB` from nothing, each with nothing else uncertain. What is not measured is empty.
    """
    printed = {
        (claim.experiment, claim.test.rows[0])
        for claim in load(paper).claims
        if claim.kind == "value" and claim.measure == "psnr_db"
    }
    folders = {CURRENT: results} | {path.name: path for path in sorted((results / "reference").glob("*/"))}
    rows = [
        {"paper": paper, "run": run, "experiment": experiment, **row}
        for run, folder in folders.items()
        for experiment, tables in _networks(folder, paper)
        for row in worth({name: table for name, table in tables.items() if (experiment, name) in printed})
    ]
    counts = ("images", "draws", "seeds", "images_paired", "images_unpaired", "seeds_needed")
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(counts, "Int64"))


def worth(networks: Mapping[str, np.ndarray]) -> Iterator[dict[str, object]]:
    """A row for each network; networks: PSNR in dB as (seeds, images, draws), of the same images in the same order."""
    for name, table in networks.items():
        seeds, images, draws = table.shape
        own = components(table)
        row: dict[str, object] = {"network": name, "images": images, "draws": draws, "seeds": seeds}
        row |= {f"std_{source}": deviation for source, deviation in own.items()}
        others = [(table.mean(axis=2), other.mean(axis=2)) for key, other in networks.items() if key != name]
        if others and images > 1:
            paired = _rms([(a.mean(axis=0) - b.mean(axis=0)).std(ddof=1) for a, b in others])
            unpaired = _rms([math.hypot(a.mean(axis=0).std(ddof=1), b.mean(axis=0).std(ddof=1)) for a, b in others])
            row |= {
                "std_paired": paired,
                "se_paired": _rms([paired_estimate(a, b).standard_error for a, b in others]),
                "se_unpaired": _rms([_unpaired(a, b) for a, b in others]),
                "images_paired": needed(paired),
                "images_unpaired": needed(unpaired),
            }
        if seeds > 1:
            row["seeds_needed"] = needed(math.sqrt(2) * own["seed"])
        yield row


def components(table: np.ndarray) -> dict[str, float]:
    """Standard deviations of the random effects in scores (seeds, images, draws), by expected mean squares.

    Seeds cross images; the draws of noise (and crop) of an image are its own and the same for all seeds. seed: what
    moves all images of a training together; seed_image: what a training moves in one image alone; rest: in one draw
    alone. A negative estimate of a variance is zero. With one seed, `draw` holds the rest; with one draw, `image` holds
    the draw's and `seed_image` the rest; what is not told apart is NaN.
    """
    seeds, images, draws = table.shape
    mean = table.mean()
    by_seed, by_image = table.mean(axis=(1, 2)), table.mean(axis=(0, 2))
    by_draw, by_cell = table.mean(axis=0), table.mean(axis=2)
    crossed = by_cell - by_seed[:, None] - by_image + mean
    left = table - by_cell[:, :, None] - (by_draw - by_image[:, None])
    square = {
        "seed": _mean_square(by_seed - mean, images * draws, seeds - 1),
        "image": _mean_square(by_image - mean, seeds * draws, images - 1),
        "draw": _mean_square(by_draw - by_image[:, None], seeds, images * (draws - 1)),
        "seed_image": _mean_square(crossed, draws, (seeds - 1) * (images - 1)),
        "rest": _mean_square(left, 1, (seeds - 1) * images * (draws - 1)),
    }
    rest, both = np.nan_to_num(square["rest"]), np.nan_to_num(square["seed_image"])
    draw = np.nan_to_num(square["draw"])
    variances = {
        "image": (square["image"] - max(both + draw - rest, 0.0)) / (seeds * draws),
        "draw": (square["draw"] - rest) / seeds,
        "seed": (square["seed"] - both) / (images * draws),
        "seed_image": (square["seed_image"] - rest) / draws,
        "rest": square["rest"],
    }
    return {source: math.sqrt(max(value, 0.0)) for source, value in variances.items()}


def needed(deviation: float, difference: float = DIFFERENCE_DB) -> int:
    """Samples of such a deviation that it takes to tell a mean difference from nothing; two at least."""
    return max(2, math.ceil((FACTOR * deviation / difference) ** 2))


def _networks(folder: Path, paper: str) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Each experiment's trained networks, whose scores are complete: (seeds, images, draws)."""
    try:
        scores = score_table(paper, folder)
    except NotMeasuredError:
        return
    scores = scores[(scores["convention"] == "suite") & scores["trained"]]
    for experiment, members in scores.groupby("experiment", sort=False):
        tables = {}
        for network, own in members.groupby("network", sort=False):
            cells = own.set_index(["seed", "image", "draw"])["psnr_db"].unstack(["image", "draw"]).sort_index(axis=1)
            images, draws = own["image"].nunique(), own["draw"].nunique()
            if cells.size == len(own) == len(cells) * images * draws and np.isfinite(cells.to_numpy()).all():
                tables[str(network)] = cells.to_numpy().reshape(len(cells), images, draws)
        if tables and len({table.shape[1:] for table in tables.values()}) == 1:
            yield str(experiment), tables


def _unpaired(a: np.ndarray, b: np.ndarray) -> float:
    """Standard error of a difference of means, (seeds, images) each, on different images."""
    parts = [part for table in (a, b) for axis in (0, 1) for part in mean_estimate(table.mean(axis=axis)).parts]
    return math.sqrt(sum(part.variance for part in parts))


def _mean_square(effects: np.ndarray, repeats: int, freedom: int) -> float:
    return repeats * float((effects**2).sum()) / freedom if freedom else math.nan


def _rms(values: list[float]) -> float:
    return math.sqrt(sum(value**2 for value in values) / len(values))
