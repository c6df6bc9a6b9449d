"""Trains denoisers on random crops with fresh noise: of the test level, or of a range of levels (blind)."""

from common import command
from common.noise.sensor import corrupt
from common.score.evaluation import validation
from common.store import load_arrays
from common.train.turns import supervised
from common.train.variants import Training, train_group
from replications.udncnn.noise import PAPER
from replications.udncnn.params import Settings
from replications.udncnn.tasks import Task, tasks

TIMED: dict[str, tuple[str, ...]] = {"dncnn": (), "udncnn": (), "udncnn_code": (), "dudncnn": ()}
"""What `make bench` times: variant → experiments whose noisy validation images its training reads."""


def training(name: str, settings: Settings) -> Training:
    """What the variant of that name is trained to do."""
    return training_of(tasks(settings)[name], settings)


def training_of(task: Task, settings: Settings) -> Training:
    """A task by its recipe."""
    recipe = getattr(settings.train, task.recipe)
    images, clean = (task.pictures(load_arrays(f"data/{PAPER}/{split}.safetensors")) for split in ("train", "val"))
    return Training(
        build=task.build,
        batches=lambda seed: task.patches(images, task.corruption, batch=recipe.batch, crop=recipe.crop, seed=seed),
        validate=validation(corrupt(clean, task.watched, seed=settings.seed), clean),
        recipe=recipe,
        players=(supervised(task.loss),),
        phases=task.phases,
        inherits=task.inherits,
        architecture=task.architecture,
        experiment=task.experiment,
    )


def main() -> None:
    """Train the group of variants that the command line names."""
    train_group(PAPER, training, __doc__)


if __name__ == "__main__":
    command.run(main)
