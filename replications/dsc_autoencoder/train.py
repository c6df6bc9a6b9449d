"""Trains variants: a denoiser, by squared error or by the classifier's features, or the classifier itself."""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from common import command
from common.errors import UserError
from common.noise.sensor import noisy_file
from common.params import Params
from common.score.evaluation import validation
from common.score.scale import Scale
from common.store import load_arrays
from common.train.losses import feature_distance
from common.train.patches import Labelled, Patches
from common.train.turns import Player, supervised
from common.train.variants import Training, train_named
from common.train.weights import load_trained
from replications.dsc_autoencoder.labels import labelled_arrays
from replications.dsc_autoencoder.models import Classifier, variants
from replications.dsc_autoencoder.noise import DENOISE, corruptions

PAPER = "dsc_autoencoder"
SCALE = Scale(0, 255)
CLASSIFIERS = ("classifier", "classifier_dsc")


def training(name: str, everything: Params) -> Training:
    """What the variant of that name is trained to do."""
    return classification(name, everything) if name in CLASSIFIERS else denoising(name, everything)


def denoising(name: str, everything: Params) -> Training:
    """Noisy crops to clean ones: by squared error per pixel, or `perceptual`, by that of the classifier's features."""
    settings = everything.paper(PAPER)
    corruption, recipe = corruptions(everything)[DENOISE], settings.train.recipe
    images, clean = (load_arrays(f"data/{PAPER}/{split}.safetensors") for split in ("train", "val"))
    return Training(
        build=variants(settings)[name],
        batches=lambda seed: Patches(images, corruption, batch=recipe.batch, crop=recipe.crop, seed=seed),
        validate=validation(load_arrays(noisy_file(PAPER, DENOISE, "val")), clean, SCALE),
        recipe=recipe,
        players=(supervised(perceptual_loss(everything) if name == "perceptual" else F.mse_loss),),
        scale=SCALE,
        architecture=None if name == "perceptual" else name.removesuffix("_dsc_rate"),
        experiment="perceptual" if name == "perceptual" else DENOISE,
    )


def perceptual_loss(everything: Params) -> Callable[[Tensor, Tensor], Tensor]:
    """Squared distance of the 1024 features that the classifier from a random start sees in estimate and target.

    The paper prints the sum of signed differences, which has no minimum.
    """

    @cache
    def features() -> Callable[[Tensor], Tensor]:
        classifier = first_trained(CLASSIFIERS[0], everything).eval().requires_grad_(False)
        assert isinstance(classifier, Classifier)
        return classifier.describe

    def loss(estimate: Tensor, target: Tensor) -> Tensor:
        return feature_distance(features(), estimate, target)

    return loss


def classification(name: str, everything: Params) -> Training:
    """Labelled images to their classes by cross-entropy, from random weights or with the trained DSC encoder's."""
    settings = everything.paper(PAPER)
    recipe = settings.train.classifier
    train, val, test = (
        labelled_arrays(load_arrays(f"data/{PAPER}/labelled_{split}.safetensors")) for split in ("train", "val", "test")
    )
    build = variants(settings)[name]
    return Training(
        build=build if name == CLASSIFIERS[0] else lambda: pretrained(build(), everything),
        batches=lambda seed: Labelled(*train, batch=recipe.batch, seed=seed),
        validate=lambda network: rates(network, *val, "val") | rates(network, *test, "test"),
        recipe=recipe,
        players=(Player(lambda network, inputs, labels, step: F.cross_entropy(network(inputs).float(), labels)),),
        scale=SCALE,
        experiment="classify",
    )


def pretrained(classifier: nn.Module, everything: Params) -> nn.Module:
    """The classifier with conv-1 to conv-5 of the DSC network's first training."""
    denoiser = first_trained("dsc", everything)
    classifier.encoder.load_state_dict(denoiser.encoder.state_dict())  # type: ignore[union-attr]
    return classifier


def first_trained(name: str, everything: Params) -> nn.Module:
    """The first training of a variant that another one builds on; UserError where the profile trains none."""
    settings = everything.paper(PAPER)
    variant = settings.train.variants[name]
    if not variant.seeds:
        raise UserError(f"train.variants.{name}.seeds is empty, but another variant builds on it: give it one seed")
    return next(iter(load_trained(PAPER, name, variant, variants(settings)[name]).values()))


def rates(network: nn.Module, images: np.ndarray, labels: np.ndarray, split: str) -> dict[str, float]:
    """Columns <split>_accuracy, in percent, and <split>_cross_entropy, in nats, of a classifier."""
    device = next(network.parameters()).device
    batches = np.array_split(images.astype(np.float32), -(-len(images) // 100))
    logits = torch.cat([network(SCALE.to_network(batch).to(device)).float().cpu() for batch in batches])
    truth = torch.from_numpy(labels)
    return {
        f"{split}_accuracy": 100 * (logits.argmax(dim=1) == truth).double().mean().item(),
        f"{split}_cross_entropy": F.cross_entropy(logits, truth).item(),
    }


def main() -> None:
    """Train the variants named on the command line."""
    train_named(PAPER, training, __doc__)


if __name__ == "__main__":
    command.run(main)
