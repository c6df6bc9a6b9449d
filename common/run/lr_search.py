"""Searches each network's learning rate on the validation images, so that no recipe flatters one network.

`python -m common.run.lr_search PAPER VARIANT … --lrs 0.01 0.02 0.04` trains each variant with the profile's recipe at
each rate (data and noise stages must have run) and adds rows to replications/<paper>/lr_search.csv. With `--benchmark`
the names are those of networks that enter the common benchmark: each of their two trainings is tried for `--steps` of
the budget's steps, and the rows go to replications/<paper>/benchmark_lr_search.csv. The best rate is then written into
replications/<paper>/params.yaml by hand. Test photographs are never read.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from common import command, params
from common.errors import UserError
from common.store import write_csv
from common.train.loop import NotFiniteLossError
from common.train.stage import training_stage
from common.train.variants import Training, fit_variant, recipe_of


def main() -> None:
    """Train at every rate and keep the last validation of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paper")
    parser.add_argument("variants", nargs="+")
    parser.add_argument("--lrs", nargs="+", type=float, required=True)
    parser.add_argument("--benchmark", action="store_true", help="the names are of networks in the common benchmark")
    parser.add_argument("--steps", type=int, help="of each trial, with --benchmark; default: as many as the budget's")
    arguments = parser.parse_args()
    if arguments.benchmark:
        _search_benchmark(arguments.paper, arguments.variants, arguments.lrs, arguments.steps)
    else:
        _search(arguments.paper, arguments.variants, arguments.lrs)


def _search(paper: str, variants: Sequence[str], lrs: Sequence[float]) -> None:
    settings = params.load(paper)
    groups = {name: group for group, members in settings.train.variants.items() for name in members}
    for name in variants:
        if name not in groups:
            raise UserError(f"{paper} has no variant {name}; known here: {', '.join(groups)}")
        _, _, module, _ = training_stage(paper, groups[name])["cmd"].split()
        training: Training = import_module(module).training(name, settings)
        for lr in lrs:
            recipe = recipe_of(settings.train.every[name], training.recipe).model_copy(update={"lr": lr})
            row: dict[str, Any] = {"profile": settings.profile, "variant": name, "steps": recipe.steps, "lr": lr}
            try:
                phases = fit_variant(
                    paper, training, recipe, seed=settings.seed, own_seed=0, label=f"{name}, lr {lr:g}"
                )
                history = list(phases.values())[-1].history
                watched = [column for column in history.columns if column.startswith("val_")]
                row |= {column: history[column].iloc[-1] for column in watched}
            except NotFiniteLossError as error:
                print(f"  {error}")  # the row stays without a validation
            _add(paper, "lr_search.csv", [row])


def _search_benchmark(paper: str, names: Sequence[str], lrs: Sequence[float], steps: int | None) -> None:
    from common.benchmark.table import TRAININGS
    from common.benchmark.train import Job, learner_of, recipe_of
    from common.train.variants import on_this_machine

    shared = params.shared()
    budget = params.budget(shared.profile)
    length = steps or budget.steps
    short = budget.model_copy(update={"steps": length, "validate_every": length})
    for name in names:
        learner = learner_of(paper, name)
        jobs = [
            Job(paper, name, training, recipe_of(learner, short, lr), short) for training in TRAININGS for lr in lrs
        ]
        reached = on_this_machine(partial(_reached, shared.training.threads), jobs, shared.training)
        _add(
            paper,
            "benchmark_lr_search.csv",
            [
                {
                    **{"profile": shared.profile, "network": name, "training": job.training},
                    **{"steps": short.steps, "lr": job.recipe.lr, "val_psnr_db": psnr_db},
                }
                for job, psnr_db in zip(jobs, reached, strict=True)
            ],
        )


def _reached(threads: int | None, job: Any) -> float | None:
    """The validation PSNR at the end of a training; None where it diverges."""
    from common.benchmark.train import train_one

    try:
        return float(train_one(threads, job).history["val_psnr_db"].iloc[-1])
    except NotFiniteLossError as error:
        print(f"  {error}")
        return None


def _add(paper: str, name: str, rows: Sequence[dict[str, Any]]) -> None:
    file = Path("replications") / paper / name
    known = [pd.read_csv(file)] if file.is_file() else []
    write_csv(file, pd.concat([*known, pd.DataFrame(rows)]))


if __name__ == "__main__":
    command.run(main)
