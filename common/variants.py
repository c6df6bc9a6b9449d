"""Trains one variant of a network over its seeds and keeps what DVC and the report need of it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from accelerate import PartialState
from torch import nn

from common.evaluation import as_denoiser, mean_psnr
from common.noise import Corruption
from common.params import Recipe, Section, Variant
from common.patches import Patches
from common.scale import Scale
from common.store import load_arrays, write_csv, write_json
from common.training import Loss, fit
from common.weights import save_weights, weights_file

CHECKPOINTS = Path(".scratch/checkpoints")
HISTORY_COLUMNS = ("seed", "step", "images_seen", "seconds", "lr", "train_loss", "val_psnr_db")


def recipe_of(variant: Variant, recipe: Recipe) -> Recipe:
    """The profile's recipe with the variant's own steps and learning rate."""
    own = {"steps": variant.steps, "lr": variant.lr}
    return recipe.model_copy(update={key: value for key, value in own.items() if value is not None})


def train_variant(
    paper: str,
    name: str,
    variant: Variant,
    build: Callable[[], nn.Module],
    network: Section,
    recipe: Recipe,
    corruption: Corruption,
    *,
    seed: int,
    loss: Loss = nn.functional.mse_loss,
    scale: Scale = Scale(),
) -> None:
    """Train `build()`, sized by the settings `network`, once per seed of the variant.

    Training images are data/<paper>/train, validation images data/<paper>/val.
    Writes models/<paper>/<name>/seed<k>.safetensors, results/<paper>/history/<name>.csv and
    results/<paper>/training/<name>.json; with no seeds, the variant does not run in this profile and they are empty.
    A killed run goes on from its checkpoint, which is named by a hash of data, code and parameters.
    """
    data = Path("data") / paper
    train, clean, noisy = (load_arrays(data / f"{part}.safetensors") for part in ("train", "val", "noisy/val"))
    recipe = recipe_of(variant, recipe)
    histories: list[pd.DataFrame] = []
    facts: dict[str, dict[str, object]] = {}
    finished: list[Path] = []
    weights_file(paper, name, 0).parent.mkdir(parents=True, exist_ok=True)
    if not variant.seeds:
        print(f"  {name}: not run in this profile (no seeds in params.yaml)")
    for own_seed in variant.seeds:
        full_seed = seed + own_seed
        patches = Patches(train, corruption, batch=recipe.batch, crop=recipe.crop, seed=full_seed)
        key = _key(paper, name, full_seed, network, recipe, corruption, scale)
        scratch = CHECKPOINTS / f"{paper}-{name}-{own_seed}-{key}.safetensors"
        trained = fit(
            build,
            patches,
            recipe,
            seed=full_seed,
            validate=lambda network: mean_psnr(as_denoiser(network, scale), noisy, clean),
            loss=loss,
            scale=scale,
            scratch=scratch,
            label=f"{name}, seed {own_seed}" if len(variant.seeds) > 1 else name,
        )
        if PartialState().is_main_process:
            save_weights(weights_file(paper, name, own_seed), trained.network)
        histories.append(trained.history.assign(seed=own_seed))
        facts[str(own_seed)] = trained.facts
        finished.append(scratch)
    PartialState().wait_for_everyone()
    if PartialState().is_main_process:
        _write_records(Path("results") / paper, name, recipe, histories, facts)
        for scratch in finished:
            scratch.unlink(missing_ok=True)
    PartialState().destroy_process_group()


def _write_records(
    results: Path, name: str, recipe: Recipe, histories: list[pd.DataFrame], facts: dict[str, dict[str, object]]
) -> None:
    history = pd.concat(histories) if histories else pd.DataFrame()
    write_csv(results / "history" / f"{name}.csv", history.reindex(columns=list(HISTORY_COLUMNS)))
    write_json(results / "training" / f"{name}.json", {"variant": name, "recipe": recipe.model_dump(), "seeds": facts})


def _key(paper: str, *parts: object) -> str:
    """A digest of everything the training depends on: a checkpoint of anything else must not be resumed."""
    digest = hashlib.blake2b(digest_size=8)
    data = Path("data") / paper
    for path in (data / "train.safetensors", data / "noisy/val.safetensors", *sorted(Path("common").glob("*.py"))):
        digest.update(path.read_bytes())
    for path in sorted((Path("replications") / paper).glob("*.py")):
        digest.update(path.read_bytes())
    digest.update(json.dumps([repr(part) for part in parts]).encode())
    return digest.hexdigest()
