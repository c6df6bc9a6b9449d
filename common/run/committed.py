"""`python -m common.run.committed`: this run's scores against those committed, in a line; what `make repro` ends with.

After a run on another machine git lists hundreds of changed files, nearly all for last digits and times. Here a
difference counts where it exceeds what matters (`common.run.regression.floor`).
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from common import command
from common.run.regression import Comparison, floor, leaves
from common.store import read_json

RESULTS = Path("results")
KEEP = "to keep it commit results and dvc.lock files, to drop it: git checkout results '*dvc.lock'"


def main() -> None:
    """Print the line; nothing where there is nothing to compare with."""
    if line := outcome():
        print(line)


def outcome() -> str | None:
    """The line, or None where no results are committed, or those of another profile."""
    before = committed(RESULTS / "settings.json")
    if before is None or before.get("profile") != read_json(RESULTS / "settings.json")["profile"]:
        return None
    compared = list(comparisons())
    if not compared:
        return None
    moved = sorted((one for one in compared if beyond(one) > 1), key=beyond, reverse=True)
    inside = f"{len(compared) - len(moved)} of {len(compared)} scores are those committed, but for what does not matter"
    if not moved:
        return inside
    first = moved[0]
    return f"{inside}; most of all differs {first.metric}: {first.baseline:.4g} there, {first.now:.4g} here\n{KEEP}"


def comparisons() -> list[Comparison]:
    """Each score of this run's metrics.json files that is committed, too."""
    found = []
    for file in sorted(RESULTS.glob("*/metrics.json")):
        before = dict(leaves(committed(file) or {}, file.parent.name))
        for metric, now in leaves(read_json(file), file.parent.name):
            if metric in before:
                found.append(Comparison(metric, before[metric], now, floor(metric, before[metric])))
    return found


def beyond(one: Comparison) -> float:
    """A difference, in those that do not matter."""
    return abs(one.gain) / max(one.tolerance, 1e-12)


def committed(file: Path) -> dict[str, Any] | None:
    """A JSON file as the last commit has it; None where it has none."""
    shown = subprocess.run(["git", "show", f"HEAD:./{file}"], capture_output=True, text=True, check=False)
    return json.loads(shown.stdout) if shown.returncode == 0 else None


if __name__ == "__main__":
    command.run(main)
