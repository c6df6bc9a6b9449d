"""Scores every trained variant on its task, fills Tables 2 and 3, counts the network, draws panels and figures."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from common import command, params
from common.datasets.images import center_crop
from common.noise.corruptions import LowResolution
from common.noise.sensor import corrupt, keyed_rng, noisy_file
from common.report.names import name_of, named, names_of
from common.score.evaluation import Denoiser, as_denoiser, score_experiment, summary, validation
from common.score.panels import draw_panels
from common.score.scale import Scale
from common.store import Arrays, load_arrays, write_csv, write_json
from common.train.weights import load_trained
from replications.edcnn import segmentation
from replications.edcnn.data import spread
from replications.edcnn.figures import draw_figures
from replications.edcnn.models import EDCNN, READINGS
from replications.edcnn.noise import corruptions
from replications.edcnn.params import Settings
from replications.edcnn.variants import PLANS, SEGMENTATION, builder

PAPER = "edcnn"
PUBLISHED_PARAMETERS = 28_985_088
FULL_SIZE = ("noise", "erased", "full")
"""Tasks whose input has lost no resolution, so that bilinear interpolation at its own size leaves it as it is."""
HALVED = "bilinear_half"
"""The other reading of the bilinear baseline there: halved, then enlarged bilinearly."""
SHOWN = (
    *(HALVED, "x4_no_skip", "x4_skip", "noise_skip", "erased_skip", "together_skip"),
    *("full_no_skip", "full_skip", "full_skip_pretrained"),
)
"""What panels show between the degraded image and the clean one."""

Trained = Mapping[str, Mapping[int, nn.Module]]
"""Variant → training seed → network."""
Table = dict[str, dict[str, list[float]]]
"""Variant → measure → a value for each training."""


def main() -> None:
    """Write the scores, the metrics, Tables 2 and 3, the counts, the panels and the figures."""
    settings: Settings = params.load(PAPER)
    results = Path("results") / PAPER
    trained = {
        name: load_trained(PAPER, name, variant, builder(name, settings))
        for name, variant in settings.train.every.items()
    }
    tables: list[pd.DataFrame] = []
    table3: Table = {}
    for experiment in corruptions(settings):
        own = {name: trained[name] for name in trained if PLANS[name].experiment == experiment}
        table, measured = restore(experiment, own, settings)
        tables.append(table)
        table3 |= measured
    scores = pd.concat(tables, ignore_index=True)
    table2 = fill_table2({name: trained[name] for name in trained if PLANS[name].experiment == SEGMENTATION})
    write_csv(results / "scores.csv", scores)
    write_json(results / "metrics.json", summary(scores))
    write_json(results / "table3.json", table3)
    write_json(results / "segmentation.json", table2)
    write_json(results / "architecture.json", count_layers())
    draw_figures(results / "figures", scores, table2, names_of(PAPER))


def restore(experiment: str, trained: Trained, settings: Settings) -> tuple[pd.DataFrame, Table]:
    """Scores of a restoration task's variants on the test images, and Table 3's columns; draws the task's panels.

    Of the training images as many are scored as there are test images, cut to the same size.
    """
    clean = {split: load_arrays(f"data/{PAPER}/{split}.safetensors") for split in ("train", "val", "test")}
    degraded = {split: load_arrays(noisy_file(PAPER, experiment, split)) for split in ("val", "test")}
    learnt = spread(clean["train"], len(clean["test"]))
    clean["train"] = {name: center_crop(image, settings.data.size, name) for name, image in learnt.items()}
    degraded["train"] = corrupt(clean["train"], corruptions(settings)[experiment], seed=settings.seed)
    scores, estimates = score_experiment(experiment, _denoisers(experiment, trained), degraded["test"], clean["test"])
    images = list(islice(clean["test"], settings.panels))
    shown = {name: estimates[name][0] for name in SHOWN if name in estimates}
    folder = Path("results") / PAPER / "panels" / experiment
    given = name_of(PAPER, "noisy", experiment)
    draw_panels(folder, images, clean["test"], degraded["test"], named(PAPER, shown), given)
    return scores, fill_table3(trained, degraded, clean)


def fill_table3(trained: Trained, degraded: Mapping[str, Arrays], clean: Mapping[str, Arrays]) -> Table:
    """Variant → <split>_psnr_db, <split>_l1 and <split>_mse, a list over seeds each, for train, val and test.

    PSNR is the suite's; l1 and mse are the losses, in the network's range [-1, 1].
    """
    unit = (Scale().high - Scale().low) / 255
    filled: Table = {}
    for name, networks in trained.items():
        for network in networks.values():
            for split, images in degraded.items():
                measured = validation(images, clean[split])(network)
                values = (measured["val_psnr_db"], unit * measured["val_mae"], unit**2 * measured["val_mse"])
                for measure, value in zip(("psnr_db", "l1", "mse"), values, strict=True):
                    filled.setdefault(name, {}).setdefault(f"{split}_{measure}", []).append(value)
    return filled


def fill_table2(trained: Trained) -> dict[str, Mapping[str, list[float] | float]]:
    """Variant → <split>_cross_entropy and <split>_miou, a list over seeds each, for train and test.

    The row `prior` is the trivial predictor, the shares of the classes in the training set; it has no seeds.
    """
    sets = {split: segmentation.load_segmentation(PAPER, split) for split in ("train", "test")}
    filled: Table = {}
    for name, networks in trained.items():
        for network in networks.values():
            for split, (images, targets) in sets.items():
                for measure, value in segmentation.measure(network, images, targets).items():
                    filled.setdefault(name, {}).setdefault(f"{split}_{measure}", []).append(value)
    prior: dict[str, float] = {}
    for split, (_, targets) in sets.items():
        for measure, value in segmentation.measure_prior(sets["train"][1], targets).items():
            prior[f"{split}_{measure}"] = value
    return {**filled, "prior": prior}


def count_layers() -> dict[str, dict[str, int]]:
    """Convolutions and parameters of both readings of the published network, and what is missing to its number."""
    counts = {}
    for name, build in READINGS.items():
        with torch.device("meta"):  # nothing is computed
            network = EDCNN(build)
        parameters = sum(parameter.numel() for parameter in network.parameters())
        counts[name] = {
            "convolutions": sum(isinstance(module, nn.Conv2d) for module in network.modules()),
            "parameters": parameters,
            "missing": PUBLISHED_PARAMETERS - parameters,
        }
        print(f"  {name}: {parameters:,} parameters, {counts[name]['missing']:,} fewer than the published number")
    return counts


def _denoisers(experiment: str, trained: Trained) -> dict[str, dict[int, Denoiser]]:
    found: dict[str, dict[int, Denoiser]] = {HALVED: {0: _halved}} if experiment in FULL_SIZE else {}
    for name, networks in trained.items():
        found[name] = {seed: as_denoiser(network) for seed, network in networks.items()}
    return found


def _halved(degraded: np.ndarray) -> np.ndarray:
    return LowResolution(2)(degraded[None], keyed_rng("nothing is random"))[0]


if __name__ == "__main__":
    command.run(main)
