"""What the networks that come with the suite score in a paper's own experiments, whatever the profile trains.

A stage: `python -m common.benchmark.shipped PAPER` tests each network of replications/PAPER/pretrained on the noisy
test images that it was trained for, and writes results/PAPER/shipped.csv with the columns of scores.csv.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import pandas as pd

from common import params
from common.command import run
from common.denoise.pretrained import Purpose, load_pretrained, pretrained
from common.noise.sensor import Corruption, Gaussian, noisy_file
from common.score.evaluation import COLUMNS, Denoiser, as_denoiser, score_experiment
from common.score.results import UNTRAINED
from common.store import load_arrays, write_csv


def main() -> None:
    """The stage: score them."""
    (paper,) = sys.argv[1:]
    corruptions: Mapping[str, Corruption] = import_module(f"replications.{paper}.noise").corruptions(params.load(paper))
    networks = {
        record.stem: load_pretrained(name)
        for name, record in pretrained().items()
        if record.parent.parent.name == paper
    }
    clean = load_arrays(f"data/{paper}/test.safetensors")
    tables = [pd.DataFrame(columns=list(COLUMNS))]
    for experiment, corruption in corruptions.items():
        noisy = load_arrays(noisy_file(paper, experiment, "test"))
        colours = next(iter(noisy.values())).shape[-1]
        denoisers: dict[str, dict[int, Denoiser]] = {
            name: {record.training.seed: as_denoiser(network, record.scale)}
            for name, (network, record) in networks.items()
            if suits(record.trained_for, corruption, colours)
        }
        if denoisers:
            scores, _ = score_experiment(experiment, denoisers, noisy, clean)
            tables.append(scores[~scores["network"].isin(UNTRAINED)])
    write_csv(Path("results") / paper / "shipped.csv", pd.concat([table for table in tables if len(table)] or tables))


def suits(purpose: Purpose, corruption: Corruption, colours: int) -> bool:
    """Whether a network was trained for Gaussian noise of this level on images of so many colours."""
    if purpose.sigma is None or not isinstance(corruption, Gaussian):
        return False
    lowest, highest = purpose.sigma
    return purpose.colours == colours and lowest <= corruption.sigma <= highest


if __name__ == "__main__":
    run(main)
