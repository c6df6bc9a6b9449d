"""The ledger: claims.csv of a folder of results, of a run or a part of one, and tables/ with ours beside published."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pandas as pd

from common import params
from common.claims.fidelity import settings_of
from common.claims.judge import Row, check_itself, judge
from common.claims.measure import Run
from common.claims.schema import load
from common.claims.sentence import number
from common.errors import UserError
from common.params import PROFILES
from common.score.results import Measurements, record
from common.store import write_csv

COLUMNS = [field.name for field in fields(Row) if field.name != "table"]
TABLE_COLUMNS = ["row", "published", "ours", "ci_low", "ci_high", "difference", "fidelity", "verdict"]


def ledger(paper: str, settings: Mapping[str, Any], folder: Path) -> list[Row]:
    """Every row of one paper: its claims in the order of claims.yaml, then its checks against itself."""
    data = record(folder / paper / "data.json").get("test", {}).get("dataset", "")
    run = Run(load(paper), settings, Measurements(paper, folder), data)
    rows = [judge(claim, run) for claim in run.claims.claims]
    return rows + [check_itself(check, run) for check in run.claims.self_checks]


def claims_table(rows: list[Row]) -> pd.DataFrame:
    """The rows as claims.csv has them."""
    return pd.DataFrame([asdict(row) for row in rows], columns=COLUMNS)


def published_tables(rows: list[Row]) -> dict[str, pd.DataFrame]:
    """A table for each published one that claims name: a row per published number, beside ours."""
    tables = {}
    for name in dict.fromkeys(row.table for row in rows if row.table):
        own = [row for row in rows if row.table == name]
        apart = [number(float(row.ours) - float(row.published)) if row.ours else "" for row in own]
        tables[name] = claims_table(own).assign(row=[row.id for row in own], difference=apart)[TABLE_COLUMNS]
    return tables


def write(results: Path, profile: str | None = None) -> None:
    """Judge every claim of every paper by a folder of results, which claims.csv and tables/ are written to."""
    if not any(results.glob("*/scores.csv")):  # a snapshot, whose ledger would be lost
        raise UserError(f"{results} holds no <paper>/scores.csv: nothing there can be judged")
    rows = [row for paper in params.papers() for row in ledger(paper, settings_of(paper, profile), results)]
    for name, table in published_tables(rows).items():
        write_csv(results / "tables" / f"{name}.csv", table)
    write_csv(results / "claims.csv", claims_table(rows))
    counts = claims_table(rows)["verdict"].value_counts()
    print(f"{len(rows)} rows: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))


def main() -> None:
    """Parse the command line and judge."""
    parser = argparse.ArgumentParser(prog="python -m common.claims", description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder that is judged and written to")
    parser.add_argument("--profile", choices=PROFILES, help="judge by this profile's settings, not by those in effect")
    arguments = parser.parse_args()
    write(arguments.results, arguments.profile)
