"""Scores every trained variant on the noisy test set, measures what the other claims need, draws panels and figures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common import command, params
from common.noise.sensor import noisy_file
from common.report.names import named, names_of
from common.score.evaluation import as_denoiser, denoise_all, score_experiment, summary
from common.score.panels import draw_panels
from common.score.results import history as read_history
from common.store import Arrays, load_arrays, write_csv, write_json
from common.train.weights import load_trained
from replications.wgan_denoiser import figures, measures, real
from replications.wgan_denoiser.models import generators
from replications.wgan_denoiser.noise import TABLE1
from replications.wgan_denoiser.params import Settings

PAPER = "wgan_denoiser"
SHOWN = ("wgan", "no_shortcuts", "dcgan")
"""Variants that the panels show."""
Estimates = dict[str, list[Arrays]]
"""Variant → the test images as each seed restores them."""


def main() -> None:
    """Write scores, metrics, the measures of claims G4 to G6 and G9, panels and figures."""
    settings: Settings = params.load(PAPER)
    results = Path("results") / PAPER
    clean = load_arrays(f"data/{PAPER}/test.safetensors")
    noisy = load_arrays(noisy_file(PAPER, TABLE1, "test"))
    build = generators(settings)
    denoisers = {
        name: {seed: as_denoiser(network) for seed, network in load_trained(PAPER, name, variant, build[name]).items()}
        for name, variant in settings.train.every.items()
    }
    scores, estimates = score_experiment(TABLE1, denoisers, noisy, clean)
    write_csv(results / "scores.csv", scores)
    write_json(results / "metrics.json", summary(scores))
    write_json(results / "image.json", image_measures(estimates, noisy, clean))
    write_json(results / "cross.json", cross_test(scores, list(settings.data.families)))
    histories = {name: read_history(PAPER, name) for name in estimates}
    write_json(results / "training_course.json", training_course(histories))
    shown = {name: first for name, (first, *_) in estimates.items() if name in SHOWN}
    draw_panels(results / "panels" / TABLE1, shown_images(clean, settings), clean, noisy, named(PAPER, shown))
    photographs = real.photographs(settings.data)
    restored = {name: denoise_all(next(iter(denoisers[name].values())), photographs) for name in shown}
    figures.draw(results / "figures", histories, photographs, restored, names_of(PAPER))


def image_measures(estimates: Estimates, noisy: Arrays, clean: Arrays) -> dict[str, dict[str, Any]]:
    """Means over the test images: of the clean and noisy images a number, of a variant one for each seed."""

    def means(measure: Callable[[np.ndarray, np.ndarray], float]) -> dict[str, Any]:
        def mean(images: Arrays) -> float:
            return round(float(np.mean([measure(images[name], clean[name]) for name in noisy])), 5)

        known = {"clean": mean(clean), "noisy": mean(noisy)}
        return known | {name: [mean(images) for images in seeds] for name, seeds in estimates.items()}

    return {
        "saturation": means(lambda estimate, _: measures.saturation(estimate)),
        "texture_error": means(measures.texture_error),
        "texture_energy": means(measures.texture_energy),
    }


def cross_test(scores: pd.DataFrame, families: list[str]) -> dict[str, dict[str, list[float]]]:
    """Mean PSNR in dB of every network on each family's test images, one for each seed."""
    table = scores[scores["convention"] == "suite"]
    table = table.assign(family=table["image"].str.partition("/")[0])
    means = table.groupby(["network", "family", "seed"], sort=False)["psnr_db"].mean()
    return {
        str(network): {family: [round(float(value), 4) for value in means[network, family]] for family in families}
        for network in dict.fromkeys(table["network"])
    }


def training_course(histories: dict[str, pd.DataFrame]) -> dict[str, dict[str, list[float]]]:
    """How steady each training was and how its discriminator's guidance changed, one number for each seed.

    psnr_spread_db: see `measures.psnr_spread`. <column>_early, <column>_late: means over the first and last third of
    the validations. <column>_change: late minus early.
    """
    course: dict[str, dict[str, list[float]]] = {}
    for name, history in histories.items():
        seeds = [own for _, own in history.groupby("seed")]
        row = {"psnr_spread_db": [measures.psnr_spread(own) for own in seeds]}
        for column in measures.GUIDANCE:
            early, late = zip(*(measures.thirds(own, column) for own in seeds), strict=True)
            change = [b - a for a, b in zip(early, late, strict=True)]
            row |= {f"{column}_early": list(early), f"{column}_late": list(late), f"{column}_change": change}
        course[name] = {key: [float(f"{value:.4g}") for value in values] for key, values in row.items()}
    return course


def shown_images(clean: Arrays, settings: Settings) -> list[str]:
    """The first test images of each family."""
    own = [[name for name in clean if name.startswith(f"{family}/")] for family in settings.data.families]
    return [name for names in own for name in names[: settings.panels]]


if __name__ == "__main__":
    command.run(main)
