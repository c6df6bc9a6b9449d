"""A claim's quantity, measured: its number and the interval that decides."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from common.claims.fidelity import Settings, matching
from common.claims.schema import SCORES, Claim, Claims
from common.claims.sentence import Sentence
from common.errors import UserError
from common.score import statistics
from common.score.metrics import set_scores
from common.score.results import Measurements
from common.score.statistics import EXACT, Estimate, Interval


@dataclass(frozen=True)
class Run:
    """What one paper's claims are judged by. data: name of the test images."""

    claims: Claims
    settings: Settings
    results: Measurements
    data: str


@dataclass(frozen=True)
class Measured:
    """A row's measurement. scores: seeds × images, for pairing, where it is a score. seeds: its trainings, if any."""

    estimate: Estimate
    scores: pd.DataFrame | None = None
    seeds: int | None = None


@dataclass(frozen=True)
class Observation:
    """A quantity. interval: None where the samples give none. p_value: of the equivalence test."""

    mean: float
    interval: Interval | None
    images: int | None = None
    seeds: int | None = None
    p_value: float | None = None

    @property
    def sampled(self) -> Interval | None:
        """The interval, where the number varies."""
        return self.interval if self.interval and self.interval.low < self.interval.high else None


def observe(sentence: Sentence, claim: Claim, run: Run) -> Observation:
    """Measure the quantity of a sentence that is no order. Raises NotMeasuredError where the results lack it.

    A row and a ratio are of the fixed test set; a difference of scores is paired over its images, which then stand
    for others like them (PSNR per image then, whatever the convention pools).
    """
    first, *others = rows = [measured(row, claim, run) for row in sentence.rows]
    seeds = min((row.seeds for row in rows if row.seeds is not None), default=None)
    images = None if first.scores is None else first.scores.shape[1]
    estimate, interval = first.estimate, None
    if sentence.form == "ratio":  # the interval of the logarithms' difference, so that a / b and b / a agree
        ratio = [row.estimate for row in rows]
        if min(estimate.mean for estimate in ratio) <= 0:
            raise UserError(
                f"{claim.id}: a ratio needs positive measurements, got {ratio[0].mean:g}, {ratio[1].mean:g}"
            )
        bounds = ratio[0].log().minus(ratio[1].log()).interval()
        interval = bounds and Interval(*map(math.exp, bounds))
        return Observation(ratio[0].mean / ratio[1].mean, interval, images, seeds)
    for other in others:
        if first.scores is None or other.scores is None:
            estimate = first.estimate.minus(other.estimate)
            continue
        shared = first.scores.columns.intersection(other.scores.columns).sort_values()
        if shared.empty:
            raise UserError(f"{' and '.join(sentence.rows)} were not scored on the same images")
        left, right, images = first.scores[shared].to_numpy(), other.scores[shared].to_numpy(), len(shared)
        estimate = statistics.paired_estimate(left, right)
        if not sentence.equivalence:
            interval = statistics.paired_interval(left, right, seed=run.settings["seed"])
    if sentence.equivalence:
        test = estimate.equivalence(sentence.high)
        return Observation(estimate.mean, test.interval, images, seeds, test.p_value)
    return Observation(estimate.mean, interval or estimate.interval(), images, seeds)


def measured(row: str, claim: Claim, run: Run) -> Measured:
    """The claim's measure of one row."""
    measure = str(claim.measure)
    if measure not in SCORES:
        return _recorded(measure.replace("{}", row), row, run)
    scores = run.results.scores_of(row, str(claim.experiment), claim.convention)
    sets = set_scores(scores, measure, claim.convention)
    estimate = statistics.two_level_estimate(sets.mean(axis=2)) if len(sets) > 1 else statistics.drawn_estimate(sets[0])
    by_image = scores.pivot_table(index="seed", columns="image", values=measure)
    return Measured(estimate, by_image, len(sets) if scores["trained"].iloc[0] else None)


def _recorded(measure: str, row: str, run: Run) -> Measured:
    """A number of the JSON records, exact, or a list with one for each training seed; or a setting."""
    value: Any
    if measure.startswith("settings."):
        (value,) = matching(measure.removeprefix("settings."), run.settings).values()
    else:
        value = run.results.recorded(measure, row)
    if isinstance(value, list) and value:
        return Measured(statistics.mean_estimate(value), seeds=len(value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"measure {measure} must be a number or a list of numbers, got {value!r}")
    return Measured(Estimate(float(value), (EXACT,)))
