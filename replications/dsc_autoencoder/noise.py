"""The corruptions: Gaussian noise with salt and pepper over it, and a box of noise in a clean image (Fig. 9)."""

from common import command, params
from common.noise.corruptions import BoxPatch
from common.noise.sensor import Chain, Corruption, Gaussian, SaltAndPepper, save_noisy
from common.params import Params
from common.store import load_arrays

PAPER = "dsc_autoencoder"
DENOISE, BOX = "denoise", "box"
"""Folders of noisy images; `denoise` is an experiment of claims.yaml."""


def corruptions(everything: Params) -> dict[str, Corruption]:
    """Experiment → the corruption of its test images. The levels are a mixture's, which `noise.sigma` leaves alone."""
    levels = everything.paper(PAPER).noise
    return {DENOISE: Chain((Gaussian(levels.gaussian), SaltAndPepper(levels.salt_and_pepper)))}


def boxed(everything: Params) -> Corruption:
    """The box of noise, which is looked at (D8) and not scored beside other denoisers."""
    levels = everything.paper(PAPER).noise
    return BoxPatch(levels.box_sigma, levels.box_share)


def main() -> None:
    """Write the noisy validation images of the mixture, and the test images of both."""
    everything = params.load()
    clean = {split: load_arrays(f"data/{PAPER}/{split}.safetensors") for split in ("val", "test")}
    experiments = {name: (corruption, clean) for name, corruption in corruptions(everything).items()}
    box = {BOX: (boxed(everything), {"test": clean["test"]})}
    save_noisy(PAPER, experiments | box, seed=everything.seed)


if __name__ == "__main__":
    command.run(main)
