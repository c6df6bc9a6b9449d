"""Searches each variant's learning rate on the validation images, so that no recipe flatters one network.

`python -m common.lr_search PAPER VARIANT … --lrs 0.01 0.02 0.04` trains each variant with the profile's recipe at each
rate (data and noise stages must have run) and adds rows to replications/<paper>/lr_search.csv. The best rate is then
written into params.yaml by hand. Test photographs are never read.
"""

import argparse
from pathlib import Path

import pandas as pd

from common import command, params
from common.evaluation import as_denoiser, mean_psnr
from common.noise import Gaussian
from common.patches import Patches
from common.store import load_arrays, write_csv
from common.training import NotFiniteLossError, fit
from common.variants import recipe_of


def main() -> None:
    """Train at every rate and keep the best validation PSNR of each."""
    import importlib

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paper")
    parser.add_argument("variants", nargs="+")
    parser.add_argument("--lrs", nargs="+", type=float, required=True)
    arguments = parser.parse_args()
    everything = params.load()
    settings = everything.paper(arguments.paper)
    builders = importlib.import_module(f"replications.{arguments.paper}.models").variants(settings)
    data = Path("data") / arguments.paper
    train, clean, noisy = (load_arrays(data / f"{part}.safetensors") for part in ("train", "val", "noisy/val"))
    file = Path("replications") / arguments.paper / "lr_search.csv"
    for name in arguments.variants:
        for lr in arguments.lrs:
            recipe = recipe_of(settings.train.variants[name], settings.train.recipe).model_copy(update={"lr": lr})
            patches = Patches(
                train,
                Gaussian(everything.sigma(arguments.paper)),
                batch=recipe.batch,
                crop=recipe.crop,
                seed=everything.seed,
            )
            try:
                history = fit(
                    builders[name],
                    patches,
                    recipe,
                    seed=everything.seed,
                    validate=lambda network: mean_psnr(as_denoiser(network), noisy, clean),
                    label=f"{name}, lr {lr:g}",
                ).history
                psnr_db = float(history["val_psnr_db"].iloc[-1])
            except NotFiniteLossError:
                psnr_db = float("nan")
            row = {
                "profile": everything.profile,
                "variant": name,
                "steps": recipe.steps,
                "lr": lr,
                "val_psnr_db": psnr_db,
            }
            known = [pd.read_csv(file)] if file.is_file() else []
            write_csv(file, pd.concat([*known, pd.DataFrame([row])]))


if __name__ == "__main__":
    command.run(main)
