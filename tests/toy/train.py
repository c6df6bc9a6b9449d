"""Trains variants on random crops with fresh noise of the test level."""

from replications.toy.models import networks
from replications.toy.noise import corruptions
from replications.toy.params import Settings

from common import command
from common.noise.sensor import noisy_file
from common.score.evaluation import validation
from common.store import load_arrays
from common.train.patches import Patches
from common.train.variants import Training, train_group


def training(name: str, settings: Settings) -> Training:
    """What the variant of that name is trained to do."""
    recipe, corruption = settings.train.recipe, corruptions(settings)["table1"]
    images, clean = (load_arrays(f"data/toy/{split}.safetensors") for split in ("train", "val"))
    return Training(
        networks(settings)[name],
        batches=lambda seed: Patches(images, corruption, batch=recipe.batch, crop=recipe.crop, seed=seed),
        validate=validation(load_arrays(noisy_file("toy", "table1", "val")), clean),
        recipe=recipe,
        architecture=name,
        experiment="table1",
    )


if __name__ == "__main__":
    command.run(lambda: train_group("toy", training, __doc__))
