"""White Gaussian noise of σ = 30 (or `noise.sigma`), made once: float, unclipped, keyed by image."""

from common import command, params
from common.noise import Gaussian, corrupt
from common.store import load_arrays, save_arrays

PAPER = "udncnn"


def main() -> None:
    """Write the noisy validation and test images."""
    everything = params.load()
    corruption = Gaussian(everything.sigma(PAPER))
    for split in ("val", "test"):
        clean = load_arrays(f"data/{PAPER}/{split}.safetensors")
        save_arrays(f"data/{PAPER}/noisy/{split}.safetensors", corrupt(clean, corruption, seed=everything.seed))


if __name__ == "__main__":
    command.run(main)
