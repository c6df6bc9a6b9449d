"""Trains variants, generator against discriminator, on random crops with fresh noise of the test level."""

from torch import nn

from common import command
from common.noise.sensor import noisy_file
from common.score.evaluation import validation
from common.store import Arrays, load_arrays
from common.train.patches import Patches
from common.train.variants import Training, train_group
from replications.wgan_denoiser.guidance import watch
from replications.wgan_denoiser.losses import game_of
from replications.wgan_denoiser.models import games
from replications.wgan_denoiser.noise import TABLE1, corruptions
from replications.wgan_denoiser.params import Settings

PAPER = "wgan_denoiser"
TIMED = {"wgan": (TABLE1,), "dcgan": (TABLE1,)}
"""What `make bench` times: variant → experiments whose noisy validation images its training reads."""
ONE_FAMILY = {"wgan_marine": "marine", "wgan_grassland": "grassland"}
"""Variants that see one of the two training sets."""


def training(name: str, settings: Settings) -> Training:
    """What the variant of that name is trained to do."""
    corruption, recipe = corruptions(settings)[TABLE1], settings.train.recipe
    images, clean = (load_arrays(f"data/{PAPER}/{split}.safetensors") for split in ("train", "val"))
    noisy = load_arrays(noisy_file(PAPER, TABLE1, "val"))
    if name in ONE_FAMILY:
        images = family(images, ONE_FAMILY[name])
    game = game_of(name, settings.loss, settings.seed)
    restored, guided = validation(noisy, clean), watch(game, noisy, clean)

    def validate(network: nn.Module) -> dict[str, float]:
        return {**restored(network), **guided(network)}

    return Training(
        build=games(settings)[name],
        batches=lambda seed: Patches(images, corruption, batch=recipe.batch, crop=recipe.crop, seed=seed),
        validate=validate,
        recipe=recipe,
        players=game.players(settings.loss.critic_updates),
        keep=lambda network: network.get_submodule("generator"),
        architecture="dcgan" if name == "dcgan" else "wgan",
        experiment=TABLE1,
    )


def family(images: Arrays, name: str) -> Arrays:
    """The images of one scene family."""
    return {image: pixels for image, pixels in images.items() if image.startswith(f"{name}/")}


def main() -> None:
    """Train the group of variants that the command line names."""
    train_group(PAPER, training, __doc__)


if __name__ == "__main__":
    command.run(main)
