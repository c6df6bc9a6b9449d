"""Trains the variants of a paper over their seeds and keeps what DVC and the report need of them."""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import torch
from accelerate import PartialState
from torch import nn

from common import params
from common.errors import UserError
from common.params import Recipe, Variant
from common.score.machine import cpu_threads
from common.score.scale import Scale
from common.score.workers import side_by_side
from common.store import write_csv, write_json, write_text
from common.train.loop import Trained, Validate
from common.train.patches import Batch
from common.train.phases import WHOLE, Phase, fit_phases, joined
from common.train.stage import stage_key
from common.train.turns import Player, supervised, whole
from common.train.weights import Parent, inherit, save_weights

CHECKPOINTS = Path(".scratch/checkpoints")
FIRST_COLUMNS = ("seed", "step", "images_seen", "seconds", "lr")

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Training:
    """What a variant is: a network, what it sees, what it minimises, how it is watched.

    build: makes the untrained network. batches: training seed → number → batch. validate: columns of the history.
    keep: the part of the trained network whose weights are kept.
    phases: between which the network changes. The networks of all but the last are kept too, as a variant
        <name>/<phase>.
    inherits: the trained weights that the network of `build` starts from; None: it starts anew.
    architecture: its name in the paper's `models.networks`, by which its costs are known; None where it has none there.
    experiment: of claims.yaml; the report draws the curves of one experiment together.
    """

    build: Callable[[], nn.Module]
    batches: Callable[[int], Callable[[int], Batch]]
    validate: Validate
    recipe: Recipe
    players: tuple[Player, ...] = (supervised(),)
    scale: Scale = Scale()
    keep: Callable[[nn.Module], nn.Module] = whole
    phases: tuple[Phase, ...] = (WHOLE,)
    inherits: Parent | None = None
    architecture: str | None = None
    experiment: str | None = None


@dataclass(frozen=True)
class Run:
    """A finished training: a row per validation, how it went, and of what it was."""

    history: pd.DataFrame
    facts: dict[str, Any]
    recipe: Recipe
    architecture: str | None
    experiment: str | None


@dataclass(frozen=True)
class Group:
    """The variants that one stage of a paper trains.

    settings: the paper's. training: what the variant of a name is trained to do. key: of the checkpoints, from which a
    killed run goes on.
    """

    paper: str
    name: str
    settings: Any
    training: Callable[[str, Any], Training]
    key: str

    @property
    def members(self) -> dict[str, Variant]:
        """The group's variants by name."""
        members: dict[str, Variant] = self.settings.train.variants[self.name]
        return members

    def weights(self, variant: str, seed: int) -> Path:
        """Where the weights of a variant's seed go."""
        return Path("models") / self.paper / self.name / variant / f"seed{seed}.safetensors"

    def records(self, variant: str) -> tuple[Path, Path]:
        """Where its history and its record go."""
        results = Path("results") / self.paper
        return results / "history" / self.name / f"{variant}.csv", results / "training" / self.name / f"{variant}.json"

    def checkpoint(self, variant: str, seed: int) -> Path:
        """The stem of a training's checkpoints; they stay until `forget`: DVC removes what a killed stage finished."""
        return CHECKPOINTS / f"{self.paper}-{variant}-{seed}-{self.key}.safetensors"

    def forget(self) -> None:
        """Remove all checkpoints of these variants."""
        for variant in self.members:
            for checkpoint in CHECKPOINTS.glob(f"{self.paper}-{variant}-*"):
                checkpoint.unlink()


def train_group(paper: str, training: Callable[[str, Any], Training], description: str | None) -> None:
    """The command of a paper's training stages: `train GROUP` trains a group of variants over their seeds.

    A stage trains several: starting Python takes as long as some of these trainings, and they run side by side: on CPUs
    each on the profile's number of threads, on GPUs as many as share one. They begin in the order of the parameters,
    and none may start from another one's weights.
    With `--seed` it trains that seed alone (on another machine of a cluster, say), leaves the finished checkpoints and
    writes no records; the stage then goes on from all of them at once.

    training: what the variant of a name is trained to do, a function of a module. description: the command's help.
    Writes models/<paper>/<group>/<variant>/seed<k>.safetensors (and <variant>/<phase>/seed<k>.safetensors of the phases
    before the last), results/<paper>/history/<group>/<variant>.csv and results/<paper>/training/<group>/<variant>.json.
    UserError where the paper has no such group, or none of its variants has the seed.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("group")
    parser.add_argument("--seed", type=int, help="train this seed alone and leave its checkpoints to the stage")
    arguments = parser.parse_args()
    settings = params.load(paper)
    if arguments.group not in settings.train.variants:
        known = ", ".join(settings.train.variants)
        raise UserError(f"{paper} has no group of variants {arguments.group}; known here: {known}")
    group = Group(paper, arguments.group, settings, training, stage_key(paper, arguments.group, settings))
    jobs = [(name, seed) for name, variant in group.members.items() for seed in variant.seeds]
    if arguments.seed is not None:
        jobs = [job for job in jobs if job[1] == arguments.seed]
        if not jobs:
            raise UserError(f"no variant of {group.name} has seed {arguments.seed} in this profile")
    runs = dict(zip(jobs, _train(group, jobs), strict=True))
    if arguments.seed is None:
        _finish(group, runs)
    PartialState().destroy_process_group()


def _train(group: Group, jobs: list[tuple[str, int]]) -> list[Run]:
    return on_this_machine(partial(_job, group), jobs, group.settings.training)


def _job(group: Group, job: tuple[str, int]) -> Run:
    with cpu_threads(group.settings.training.threads):
        return train_seed(group, *job)


def _finish(group: Group, runs: Mapping[tuple[str, int], Run]) -> None:
    """The records of a whole group; its checkpoints go."""
    if PartialState().is_main_process:
        for name, variant in group.members.items():
            group.weights(name, 0).parent.mkdir(parents=True, exist_ok=True)  # also where nothing is trained
            write_records(group, name, {seed: runs[name, seed] for seed in variant.seeds})
    PartialState().wait_for_everyone()
    if PartialState().is_main_process:
        group.forget()


def on_this_machine(work: Callable[[Job], Result], trainings: Sequence[Job], sharing: params.Sharing) -> list[Result]:
    """`work` of each training, as many at a time as share this machine; the first error ends the others."""
    import torch._dynamo  # an optimiser imports it, for a second: here once, not in each process

    gpus = visible_gpus() if torch.cuda.is_available() else []
    return side_by_side(work, trainings, at_a_time(sharing.threads, sharing.per_gpu * len(gpus)), gpus)


def visible_gpus() -> list[str]:
    """The GPUs of this process, by the names that CUDA_VISIBLE_DEVICES takes."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    return chosen.split(",")[:count] if chosen else [str(number) for number in range(count)]


def at_a_time(threads: int | None, on_gpus: int) -> int:
    """How many trainings share this machine: as many as its GPUs, else its cores, bear; one under several processes.

    threads: of a training on a CPU, None for all. on_gpus: how many the GPUs bear, 0 where there are none.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        return 1
    if on_gpus:
        return on_gpus
    return 1 if threads is None else max(1, torch.get_num_threads() // threads)


def recipe_of(variant: Variant, recipe: Recipe) -> Recipe:
    """The profile's recipe with the variant's own steps and learning rate."""
    own = {"steps": variant.steps, "lr": variant.lr}
    return recipe.model_copy(update={key: value for key, value in own.items() if value is not None})


def fit_variant(
    paper: str,
    training: Training,
    recipe: Recipe,
    *,
    seed: int,
    own_seed: int,
    scratch: Path | None = None,
    label: str = "training",
) -> dict[str, Trained]:
    """Train one seed of a variant by a recipe: the network of each phase by its name, in order."""

    def build() -> nn.Module:
        return inherit(paper, training.inherits, own_seed, training.build())

    return fit_phases(
        build,
        training.phases,
        training.batches(seed + own_seed),
        recipe,
        seed=seed + own_seed,
        validate=training.validate,
        players=training.players,
        scale=training.scale,
        scratch=scratch,
        label=label,
    )


def train_seed(group: Group, name: str, own_seed: int) -> Run:
    """Train one seed of a variant and keep its weights; the seed of the run shifts those of all variants."""
    variant, training = group.members[name], group.training(name, group.settings)
    recipe = recipe_of(variant, training.recipe)
    phases = fit_variant(
        group.paper,
        training,
        recipe,
        seed=group.settings.seed,
        own_seed=own_seed,
        scratch=group.checkpoint(name, own_seed),
        label=f"{name}, seed {own_seed}" if len(variant.seeds) > 1 else name,
    )
    if PartialState().is_main_process:
        *earlier, last = phases
        for phase in earlier:
            save_weights(group.weights(f"{name}/{phase}", own_seed), training.keep(phases[phase].network))
        save_weights(group.weights(name, own_seed), training.keep(phases[last].network))
    whole_run = joined(phases)
    return Run(whole_run.history, whole_run.facts, recipe, training.architecture, training.experiment)


def write_records(group: Group, name: str, runs: Mapping[int, Run]) -> None:
    """The history and the record of a variant, from its trainings by seed; empty where this profile trains none."""
    history_file, record_file = group.records(name)
    if not runs:
        write_text(history_file, ",".join(FIRST_COLUMNS) + "\n")
        write_json(record_file, {"variant": name, "architecture": None, "seeds": {}})
        print(f"  {name}: not run in this profile (it has no seeds)")
        return
    history = pd.concat([run.history.assign(seed=seed) for seed, run in runs.items()])
    measured = [column for column in history.columns if column not in FIRST_COLUMNS]
    write_csv(history_file, history[[*FIRST_COLUMNS, *measured]])
    first = next(iter(runs.values()))
    record = {
        "variant": name,
        "architecture": first.architecture,
        "experiment": first.experiment,
        "recipe": first.recipe.model_dump(),
        "seeds": {str(seed): run.facts for seed, run in runs.items()},
    }
    write_json(record_file, record)
