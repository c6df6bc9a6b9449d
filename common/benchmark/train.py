"""Trains a network for the benchmark and tests it: once for blind Gaussian noise, once for all corruptions together.

A stage: `python -m common.benchmark.train PAPER NAME` writes models/benchmark/NAME/<training>.safetensors and, under
results/benchmark, history/NAME.csv, training/NAME.json and the scores of every test image, scores/NAME.csv.
"""

import copy
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from accelerate import PartialState
from torch import nn

from common import params
from common.benchmark.entrants import Entrant, adapted
from common.benchmark.learners import Learner, batches_of, entered, watched
from common.benchmark.protocol import CORRUPTIONS, SIGMAS, cases
from common.benchmark.runner import Journal, score_set
from common.benchmark.table import TRAININGS, Row, score_table
from common.command import run
from common.datasets import registry
from common.params import Budget, Recipe
from common.score.complexity import parameters
from common.score.evaluation import as_denoiser
from common.score.machine import cpu_threads
from common.store import write_csv, write_json
from common.train.loop import Trained, fit
from common.train.stage import member_key
from common.train.variants import CHECKPOINTS, on_this_machine
from common.train.weights import save_weights

STAGES = Path("common/benchmark/dvc.yaml")
"""Its stage `entrants` lists the networks and their papers."""
RESULTS = Path("results/benchmark")
COLOURS = 3
KIND = "trained"


@dataclass(frozen=True)
class Job:
    """One training of a paper's network, so described that a new process can do it.

    recipe: the budget's, with the network's own learning rate. scratch: its checkpoint; None: it leaves none.
    """

    paper: str
    name: str
    training: str
    recipe: Recipe
    budget: Budget
    scratch: Path | None = None

    @property
    def label(self) -> str:
        """What a line about it begins with."""
        return f"{self.name}, {self.training}, lr {self.recipe.lr:g}"


def main() -> None:
    """The stage: train twice, test twice."""
    paper, name = sys.argv[1:]
    settings, shared = params.load(paper), params.shared()
    budget = params.budget(shared.profile)
    learner = learner_of(paper, name)
    key = member_key(STAGES, "entrants", name)
    jobs = [
        Job(
            *(paper, name, training, recipe_of(learner, budget, getattr(settings.benchmark[name], training)), budget),
            CHECKPOINTS / f"benchmark-{name}-{training}-{key}.safetensors",
        )
        for training in TRAININGS
    ]
    done = on_this_machine(partial(train_and_test, shared), jobs, shared.training)
    runs = {job.training: trained for job, (trained, _) in zip(jobs, done, strict=True)}
    for training, trained in runs.items():
        save_weights(weights(name, training), trained.network)
    write_csv(RESULTS / f"history/{name}.csv", pd.concat([one.history.assign(training=of) for of, one in runs.items()]))
    write_json(RESULTS / f"training/{name}.json", record(paper, name, learner, jobs, runs))
    write_csv(RESULTS / f"scores/{name}.csv", score_table([row for _, rows in done for row in rows]))
    for left in CHECKPOINTS.glob(f"benchmark-{name}-*"):
        left.unlink()
    PartialState().destroy_process_group()


def learner_of(paper: str, name: str) -> Learner:
    """A paper's network of that name; UserError where it enters none, or its learning rates are missing."""
    settings = params.load(paper)
    learners: Mapping[str, Learner] = import_module(f"replications.{paper}.benchmark").learners(settings)
    return entered(name, paper, learners, settings.benchmark)


def recipe_of(learner: Learner, budget: Budget, lr: float) -> Recipe:
    """The budget at a learning rate, in the number format that suits the network."""
    recipe = budget.recipe(lr)
    return recipe.model_copy(update={"precision": "fp32"}) if learner.fp32 else recipe


def train_one(threads: int | None, job: Job) -> Trained:
    """One training, on so many threads of a CPU; of its network what denoises is kept, on the CPU."""
    shared, learner = params.shared(), learner_of(job.paper, job.name)
    images = registry.load(job.budget.train, "train", shared.data.root)
    with cpu_threads(threads):
        trained = fit(
            learner.build,
            batches_of(job.training, job.budget, images, shared.seed),
            job.recipe,
            seed=shared.seed,
            validate=watched(job.training, job.budget, learner.scale, shared.seed),
            players=learner.players,
            scale=learner.scale,
            scratch=job.scratch,
            label=job.label,
        )
    return Trained(learner.keep(trained.network).cpu(), trained.history, trained.facts)


def train_and_test(shared: params.Shared, job: Job) -> tuple[Trained, list[Row]]:
    """One training, and the scores of its network."""
    trained = train_one(shared.training.threads, job)
    with cpu_threads(shared.training.threads):
        rows = scores(job, copy.deepcopy(trained.network), shared)
    return trained, rows


def weights(name: str, training: str) -> Path:
    """Where a network's weights after a training go."""
    return Path("models/benchmark") / name / f"{training}.safetensors"


def record(paper: str, name: str, learner: Learner, jobs: Sequence[Job], runs: Mapping[str, Trained]) -> dict[str, Any]:
    """What the table needs to know of a network beside its scores."""
    trainings = {
        job.training: {
            **trained.facts,
            "lr": job.recipe.lr,
            "images_seen": int(trained.history["images_seen"].iloc[-1]),
        }
        for job, trained in zip(jobs, runs.values(), strict=True)
    }
    network = next(iter(runs.values())).network
    known = {"paper": paper, "architecture": learner.architecture, "parameters": parameters(network)}
    return {**known, "recipe": jobs[0].recipe.model_dump(exclude={"lr"}), "trainings": trainings}


def scores(job: Job, network: nn.Module, shared: params.Shared) -> list[Row]:
    """A trained network on every image, corruption and level of the protocol."""
    tested = entrant(job, network)
    chosen, settings = cases(CORRUPTIONS, SIGMAS, shared.seed), shared.benchmark
    return [
        row
        for of in settings.sets
        for row in score_set(
            of, shared.data.root, settings.images, [tested], chosen, Journal(None), crop=settings.crop
        )[0]
    ]


def entrant(job: Job, network: nn.Module) -> Entrant:
    """A trained network as a denoiser in the table, "<name>.<training>"."""
    network = network.to("cuda" if torch.cuda.is_available() else "cpu")
    denoise = adapted(as_denoiser(network, learner_of(job.paper, job.name).scale), COLOURS)
    return Entrant(f"{job.name}.{job.training}", KIND, lambda case: denoise, parameters(network))


if __name__ == "__main__":
    run(main)
