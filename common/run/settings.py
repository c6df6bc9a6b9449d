"""The settings in effect, for DVC to compare: the stage that all others of a paper depend on.

`python -m common.run.settings PAPER` validates the parameters of the paper under every profile and writes those of the
profile that runs to results/PAPER/settings.json; without a paper, what all papers share and the budget of the
benchmark, to results/settings.json. A stage of dvc.yaml names the keys of that file that it reads, so only a change of
these re-runs it.
"""

import sys
from pathlib import Path

from common import command, params
from common.datasets.registry import DATASETS
from common.store import write_json


def main() -> None:
    """The stage: validate all, write one."""
    paper = next(iter(sys.argv[1:]), None)
    under = every_profile(paper)
    chosen = under[params.shared().profile]
    more = {} if paper else {"budget": budgets()[chosen.profile].model_dump()}
    write_json(Path("results", paper or "", "settings.json"), chosen.model_dump() | more)


def every_profile(paper: str | None) -> dict[str, params.Common]:
    """The settings of a paper (None: what all share) by profile; UserError for what is wrong under any of them."""
    if paper is None:
        return {name: params.shared(name, data_sets=DATASETS) for name in params.PROFILES}
    return {name: params.load(paper, name, data_sets=DATASETS) for name in params.PROFILES}


def budgets() -> dict[str, params.Budget]:
    """The budget of the benchmark by profile; UserError likewise."""
    return {name: params.budget(name, data_sets=DATASETS) for name in params.PROFILES}


if __name__ == "__main__":
    command.run(main)
