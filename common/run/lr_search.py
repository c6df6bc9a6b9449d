"""Searches each variant's learning rate on the validation images, so that no recipe flatters one network.

`python -m common.run.lr_search PAPER VARIANT … --lrs 0.01 0.02 0.04` trains each variant with the profile's recipe at
each rate (data and noise stages must have run) and adds rows to replications/<paper>/lr_search.csv. The best rate is
then written into replications/<paper>/params.yaml by hand. Test photographs are never read.
"""

import argparse
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
    arguments = parser.parse_args()
    settings = params.load(arguments.paper)
    file = Path("replications") / arguments.paper / "lr_search.csv"
    groups = {name: group for group, members in settings.train.variants.items() for name in members}
    for name in arguments.variants:
        if name not in groups:
            raise UserError(f"{arguments.paper} has no variant {name}; known here: {', '.join(groups)}")
        _, _, module, _ = training_stage(arguments.paper, groups[name])["cmd"].split()
        training: Training = import_module(module).training(name, settings)
        for lr in arguments.lrs:
            recipe = recipe_of(settings.train.every[name], training.recipe).model_copy(update={"lr": lr})
            row: dict[str, Any] = {"profile": settings.profile, "variant": name, "steps": recipe.steps, "lr": lr}
            try:
                phases = fit_variant(
                    arguments.paper, training, recipe, seed=settings.seed, own_seed=0, label=f"{name}, lr {lr:g}"
                )
                history = list(phases.values())[-1].history
                watched = [column for column in history.columns if column.startswith("val_")]
                row |= {column: history[column].iloc[-1] for column in watched}
            except NotFiniteLossError as error:
                print(f"  {error}")  # the row stays without a validation
            known = [pd.read_csv(file)] if file.is_file() else []
            write_csv(file, pd.concat([*known, pd.DataFrame([row])]))


if __name__ == "__main__":
    command.run(main)
