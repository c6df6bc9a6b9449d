"""Trains one variant of a paper over its seeds and keeps what DVC and the report need of it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from accelerate import PartialState
from torch import nn

from common import params
from common.params import Recipe, Variant
from common.patches import Batch
from common.scale import Scale
from common.store import write_csv, write_json
from common.training import Player, Trained, Validate, fit, supervised
from common.weights import save_weights, weights_file

CHECKPOINTS = Path(".scratch/checkpoints")
FIRST_COLUMNS = ("seed", "step", "images_seen", "seconds", "lr")


def _whole(network: nn.Module) -> nn.Module:
    return network


@dataclass(frozen=True)
class Training:
    """What a variant is: a network, what it sees, what it minimises, how it is watched.

    build: makes the untrained network. batches: training seed → number → batch. validate: columns of the history.
    keep: the part of the trained network whose weights are kept.
    architecture: its name in the paper's `models.networks`, by which its costs are known; None where it has none there.
    experiment: of claims.yaml; the report draws the curves of one experiment together.
    """

    build: Callable[[], nn.Module]
    batches: Callable[[int], Callable[[int], Batch]]
    validate: Validate
    recipe: Recipe
    players: tuple[Player, ...] = (supervised(),)
    scale: Scale = Scale()
    keep: Callable[[nn.Module], nn.Module] = _whole
    architecture: str | None = None
    experiment: str | None = None


def recipe_of(variant: Variant, recipe: Recipe) -> Recipe:
    """The profile's recipe with the variant's own steps and learning rate."""
    own = {"steps": variant.steps, "lr": variant.lr}
    return recipe.model_copy(update={key: value for key, value in own.items() if value is not None})


def train_variant(paper: str, name: str, variant: Variant, training: Training, *, seed: int) -> None:
    """Train a variant once per seed of it; `seed` shifts them all.

    Writes models/<paper>/<name>/seed<k>.safetensors, results/<paper>/history/<name>.csv and
    results/<paper>/training/<name>.json; with no seeds, the variant does not run in this profile and they are empty.
    A killed run goes on from its checkpoint, which is named by a hash of data, code and parameters.
    """
    recipe = recipe_of(variant, training.recipe)
    trained: dict[int, Trained] = {}
    finished: list[Path] = []
    weights_file(paper, name, 0).parent.mkdir(parents=True, exist_ok=True)
    if not variant.seeds:
        print(f"  {name}: not run in this profile (no seeds in params.yaml)")
    for own_seed in variant.seeds:
        scratch = CHECKPOINTS / f"{paper}-{name}-{own_seed}-{_key(paper, seed)}.safetensors"
        trained[own_seed] = fit(
            training.build,
            training.batches(seed + own_seed),
            recipe,
            seed=seed + own_seed,
            validate=training.validate,
            players=training.players,
            scale=training.scale,
            scratch=scratch,
            label=f"{name}, seed {own_seed}" if len(variant.seeds) > 1 else name,
        )
        if PartialState().is_main_process:
            save_weights(weights_file(paper, name, own_seed), training.keep(trained[own_seed].network))
        finished.append(scratch)
    PartialState().wait_for_everyone()
    if PartialState().is_main_process:
        _write_records(Path("results") / paper, name, training, recipe, trained)
        for scratch in finished:
            scratch.unlink(missing_ok=True)
    PartialState().destroy_process_group()


def _write_records(results: Path, name: str, training: Training, recipe: Recipe, trained: dict[int, Trained]) -> None:
    histories = [run.history.assign(seed=seed) for seed, run in trained.items()]
    history = pd.concat(histories) if histories else pd.DataFrame(columns=list(FIRST_COLUMNS))
    measured = [column for column in history.columns if column not in FIRST_COLUMNS]
    write_csv(results / "history" / f"{name}.csv", history[[*FIRST_COLUMNS, *measured]])
    record = {
        "variant": name,
        "architecture": training.architecture,
        "experiment": training.experiment,
        "recipe": recipe.model_dump(),
        "seeds": {str(seed): run.facts for seed, run in trained.items()},
    }
    write_json(results / "training" / f"{name}.json", record)


def _key(paper: str, seed: int) -> str:
    """A digest of everything the training depends on: a checkpoint of anything else must not be resumed."""
    digest = hashlib.blake2b(digest_size=8)
    everything = params.load()
    code = [*Path("common").rglob("*.py"), *(Path("replications") / paper).glob("*.py")]
    for path in sorted([*code, *(Path("data") / paper).rglob("*.safetensors")]):
        digest.update(path.read_bytes())
    digest.update(repr((everything.profile, everything.noise, everything.paper(paper), seed)).encode())
    return digest.hexdigest()
