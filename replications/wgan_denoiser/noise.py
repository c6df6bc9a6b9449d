"""White Gaussian noise of one level, made once: float, unclipped, keyed by image. The paper names no level."""

from common import command, params
from common.noise.sensor import Corruption, Gaussian, save_noisy
from common.params import Params
from common.store import load_arrays

PAPER = "wgan_denoiser"
TABLE1 = "table1"
"""The experiment of claims.yaml that the score tables belong to: the test images of both families."""


def corruptions(everything: Params) -> dict[str, Corruption]:
    """Experiment → the corruption of its test images."""
    return {TABLE1: Gaussian(everything.sigma(PAPER))}


def main() -> None:
    """Write the noisy validation and test images."""
    everything = params.load()
    clean = {split: load_arrays(f"data/{PAPER}/{split}.safetensors") for split in ("val", "test")}
    experiments = {name: (corruption, clean) for name, corruption in corruptions(everything).items()}
    save_noisy(PAPER, experiments, seed=everything.seed)


if __name__ == "__main__":
    command.run(main)
