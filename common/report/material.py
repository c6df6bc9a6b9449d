"""What the report reads: the files of results/, the papers' claims and summaries. Nothing is measured anew.

The places of these files are known here alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from common import params
from common.claims.schema import Claim, Claims, load
from common.errors import UserError
from common.params import Settings, Shared
from common.report import summaries
from common.report.snapshot import REFERENCE
from common.report.summaries import Summary
from common.score.panels import RECORD
from common.score.results import history, training_records
from common.store import read_json

Row = dict[str, str]
"""A row of results/claims.csv as it stands there; an empty cell is an empty text."""
UNITS = {"psnr_db": "PSNR, dB", "ssim": "SSIM", "mse": "mean squared error, 0–255 scale", "l1": "L1"}
SPLITS = {"train": "training", "val": "validation", "test": "test"}
"""What readers call the images that a measure, such as train_l1, is of."""
PUBLISHED_SCALE = "paper"
"""The snapshot, results/reference/paper, that holds what was run at the published scale."""


@dataclass(frozen=True)
class Published:
    """A published number: its claim, the network it is of, the unit, and the ledger's row."""

    claim: Claim
    network: str
    row: Row

    @property
    def family(self) -> str:
        """The claim whose part this is, where a part is named after its network."""
        parent, _, part = self.claim.id.rpartition(".")
        return parent if part == self.network else self.claim.id

    @property
    def unit(self) -> str:
        """What the number counts; of <file>.<path> the last word, such as test_mse, tells it."""
        measure = (self.claim.measure or "value").rpartition(".")[2]
        split, _, rest = measure.partition("_")
        of, what = (f"{SPLITS[split]} ", rest) if split in SPLITS else ("", measure)
        return of + UNITS.get(what, what.replace("_", " "))


@dataclass(frozen=True)
class Training:
    """A variant's training: its name, its record, and its history."""

    name: str
    record: dict[str, Any]
    history: pd.DataFrame


@dataclass(frozen=True)
class Panel:
    """One image as it is given, as networks restore it, and clean. record: see `common.score.panels.draw_panels`.

    folder: from results/.
    """

    paper: str
    experiment: str
    folder: Path
    record: dict[str, Any]


@dataclass(frozen=True)
class Material:
    """settings: by paper. ledger and snapshots: rows of claims.csv by their ids. networks: every paper's networks and
    filters on its own experiments. protocol: all denoisers under one protocol. seconds: those trained for it, at equal
    seconds of training. variance: what a difference between published networks is worth. published_scale: the ledger of
    the run at the published scale, and its environment; both empty where there is none.
    """

    results: Path
    params: Shared
    settings: dict[str, Settings]
    claims: dict[str, Claims]
    summaries: dict[str, Summary]
    ledger: dict[str, Row]
    snapshots: dict[str, dict[str, Row]]
    networks: pd.DataFrame
    protocol: pd.DataFrame
    seconds: pd.DataFrame
    conventions: pd.DataFrame
    variance: pd.DataFrame
    environment: dict[str, Any]

    @property
    def published_scale(self) -> dict[str, Row]:
        """The ledger of the run at the published scale; empty where there is none."""
        return self.snapshots.get(PUBLISHED_SCALE, {})

    @property
    def published_environment(self) -> dict[str, Any]:
        """The environment of that run; empty where there is none."""
        path = self.results / REFERENCE / PUBLISHED_SCALE / "environment.json"
        return read_json(path) if path.is_file() else {}

    @cached_property
    def psnr(self) -> dict[str, dict[str, dict[str, float]]]:
        """Paper → experiment → network → mean PSNR in dB, suite's convention."""
        found: dict[str, dict[str, dict[str, float]]] = {}
        for row in self.networks.to_dict("records"):
            paper, experiment = str(row["paper"]), str(row["experiment"])
            found.setdefault(paper, {}).setdefault(experiment, {})[str(row["network"])] = float(row["psnr_db"])
        return found

    def rows(self, paper: str, *, self_checks: bool = False) -> list[Row]:
        """A paper's rows of the ledger: its claims, or its checks against itself."""
        return [
            row
            for row in self.ledger.values()
            if row["paper"] == paper and (row["kind"] == "self-check") == self_checks
        ]

    def claim(self, row: Row) -> Claim | None:
        """The claim that a row of the ledger tests."""
        return next((claim for claim in self.claims[row["paper"]].claims if claim.id == row["id"]), None)

    def published(self, paper: str) -> list[Published]:
        """The published numbers of a paper."""
        return [
            Published(claim, claim.test.rows[0], self._row(claim.id))
            for claim in self.claims[paper].claims
            if claim.kind == "value"
        ]

    def scale_departures(self, paper: str) -> list[str]:
        """What of the run at the published scale differs from the paper where it has a published number, each once."""
        rows = [self.published_scale.get(entry.row["id"], {}) for entry in self.published(paper)]
        parts = (part for row in rows if row.get("ours") for part in row["reason"].split("; "))
        return [part for part in dict.fromkeys(parts) if part]

    def published_sigma(self, paper: str) -> float | None:
        """The paper's Gaussian noise level where this run departs from it, else None."""
        for experiment in self.claims[paper].experiments.values():
            published = experiment.noise.get("noise.sigma")
            if isinstance(published, int | float) and self.sigma(paper) != published:
                return float(published)
        return None

    def published_table(self, name: str) -> list[Row]:
        """A published table with this run's numbers beside it, and each snapshot's as a column of its own."""
        rows = text_rows(self.results / f"tables/{name}.csv")
        for snapshot in self.snapshots:
            path = self.results / REFERENCE / snapshot / f"tables/{name}.csv"
            earlier = {row["row"]: row["ours"] for row in text_rows(path)} if path.is_file() else {}
            rows = [{**row, f"ours, {snapshot}": earlier.get(row["row"], "")} for row in rows]
        return rows

    def trainings(self, paper: str) -> list[Training]:
        """The trainings that this profile runs."""
        return [
            Training(name, record, history(paper, name, self.results))
            for name, record in training_records(paper, self.results).items()
            if record["seeds"]
        ]

    def panels(self, paper: str) -> Iterator[Panel]:
        """The panels of a paper."""
        root = self.results / paper / "panels"
        for path in sorted(root.glob(f"*/*/{RECORD}")):
            yield Panel(paper, path.parts[-3], path.parent.relative_to(self.results), read_json(path))

    def showcase(self, paper: str) -> Panel | None:
        """A photograph restored by a paper's networks that come with the suite, if there is one."""
        paths = sorted((self.results / "showcase" / paper).glob(f"*/{RECORD}"))
        records = [Panel(paper, "showcase", path.parent.relative_to(self.results), read_json(path)) for path in paths]
        return records[0] if records else None

    @property
    def standard(self) -> pd.DataFrame:
        """Denoisers on standard test sets, in the columns of `protocol`, of the run at the published scale; or none."""
        file = self.results / REFERENCE / PUBLISHED_SCALE / "tables/benchmark.csv"
        return pd.read_csv(file) if file.is_file() else self.protocol.iloc[:0]

    def captions(self, paper: str) -> Mapping[Path, str]:
        """The figures that a paper's own stages draw, from results/, and their captions."""
        folder = self.results / paper / "figures"
        captions = read_json(folder / "captions.json") if folder.is_dir() else {}
        return {(folder / f"{name}.png").relative_to(self.results): text for name, text in captions.items()}

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
    claims = {paper: load(paper) for paper in params.papers()}
    tables = results / "tables"
    return Material(
        results=results,
        params=params.shared(),
        settings={paper: params.load(paper) for paper in claims},
        claims=claims,
        summaries={paper: summaries.load(paper, own.title) for paper, own in claims.items()},
        ledger=_ledger(results / "claims.csv"),
        snapshots={path.parent.name: _ledger(path) for path in sorted((results / REFERENCE).glob("*/claims.csv"))},
        networks=pd.read_csv(existing(tables / "networks.csv")),
        protocol=pd.read_csv(existing(tables / "benchmark.csv")),
        seconds=pd.read_csv(existing(tables / "benchmark_seconds.csv")),
        conventions=pd.read_csv(existing(tables / "conventions.csv")),
        variance=pd.read_csv(existing(tables / "variance.csv")),
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
