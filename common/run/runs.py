"""`python -m common.run.runs`: this run, the last commit's and DVC's experiments side by side, in a dozen columns.

It is `dvc exp show`, which has thousands here, without all but these: profile, seed and noise level; of each paper the
network of the highest published PSNR in each experiment, or with `--paper` all that have a published PSNR.
"""

import argparse
import io
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from common import command, params
from common.claims.schema import load
from common.errors import UserError
from common.report.names import name_of

PARAMS = ("profile", "seed", "noise.sigma")
ALWAYS = ("Experiment", "rev", "Created", "State", *(rf"(params\.yaml:)?{re.escape(name)}" for name in PARAMS))
"""Patterns of the columns that are shown whatever the paper. `rev` names what is no experiment: work tree, commit."""


def main() -> None:
    """Parse the command line, ask DVC and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paper", choices=params.papers(), help="all networks of one paper that have a published PSNR")
    paper = parser.parse_args().paper
    metrics = metric_columns(paper) if paper else {}
    for one in params.papers() if paper is None else []:
        metrics |= metric_columns(one, 1)
    print(printed(_shown([*ALWAYS, *metrics]), metrics))


def printed(table: pd.DataFrame, metrics: Mapping[str, tuple[str, str]]) -> str:
    """DVC's table for a terminal: papers above their networks. metrics: as of `metric_columns`."""
    named = {}
    for column in table.columns:
        found = next((name for pattern, name in metrics.items() if re.fullmatch(pattern, column)), None)
        named[column] = found or ("", column.rpartition(":")[2])
        if found:
            table[column] = [_two_decimals(value) for value in table[column]]
    run = table["Experiment"].where(table["Experiment"] != "", table["rev"])
    shown = table.assign(Experiment=run, Created=table["Created"].str[:16]).drop(columns="rev")
    shown = shown.loc[:, (shown != "").any()]
    shown.columns = pd.MultiIndex.from_tuples([named[column] for column in shown.columns])
    return shown.to_string(index=False)


def metric_columns(paper: str, most: int | None = None) -> dict[str, tuple[str, str]]:
    """Pattern of DVC's column with the PSNR of a published network → paper and network, as they are shown.

    most: so many networks of an experiment, of the highest published PSNR; None: all.
    """
    published: dict[str, list[tuple[float, str]]] = {}
    for experiment, network, value in _published(paper):
        published.setdefault(experiment, []).append((value, network))
    return {
        rf"(results/{paper}/metrics\.json:)?{re.escape(f'{experiment}.{network}')}\.psnr_db": (
            paper,
            f"{name_of(paper, network, experiment)}, dB",
        )
        for experiment, members in published.items()
        for _, network in sorted(members, reverse=True)[:most]
    }


def _shown(patterns: Sequence[str]) -> pd.DataFrame:
    """The columns of `dvc exp show` that match one of the patterns, as text."""
    kept = [argument for pattern in patterns for argument in ("--keep", f"{pattern}$")]
    argv = [sys.executable, "-m", "dvc", "exp", "show", "--csv", "--drop", ".*", *kept]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise UserError(f"dvc exp show failed: {' '.join(ended.stderr.split())[-300:]}")
    return pd.read_csv(io.StringIO(ended.stdout), dtype=str, keep_default_na=False)


def _two_decimals(value: str) -> str:
    """A number of DVC's; as it is where a run has none ("") or could not be read ("!")."""
    try:
        return f"{float(value):.2f}"
    except ValueError:
        return value


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
