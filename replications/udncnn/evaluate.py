"""Scores every trained variant on its experiment's noisy test images; draws panels and figures; measures the rest."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import pandas as pd
from torch import nn

from common import command, params
from common.noise.sensor import noisy_file
from common.params import Variant
from common.report.names import named, names_of
from common.score.evaluation import Denoiser, as_denoiser, score_experiment, summary
from common.score.panels import draw_panels
from common.score.results import history, training_records
from common.store import load_arrays, write_csv, write_json
from common.train.weights import load_trained
from replications.udncnn import figures, super_resolution
from replications.udncnn.measures import convergence, probe_initialisation
from replications.udncnn.models import DEPTHS, NETWORKS
from replications.udncnn.noise import TABLE1, corruptions
from replications.udncnn.params import Settings
from replications.udncnn.restoration import score_compression, score_super_resolution
from replications.udncnn.restoration_tasks import restoration_tasks
from replications.udncnn.tasks import NOISES, Task, tasks

PAPER = "udncnn"
RESULTS = Path("results") / PAPER
GROWN = ("dn_gaussian", "dn_poisson", "dn_poisson_gaussian")
"""Cascades whose every phase is scored, as "<variant>_<layers>" (claim U5): each experiment's non-blind one."""
COURSES = {"by cascade": "dn_gaussian", "at once": "dn_gaussian_at_once"}
SHOWN = {*NETWORKS, *GROWN, "dncnn_s", "dn_blind", "dn_blind_edge_a", "ds_blind", "dn_gaussian_3"}
"""Networks in the panels (Figs. 5 and 6)."""

Scores = dict[str, dict[str, dict[str, float]]]


def main() -> None:
    """Write the scores, the metrics, the panels, the figures and the measurements."""
    settings: Settings = params.load(PAPER)
    clean = load_arrays(f"data/{PAPER}/test.safetensors")
    known = tasks(settings) | restoration_tasks(settings)
    denoisers = {
        name: trained_denoisers(known, name, settings) for name in {task.experiment for task in known.values()}
    }
    tables = []
    for experiment in corruptions(settings):
        noisy = load_arrays(noisy_file(PAPER, experiment, "test"))
        scores, estimates = score_experiment(experiment, denoisers[experiment], noisy, clean)
        shown = {name: first for name, (first, *_) in estimates.items() if name in SHOWN}
        images = islice(noisy, settings.panels if experiment == TABLE1 else 1)
        draw_panels(RESULTS / "panels" / experiment, list(images), clean, noisy, named(PAPER, shown))
        tables.append(scores)
    compressed, rates = score_compression(clean, denoisers, settings, RESULTS / "panels", names_of(PAPER))
    enlarged = score_super_resolution(load_arrays(f"data/{PAPER}/super_resolution.safetensors"), denoisers)
    tables += [*compressed, enlarged]
    scores = pd.concat(tables, ignore_index=True)
    metrics = summary(scores)
    write_csv(RESULTS / "scores.csv", scores)
    write_json(RESULTS / "metrics.json", metrics)
    write_json(RESULTS / "super_resolution.json", super_resolution.record(enlarged, settings.super_resolution.test))
    table1 = load_arrays(noisy_file(PAPER, TABLE1, "test"))
    write_json(RESULTS / "initialisation.json", probe_initialisation(table1, settings.seed))
    courses = {label: name for label, name in COURSES.items() if settings.train.every[name].seeds}
    histories = {label: history(PAPER, name) for label, name in courses.items()}
    records = training_records(PAPER)
    learnt = {
        name: convergence(histories[label], records[name], phase_networks(known[name]))
        for label, name in courses.items()
    }
    write_json(RESULTS / "convergence.json", learnt)
    depths, layers = psnr_by_depth(metrics, settings), gain_by_layers(metrics, settings)
    figures.draw(RESULTS / "figures", depths, layers, histories, rates)


def trained_denoisers(known: Mapping[str, Task], experiment: str, settings: Settings) -> dict[str, dict[int, Denoiser]]:
    """Every trained network of an experiment by its name in the score tables, then by seed."""
    denoisers: dict[str, dict[int, Denoiser]] = {}
    for name, task in known.items():
        if task.experiment == experiment:
            variant: Variant = settings.train.every[name]
            phases = {f"{name}/{phase}": build for phase, build in task.snapshots().items()} if name in GROWN else {}
            for folder, build in {**phases, name: task.network}.items():
                networks = load_trained(PAPER, folder, variant, build)
                label = folder.replace("/", "_")
                denoisers[label] = {seed: as_denoiser(network) for seed, network in networks.items()}
    return denoisers


def phase_networks(task: Task) -> dict[str, nn.Module]:
    """The untrained network of each phase."""
    return {phase: build() for phase, build in task.snapshots().items()} | {task.phases[-1].name: task.network()}


def psnr_by_depth(metrics: Scores, settings: Settings) -> dict[int, float]:
    """D → mean PSNR of DnCNN in dB (Fig. 4), of the depths that this profile trains."""
    names = {depth: f"dncnn_d{depth}" for depth in DEPTHS} | {settings.network.depth: "dncnn"}
    table = metrics[TABLE1]
    return {depth: table[name]["psnr_db"] for depth, name in names.items() if name in table}


def gain_by_layers(metrics: Scores, settings: Settings) -> dict[str, dict[int, float]]:
    """Experiment → layers of the cascade → mean PSNR beyond the noisy input's in dB."""
    *grown, last = settings.network.dn_resnet.cascade
    gains: dict[str, dict[int, float]] = {}
    for experiment, name in zip(NOISES, GROWN, strict=True):
        table = metrics[experiment]
        names = {layers: f"{name}_{layers}" for layers in grown} | {last: name}
        gains[experiment] = {
            layers: table[network]["psnr_db"] - table["noisy"]["psnr_db"]
            for layers, network in names.items()
            if network in table
        }
    return {experiment: points for experiment, points in gains.items() if points}


if __name__ == "__main__":
    command.run(main)
