"""What was measured of a paper: its score tables and JSON records, addressed by the measures that claims name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from common.claims.schema import SCORES
from common.errors import UserError
from common.score.metrics import CONVENTIONS, pooled_psnr
from common.score.results import score_table
from common.score.statistics import EXACT, Estimate, mean_estimate, two_level_estimate
from common.store import read_json


class NotMeasuredError(Exception):
    """This profile did not measure it; the message is the reason."""


@dataclass(frozen=True)
class Measured:
    """One row's measurement.

    estimate: its mean and what makes it uncertain, the test images being fixed. images: scores (seeds × images) for
    pairing, None for a number from a JSON record. seeds: how many trainings stand behind it; None where none do.
    """

    estimate: Estimate
    images: pd.DataFrame | None = None
    seeds: int | None = None


class Measurements:
    """The results of one paper.

    results: folder that holds <paper>/scores.csv, <paper>/baselines.csv and <paper>/*.json.
    settings: resolves `settings.<path>`.
    """

    def __init__(self, results: Path, paper: str, settings: Callable[[str], Any]) -> None:
        self.folder = results / paper
        self.settings = settings
        self._records: dict[str, Mapping[str, Any]] = {}

    def measure(self, measure: str, name: str | None, experiment: str | None, convention: str) -> Measured:
        """Measure one row. Raises NotMeasuredError where this profile has no such row, UserError for a wrong path."""
        if measure in SCORES:
            return self._scored(measure, str(name), str(experiment), convention)
        return self._recorded(measure, name)

    def exact(self, measure: str) -> float:
        """A single number of the JSON records or settings."""
        return self._recorded(measure, None).estimate.mean

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Scores of networks and filters, as `common.score.results.score_table` reads them."""
        return score_table(self.folder.name, self.folder.parent)

    def set_scores(self, measure: str, network: str, experiment: str, convention: str) -> pd.DataFrame:
        """Score of the whole test set, as the convention pools it: a row for each seed, a column for each draw."""
        rows = self._rows(network, experiment, convention).groupby(["seed", "draw"])
        return pd.Series({key: _set_score(own, measure, convention) for key, own in rows}).unstack()

    @cached_property
    def _groups(self) -> dict[Any, pd.DataFrame]:
        return dict(iter(self.scores.groupby(["network", "experiment", "convention"], sort=False)))

    def _rows(self, network: str, experiment: str, convention: str) -> pd.DataFrame:
        own = self._groups.get((network, experiment, convention))
        if own is None:
            raise NotMeasuredError(f"no scores of {network} in experiment {experiment}")
        return own

    def _scored(self, measure: str, network: str, experiment: str, convention: str) -> Measured:
        own = self._rows(network, experiment, convention)
        by_image = own.pivot_table(index="seed", columns="image", values=measure, aggfunc="mean")
        if by_image.isna().to_numpy().any():
            raise UserError(f"{self.folder}/scores.csv: the seeds of {network} were not scored on the same images")
        sets = self.set_scores(measure, network, experiment, convention)
        trained = bool(own["trained"].iloc[0])
        return Measured(two_level_estimate(sets.to_numpy()), by_image, len(by_image) if trained else None)

    def _recorded(self, measure: str, name: str | None) -> Measured:
        file, path = measure.replace("{}", name or "{}").split(".", 1)
        if file == "settings":
            value = self.settings(path)
        else:
            if file not in self._records:
                self._records[file] = read_json(self.folder / f"{file}.json")
            value = _at(self._records[file], path, name, f"{self.folder}/{file}.json")
        if isinstance(value, bool) or not isinstance(value, int | float | list) or value == []:
            raise UserError(f"measure {measure} must be a number or a list of numbers, got {value!r}")
        if isinstance(value, list):
            return Measured(mean_estimate(value), seeds=len(value))
        return Measured(Estimate(float(value), (EXACT,)))


def _set_score(rows: pd.DataFrame, measure: str, convention: str) -> float:
    """Score of a whole test set, as its convention pools it. The images' order is that of their names."""
    if measure == "psnr_db":
        return pooled_psnr(rows.sort_values("image")["mse"].tolist(), CONVENTIONS[convention])
    return float(rows[measure].mean())


def _at(record: Any, path: str, name: str | None, file: str) -> Any:
    """Follow a dotted path; a missing key that is the row's name is not measured, any other is a mistake."""
    keys = path.split(".")
    for depth, key in enumerate(keys):
        if not isinstance(record, Mapping) or key not in record:
            missing = ".".join(keys[: depth + 1])
            if key == name:
                raise NotMeasuredError(f"no {missing} in {file}")
            known = ", ".join(record) if isinstance(record, Mapping) else "a value"
            raise UserError(f"measure {missing} is not in {file}, which has {known} there")
        record = record[key]
    return record
