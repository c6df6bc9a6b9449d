"""`python -m common.noise PAPER`: the stage that corrupts a paper's images once: float, unclipped, keyed by image.

What it makes is told by `noisy_images(settings)` of replications/PAPER/noise.py.
"""

import sys
from functools import cache
from importlib import import_module

from common import command, params
from common.noise.sensor import Noisy, corrupt, noisy_file
from common.store import Arrays, load_arrays, save_arrays


def main() -> None:
    """Write data/<paper>/noisy/<experiment>/<split>.safetensors."""
    (paper,) = sys.argv[1:]
    settings = params.load(paper)
    wanted: list[Noisy] = import_module(f"replications.{paper}.noise").noisy_images(settings)

    @cache
    def clean(split: str) -> Arrays:
        return load_arrays(f"data/{paper}/{split}.safetensors")

    for noisy in wanted:
        images = {name: image for name, image in clean(noisy.split).items() if noisy.chosen(name, image)}
        save_arrays(
            noisy_file(paper, noisy.experiment, noisy.split), corrupt(images, noisy.corruption, seed=settings.seed)
        )


if __name__ == "__main__":
    command.run(main)
