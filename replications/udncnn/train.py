"""Trains variants on random crops with fresh noise: of the test level, or of a range of levels (blind)."""

from common import command
from common.noise.sensor import corrupt
from common.params import Params
from common.score.evaluation import validation
from common.store import load_arrays
from common.train.turns import supervised
from common.train.variants import Training, train_named
from replications.udncnn.tasks import tasks

PAPER = "udncnn"


def training(name: str, everything: Params) -> Training:
    """What the variant of that name is trained to do."""
    task = tasks(everything)[name]
    recipe = getattr(everything.paper(PAPER).train, task.recipe)
    images, clean = (task.pictures(load_arrays(f"data/{PAPER}/{split}.safetensors")) for split in ("train", "val"))
    return Training(
        build=task.build,
        batches=lambda seed: task.patches(images, task.corruption, batch=recipe.batch, crop=recipe.crop, seed=seed),
        validate=validation(corrupt(clean, task.watched, seed=everything.seed), clean),
        recipe=recipe,
        players=(supervised(task.loss),),
        phases=task.phases,
        inherits=task.inherits,
        architecture=task.architecture,
        experiment=task.experiment,
    )


def main() -> None:
    """Train the variants named on the command line."""
    train_named(PAPER, training, __doc__)


if __name__ == "__main__":
    command.run(main)
