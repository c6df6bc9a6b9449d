"""The ledger of all papers: results/claims.csv, and a table in results/tables for each published one."""

from dataclasses import asdict, fields
from pathlib import Path

import pandas as pd

from common import params
from common.claims.conditions import number
from common.claims.fidelity import setting
from common.claims.judge import Context, Row, check_itself, judge
from common.claims.measure import Measurements
from common.claims.schema import load
from common.params import Settings
from common.store import read_json, write_csv

COLUMNS = tuple(field.name for field in fields(Row) if field.name not in ("published_table", "label"))
TABLE_COLUMNS = ("row", "published", "ours", "ci_low", "ci_high", "difference", "fidelity", "verdict")


def ledger(paper: str, settings: Settings, results: Path) -> list[Row]:
    """Every row of one paper: its claims in the order of claims.yaml, then its checks against itself."""
    claims = load(paper)
    measurements = Measurements(results, paper, lambda path: setting(path, settings))
    context = Context(claims, settings, measurements, _test_set(results / paper / "data.json"))
    rows = [row for claim in claims.claims for row in judge(claim, context)]
    return rows + [check_itself(check, context) for check in claims.self_checks]


def claims_table(rows: list[Row]) -> pd.DataFrame:
    """The rows as results/claims.csv has them."""
    return pd.DataFrame([asdict(row) for row in rows], columns=list(COLUMNS))


def published_tables(rows: list[Row]) -> dict[str, pd.DataFrame]:
    """A table for each published one that claims name: a row per published number, beside ours."""
    names = dict.fromkeys(row.published_table for row in rows if row.published_table)
    return {name: _published_table([row for row in rows if row.published_table == name]) for name in names}


def main() -> None:
    """Judge every claim of every paper by results/."""
    results = Path("results")
    rows = [row for paper in params.papers() for row in ledger(paper, params.load(paper), results)]
    for name, table in published_tables(rows).items():
        write_csv(results / "tables" / f"{name}.csv", table)
    write_csv(results / "claims.csv", claims_table(rows))
    counts = pd.Series([row.verdict for row in rows]).value_counts()
    print(f"{len(rows)} rows: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))


def _published_table(rows: list[Row]) -> pd.DataFrame:
    labels = [row.label or row.id for row in rows]
    if len(set(labels)) < len(labels):  # two claims of one table have rows of the same name
        labels = [row.id for row in rows]
    records = [
        (
            label,
            row.published,
            row.ours,
            row.ci_low,
            row.ci_high,
            number(float(row.ours) - float(row.published)) if row.ours else "",
            row.fidelity,
            row.verdict,
        )
        for label, row in zip(labels, rows, strict=True)
    ]
    return pd.DataFrame(records, columns=list(TABLE_COLUMNS))


def _test_set(record: Path) -> str:
    return str(read_json(record)["test"]["dataset"]) if record.is_file() else ""
