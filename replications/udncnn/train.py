"""Trains one variant on random crops with fresh noise of the test level (the paper's training is not blind)."""

import argparse

from common import command, params
from common.noise import Gaussian
from common.variants import train_variant
from replications.udncnn.models import variants

PAPER = "udncnn"


def main() -> None:
    """Train the variant named on the command line over its seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant")
    name = parser.parse_args().variant
    everything = params.load()
    settings = everything.paper(PAPER)
    train_variant(
        PAPER,
        name,
        settings.train.variants[name],
        variants(settings)[name],
        settings.network,
        settings.train.recipe,
        Gaussian(everything.sigma(PAPER)),
        seed=everything.seed,
    )


if __name__ == "__main__":
    command.run(main)
