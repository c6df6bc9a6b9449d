"""What a variant's training leaves behind: weights of every phase, records, checkpoints until its stage is done."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from common import params
from common.errors import UserError
from common.noise.sensor import Gaussian
from common.params import Adam, Constant, Recipe, Variant
from common.store import load_arrays, read_json
from common.train import variants
from common.train.patches import Batch, Patches
from common.train.phases import Phase
from common.train.variants import Training, fit_variant, forget, train_named, train_seed, write_records
from common.train.weights import load_trained, save_weights, weights_file

RECIPE = Recipe(
    steps=4,
    batch=2,
    crop=8,
    optimizer=Adam(name="adam", betas=[0.9, 0.999], weight_decay=0.0),
    lr=0.01,
    schedule=Constant(name="constant"),
    precision="fp32",
    validate_every=2,
)
IMAGES = {"a": np.random.default_rng(0).integers(0, 256, (20, 20, 1)).astype(np.uint8)}
BOTH = Variant(seeds=[0, 3])


def build() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 1, 3, padding=1))


def append(network: nn.Module) -> nn.Module:
    assert isinstance(network, nn.Sequential)
    return network.append(nn.Conv2d(1, 1, 3, padding=1))


def batches(seed: int) -> Callable[[int], Batch]:
    return Patches(IMAGES, Gaussian(30.0), batch=2, crop=8, seed=seed)


PLAIN = Training(build, batches, lambda network: {"val_psnr_db": 0.0}, RECIPE, architecture="small", experiment="one")
GROWING = Training(
    build,
    batches,
    lambda network: {"val_psnr_db": 0.0},
    RECIPE,
    phases=(Phase("1", lambda network: network), Phase("2", append)),
)


VARIANTS = {"plain": BOTH, "growing": Variant(seeds=[]), "other": BOTH}


def train_variant(name: str, training: Training) -> None:
    runs = {seed: train_seed("paper", name, BOTH, training, seed=0, own_seed=seed, key="key") for seed in BOTH.seeds}
    write_records("paper", name, runs)


def plain(name: str, everything: Any) -> Training:
    assert name == "plain"
    return PLAIN


@dataclass(frozen=True)
class Everything:
    """What a stage reads of params.yaml."""

    training: params.Sharing
    seed: int = 0

    def paper(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(train=SimpleNamespace(variants=VARIANTS))


def run_stage(monkeypatch: pytest.MonkeyPatch, *names: str, threads: int | None = None, what: Any = plain) -> None:
    monkeypatch.setattr(variants.params, "load", lambda: Everything(params.Sharing(threads=threads)))
    monkeypatch.setattr("sys.argv", ["train", *names])
    train_named("paper", what, None)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(variants, "checkpoint_key", lambda paper, seed: "key")


def test_a_variant_leaves_weights_history_and_record() -> None:
    train_variant("plain", PLAIN)
    assert set(load_trained("paper", "plain", BOTH, build)) == {0, 3}
    history = pd.read_csv("results/paper/history/plain.csv")
    assert list(history["seed"]) == [0, 0, 3, 3]
    record = read_json("results/paper/training/plain.json")
    assert (record["architecture"], record["experiment"]) == ("small", "one")
    assert record["seeds"]["3"]["steps"] == 4


def test_checkpoints_stay_until_the_whole_stage_is_done() -> None:
    train_variant("growing", GROWING)
    train_variant("plain", PLAIN)
    first = pd.read_csv("results/paper/history/plain.csv")
    assert len(list(variants.CHECKPOINTS.iterdir())) == 2 + 2 * 2  # of each seed, and of each phase
    train_variant("plain", PLAIN)
    assert pd.read_csv("results/paper/history/plain.csv").equals(first)  # even its seconds: nothing was trained again
    forget("paper", ["plain"])
    assert all(path.name.startswith("paper-growing-") for path in variants.CHECKPOINTS.iterdir())
    forget("paper", ["growing"])
    assert not list(variants.CHECKPOINTS.iterdir())


def test_every_phases_network_is_kept() -> None:
    train_variant("growing", GROWING)
    for seed in BOTH.seeds:
        first, last = (load_arrays(weights_file("paper", name, seed)) for name in ("growing/1", "growing"))
        assert list(first) == ["0.bias", "0.weight"]
        assert list(last) == ["0.bias", "0.weight", "1.bias", "1.weight"]
    assert list(read_json("results/paper/training/growing.json")["seeds"]["0"]["phases"]) == ["1", "2"]


def test_a_variant_goes_on_from_the_weights_it_inherits_of_the_same_seed() -> None:
    for seed in BOTH.seeds:
        network = build()
        for weight in network.parameters():
            nn.init.constant_(weight, seed + 1.0)
        save_weights(weights_file("paper", "parent", seed), network)
    seen: list[float] = []

    def look(network: nn.Module) -> nn.Module:
        seen.append(float(next(network.parameters()).detach().mean()))
        return network

    child = Training(build, batches, PLAIN.validate, RECIPE, phases=(Phase("1", look),), inherits="parent")
    train_variant("child", child)
    assert seen == [1.0, 4.0]


def test_a_parent_that_was_not_trained_is_named() -> None:
    child = Training(build, batches, PLAIN.validate, RECIPE, inherits="parent")
    with pytest.raises(UserError, match=r"models/paper/parent/seed0.safetensors is missing"):
        fit_variant("paper", child, RECIPE, seed=0, own_seed=0)


def test_the_stage_trains_the_variants_it_names_and_notes_those_without_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    run_stage(monkeypatch, "plain", "growing")
    assert set(load_trained("paper", "plain", BOTH, build)) == {0, 3}
    assert Path("models/paper/growing").is_dir()
    assert load_trained("paper", "growing", VARIANTS["growing"], build) == {}
    assert read_json("results/paper/training/growing.json")["seeds"] == {}
    assert pd.read_csv("results/paper/history/growing.csv").empty
    assert not Path("models/paper/other").exists()
    assert not list(variants.CHECKPOINTS.iterdir())
    with pytest.raises(UserError, match="paper has no variant plian; known here: plain, growing, other"):
        run_stage(monkeypatch, "plian")


def test_trainings_side_by_side_give_what_they_give_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for cores in (1, 2):
        monkeypatch.setattr(torch, "get_num_threads", lambda cores=cores: cores)
        run_stage(monkeypatch, "plain", threads=1)
        weights = [load_arrays(weights_file("paper", "plain", seed)) for seed in BOTH.seeds]
        history = pd.read_csv("results/paper/history/plain.csv").drop(columns="seconds")
        results.append((weights, history))
    (alone, history), (together, same) = results
    assert all((one[name] == other[name]).all() for one, other in zip(alone, together, strict=True) for name in one)
    pd.testing.assert_frame_equal(history, same)


def diverging(name: str, everything: Any) -> Training:
    return replace(PLAIN, recipe=RECIPE.model_copy(update={"lr": 1e20, "steps": 1000}))


def test_a_training_that_diverges_beside_another_ends_the_stage_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    with pytest.raises(UserError, match=r"plain, seed \d: the train loss is (nan|inf) at step"):
        run_stage(monkeypatch, "plain", threads=1, what=diverging)


def test_the_seed_of_a_run_shifts_all_trainings() -> None:
    shifted = fit_variant("paper", PLAIN, RECIPE, seed=3, own_seed=0)[""].network
    own = fit_variant("paper", PLAIN, RECIPE, seed=0, own_seed=3)[""].network
    assert torch.equal(next(shifted.parameters()), next(own.parameters()))
