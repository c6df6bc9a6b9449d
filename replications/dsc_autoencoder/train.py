"""Trains variants: a denoiser, by squared error or by the classifier's features, or the classifier itself."""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from common import command
from common.noise.sensor import noisy_file
from common.score.evaluation import validation
from common.score.scale import Scale
from common.store import load_arrays
from common.train.losses import feature_distance
from common.train.patches import Labelled, Patches
from common.train.turns import Player, supervised
from common.train.variants import Training, train_group
from common.train.weights import Parent, first_seed, load_weights, weights_file
from replications.dsc_autoencoder.labels import labelled_arrays
from replications.dsc_autoencoder.models import Classifier, variants
from replications.dsc_autoencoder.noise import DENOISE, corruptions
from replications.dsc_autoencoder.params import Settings

PAPER = "dsc_autoencoder"
TIMED = {"dsc": (DENOISE,)}
"""What `make bench` times: variant → experiments whose noisy validation images its training reads."""
SCALE = Scale(0, 255)
CLASSIFIERS = ("classifier", "classifier_dsc")


def training(name: str, settings: Settings) -> Training:
    """What the variant of that name is trained to do."""
    return classification(name, settings) if name in CLASSIFIERS else denoising(name, settings)


def denoising(name: str, settings: Settings) -> Training:
    """Noisy crops to clean ones: by squared error per pixel, or `perceptual`, by that of the classifier's features."""
    corruption, recipe = corruptions(settings)[DENOISE], settings.train.recipe
    images, clean = (load_arrays(f"data/{PAPER}/{split}.safetensors") for split in ("train", "val"))
    return Training(
        build=variants(settings)[name],
        batches=lambda seed: Patches(images, corruption, batch=recipe.batch, crop=recipe.crop, seed=seed),
        validate=validation(load_arrays(noisy_file(PAPER, DENOISE, "val")), clean, SCALE),
        recipe=recipe,
        players=(supervised(perceptual_loss(settings) if name == "perceptual" else F.mse_loss),),
        scale=SCALE,
        architecture=None if name == "perceptual" else name.removesuffix("_dsc_rate"),
        experiment="perceptual" if name == "perceptual" else DENOISE,
    )


def perceptual_loss(settings: Settings) -> Callable[[Tensor, Tensor], Tensor]:
    """Squared distance of the 1024 features that the classifier from a random start sees in estimate and target.

    The paper prints the sum of signed differences, which has no minimum.
    """

    @cache
    def features() -> Callable[[Tensor], Tensor]:
        name = CLASSIFIERS[0]
        weights = weights_file(PAPER, name, first_seed(settings.train.every, name))
        classifier = load_weights(weights, variants(settings)[name]()).eval().requires_grad_(False)
        assert isinstance(classifier, Classifier)
        return classifier.to("cuda" if torch.cuda.is_available() else "cpu").describe

    def loss(estimate: Tensor, target: Tensor) -> Tensor:
        return feature_distance(features(), estimate, target)

    return loss


def classification(name: str, settings: Settings) -> Training:
    """Labelled images to their classes by cross-entropy, from random weights or with the trained DSC encoder's."""
    recipe = settings.train.classifier
    train, val, test = (
        labelled_arrays(load_arrays(f"data/{PAPER}/labelled_{split}.safetensors")) for split in ("train", "val", "test")
    )
    return Training(
        build=variants(settings)[name],
        batches=lambda seed: Labelled(*train, batch=recipe.batch, seed=seed),
        validate=lambda network: rates(network, *val, "val") | rates(network, *test, "test"),
        recipe=recipe,
        players=(Player(lambda network, inputs, labels, step: F.cross_entropy(network(inputs).float(), labels)),),
        scale=SCALE,
        inherits=_encoder(settings) if name == CLASSIFIERS[1] else None,
        experiment="classify",
    )


def _encoder(settings: Settings) -> Parent:
    """Conv-1 to conv-5 of the DSC network's first training."""
    return Parent("dsc", first_seed(settings.train.every, "dsc"), part="encoder")


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
    """Train the group of variants that the command line names."""
    train_group(PAPER, training, __doc__)


if __name__ == "__main__":
    command.run(main)
