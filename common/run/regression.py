"""The regression gate: fresh metrics against a committed baseline, each within the tolerance that its own noise sets.

`python -m common.run.regression check --results results --baseline tests/regression/smoke.json` exits 1 where a metric
is worse than its tolerance allows, 2 where the baseline lacks it. `… record --profile smoke --baseline FILE DIR DIR
DIR` writes the baseline from the results folders of one profile, run with different seeds.

As in asv, a difference counts only where it exceeds both what another seed would do and what matters.
"""

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import command
from common.errors import UserError
from common.params import PROFILES
from common.score.results import UNTRAINED
from common.score.statistics import pooled_std, prediction_factor
from common.store import read_json, write_json

LEVEL = 0.99
"""A run with another seed stays within the tolerance with this probability: the gate watches dozens of metrics."""
FLOORS = {"psnr_db": 0.05, "ssim": 0.002}
"""Differences that do not matter, a third of the 0.15 dB that a published PSNR is granted. Filters hardly vary with the
seed, and must not fail where only a processor's rounding does."""
RELATIVE_FLOOR = 0.01
"""The same for any other metric, as a share of its value."""
LOWER_IS_BETTER = ("mse", "loss")
"""Endings of the metrics that are better when lower."""

Metrics = dict[str, float]


@dataclass(frozen=True)
class Comparison:
    """A metric now and in the baseline; `now` is None where the results lack it. gain: positive is better."""

    metric: str
    baseline: float
    now: float | None
    tolerance: float

    @property
    def gain(self) -> float:
        """How much better it became; NaN where it is missing or not finite."""
        if self.now is None:
            return math.nan
        return (self.baseline - self.now) if self.metric.endswith(LOWER_IS_BETTER) else (self.now - self.baseline)

    @property
    def regressed(self) -> bool:
        """Worse by more than the tolerance, missing, or not a number."""
        return not self.gain >= -self.tolerance

    @property
    def improved(self) -> bool:
        """Better by more than the tolerance."""
        return self.gain > self.tolerance


def collect(results: Path) -> Metrics:
    """The metrics of a results folder: <paper>.<experiment>.<network>.<metric> of every <paper>/metrics.json, and
    <paper>.<experiment>.filters.<filter>.<metric>, means over images, of every <paper>/baselines.csv.
    """
    import pandas as pd

    metrics: Metrics = {}
    for file in sorted(results.glob("*/metrics.json")):
        metrics.update(leaves(read_json(file), file.parent.name))
    for file in sorted(results.glob("*/baselines.csv")):
        table = pd.read_csv(file)
        table = table[table["convention"] == "suite"]
        for (experiment, network), rows in table.groupby(["experiment", "network"], sort=True):
            prefix = f"{file.parent.name}.{experiment}.filters.{network}"
            metrics.update({f"{prefix}.{name}": float(rows[name].mean()) for name in ("psnr_db", "ssim")})
    if not metrics:
        raise UserError(f"{results} holds no <paper>/metrics.json: run `dvc repro` first")
    return metrics


def compare(now: Mapping[str, float], baseline: Mapping[str, Mapping[str, float]]) -> list[Comparison]:
    """Every metric of the baseline against the present one. A present metric without a baseline is a UserError."""
    missing = [metric for metric in now if metric not in baseline]
    if missing:
        raise UserError(
            f"no baseline for {', '.join(missing)}: record one with `python -m common.run.regression record`"
        )
    return [Comparison(name, entry["value"], now.get(name), entry["tolerance"]) for name, entry in baseline.items()]


def spread(runs: Sequence[Metrics]) -> dict[str, dict[str, float]]:
    """Mean, spread and tolerance of each metric over runs of one profile with different seeds.

    A few seeds know a standard deviation only within a factor of two, so it is pooled over the networks of a paper
    (their metrics of one name; predictors that are not trained apart), and is never below the metric's own, since
    networks differ. The tolerance holds the next run with probability LEVEL: t(df) · sqrt(1 + 1/n) · spread.
    """
    names = list(runs[0])
    if any(list(run) != names for run in runs):
        raise UserError("the results folders hold different metrics: run the same profile and code with each seed")
    samples = {name: [run[name] for run in runs] for name in names}
    entries = {}
    for name in names:
        like = [values for other, values in samples.items() if _group(other) == _group(name)]
        pooled, freedom = pooled_std(like)
        deviation = max(pooled, pooled_std([samples[name]])[0])
        mean = math.fsum(samples[name]) / len(runs)
        tolerance = max(floor(name, mean), prediction_factor(freedom, len(runs), LEVEL) * deviation)
        numbers = {"value": mean, "tolerance": tolerance, "spread": deviation}
        entries[name] = {**{key: round(number, 5) for key, number in numbers.items()}, "seeds": len(runs)}
    return entries


def floor(metric: str, value: float) -> float:
    """The difference of a metric below which none matters."""
    return FLOORS.get(metric.rsplit(".", 1)[-1], RELATIVE_FLOOR * abs(value))


def check(results: Path, baseline: Path) -> None:
    """Compare and report. Raises SystemExit(1) on a regression, UserError where a baseline is missing."""
    if not baseline.is_file():
        raise UserError(f"{baseline} is missing: record it with `python -m common.run.regression record`")
    compared = compare(collect(results), read_json(baseline)["metrics"])
    worse, better = [one for one in compared if one.regressed], [one for one in compared if one.improved]
    if better:
        print(f"improved beyond tolerance (record a new baseline to hold it):\n{_table(better)}")
    if worse:
        print(f"regressed:\n{_table(worse)}")
        raise SystemExit(1)
    print(f"{len(compared)} metrics within tolerance of {baseline}")


def record(folders: Sequence[Path], baseline: Path, profile: str) -> None:
    """Write the baseline from results folders of at least two seeds."""
    if len(folders) < 2:
        raise UserError("a tolerance comes from the spread between seeds: give at least two results folders")
    entries = spread([collect(folder) for folder in folders])
    write_json(baseline, {"profile": profile, "metrics": entries})
    print(f"{baseline}: {len(entries)} metrics from {len(folders)} seeds")


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m common.run.regression", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="compare results with a baseline")
    checking.add_argument("--results", type=Path, default=Path("results"))
    recording = commands.add_parser("record", help="write a baseline from results of several seeds")
    recording.add_argument("--profile", choices=PROFILES, required=True)
    recording.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="results of one seed each")
    for subparser in (checking, recording):
        subparser.add_argument("--baseline", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.command == "check":
        check(arguments.results, arguments.baseline)
    else:
        record(arguments.folders, arguments.baseline, arguments.profile)


def leaves(record: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    """The numbers of a nested record by their dotted names."""
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}.{key}")
        else:
            yield f"{prefix}.{key}", float(value)


def _group(metric: str) -> tuple[str, str, bool]:
    """What a metric's spread is pooled over, by the name of the metric: the networks of a paper, over its experiments;
    the filters of an experiment, which vary with its noise alone.
    """
    where, network, name = metric.rsplit(".", 2)
    filters = where.endswith(".filters")
    return where if filters else where.split(".")[0], name, network in UNTRAINED


def _table(rows: Sequence[Comparison]) -> str:
    width = max(len("metric"), *(len(row.metric) for row in rows))
    lines = [f"  {'metric':<{width}}  {'baseline':>10}  {'now':>10}  {'tolerance':>10}"]
    for row in rows:
        now = "missing" if row.now is None else f"{row.now:.4f}"
        lines.append(f"  {row.metric:<{width}}  {row.baseline:>10.4f}  {now:>10}  {row.tolerance:>10.4f}")
    return "\n".join(lines)


if __name__ == "__main__":
    command.run(main)
