"""`python -m common.report.snapshot NAME`: keep the current numbers as results/reference/NAME, a column of the report.

A snapshot is plain files that no DVC stage owns, so runs of another profile, machine or code can stand beside this one.
"""

import argparse
import re
import shutil
from pathlib import Path

from common.command import run
from common.errors import UserError
from common.store import write_bytes

RESULTS = Path("results")
REFERENCE = "reference"
NUMBERS = ("claims.csv", "environment.json", "tables/*.csv", "*/metrics.json")
"""Files of results/ that a snapshot keeps; the first two must be there."""


def main() -> None:
    """Parse the command line and copy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", metavar="NAME", nargs="?", default="", help="a word: letters, digits, - _ and .")
    parser.add_argument("--force", action="store_true", help="overwrite a snapshot of that name")
    arguments = parser.parse_args()
    folder, count = take(arguments.name, force=arguments.force)
    print(f"{count} files kept in {folder}: the next report shows them as column {arguments.name}")


def take(name: str, *, force: bool = False) -> tuple[Path, int]:
    """Copy the numbers; returns the snapshot's folder and how many files it has.

    UserError for a name that is no word, one that is taken (unless `force`), and results that are not there.
    """
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise UserError(f"a snapshot needs NAME, letters, digits, - _ and . (make snapshot NAME=paper), got {name!r}")
    folder = RESULTS / REFERENCE / name
    if folder.exists() and not force:
        raise UserError(f"{folder} exists: choose another name, or overwrite it with --force")
    for required in NUMBERS[:2]:
        if not (RESULTS / required).is_file():
            raise UserError(f"{RESULTS / required} is missing: run `make repro` first, then take the snapshot")
    files = [path for pattern in NUMBERS for path in sorted(RESULTS.glob(pattern))]
    shutil.rmtree(folder, ignore_errors=True)
    for path in files:
        write_bytes(folder / path.relative_to(RESULTS), path.read_bytes())
    return folder, len(files)


if __name__ == "__main__":
    run(main)
