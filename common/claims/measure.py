"""A claim's quantity, measured: its number and the interval that decides."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from common.claims.inputs import NotMeasuredError, Records, Run, resolve
from common.claims.schema import SCORES, Claim
from common.claims.sentence import Sentence
from common.errors import UserError
from common.score.metrics import CONVENTIONS, pools
from common.score.statistics import (
    EXACT,
    Estimate,
    Interval,
    drawn_estimate,
    mean_estimate,
    paired_estimate,
    paired_interval,
    two_level_estimate,
)


@dataclass(frozen=True)
class Observation:
    """interval: None where the samples give none. images, seeds: how many stand behind it; None where none do.

    p_value: of the equivalence test.
    """

    mean: float
    interval: Interval | None
    images: int | None = None
    seeds: int | None = None
    p_value: float | None = None

    @property
    def sampled(self) -> bool:
        """Whether the number varies, and by how much is known."""
        return self.interval is not None and self.interval.low < self.interval.high


@dataclass(frozen=True)
class Measured:
    """One row's measurement. scores: seeds × images, for pairing; None for a number from a JSON record."""

    estimate: Estimate
    scores: pd.DataFrame | None = None
    seeds: int | None = None


def observe(sentence: Sentence, claim: Claim, run: Run) -> Observation:
    """Measure what a sentence without an order is about. Raises NotMeasuredError where the results lack it.

    A row and a ratio are of the fixed test set; a difference of scores is paired over its images, which then stand
    for others like them (PSNR per image then, whatever the convention pools).
    """
    rows = [measured(row, claim, run) for row in sentence.rows]
    seeds = min((row.seeds for row in rows if row.seeds is not None), default=None)
    images = None if rows[0].scores is None else rows[0].scores.shape[1]
    estimate = rows[0].estimate
    if sentence.form == "ratio":
        return _ratio(estimate, rows[1].estimate, claim.id, images, seeds)
    interval: Interval | None = None
    if sentence.form == "difference":
        if rows[0].scores is None or rows[1].scores is None:
            estimate = estimate.minus(rows[1].estimate)
        else:
            shared = rows[0].scores.columns.intersection(rows[1].scores.columns).sort_values()
            if shared.empty:
                raise UserError(f"{' and '.join(sentence.rows)} were not scored on the same images")
            left, right = (row.scores[shared].to_numpy() for row in rows if row.scores is not None)
            estimate, images = paired_estimate(left, right), len(shared)
            interval = None if sentence.equivalence else paired_interval(left, right, seed=run.settings.seed)
    if sentence.equivalence:
        test = estimate.equivalence(sentence.high)
        return Observation(estimate.mean, test.interval, images, seeds, test.p_value)
    return Observation(estimate.mean, interval or estimate.interval(), images, seeds)


def measured(row: str, claim: Claim, run: Run) -> Measured:
    """The claim's measure of one row."""
    measure = str(claim.measure)
    if measure not in SCORES:
        return recorded(measure.replace("{}", row), run, row)
    scores = run.records.rows(row, str(claim.experiment), claim.convention)
    by_seed = set_scores(scores, measure, claim.convention)
    by_image = scores.pivot_table(index="seed", columns="image", values=measure, aggfunc="mean")
    estimate = two_level_estimate(by_seed.mean(axis=2)) if len(by_seed) > 1 else drawn_estimate(by_seed[0])
    return Measured(estimate, by_image, len(by_seed) if scores["trained"].iloc[0] else None)


def set_scores(scores: pd.DataFrame, measure: str, convention: str) -> np.ndarray:
    """What the convention averages, (seeds, draws, images or batches); the images' order is that of their names."""
    value = "mse" if measure == "psnr_db" else measure
    table = scores.pivot_table(index=["seed", "draw"], columns="image", values=value)
    shape = scores["seed"].nunique(), scores["draw"].nunique(), -1
    if table.isna().to_numpy().any() or len(table) < shape[0] * shape[1]:
        raise UserError(f"scores.csv: the seeds of {scores['network'].iloc[0]} were not scored on the same images")
    rows = table.to_numpy()
    return np.reshape([pools(row.tolist(), CONVENTIONS[convention]) for row in rows] if measure == "psnr_db" else rows, shape)


def recorded(measure: str, run: Run, row: str = "") -> Measured:
    """A number of the JSON records, exact, or a list with one for each training seed; or a setting."""
    file, path = measure.split(".", 1)
    if file == "settings":
        ((_, value),) = resolve(path, run.paper, run.settings)
    else:
        value = _at(run.records, file, path, row)
    if isinstance(value, bool) or not isinstance(value, int | float | list) or value == []:
        raise UserError(f"measure {measure} must be a number or a list of numbers, got {value!r}")
    if isinstance(value, list):
        return Measured(mean_estimate(value), seeds=len(value))
    return Measured(Estimate(float(value), (EXACT,)))


def _at(records: Records, file: str, path: str, row: str) -> Any:
    """Follow a dotted path; a missing key that is the row's name is not measured, any other is a mistake."""
    value: Any = records.record(file)
    keys = path.split(".")
    for depth, key in enumerate(keys):
        if not isinstance(value, Mapping) or key not in value:
            missing, where = ".".join(keys[: depth + 1]), f"{records.folder}/{file}.json"
            if key == row:
                raise NotMeasuredError(f"no {missing} in {where}")
            known = ", ".join(value) if isinstance(value, Mapping) else "a value"
            raise UserError(f"measure {missing} is not in {where}, which has {known} there")
        value = value[key]
    return value


def _ratio(a: Estimate, b: Estimate, claim: str, images: int | None, seeds: int | None) -> Observation:
    """The interval is that of the logarithms' difference, so that a / b and b / a agree."""
    if min(a.mean, b.mean) <= 0:
        raise UserError(f"{claim}: a ratio needs positive measurements, got {a.mean:g} and {b.mean:g}")
    interval = a.log().minus(b.log()).interval()
    return Observation(a.mean / b.mean, interval and Interval(*map(math.exp, interval)), images, seeds)
