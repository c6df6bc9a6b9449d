"""Trains the variants of a paper over their seeds and keeps what DVC and the report need of them."""

import argparse
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from accelerate import PartialState
from torch import nn

from common import params
from common.errors import UserError
from common.params import Params, Recipe, Variant
from common.score.machine import cpu_threads
from common.score.scale import Scale
from common.store import write_csv, write_json, write_text
from common.train.loop import Trained, Validate
from common.train.patches import Batch
from common.train.phases import WHOLE, Phase, fit_phases, joined
from common.train.turns import Player, supervised, whole
from common.train.weights import load_weights, save_weights, weights_file
from common.train.workers import side_by_side

CHECKPOINTS = Path(".scratch/checkpoints")
FIRST_COLUMNS = ("seed", "step", "images_seen", "seconds", "lr")


@dataclass(frozen=True)
class Training:
    """What a variant is: a network, what it sees, what it minimises, how it is watched.

    build: makes the untrained network. batches: training seed → number → batch. validate: columns of the history.
    keep: the part of the trained network whose weights are kept.
    phases: between which the network changes. The networks of all but the last are kept too, as a variant
        <name>/<phase>.
    inherits: variant whose trained weights of the same seed the network of `build` starts from; None: it starts anew.
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
    inherits: str | None = None
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


def train_named(paper: str, training: Callable[[str, Params], Training], description: str | None) -> None:
    """The command of a paper's training stage: the variants it names, over their seeds.

    A stage trains several: starting Python takes as long as some of these trainings, and on CPUs they run side by side,
    each on the profile's number of threads. Name the longest first, and none that another one starts from.
    training: what the variant of a name is trained to do, a function of a module. description: the command's help.
    Writes models/<paper>/<name>/seed<k>.safetensors (and <name>/<phase>/seed<k>.safetensors of the phases before the
    last), results/<paper>/history/<name>.csv and results/<paper>/training/<name>.json. UserError where the paper has
    no variant of a name.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("variants", nargs="+", metavar="variant")
    names = parser.parse_args().variants
    everything = params.load()
    variants: dict[str, Variant] = everything.paper(paper).train.variants
    if unknown := [name for name in names if name not in variants]:
        raise UserError(f"{paper} has no variant {unknown[0]}; known here: {', '.join(variants)}")
    jobs = [(name, seed) for name in names for seed in variants[name].seeds]
    for name in names:
        (Path("models") / paper / name).mkdir(parents=True, exist_ok=True)  # also where nothing is trained
    work = partial(_train, paper, training, everything, checkpoint_key(paper, everything.seed))
    runs = dict(zip(jobs, side_by_side(work, jobs, _at_a_time(everything.training.threads)), strict=True))
    if PartialState().is_main_process:
        for name in names:
            if variants[name].seeds:
                write_records(paper, name, {seed: runs[name, seed] for seed in variants[name].seeds})
            else:
                note_unrun(paper, name)
    PartialState().wait_for_everyone()
    if PartialState().is_main_process:
        forget(paper, names)
    PartialState().destroy_process_group()


def _train(
    paper: str, training: Callable[[str, Params], Training], everything: Params, key: str, job: tuple[str, int]
) -> Run:
    name, own_seed = job
    variant = everything.paper(paper).train.variants[name]
    with cpu_threads(everything.training.threads):
        return train_seed(
            paper, name, variant, training(name, everything), seed=everything.seed, own_seed=own_seed, key=key
        )


def _at_a_time(threads: int | None) -> int:
    """How many trainings share this machine: as many as its cores bear; one on a GPU or under several processes."""
    if threads is None or torch.cuda.is_available() or int(os.environ.get("WORLD_SIZE", 1)) > 1:
        return 1
    return max(1, torch.get_num_threads() // threads)


def note_unrun(paper: str, name: str) -> None:
    """The records of a variant that does not run in this profile: no history, no seeds."""
    results = Path("results") / paper
    write_text(results / "history" / f"{name}.csv", ",".join(FIRST_COLUMNS) + "\n")
    write_json(results / "training" / f"{name}.json", {"variant": name, "architecture": None, "seeds": {}})
    print(f"  {name}: not run in this profile (no seeds in params.yaml)")


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
        network = training.build()
        if training.inherits is None:
            return network
        return load_weights(weights_file(paper, training.inherits, own_seed), network)

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


def train_seed(
    paper: str, name: str, variant: Variant, training: Training, *, seed: int, own_seed: int, key: str
) -> Run:
    """Train one seed of a variant and keep its weights; `seed` shifts those of all variants.

    key: of its checkpoint (`checkpoint_key`), from which a killed run goes on. The checkpoint stays until `forget`: DVC
    removes what a killed stage had finished, too.
    """
    recipe = recipe_of(variant, training.recipe)
    scratch = CHECKPOINTS / f"{paper}-{name}-{own_seed}-{key}.safetensors"
    label = f"{name}, seed {own_seed}" if len(variant.seeds) > 1 else name
    phases = fit_variant(paper, training, recipe, seed=seed, own_seed=own_seed, scratch=scratch, label=label)
    if PartialState().is_main_process:
        *earlier, last = phases
        for phase in earlier:
            save_weights(weights_file(paper, f"{name}/{phase}", own_seed), training.keep(phases[phase].network))
        save_weights(weights_file(paper, name, own_seed), training.keep(phases[last].network))
    whole_run = joined(phases)
    return Run(whole_run.history, whole_run.facts, recipe, training.architecture, training.experiment)


def forget(paper: str, names: Iterable[str]) -> None:
    """Remove all checkpoints of these variants."""
    for name in names:
        for checkpoint in CHECKPOINTS.glob(f"{paper}-{name}-*"):
            checkpoint.unlink()


def write_records(paper: str, name: str, runs: Mapping[int, Run]) -> None:
    """The history and the record of a variant, from its trainings by seed."""
    results = Path("results") / paper
    history = pd.concat([run.history.assign(seed=seed) for seed, run in runs.items()])
    measured = [column for column in history.columns if column not in FIRST_COLUMNS]
    write_csv(results / "history" / f"{name}.csv", history[[*FIRST_COLUMNS, *measured]])
    first = next(iter(runs.values()))
    record = {
        "variant": name,
        "architecture": first.architecture,
        "experiment": first.experiment,
        "recipe": first.recipe.model_dump(),
        "seeds": {str(seed): run.facts for seed, run in runs.items()},
    }
    write_json(results / "training" / f"{name}.json", record)


def checkpoint_key(paper: str, seed: int) -> str:
    """A digest of everything the training depends on: a checkpoint of anything else must not be resumed."""
    digest = hashlib.blake2b(digest_size=8)
    everything = params.load()
    code = [*Path("common").rglob("*.py"), *(Path("replications") / paper).glob("*.py")]
    for path in sorted([*code, *(Path("data") / paper).rglob("*.safetensors")]):
        digest.update(path.read_bytes())
    parameters = everything.profile, everything.training, everything.noise, everything.paper(paper), seed
    digest.update(repr(parameters).encode())
    return digest.hexdigest()
