"""The restoration tasks: ×4 low resolution, noise and erasing, alone and together; made once, float, unclipped."""

from common import command, params
from common.noise.corruptions import Erase, LowResolution
from common.noise.sensor import Chain, Corruption, Gaussian, save_noisy
from common.params import Params
from common.store import load_arrays

PAPER = "edcnn"


def corruptions(everything: Params) -> dict[str, Corruption]:
    """Experiment → the corruption of its test images.

    The paper names the three and no level. `full`, Table 3's rows without a scale, is noise, then erasing, at full
    resolution; `together` loses the resolution first. `noise.sigma` moves the experiment of noise alone.
    """
    settings = everything.paper(PAPER).noise
    low_resolution, noise, erase = LowResolution(settings.factor), Gaussian(settings.sigma), Erase(*settings.erased)
    return {
        "x4": low_resolution,
        "noise": Gaussian(everything.sigma(PAPER)),
        "erased": erase,
        "full": Chain((noise, erase)),
        "together": Chain((low_resolution, noise, erase)),
    }


def main() -> None:
    """Write the degraded validation and test images."""
    everything = params.load()
    clean = {split: load_arrays(f"data/{PAPER}/{split}.safetensors") for split in ("val", "test")}
    experiments = {name: (corruption, clean) for name, corruption in corruptions(everything).items()}
    save_noisy(PAPER, experiments, seed=everything.seed)


if __name__ == "__main__":
    command.run(main)
