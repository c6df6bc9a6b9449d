"""Trains the variants of a paper over their seeds and keeps what DVC and the report need of them."""

import argparse
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from accelerate import PartialState
from torch import nn

from common import params
from common.errors import UserError
from common.params import Params, Recipe, Variant
from common.patches import Batch
from common.phases import WHOLE, Phase, fit_phases, joined
from common.scale import Scale
from common.store import write_csv, write_json, write_text
from common.training import Player, Trained, Validate, supervised, whole
from common.weights import load_weights, save_weights, weights_file

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


def train_named(paper: str, training: Callable[[str, Params], Training], description: str | None) -> None:
    """The command of a paper's training stage: the variants it names, one after the other.

    A stage trains several: starting Python takes as long as some of these trainings. training: what the variant of a
    name is trained to do. description: the command's help. UserError where the paper has no variant of a name.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("variants", nargs="+", metavar="variant")
    names = parser.parse_args().variants
    everything = params.load()
    variants: dict[str, Variant] = everything.paper(paper).train.variants
    if unknown := [name for name in names if name not in variants]:
        raise UserError(f"{paper} has no variant {unknown[0]}; known here: {', '.join(variants)}")
    for name in names:
        if variants[name].seeds:
            train_variant(paper, name, variants[name], training(name, everything), seed=everything.seed)
        else:
            note_unrun(paper, name)
    PartialState().wait_for_everyone()
    if PartialState().is_main_process:
        forget(paper, names)
    PartialState().destroy_process_group()


def note_unrun(paper: str, name: str) -> None:
    """What a variant leaves behind that does not run in this profile: no weights, no history, no seeds."""
    results = Path("results") / paper
    (Path("models") / paper / name).mkdir(parents=True, exist_ok=True)
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


def train_variant(paper: str, name: str, variant: Variant, training: Training, *, seed: int) -> None:
    """Train a variant once per seed of it; `seed` shifts them all.

    Writes models/<paper>/<name>/seed<k>.safetensors (and <name>/<phase>/seed<k>.safetensors of the phases before the
    last), results/<paper>/history/<name>.csv and results/<paper>/training/<name>.json. A killed run goes on from
    its checkpoint, which is named by a hash of data, code and parameters and stays until `forget`: DVC removes what a
    killed stage had finished, too.
    """
    recipe = recipe_of(variant, training.recipe)
    trained: dict[int, Trained] = {}
    key = _key(paper, seed)
    weights_file(paper, name, 0).parent.mkdir(parents=True, exist_ok=True)
    for own_seed in variant.seeds:
        scratch = CHECKPOINTS / f"{paper}-{name}-{own_seed}-{key}.safetensors"
        label = f"{name}, seed {own_seed}" if len(variant.seeds) > 1 else name
        phases = fit_variant(paper, training, recipe, seed=seed, own_seed=own_seed, scratch=scratch, label=label)
        trained[own_seed] = joined(phases)
        if PartialState().is_main_process:
            *earlier, last = phases
            for phase in earlier:
                save_weights(weights_file(paper, f"{name}/{phase}", own_seed), training.keep(phases[phase].network))
            save_weights(weights_file(paper, name, own_seed), training.keep(phases[last].network))
    if PartialState().is_main_process:
        _write_records(Path("results") / paper, name, training, recipe, trained)


def forget(paper: str, names: Iterable[str]) -> None:
    """Remove all checkpoints of these variants."""
    for name in names:
        for checkpoint in CHECKPOINTS.glob(f"{paper}-{name}-*"):
            checkpoint.unlink()


def _write_records(results: Path, name: str, training: Training, recipe: Recipe, trained: dict[int, Trained]) -> None:
    histories = [run.history.assign(seed=seed) for seed, run in trained.items()]
    history = pd.concat(histories)
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
