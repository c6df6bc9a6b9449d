"""Trains variants: a restoration on random crops, degraded afresh, or a segmentation on whole pictures."""

from torch import Tensor, nn
from torch.nn import functional as F

from common import command
from common.noise.sensor import noisy_file
from common.params import SGD, Constant, Recipe
from common.score.evaluation import validation
from common.store import load_arrays
from common.train.patches import Labelled, Patches
from common.train.turns import Player, supervised
from common.train.variants import Training, train_group
from common.train.weights import Parent, first_seed
from replications.edcnn import segmentation
from replications.edcnn.models import networks
from replications.edcnn.noise import corruptions
from replications.edcnn.params import Settings
from replications.edcnn.variants import PLANS, SEGMENTATION, builder

PAPER = "edcnn"
TIMED = {"full_skip": ("full",)}
"""What `make bench` times: variant → experiments whose noisy validation images its training reads."""


def training(name: str, settings: Settings) -> Training:
    """What the variant of that name is trained to do."""
    return _segmentation(name, settings) if PLANS[name].experiment == SEGMENTATION else _restoration(name, settings)


def _restoration(name: str, settings: Settings) -> Training:
    plan = PLANS[name]
    corruption = corruptions(settings)[plan.experiment]
    recipe = _gradient_descent(settings.train.recipe) if plan.gradient_descent else settings.train.recipe
    images, clean = (load_arrays(f"data/{PAPER}/{split}.safetensors") for split in (plan.images, "val"))
    return Training(
        build=builder(name, settings),
        batches=lambda seed: Patches(images, corruption, batch=recipe.batch, crop=recipe.crop, seed=seed),
        validate=validation(load_arrays(noisy_file(PAPER, plan.experiment, "val")), clean),
        recipe=recipe,
        players=(supervised(F.l1_loss if plan.loss == "l1" else F.mse_loss),),
        inherits=Parent(plan.inherits, first_seed(settings.train.every, plan.inherits)) if plan.inherits else None,
        architecture=plan.architecture if plan.architecture in networks(settings) else None,
        experiment=plan.experiment,
    )


def _segmentation(name: str, settings: Settings) -> Training:
    recipe = settings.train.segmentation
    images, targets = segmentation.load_segmentation(PAPER, "train")
    return Training(
        build=builder(name, settings),
        batches=lambda seed: Labelled(images, targets, batch=recipe.batch, seed=seed),
        validate=segmentation.validation(*segmentation.load_segmentation(PAPER, "val")),
        recipe=recipe,
        players=(Player(_cross_entropy),),
        architecture=PLANS[name].architecture,
        experiment=SEGMENTATION,
    )


def _cross_entropy(network: nn.Module, inputs: Tensor, targets: Tensor, step: int) -> Tensor:
    """The network's three outputs as logits of each pixel's class."""
    return F.cross_entropy(network(inputs).float(), targets)


def _gradient_descent(recipe: Recipe) -> Recipe:
    """Plain gradient descent at a constant rate."""
    printed = {"optimizer": SGD(name="sgd", momentum=0.0, weight_decay=0.0), "schedule": Constant(name="constant")}
    return recipe.model_copy(update=printed)


def main() -> None:
    """Train the group of variants that the command line names."""
    train_group(PAPER, training, __doc__)


if __name__ == "__main__":
    command.run(main)
