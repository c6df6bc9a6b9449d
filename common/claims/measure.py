"""A claim's quantity, measured: its number and the interval that decides."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from common.claims.fidelity import matching
from common.claims.schema import SCORES, Claim, Claims
from common.claims.sentence import Sentence
from common.errors import UserError
from common.score import statistics
from common.score.metrics import set_scores
from common.score.results import Measurements
from common.score.statistics import Estimate, Interval


class Run(NamedTuple):
    """What one paper's claims are judged by. data: name of the test images."""

    claims: Claims
    settings: Mapping[str, Any]
    results: Measurements
    data: str


class Measured(NamedTuple):
    """A row's measurement. scores: seeds × images, for pairing, where it is a score. seeds: its trainings, if any."""

    estimate: Estimate
    scores: pd.DataFrame | None = None
    seeds: int | None = None


class Observation(NamedTuple):
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
    rows = [measured(row, claim, run) for row in sentence.rows]
    estimates, scores = [row.estimate for row in rows], [row.scores for row in rows if row.scores is not None]
    images = scores[0].shape[1] if scores else None
    seeds = min((row.seeds for row in rows if row.seeds is not None), default=None)
    if seeds and claim.experiment is None:
        raise UserError(f"{claim.id}: experiment is missing: there are trainings behind {sentence.text}")
    if sentence.form == "ratio":
        try:
            return Observation(*estimates[0].over(estimates[1]), images, seeds)
        except ValueError as error:
            raise UserError(f"{claim.id}: {error}") from None
    if sentence.form == "difference" and len(scores) == 2:
        if not scores[0].columns.equals(scores[1].columns):
            raise UserError(f"{claim.id}: {' and '.join(sentence.rows)} were not scored on the same images")
        left, right = (table.to_numpy() for table in scores)
        estimate = statistics.paired_estimate(left, right)
        interval = statistics.paired_interval(left, right, seed=run.settings["seed"])
    else:
        estimate = estimates[0] if sentence.form == "row" else estimates[0].minus(estimates[1])
        interval = estimate.interval()
    p_value, interval = estimate.equivalence(sentence.high) if sentence.equivalence else (None, interval)
    return Observation(estimate.mean, interval, images, seeds, p_value)


def measured(row: str, claim: Claim, run: Run) -> Measured:
    """The claim's measure of one row."""
    measure = str(claim.measure)
    if measure not in SCORES:
        return _recorded(measure.replace("{}", row), row, run)
    scores = run.results.scores_of(row, str(claim.experiment), claim.convention)
    sets = set_scores(scores, measure, claim.convention)
    by_image = scores.pivot_table(index="seed", columns="image", values=measure)
    return Measured(statistics.set_estimate(sets), by_image, len(sets) if scores["trained"].iloc[0] else None)


def _recorded(measure: str, row: str, run: Run) -> Measured:
    """A number of the JSON records, exact, or a list with one for each training seed; or a setting."""
    file, _, path = measure.partition(".")
    found = matching(path, run.settings) if file == "settings" else {row: run.results.recorded(measure, row)}
    value = next(iter(found.values()))
    if isinstance(value, list) and value:
        return Measured(statistics.mean_estimate(value), seeds=len(value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"measure {measure} must be a number or a list of numbers, got {value!r}")
    return Measured(Estimate(float(value), (statistics.EXACT,)))
