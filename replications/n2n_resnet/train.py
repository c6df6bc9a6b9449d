"""Trains variants: noisy inputs against noisy or clean targets of the same crops, a fresh noise level each."""

from itertools import islice

from common import command
from common.noise.sensor import noisy_file
from common.params import Recipe
from common.score.evaluation import validation
from common.score.scale import Scale
from common.store import load_arrays
from common.train.loop import Validate
from common.train.patches import Patches
from common.train.variants import Training, recipe_of, train_group
from replications.n2n_resnet.models import networks
from replications.n2n_resnet.noise import FIG19
from replications.n2n_resnet.params import Settings
from replications.n2n_resnet.tasks import TASKS, NoiseName, Task, player, training_noise

PAPER = "n2n_resnet"
TIMED = {"gaussian_noisy": ("gaussian", FIG19)}
"""What `make bench` times: variant → experiments whose noisy validation images its training reads."""
FIG19_COLUMN = "val_psnr_db_fig19"
"""Column of the history: validation PSNR at the level of Fig. 19."""


def training(name: str, settings: Settings) -> Training:
    """What the variant of that name is trained to do."""
    return training_of(TASKS[name], settings, recipe_of(settings.train.every[name], settings.train.recipe))


def training_of(task: Task, settings: Settings, recipe: Recipe, scale: Scale = Scale()) -> Training:
    """A task by a recipe. The crops and the inputs of a step depend on the seed alone, whatever the targets are."""
    images = dict(islice(load_arrays(f"data/{PAPER}/train.safetensors").items(), task.images))
    return Training(
        build=networks(settings)[task.architecture],
        batches=lambda seed: Patches(
            images,
            training_noise(task.noise, settings),
            batch=recipe.batch,
            crop=recipe.crop,
            seed=seed,
            noisy_targets=task.noisy_targets,
        ),
        validate=_validate(task.noise, scale),
        recipe=recipe,
        players=(player(task, recipe.steps, settings.train.annealing),),
        scale=scale,
        architecture=task.architecture,
        experiment=task.noise,
    )


def _validate(noise: NoiseName, scale: Scale) -> Validate:
    """Errors on the noise's validation images; for Gaussian noise also the PSNR at the level of Fig. 19."""
    clean = load_arrays(f"data/{PAPER}/val.safetensors")
    own = validation(load_arrays(noisy_file(PAPER, noise, "val")), clean, scale)
    if noise != "gaussian":
        return own
    at_fig19 = validation(load_arrays(noisy_file(PAPER, FIG19, "val")), clean, scale)
    return lambda network: own(network) | {FIG19_COLUMN: at_fig19(network)["val_psnr_db"]}


def main() -> None:
    """Train the group of variants that the command line names."""
    train_group(PAPER, training, __doc__)


if __name__ == "__main__":
    command.run(main)
