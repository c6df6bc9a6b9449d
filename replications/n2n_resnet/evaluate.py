"""Scores every trained network on each experiment's test images, shapes the curves, draws panels and figures."""

from pathlib import Path

import pandas as pd

from common import command, params
from common.noise.sensor import noisy_file
from common.report.names import named
from common.score.evaluation import Denoiser, as_denoiser, denoise_all, score_experiment, summary
from common.score.panels import draw_panels
from common.score.results import history
from common.store import load_arrays, write_csv, write_json
from common.train.weights import load_trained
from replications.n2n_resnet import figures
from replications.n2n_resnet.curves import LOSSES, Record, shapes
from replications.n2n_resnet.models import networks
from replications.n2n_resnet.noise import corruptions
from replications.n2n_resnet.params import Settings
from replications.n2n_resnet.tasks import PAIRS, TASKS, NoiseName
from replications.n2n_resnet.train import FIG19_COLUMN, PAPER

NOISES: dict[str, NoiseName] = {
    "gaussian": "gaussian",
    "medical": "gaussian",
    "impulse": "impulse",
    "heavy_impulse": "impulse",
    "text": "text",
}
"""Experiment → the noise that its networks were trained on."""
Denoisers = dict[str, dict[int, Denoiser]]


def main() -> None:
    """Write the scores, the metrics, the shapes of the curves, the panels and the figures."""
    settings: Settings = params.load(PAPER)
    results = Path("results") / PAPER
    clean, face = (load_arrays(f"data/{PAPER}/{split}.safetensors") for split in ("test", "face"))
    trained = _trained(settings)
    tables = []
    for experiment in corruptions(settings):
        noise = NOISES[experiment]
        denoisers = {name: seeds for name, seeds in trained.items() if TASKS[name].noise == noise}
        scores, _ = score_experiment(experiment, denoisers, load_arrays(noisy_file(PAPER, experiment, "test")), clean)
        tables.append(scores)
        if experiment != "medical":
            noisy = load_arrays(noisy_file(PAPER, experiment, "face"))
            shown = {name: denoise_all(denoisers[name][0], noisy) for name in PAIRS[noise] if name in denoisers}
            draw_panels(results / "panels" / experiment, list(face), face, noisy, named(PAPER, shown))
    scores = pd.concat(tables, ignore_index=True)
    write_csv(results / "scores.csv", scores)
    write_json(results / "metrics.json", summary(scores))
    write_json(results / "medical.json", _medical(scores))
    histories = {noise: _histories(noise) for noise in PAIRS}
    write_json(results / "curves.json", _curves(histories, settings.train.epochs))
    figures.draw(results / "figures", histories, scores)


def _trained(settings: Settings) -> Denoisers:
    """Every variant that this profile trains."""
    builders = networks(settings)
    loaded = {
        name: load_trained(PAPER, name, variant, builders[TASKS[name].architecture])
        for name, variant in settings.train.every.items()
    }
    return {
        name: {seed: as_denoiser(network) for seed, network in seeds.items()} for name, seeds in loaded.items() if seeds
    }


def _histories(noise: NoiseName) -> dict[str, pd.DataFrame]:
    """The histories of the two variants that differ in their targets, all seeds."""
    return {name: history(PAPER, name) for name in PAIRS[noise]}


def _curves(histories: dict[NoiseName, dict[str, pd.DataFrame]], epochs: int) -> Record:
    """Noise → the shapes of its curves; the samples of each list are both variants' trainings."""
    record: Record = {}
    for noise, members in histories.items():
        runs = [run for history in members.values() for _, run in history.groupby("seed")]
        if runs:
            record[noise] = shapes(runs, FIG19_COLUMN if noise == "gaussian" else "val_psnr_db", LOSSES[noise], epochs)
    return record


def _medical(scores: pd.DataFrame) -> Record:
    """Mean scores on natural and on medical images: one number for each training with noisy or clean targets."""
    own = scores[(scores["convention"] == "suite") & scores["network"].isin(PAIRS["gaussian"])]
    means = own.groupby(["experiment", "network", "seed"])[["psnr_db", "ssim"]].mean()
    return {
        name: {measure: means.loc[experiment][measure].tolist() for measure in ("psnr_db", "ssim")}
        for name, experiment in (("natural", "gaussian"), ("medical", "medical"))
    }


if __name__ == "__main__":
    command.run(main)
