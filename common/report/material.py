"""What the report reads: the files of results/, and the papers' claims. Nothing is measured anew."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from common import params
from common.claims.schema import AnyClaim, Claims, Value, load
from common.errors import UserError
from common.params import Settings, Shared
from common.report.snapshot import REFERENCE

Row = dict[str, str]
"""A row of results/claims.csv as it stands there; an empty cell is an empty text."""
UNITS = {"psnr_db": "PSNR, dB", "ssim": "SSIM", "mse": "mean squared error, 0–255 scale"}


@dataclass(frozen=True)
class Published:
    """A published number: its claim, the network it is of, the unit, and the ledger's row."""

    claim: Value
    network: str
    row: Row

    @property
    def unit(self) -> str:
        """What the number counts."""
        return UNITS.get(str(self.claim.measure), str(self.claim.measure))


@dataclass(frozen=True)
class Material:
    """settings: by paper. ledger, snapshots: rows of claims.csv by id. benchmark, conventions: as in results/tables."""

    results: Path
    params: Shared
    settings: dict[str, Settings]
    claims: dict[str, Claims]
    ledger: dict[str, Row]
    snapshots: dict[str, dict[str, Row]]
    benchmark: pd.DataFrame
    conventions: pd.DataFrame
    environment: dict[str, Any]

    def rows(self, paper: str, *, self_checks: bool = False) -> list[Row]:
        """A paper's rows of the ledger: its claims, or its checks against itself."""
        return [
            row
            for row in self.ledger.values()
            if row["paper"] == paper and (row["kind"] == "self-check") == self_checks
        ]

    def claim(self, row: Row) -> AnyClaim | None:
        """The claim that a row of the ledger tests."""
        claims = self.claims[row["paper"]].claims
        return next((claim for claim in claims if f"{row['id']}.".startswith(f"{claim.id}.")), None)

    def published(self, paper: str) -> list[Published]:
        """The published numbers of a paper."""
        return [
            Published(claim, network, self._row(f"{claim.id}.{network}"))
            for claim in self.claims[paper].claims
            if isinstance(claim, Value)
            for network in claim.values
        ]

    def published_sigma(self, paper: str) -> float | None:
        """The paper's Gaussian noise level where this run departs from it, else None."""
        for experiment in self.claims[paper].experiments.values():
            published = experiment.noise.get("noise.sigma")
            if isinstance(published, int | float) and self.sigma(paper) != published:
                return float(published)
        return None

    def sigma(self, paper: str) -> float | None:
        """The level of a paper's Gaussian experiment in effect, 0–255 scale; None where it has no such experiment."""
        level: float | None = getattr(self.settings[paper].noise, "sigma", None)  # type: ignore[attr-defined]
        return level

    def _row(self, identifier: str) -> Row:
        if identifier not in self.ledger:
            raise UserError(f"{identifier} is not in {self.results}/claims.csv: run `dvc repro`, which makes it anew")
        return self.ledger[identifier]


def read(results: Path, environment: dict[str, Any]) -> Material:
    """Read it all. UserError where a file that every run makes is missing."""
    return Material(
        results=results,
        params=params.shared(),
        settings={paper: params.load(paper) for paper in params.papers()},
        claims={paper: load(paper) for paper in params.papers()},
        ledger=_ledger(results / "claims.csv"),
        snapshots={path.parent.name: _ledger(path) for path in sorted((results / REFERENCE).glob("*/claims.csv"))},
        benchmark=pd.read_csv(existing(results / "tables/benchmark.csv")),
        conventions=pd.read_csv(existing(results / "tables/conventions.csv")),
        environment=environment,
    )


def text_rows(path: Path) -> list[Row]:
    """The rows of a CSV file, as text."""
    table = pd.read_csv(existing(path), dtype=str, keep_default_na=False)
    return [{str(column): value for column, value in row.items()} for row in table.to_dict("records")]


def existing(path: Path) -> Path:
    """The path; UserError where there is no such file."""
    if not path.is_file():
        raise UserError(f"{path} is missing: run `dvc repro` so that the stage that makes it runs")
    return path


def _ledger(path: Path) -> dict[str, Row]:
    return {row["id"]: row for row in text_rows(path)}
