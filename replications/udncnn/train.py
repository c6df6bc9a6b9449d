"""Trains one variant on random crops with fresh noise: of the test level, or of a range of levels (blind)."""

import argparse
from typing import TYPE_CHECKING

from common import command, params
from common.params import Params
from common.unrun import note_unrun

if TYPE_CHECKING:
    from common.variants import Training

PAPER = "udncnn"


def training(name: str, everything: Params) -> "Training":
    """What the variant of that name is trained to do."""
    from common.evaluation import validation
    from common.noise import corrupt
    from common.patches import Patches
    from common.store import load_arrays
    from common.training import supervised
    from common.variants import Training
    from replications.udncnn.tasks import tasks

    task = tasks(everything)[name]
    recipe = getattr(everything.paper(PAPER).train, task.recipe)
    images, clean = (task.pictures(load_arrays(f"data/{PAPER}/{split}.safetensors")) for split in ("train", "val"))
    return Training(
        build=task.build,
        batches=lambda seed: Patches(images, task.corruption, batch=recipe.batch, crop=recipe.crop, seed=seed),
        validate=validation(corrupt(clean, task.watched, seed=everything.seed), clean),
        recipe=recipe,
        players=(supervised(task.loss),),
        phases=task.phases,
        inherits=task.inherits,
        architecture=task.architecture,
        experiment=task.experiment,
    )


def main() -> None:
    """Train the variant named on the command line over its seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant")
    name = parser.parse_args().variant
    everything = params.load()
    settings = everything.paper(PAPER)
    variant = settings.train.variants[name]
    if not variant.seeds:  # before torch is imported: many stages of `smoke` and `quick` end here
        note_unrun(PAPER, name, settings.train.recipe)
        return
    from common.variants import train_variant

    train_variant(PAPER, name, variant, training(name, everything), seed=everything.seed)


if __name__ == "__main__":
    command.run(main)
