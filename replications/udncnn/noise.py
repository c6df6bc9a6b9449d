"""The noises, made once: float, unclipped, keyed by image. Gaussian in colour and grey; Poisson and both in grey."""

from common import command, params
from common.noise.sensor import (
    BlindGaussian,
    BlindPoisson,
    Chain,
    Corruption,
    Gaussian,
    Poisson,
    PoissonGaussian,
    save_noisy,
)
from common.params import Params
from common.store import load_arrays
from replications.udncnn.params import Settings
from replications.udncnn.pictures import of_colours

PAPER = "udncnn"
TABLE1, GAUSSIAN, POISSON, POISSON_GAUSSIAN = "table1", "gaussian", "poisson", "poisson_gaussian"
"""Experiments of claims.yaml: Table 1 in colour, then DN-ResNet's three noises."""


def corruptions(everything: Params) -> dict[str, Corruption]:
    """Experiment → the corruption of its test images."""
    settings: Settings = everything.paper(PAPER)
    both = settings.noise.poisson_gaussian
    return {
        TABLE1: Gaussian(everything.sigma(PAPER)),
        GAUSSIAN: Gaussian(everything.sigma(PAPER)),
        POISSON: Poisson(settings.noise.peak),
        POISSON_GAUSSIAN: PoissonGaussian(both.peak, both.sigma),
    }


def blind_corruptions(everything: Params) -> dict[str, Corruption]:
    """Experiment → the corruption that blind networks are trained on; `noise.sigma` leaves it alone."""
    noise = everything.paper(PAPER).noise
    both = noise.poisson_gaussian
    return {
        GAUSSIAN: BlindGaussian(*noise.blind_sigma),
        POISSON: BlindPoisson(*noise.blind_peak),
        POISSON_GAUSSIAN: Chain((BlindPoisson(*both.blind_peak), Gaussian(both.sigma))),
    }


def colours_of(experiment: str, settings: Settings) -> int:
    """Channels of an experiment's images."""
    return 3 if experiment == TABLE1 else settings.network.dn_resnet.colours


def main() -> None:
    """Write the noisy validation and test images of every experiment."""
    everything = params.load()
    settings: Settings = everything.paper(PAPER)
    clean = {split: load_arrays(f"data/{PAPER}/{split}.safetensors") for split in ("val", "test")}
    experiments = {}
    for name, corruption in corruptions(everything).items():
        chosen = {split: of_colours(images, colours_of(name, settings)) for split, images in clean.items()}
        experiments[name] = (corruption, chosen)
    save_noisy(PAPER, experiments, seed=everything.seed)


if __name__ == "__main__":
    command.run(main)
