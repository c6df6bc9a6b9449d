"""Trainings in phases, between which the network changes: a cascade that grows, parts that are replaced one by one.

Each phase is a training of its own (`common.train.loop.fit`) with a fresh optimiser and schedule; what its network has
of the phase before it inherits.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from common.errors import UserError
from common.noise.sensor import keyed_rng
from common.params import Recipe
from common.train.loop import Trained, fit
from common.train.patches import Batch
from common.train.seeding import seeded
from common.train.turns import Player

COUNTED = ("step", "images_seen", "seconds")
"""Columns of a history that go on from phase to phase."""


@dataclass(frozen=True)
class Phase:
    """One phase of a training.

    name: of its network among the training's snapshots.
    change: makes the phase's network of the one before; it may alter and return its argument, which is a copy.
    """

    name: str
    change: Callable[[nn.Module], nn.Module]


WHOLE = Phase("", lambda network: network)
"""The only phase of a training whose network does not change."""


def network_after(build: Callable[[], nn.Module], phases: Sequence[Phase]) -> nn.Module:
    """The untrained network that the last of these phases trains; its weights are drawn on the way."""
    return reduce(lambda network, phase: phase.change(network), phases, build())


def fit_phases(
    build: Callable[[], nn.Module],
    phases: Sequence[Phase],
    batches: Callable[[int], Batch],
    recipe: Recipe,
    *,
    seed: int,
    players: Sequence[Player],
    scratch: Path | None = None,
    label: str = "training",
    **options: Any,
) -> dict[str, Trained]:
    """Train a network through phases that share `recipe.steps` equally, the last one taking what is left over.

    build: makes the network that the first phase changes. batches: as if the phases were one training: each goes on
    where the one before stopped. scratch: its name is the stem of the phases' checkpoints.
    seed: the weights that a phase adds depend on it and on the phase's name. options: of `fit`.
    Returns each phase's network by its name, in order; the histories count steps, images and seconds from the first
    phase on. UserError where there are more phases than steps.
    """
    share = recipe.steps // len(phases)
    if share == 0:
        raise UserError(f"{recipe.steps} steps cannot be shared by {len(phases)} phases: raise the recipe's steps")
    draws = max(player.updates for player in players)
    trained: dict[str, Trained] = {}
    source, done = build, 0
    counts: dict[str, float] = dict.fromkeys(COUNTED, 0)
    for phase in phases:
        steps = share if phase is not phases[-1] else recipe.steps - done
        run = fit(
            _changed(source, phase, seed),
            _later(batches, done * draws),
            recipe.model_copy(update={"steps": steps}),
            seed=seed,
            players=players,
            scratch=scratch and scratch.with_stem(f"{scratch.stem}-{phase.name}".removesuffix("-")),
            label=f"{label}, {phase.name}".removesuffix(", "),
            **options,
        )
        for column, before in counts.items():
            run.history[column] += before
        counts = {column: run.history[column].iloc[-1] for column in COUNTED}
        trained[phase.name] = run
        source, done = _copier(run.network), done + steps
    return trained


def joined(phases: Mapping[str, Trained]) -> Trained:
    """The phases as one training: the last network, the whole history, and facts that list several phases."""
    runs = list(phases.values())
    if len(runs) == 1:
        return runs[0]
    own = {name: {key: run.facts[key] for key in ("steps", "seconds")} for name, run in phases.items()}
    sums = {key: round(sum(phase[key] for phase in own.values()), 1) for key in ("steps", "seconds")}
    history = pd.concat([run.history for run in runs], ignore_index=True)
    return Trained(runs[-1].network, history, {**runs[-1].facts, **sums, "phases": own})


def _changed(source: Callable[[], nn.Module], phase: Phase, seed: int) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        network = source()
        with seeded(int(keyed_rng("phase", seed, phase.name).integers(2**31))):  # else phases would draw alike
            return phase.change(network)

    return build


def _copier(network: nn.Module) -> Callable[[], nn.Module]:
    return lambda: copy.deepcopy(network)


def _later(batches: Callable[[int], Batch], start: int) -> Callable[[int], Batch]:
    return lambda number: batches(start + number)
