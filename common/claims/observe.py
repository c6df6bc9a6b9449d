"""A claim's quantity, measured: its estimate and the interval that decides."""

import math
from dataclasses import dataclass, replace

import pandas as pd

from common.claims.conditions import Condition
from common.claims.measure import Measurements
from common.claims.schema import Claim
from common.errors import UserError
from common.score.statistics import Estimate, Interval, paired_estimate, paired_interval


@dataclass(frozen=True)
class Observation:
    """interval: None where the samples give none. n: test images. seeds: trainings.

    note: the equivalence test's p value, or what the interval lacks.
    """

    mean: float
    interval: Interval | None
    n: int | None
    seeds: int | None
    note: str = ""


def observe(condition: Condition, claim: Claim, measurements: Measurements, seed: int) -> Observation:
    """Measure a condition's quantity; `seed` drives the bootstrap. Raises NotMeasuredError where this profile cannot.

    A value and a ratio are of the fixed test set; a difference of scores is paired over its images, which then stand
    for others like them (PSNR per image then, whatever the convention pools).
    """
    quantity = condition.quantity
    names = [quantity.of] if quantity.how == "value" else [quantity.of, quantity.other]
    rows = [measurements.measure(str(claim.measure), name, claim.experiment, claim.convention) for name in names]
    seeds = min((row.seeds for row in rows if row.seeds is not None), default=None)
    if quantity.how == "difference" and all(row.images is not None for row in rows):
        return _paired(condition, *(row.images for row in rows if row.images is not None), seeds=seeds, seed=seed)
    n = None if rows[0].images is None else rows[0].images.shape[1]
    if quantity.how == "ratio":
        return _ratio(rows[0].estimate, rows[1].estimate, claim.id, n, seeds)
    estimate = rows[0].estimate if quantity.how == "value" else rows[0].estimate.minus(rows[1].estimate)
    return _observation(estimate, condition, n, seeds)


def _observation(estimate: Estimate, condition: Condition, n: int | None, seeds: int | None) -> Observation:
    if not condition.equivalence:
        return Observation(estimate.mean, estimate.interval(), n, seeds)
    test = estimate.equivalence(condition.high)
    return Observation(estimate.mean, test.interval, n, seeds, f"equivalence test p = {test.p_value:.2g}")


def _paired(condition: Condition, a: pd.DataFrame, b: pd.DataFrame, *, seeds: int | None, seed: int) -> Observation:
    common = a.columns.intersection(b.columns).sort_values()
    if common.empty:
        raise UserError(f"{condition.quantity.of} and {condition.quantity.other} were not scored on the same images")
    left, right = a[common].to_numpy(), b[common].to_numpy()
    observation = _observation(paired_estimate(left, right), condition, len(common), seeds)
    if seeds == 1:
        caution = "one training: the interval covers the images alone"
        observation = replace(observation, note="; ".join(filter(None, (observation.note, caution))))
    if condition.equivalence:
        return observation
    return replace(observation, interval=paired_interval(left, right, seed=seed))


def _ratio(a: Estimate, b: Estimate, claim: str, n: int | None, seeds: int | None) -> Observation:
    """The interval is that of the logarithms' difference, so that a / b and b / a agree."""
    if min(a.mean, b.mean) <= 0:
        raise UserError(f"{claim}: a ratio needs positive measurements, got {a.mean:g} and {b.mean:g}")
    interval = a.log().minus(b.log()).interval()
    return Observation(a.mean / b.mean, interval and Interval(*map(math.exp, interval)), n, seeds)
