"""Scores every trained variant on the noisy test images."""

from replications.toy.models import networks

from common import command, params
from common.noise.sensor import noisy_file
from common.score.evaluation import as_denoiser, score_experiment, summary
from common.store import load_arrays, write_csv, write_json
from common.train.weights import load_trained


def main() -> None:
    """Write the scores and the metrics."""
    settings = params.load("toy")
    trained = {
        name: load_trained("toy", name, variant, networks(settings)[name])
        for name, variant in settings.train.every.items()
    }
    denoisers = {name: {seed: as_denoiser(network) for seed, network in own.items()} for name, own in trained.items()}
    noisy = load_arrays(noisy_file("toy", "table1", "test"))
    scores, _ = score_experiment("table1", denoisers, noisy, load_arrays("data/toy/test.safetensors"))
    write_csv("results/toy/scores.csv", scores)
    write_json("results/toy/metrics.json", summary(scores))


if __name__ == "__main__":
    command.run(main)
