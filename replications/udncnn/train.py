"""Trains one variant on random crops with fresh noise of the test level (the paper's training is not blind)."""

import argparse

from common import command, params
from common.evaluation import validation
from common.noise import noisy_file
from common.params import Params
from common.patches import Patches
from common.store import load_arrays
from common.variants import Training, train_variant
from replications.udncnn.models import NETWORKS, variants
from replications.udncnn.noise import TABLE1, corruptions

PAPER = "udncnn"


def training(name: str, everything: Params) -> Training:
    """What the variant of that name is trained to do."""
    settings = everything.paper(PAPER)
    corruption, recipe = corruptions(everything)[TABLE1], settings.train.recipe
    images, clean = (load_arrays(f"data/{PAPER}/{split}.safetensors") for split in ("train", "val"))
    return Training(
        build=variants(settings)[name],
        batches=lambda seed: Patches(images, corruption, batch=recipe.batch, crop=recipe.crop, seed=seed),
        validate=validation(load_arrays(noisy_file(PAPER, TABLE1, "val")), clean),
        recipe=recipe,
        architecture=name if name in NETWORKS else None,
        experiment=TABLE1,
    )


def main() -> None:
    """Train the variant named on the command line over its seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant")
    name = parser.parse_args().variant
    everything = params.load()
    variant = everything.paper(PAPER).train.variants[name]
    train_variant(PAPER, name, variant, training(name, everything), seed=everything.seed)


if __name__ == "__main__":
    command.run(main)
