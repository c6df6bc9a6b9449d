"""What a paper has come to, file by file: the one thing that the stages which read all papers depend on.

`python -m common.run.inventory PAPER` writes results/inventory/PAPER.json: a digest of each file that is named on the
command line or lies in a folder named there. So the list of papers stands once in dvc.yaml.
"""

import hashlib
import sys
from pathlib import Path

from common import command
from common.store import write_json


def main() -> None:
    """The stage: list the files."""
    paper, *places = sys.argv[1:]
    files = [file for place in map(Path, places) for file in (sorted(place.rglob("*")) if place.is_dir() else [place])]
    listed = {str(file): hashlib.sha256(file.read_bytes()).hexdigest()[:16] for file in files if file.is_file()}
    write_json(f"results/inventory/{paper}.json", listed)


if __name__ == "__main__":
    command.run(main)
