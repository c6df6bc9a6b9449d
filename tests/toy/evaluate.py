"""Scores every trained variant on the noisy test images."""

from replications.toy.models import networks

from common import command, params
from common.noise.sensor import noisy_file
from common.score.evaluation import as_denoiser, score_experiment
from common.store import load_arrays, write_csv
from common.train.weights import load_trained


def main() -> None:
    """Write the scores."""
    settings, denoisers = params.load("toy"), {}
    for name, variant in settings.train.every.items():
        trained = load_trained("toy", name, variant, networks(settings)[name])
        denoisers[name] = {seed: as_denoiser(network) for seed, network in trained.items()}
    clean, noisy = (load_arrays(file) for file in ("data/toy/test.safetensors", noisy_file("toy", "table1", "test")))
    write_csv("results/toy/scores.csv", score_experiment("table1", denoisers, noisy, clean)[0])


command.run(main)
