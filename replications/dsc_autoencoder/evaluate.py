"""Scores the denoisers, draws panels and figures, and measures what the paper says of curves, features and paths."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common import command, params
from common.noise.sensor import noisy_file
from common.report.names import named, names_of
from common.score.evaluation import TRIVIAL, Denoiser, as_denoiser, denoise_all, score_experiment, summary
from common.score.panels import draw_panels
from common.score.results import history
from common.store import Arrays, load_arrays, write_csv, write_json
from common.train.seeding import seeded
from common.train.weights import load_trained
from replications.dsc_autoencoder import figures, measures
from replications.dsc_autoencoder.measures import SCALE
from replications.dsc_autoencoder.models import Autoencoder, variants
from replications.dsc_autoencoder.noise import BOX, DENOISE
from replications.dsc_autoencoder.params import Settings

PAPER = "dsc_autoencoder"
RESULTS = Path("results") / PAPER
CLASSIFIERS = ("classifier", "classifier_dsc")

Networks = dict[str, dict[int, Autoencoder]]
"""Variant → training seed → trained denoiser."""
Numbers = Mapping[str, float]
"""Measure → its value in one training."""
Samples = dict[str, list[float]]
"""Measure → its values, one for each training."""


def main() -> None:
    """Write the scores, the metrics, the measurements, the panels and the figures."""
    settings: Settings = params.load(PAPER)
    clean = load_arrays(f"data/{PAPER}/test.safetensors")
    noisy, boxed = (load_arrays(noisy_file(PAPER, experiment, "test")) for experiment in (DENOISE, BOX))
    trained = [name for name, variant in settings.train.every.items() if variant.seeds]
    histories = {name: history(PAPER, name) for name in trained}
    networks = load_networks(settings, [name for name in trained if name not in CLASSIFIERS])
    score(settings, networks, noisy, clean)
    records: dict[str, Mapping[str, Any]] = {
        "curves": curves(networks, histories, noisy, clean),
        "classify": classify(histories),
        "flow": {name: over_seeds(own, lambda net: measures.flow(net, noisy)) for name, own in networks.items()},
        "outline": outlines(settings, networks, noisy, clean, settings.seed),
        "box": boxes(networks, boxed, clean),
    }
    for name, record in records.items():
        write_json(RESULTS / f"{name}.json", record)
    validation = load_arrays(f"data/{PAPER}/val.safetensors").values()
    black = float(np.mean([np.mean(image.astype(np.float64) ** 2) for image in validation]))
    figures.draw_curves(RESULTS / "figures", histories, names_of(PAPER), black, settings.data.labelled)
    for network in islice(networks.get("dsc", {}).values(), 1):
        figures.draw_conv1(RESULTS / "figures", network, {DENOISE: noisy, BOX: boxed}, clean)


def load_networks(settings: Settings, names: Iterable[str]) -> Networks:
    """The trained denoisers, in evaluation mode."""
    return {
        name: {
            seed: network.eval()  # type: ignore[misc]
            for seed, network in load_trained(PAPER, name, settings.train.every[name], variants(settings)[name]).items()
        }
        for name in names
    }


def score(settings: Settings, networks: Networks, noisy: Arrays, clean: Arrays) -> None:
    """The score table of the mixed noise, its summary and its panels."""
    denoisers = {name: {seed: as_denoiser(net, SCALE) for seed, net in own.items()} for name, own in networks.items()}
    scores, estimates = score_experiment(DENOISE, denoisers, noisy, clean)
    write_csv(RESULTS / "scores.csv", scores)
    write_json(RESULTS / "metrics.json", summary(scores))
    shown = {name: first for name, (first, *_) in estimates.items()}
    draw_panels(RESULTS / "panels" / DENOISE, list(islice(clean, settings.panels)), clean, noisy, named(PAPER, shown))


def over_seeds(networks: Mapping[int, Autoencoder], measure: Callable[[Autoencoder], Numbers]) -> Samples:
    """What `measure` gives for every training."""
    return samples(measure(network) for network in networks.values())


def samples(rows: Iterable[Numbers]) -> Samples:
    """One list for each measure, in the order of the rows."""
    rounded = [to_six_digits(row) for row in rows]
    return {key: [row[key] for row in rounded] for key in rounded[0]}


def to_six_digits(row: Numbers) -> dict[str, float]:
    """The numbers with six significant digits."""
    return {key: float(f"{value:.6g}") for key, value in row.items()}


def curves(
    networks: Networks, histories: Mapping[str, pd.DataFrame], noisy: Arrays, clean: Arrays
) -> dict[str, Samples | dict[str, float]]:
    """Claims D1–D3 and D5: each denoiser's outputs and the shape of its curve; of trivial predictors, the outputs."""

    def outputs(denoiser: Denoiser) -> dict[str, float]:
        return measures.outputs(denoise_all(denoiser, noisy), clean)

    found: dict[str, Samples | dict[str, float]] = {
        name: to_six_digits(outputs(trivial)) for name, trivial in TRIVIAL.items()
    }
    for name, own in networks.items():
        shapes = samples(measures.curve(history) for _, history in histories[name].groupby("seed"))
        found[name] = shapes | over_seeds(own, lambda network: outputs(as_denoiser(network, SCALE)))
    return found


def classify(histories: Mapping[str, pd.DataFrame]) -> dict[str, Samples]:
    """Claims D4, D6 and D7."""
    return {
        name: samples(measures.classification(history) for _, history in histories[name].groupby("seed"))
        for name in CLASSIFIERS
        if name in histories
    }


def outlines(
    settings: Settings, networks: Networks, noisy: Arrays, clean: Arrays, seed: int
) -> dict[str, Samples | dict[str, float]]:
    """Claim D8: how well Conv-1 outlines objects, trained and untrained, and how well the noisy image itself does."""
    untrained: dict[int, Autoencoder] = {}
    for own_seed in networks.get("dsc", {}):
        with seeded(seed + own_seed):
            untrained[own_seed] = variants(settings)["dsc"]()  # type: ignore[assignment]

    def measure(network: Autoencoder) -> dict[str, float]:
        return measures.outline({name: measures.conv1_map(network, image) for name, image in noisy.items()}, clean)

    grey = {name: image.mean(axis=-1) for name, image in noisy.items()}
    found = {name: over_seeds(own, measure) for name, own in (networks | {"untrained": untrained}).items() if own}
    return {"noisy": to_six_digits(measures.outline(grey, clean))} | found


def boxes(networks: Networks, boxed: Arrays, clean: Arrays) -> dict[str, Samples | dict[str, float]]:
    """Claim D8: the box of noise before (noisy) and after each denoiser; outside it, nothing was disturbed before."""

    def measure(network: Autoencoder) -> dict[str, float]:
        return measures.box(denoise_all(as_denoiser(network, SCALE), boxed), boxed, clean)

    before = measures.box(boxed, boxed, clean)["inside_db"]
    return {"noisy": to_six_digits({"inside_db": before})} | {
        name: over_seeds(own, measure) for name, own in networks.items()
    }


if __name__ == "__main__":
    command.run(main)
