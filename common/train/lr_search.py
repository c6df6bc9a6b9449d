"""Searches each variant's learning rate on the validation images, so that no recipe flatters one network.

`python -m common.train.lr_search PAPER VARIANT … --lrs 0.01 0.02 0.04` trains each variant with the profile's recipe at
each rate (data and noise stages must have run) and adds rows to replications/<paper>/lr_search.csv. The best rate is
then written into params.yaml by hand. Test photographs are never read.
"""

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from common import command, params
from common.store import write_csv
from common.train.loop import NotFiniteLossError
from common.train.variants import Training, fit_variant, recipe_of


def main() -> None:
    """Train at every rate and keep the last validation of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paper")
    parser.add_argument("variants", nargs="+")
    parser.add_argument("--lrs", nargs="+", type=float, required=True)
    arguments = parser.parse_args()
    everything = params.load()
    settings = everything.paper(arguments.paper)
    stage = import_module(f"replications.{arguments.paper}.train")
    file = Path("replications") / arguments.paper / "lr_search.csv"
    for name in arguments.variants:
        training: Training = stage.training(name, everything)
        for lr in arguments.lrs:
            recipe = recipe_of(settings.train.variants[name], training.recipe).model_copy(update={"lr": lr})
            row: dict[str, Any] = {"profile": everything.profile, "variant": name, "steps": recipe.steps, "lr": lr}
            try:
                phases = fit_variant(
                    arguments.paper, training, recipe, seed=everything.seed, own_seed=0, label=f"{name}, lr {lr:g}"
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
