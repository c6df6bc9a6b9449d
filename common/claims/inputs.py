"""What is judged: a paper's results and the settings they were run under. No other module reads either."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel

from common import params
from common.claims.schema import Claims
from common.errors import UserError
from common.params import Params
from common.store import read_json

UNTRAINED = ("noisy", "black", "mean")
"""Predictors in scores.csv that have no training seeds; those of baselines.csv have none either."""


class NotMeasuredError(UserError):
    """These results do not have it; the message says what is missing."""


def settings_of(profile: str | None = None) -> Params:
    """The settings in effect; or those of a profile as it is published, whatever params.yaml has chosen."""
    chosen = params.load()
    if profile is None:
        return chosen
    return chosen.model_copy(update={"profile": profile, "noise": chosen.noise.model_copy(update={"sigma": None})})


def setting(path: str, paper: str, settings: Params) -> Any:
    """A paper's setting in effect, by dotted path; `noise.sigma` is the level after the override of `noise.sigma`."""
    ((_, value),) = resolve(path, paper, settings)
    return value


def resolve(path: str, paper: str, settings: Params) -> list[tuple[str, Any]]:
    """Settings at a dotted path; `*` stands for every key, `latency` and `baselines` for the profile's sections."""
    if path == "noise.sigma":
        return [(path, settings.sigma(paper))]
    keys = path.split(".")
    found: list[tuple[str, Any]] = [("", settings.paper(paper))]
    if keys[0] in ("latency", "baselines"):
        found = [(keys[0], getattr(settings, keys.pop(0)))]
    for key in keys:
        found = [member for name, value in found for member in _members(name, value, key, path)]
    return found


def _members(name: str, value: Any, key: str, path: str) -> list[tuple[str, Any]]:
    fields: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    if isinstance(value, BaseModel):
        fields = {field: getattr(value, field) for field in type(value).model_fields}
    if key != "*" and key not in fields:
        raise UserError(f"{path} is not a setting (claims.yaml): there is {', '.join(fields) or 'no key'}, not {key}")
    return [(f"{name}.{chosen}".strip("."), fields[chosen]) for chosen in (fields if key == "*" else [key])]


class Records:
    """The files of one paper in a results folder; what is not there is not measured."""

    def __init__(self, results: Path, paper: str) -> None:
        self.folder = results / paper
        self._read: dict[str, Mapping[str, Any]] = {}

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Scores of networks and filters: experiment, network, seed, image, draw, convention, mse, psnr_db, ssim."""
        trained = _read_scores(self.folder / "scores.csv")
        trained["trained"] = ~trained["network"].isin(UNTRAINED)
        filters = self.folder / "baselines.csv"
        tables = [trained, _read_scores(filters).assign(trained=False)] if filters.is_file() else [trained]
        return pd.concat(tables, ignore_index=True)

    @cached_property
    def _groups(self) -> dict[Any, pd.DataFrame]:
        return dict(iter(self.scores.groupby(["network", "experiment", "convention"], sort=False)))

    def rows(self, network: str, experiment: str, convention: str) -> pd.DataFrame:
        """Every score of one network in one experiment."""
        own = self._groups.get((network, experiment, convention))
        if own is None:
            raise NotMeasuredError(f"no scores of {network} in experiment {experiment}")
        return own

    def record(self, file: str) -> Mapping[str, Any]:
        """<file>.json."""
        if file not in self._read:
            self._read[file] = read_json(_present(self.folder / f"{file}.json"))
        return self._read[file]

    def test_set(self) -> str:
        """Name of the test images; nothing where no record of the data is there."""
        return str(self.record("data")["test"]["dataset"]) if (self.folder / "data.json").is_file() else ""


@dataclass(frozen=True)
class Run:
    """What one paper's claims are judged by."""

    claims: Claims
    settings: Params
    records: Records

    @property
    def paper(self) -> str:
        """The paper's name."""
        return self.claims.paper


def _present(path: Path) -> Path:
    if not path.is_file():
        raise NotMeasuredError(f"{path} is missing")
    return path


def _read_scores(path: Path) -> pd.DataFrame:
    """A score table; an image id `name#k` is draw k of the image `name`."""
    table = pd.read_csv(_present(path), dtype=dict.fromkeys(("experiment", "network", "image", "convention"), str))
    names = table["image"].str.partition("#")
    return table.assign(image=names[0], draw=names[2])
