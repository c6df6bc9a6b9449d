"""`python -m common.run.comment`: what moved beyond tolerance, as Markdown for a pull request.

`--base REVISION` compares the committed metrics with those of that revision (`dvc metrics diff`): a difference counts
where it exceeds what matters. `--results DIR --baseline FILE` adds the regression gate: fresh metrics of a profile
against its baseline, each within its own tolerance.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common import command
from common.errors import UserError
from common.run.regression import Comparison, collect, compare, floor
from common.store import read_json

METRICS_FILE = "metrics.json"
"""Only results/<paper>/metrics.json hold scores; other metrics of DVC, such as times, differ between machines."""
ROWS = 30
"""Rows that a table shows, the largest movements first."""


def main() -> None:
    """Parse the command line and print the comment."""
    parser = argparse.ArgumentParser(prog="python -m common.run.comment", description=__doc__)
    parser.add_argument("--base", required=True, metavar="REVISION", help="revision to compare committed metrics with")
    parser.add_argument("--results", type=Path, metavar="DIR", help="fresh results, for the gate")
    parser.add_argument("--baseline", type=Path, metavar="FILE", help="their baseline")
    arguments = parser.parse_args()
    if (arguments.results is None) != (arguments.baseline is None):
        raise UserError("--results and --baseline go together: fresh metrics are held against their baseline")
    parts = ["## Metrics"]
    if arguments.results is not None:
        parts.append(gate(arguments.results, arguments.baseline))
    parts.append(against(arguments.base, metrics_diff(arguments.base)))
    print("\n\n".join(parts))


def gate(results: Path, baseline: Path) -> str:
    """The regression gate in Markdown. UserError where the baseline is missing or lacks a metric."""
    if not baseline.is_file():
        raise UserError(f"{baseline} is missing: record it with `python -m common.run.regression record`")
    record = read_json(baseline)
    compared = compare(collect(results), record["metrics"])
    moved = [one for one in compared if one.regressed or one.improved]
    counts = f"{sum(one.regressed for one in moved)} regressed, {sum(one.improved for one in moved)} improved"
    inside = f"{len(compared) - len(moved)} of {len(compared)} metrics within tolerance"
    return _part(f"**Gate, profile `{record['profile']}`:** {inside}, {counts}.", moved)


def against(base: str, changed: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Committed metrics against another revision's, in Markdown. changed: as `dvc metrics diff --json` prints it."""
    compared, new = [], 0
    for file, metrics in changed.items():
        if Path(file).name == METRICS_FILE:
            for name, values in metrics.items():
                if values["old"] is None:
                    new += 1
                else:
                    metric = f"{Path(file).parent.name}.{name}"
                    compared.append(Comparison(metric, values["old"], values["new"], floor(name, values["old"])))
    moved = [one for one in compared if one.regressed or one.improved]
    gone = sum(one.now is None for one in moved)
    told = f"{len(moved) - gone} metrics moved by more than what matters, {new} are new, {gone} are gone"
    return _part(f"**Committed results against `{base}`:** {told}.", moved)


def metrics_diff(base: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Metrics that differ between a revision and the work tree: file → metric → old, new (None where there is none)."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "metrics", "diff", "--json", base], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise UserError(f"dvc metrics diff {base} failed: {' '.join(done.stderr.split())[-300:]}")
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(done.stdout or "{}")
    return {
        file: {name: {"old": values.get("old"), "new": values.get("new")} for name, values in metrics.items()}
        for file, metrics in found.items()
    }


def _part(sentence: str, moved: Sequence[Comparison]) -> str:
    """A sentence, and a table of what moved; the largest movements first, in tolerances."""
    if not moved:
        return sentence
    ranked = sorted(moved, key=_movement, reverse=True)
    rows = [_row(one) for one in ranked[:ROWS]]
    more = [f"… and {len(ranked) - ROWS} more."] if len(ranked) > ROWS else []
    head = ["| metric | before | now | change | tolerance | |", "|---|---:|---:|---:|---:|---|"]
    return "\n".join([sentence, "", *head, *rows, *([""] if more else []), *more])


def _movement(one: Comparison) -> float:
    return float("inf") if one.now is None else abs(one.now - one.baseline) / max(one.tolerance, 1e-12)


def _row(one: Comparison) -> str:
    now = "missing" if one.now is None else f"{one.now:.4f}"
    change = "" if one.now is None else f"{one.now - one.baseline:+.4f}"
    verdict = "worse" if one.regressed else "better"
    return f"| `{one.metric}` | {one.baseline:.4f} | {now} | {change} | ±{one.tolerance:.4f} | {verdict} |"


if __name__ == "__main__":
    command.run(main)
