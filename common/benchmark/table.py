"""Scores as tables: a row for each image, and the summary with ranks that readers see."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

import pandas as pd

from common.score.statistics import mean_estimate, paired_interval

TRAININGS = {"blind": "blind Gaussian", "all": "all corruptions"}
"""The trainings of a network of the benchmark, in words: on Gaussian noise whose level it is not told, and on every
corruption of the protocol together. Its name in tables is <network>.<training>."""


@dataclass(frozen=True)
class Row:
    """The score of one image: PSNR in dB and SSIM in the suite's convention, seconds a megapixel."""

    denoiser: str
    kind: str
    set: str
    corruption: str
    level: float
    seed: int
    image: str
    psnr_db: float
    ssim: float
    seconds_per_megapixel: float


COLUMNS = tuple(field.name for field in fields(Row))


def score_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Scores as a table, without the time that each took."""
    return pd.DataFrame([astuple(row) for row in rows], columns=list(COLUMNS)).drop(columns=COLUMNS[-1])


def score_rows(table: pd.DataFrame) -> list[Row]:
    """A table of scores as rows; a time that it lacks is NaN."""
    return [Row(*values) for values in table.reindex(columns=list(COLUMNS)).itertuples(index=False)]


def summarised(rows: Sequence[Row], sizes: Mapping[str, int | None]) -> pd.DataFrame:
    """A row for each denoiser, set, corruption and level: means over images, the 95 % interval of mean PSNR.

    The interval says what another choice of images would change; between denoisers on the same images it is too wide,
    and the rank is by paired differences (`ranks`). sizes: parameters by denoiser, of those that have any.
    """
    table = pd.DataFrame([astuple(row) for row in rows], columns=list(COLUMNS))
    places = ranks(table)
    summary = []
    for key, group in table.groupby(["denoiser", "kind", "set", "corruption", "level"], sort=False):
        interval = mean_estimate(group["psnr_db"].to_numpy()).interval() if len(group) > 1 else None
        low, high = interval or (None, None)
        summary.append(
            {
                **dict(zip(("denoiser", "kind", "set", "corruption", "level"), key, strict=True)),
                "psnr_db": group["psnr_db"].mean(),
                "psnr_low": low,
                "psnr_high": high,
                "rank": places[key[2], key[3], key[4], key[0]],
                "ssim": group["ssim"].mean(),
                "images": len(group),
                "parameters": sizes.get(str(key[0])),
                "ms_per_megapixel": 1000 * group["seconds_per_megapixel"].median(),
                "source": "",
            }
        )
    return pd.DataFrame(summary).astype({"images": "Int64", "parameters": "Int64", "rank": "Int64"})


def ranks(table: pd.DataFrame) -> dict[tuple[Any, ...], int]:
    """(set, corruption, level, denoiser) → place by mean PSNR; 1 is the best.

    A denoiser shares the place of the first one with that place where the 95 % interval of their paired difference
    over the images holds 0; the next place counts all that came before. Without an interval (one image) none is shared.
    """
    places: dict[tuple[Any, ...], int] = {}
    for key, group in table.groupby(["set", "corruption", "level"], sort=False):
        scores = group.pivot(index="image", columns="denoiser", values="psnr_db").dropna()
        order = scores.mean().sort_values(ascending=False, kind="stable").index
        leader, place = order[0], 1
        for position, denoiser in enumerate(order, start=1):
            interval = paired_interval(scores[leader], scores[denoiser], seed=0) if position > 1 else None
            if position > 1 and not (interval and interval.low <= 0):
                leader, place = denoiser, position
            places[(*key, denoiser)] = place
    return places
