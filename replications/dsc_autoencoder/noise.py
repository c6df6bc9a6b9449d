"""The corruptions: Gaussian noise with salt and pepper over it, and a box of noise in a clean image (Fig. 9)."""

from common import command, params
from common.corruptions import BoxPatch
from common.noise import Chain, Corruption, Gaussian, SaltAndPepper, save_noisy
from common.params import Params
from common.store import load_arrays

PAPER = "dsc_autoencoder"
DENOISE, BOX = "denoise", "box"
"""Experiments of claims.yaml with test images of their own."""


def corruptions(everything: Params) -> dict[str, Corruption]:
    """Experiment → the corruption of its test images. The levels are a mixture's, which `noise.sigma` leaves alone."""
    levels = everything.paper(PAPER).noise
    return {
        DENOISE: Chain((Gaussian(levels.gaussian), SaltAndPepper(levels.salt_and_pepper))),
        BOX: BoxPatch(levels.box_sigma, levels.box_share),
    }


def main() -> None:
    """Write the noisy validation and test images."""
    everything = params.load()
    clean = {split: load_arrays(f"data/{PAPER}/{split}.safetensors") for split in ("val", "test")}
    experiments = {name: (corruption, clean) for name, corruption in corruptions(everything).items()}
    save_noisy(PAPER, experiments, seed=everything.seed)


if __name__ == "__main__":
    command.run(main)
