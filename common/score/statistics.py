"""Intervals and tests behind the verdicts, on scipy.

Every interval is two-sided; None stands where the samples say nothing about their spread (a single one). Scores come
as tables whose rows are training seeds, the outer level: a claim is about a recipe, not about one lucky run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

LEVEL = 0.95
"""Confidence of every printed interval, the equivalence test's excepted."""
ALPHA = 0.05
"""Error rate of the equivalence test; its interval is the one of level 1 - 2·ALPHA that decides the same question."""
BOOTSTRAP_FROM = 20
"""Images from which the bootstrap is used. Below, it claims too much: it lacks the factor n/(n-1) and Student's wider
quantiles, so that at 11 images it is 84 % as wide as the t interval, at 20 it is 91 %, at 100 98 %."""
RESAMPLES = 9999
"""Bootstrap resamples: a 2.5 % quantile rests on about 250 of them; its own error is 1 % of the width."""


class Interval(NamedTuple):
    """Bounds of a confidence interval."""

    low: float
    high: float


class Equivalence(NamedTuple):
    """Two one-sided tests: the larger p value, and the interval of level 1 - 2·ALPHA (None: too few samples)."""

    p_value: float
    interval: Interval | None


class Part(NamedTuple):
    """The share of one source of variation in the variance of a mean, and its degrees of freedom."""

    variance: float
    freedom: float


EXACT = Part(0.0, math.inf)
"""The share of a number that is counted, not sampled."""


@dataclass(frozen=True)
class Estimate:
    """A mean with the independent sources that make it uncertain; without any, nothing is known of its spread."""

    mean: float
    parts: tuple[Part, ...]

    @property
    def standard_error(self) -> float:
        """Square root of the summed shares; NaN where there are none."""
        return math.sqrt(sum(part.variance for part in self.parts)) if self.parts else math.nan

    @property
    def freedom(self) -> float:
        """Degrees of freedom by Welch and Satterthwaite, (Σ v)² / Σ (v² / ν); infinite where nothing varies."""
        weights = sum(part.variance**2 / part.freedom for part in self.parts)
        return self.standard_error**4 / weights if weights else math.inf

    def interval(self, level: float = LEVEL) -> Interval | None:
        """Student's t interval."""
        if not self.parts:
            return None
        half = self.standard_error * _t_quantile((1 + level) / 2, self.freedom)
        return Interval(self.mean - half, self.mean + half)

    def minus(self, other: "Estimate") -> "Estimate":
        """The difference of two independent estimates (Welch); of unknown spread where either one's is."""
        known = self.parts and other.parts
        return Estimate(self.mean - other.mean, (*self.parts, *other.parts) if known else ())

    def over(self, other: "Estimate") -> tuple[float, Interval | None]:
        """The quotient of two independent positive estimates, and the interval that its logarithm's gives.

        To first order Var(log x) = Var(x) / x²; a / b and b / a agree. ValueError where one is not positive.
        """
        if min(self.mean, other.mean) <= 0:
            raise ValueError(f"a ratio needs positive measurements, got {self.mean:g} and {other.mean:g}")
        logs = (Estimate(math.log(x.mean), tuple(Part(v / x.mean**2, nu) for v, nu in x.parts)) for x in (self, other))
        bounds = next(logs).minus(next(logs)).interval()
        return self.mean / other.mean, bounds and Interval(*map(math.exp, bounds))

    def equivalence(self, margin: float) -> Equivalence:
        """Test by two one-sided t tests (Schuirmann 1987) that the mean lies within ±margin, margin > 0."""
        if not self.parts:
            return Equivalence(1.0, None)
        if self.standard_error == 0:
            return Equivalence(0.0 if abs(self.mean) < margin else 1.0, self.interval(1 - 2 * ALPHA))
        nearest = (margin - abs(self.mean)) / self.standard_error  # the t statistic of the side that is closer
        return Equivalence(float(special.stdtr(self.freedom, -nearest)), self.interval(1 - 2 * ALPHA))


def mean_estimate(samples: ArrayLike) -> Estimate:
    """Mean of independent samples, such as one number per training seed."""
    values = np.asarray(samples, dtype=float)
    return Estimate(float(values.mean()), _part(values))


def set_estimate(table: np.ndarray) -> Estimate:
    """Mean of the scores of one fixed test set, `table` (seeds, draws, images): over trainings, or the draws of one."""
    return two_level_estimate(table.mean(axis=2)) if len(table) > 1 else drawn_estimate(table[0])


def two_level_estimate(table: ArrayLike) -> Estimate:
    """Mean of a score of one fixed test set, `table` (seeds, draws): what a published value is compared with.

    The images are the paper's own, so they do not vary; training seeds do, and so do the draws of noise and crop,
    which all seeds share (crossed): Var = s²(seed means) / seeds + s²(draw means) / draws. Each share holds a little
    of the residual as well, so the interval errs on the wide side. A level with one member adds nothing.
    """
    scores = np.atleast_2d(np.asarray(table, dtype=float))
    return Estimate(float(scores.mean()), _part(scores.mean(axis=1)) + _part(scores.mean(axis=0)))


def drawn_estimate(table: ArrayLike) -> Estimate:
    """Mean of one denoiser's scores of one fixed test set, `table` (draws, images): where there is a single training.

    Each image has noise and crops of its own, independent of the others': Var = Σ s²(draws of an image) / draws /
    images². Of a single draw the images' own spread is taken, which holds the draw's and more.
    """
    scores = np.atleast_2d(np.asarray(table, dtype=float))
    draws, images = scores.shape
    if draws == 1 or not np.isfinite(scores).all():
        return Estimate(float(scores.mean()), _part(scores[0]))
    variances = scores.var(axis=0, ddof=1) / draws / images**2
    return Estimate(float(scores.mean()), tuple(Part(float(variance), draws - 1) for variance in variances))


def paired_estimate(a: ArrayLike, b: ArrayLike) -> Estimate:
    """Mean of a - b over images, both (seeds, images) in the same order of images, the numbers of seeds free.

    Averaged over seeds, an image gives one difference: the paired t. Where a network has several seeds, the variance
    of its seeds' means is added, since the next seed would move all images together.
    """
    rows = [np.atleast_2d(np.asarray(table, dtype=float)) for table in (a, b)]
    differences = _differences(*rows)
    images = _part(differences)
    seeds = tuple(part for table in rows for part in _part(table.mean(axis=1)))
    return Estimate(float(differences.mean()), images + seeds if images else ())


def paired_interval(a: ArrayLike, b: ArrayLike, *, seed: int, level: float = LEVEL) -> Interval | None:
    """Interval of the mean of a - b over images, (seeds, images) each; `seed` drives the bootstrap.

    From `BOOTSTRAP_FROM` images on, the images' share is a BCa bootstrap (Efron 1987), which follows the skew of
    decibels; below, a paired t. Seeds are too few to be resampled (three give ten resamples): their share is a t
    interval, and the two join in quadrature (MOVER, Zou and Donner 2008).
    """
    estimate = paired_estimate(a, b)
    differences = _differences(*(np.atleast_2d(np.asarray(table, dtype=float)) for table in (a, b)))
    if differences.size < BOOTSTRAP_FROM or not estimate.parts or np.ptp(differences) == 0:
        return estimate.interval(level)
    from scipy import stats  # as long to import as all else that judges claims

    images = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=level,
        method="BCa",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    mean, seeds = estimate.mean, Estimate(0.0, estimate.parts[1:] or (EXACT,)).interval(level)
    half = seeds.high if seeds else 0.0
    return Interval(mean - math.hypot(mean - images.low, half), mean + math.hypot(images.high - mean, half))


def prediction_factor(freedom: float, samples: int, level: float) -> float:
    """How many standard deviations around the mean of `samples` runs hold the next run with probability `level`."""
    return _t_quantile((1 + level) / 2, freedom) * math.sqrt(1 + 1 / samples)


def pooled_std(groups: Sequence[ArrayLike]) -> tuple[float, int]:
    """Standard deviation within groups, pooled over them, and its degrees of freedom."""
    arrays = [np.asarray(group, dtype=float) for group in groups]
    freedom = sum(array.size - 1 for array in arrays)
    squares = sum(float(((array - array.mean()) ** 2).sum()) for array in arrays)
    return math.sqrt(squares / freedom), freedom


def _t_quantile(probability: float, freedom: float) -> float:
    """Quantile of Student's t; of the normal distribution where `freedom` is infinite."""
    return float(special.stdtrit(freedom, probability))


def _differences(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # an exact estimate has PSNR inf, and inf - inf is no number
        return np.asarray(a.mean(axis=0) - b.mean(axis=0))


def _part(samples: np.ndarray) -> tuple[Part, ...]:
    """The share of samples in the variance of their mean; none for one sample or for values that are not finite."""
    if samples.size < 2 or not np.isfinite(samples).all():
        return ()
    return (Part(float(samples.var(ddof=1)) / samples.size, samples.size - 1),)
