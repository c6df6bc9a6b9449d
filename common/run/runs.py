"""`python -m common.run.runs`: this run, the last commit's and DVC's experiments side by side, in a dozen columns.

It is `dvc exp show`, which has thousands here, without all but these: profile, seed and noise level; of each paper the
network of the highest published PSNR in each experiment, or with `--paper` all that have a published PSNR.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator

from common import command, params
from common.claims.schema import load
from common.errors import UserError

ALWAYS = ("Experiment", "Created", "State", "Executor", r"(params\.yaml:)?(profile|seed|noise\.sigma)")


def main() -> None:
    """Parse the command line and hand over to DVC."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paper", choices=params.papers(), help="all networks of one paper that have a published PSNR")
    paper = parser.parse_args().paper
    metrics = metric_columns(paper) if paper else [name for one in params.papers() for name in metric_columns(one, 1)]
    kept = [argument for column in (*ALWAYS, *metrics) for argument in ("--keep", f"{column}$")]
    argv = [sys.executable, "-m", "dvc", "exp", "show", "--no-pager", "--drop", ".*", *kept]
    if status := subprocess.run(argv, check=False).returncode:
        raise UserError(f"dvc exp show ended with status {status}: see the lines above")


def metric_columns(paper: str, most: int | None = None) -> list[str]:
    """Patterns of DVC's columns with the PSNR of a paper's published networks, the highest `most` of an experiment."""
    published: dict[str, list[tuple[float, str]]] = {}
    for experiment, network, value in _published(paper):
        published.setdefault(experiment, []).append((value, network))
    return [
        rf"(results/{paper}/metrics\.json:)?{re.escape(experiment)}\.{re.escape(network)}\.psnr_db"
        for experiment, members in published.items()
        for _, network in sorted(members, reverse=True)[:most]
    ]


def _published(paper: str) -> Iterator[tuple[str, str, float]]:
    """Experiment, network and PSNR in dB of every published value of a network that the suite trains."""
    trained = params.load(paper).train.every
    for claim in load(paper).claims:
        if claim.kind == "value" and claim.measure == "psnr_db" and claim.experiment:
            network, value = claim.test.rows[0], claim.test.published
            if network in trained and value is not None:
                yield claim.experiment, network, value


if __name__ == "__main__":
    command.run(main)
