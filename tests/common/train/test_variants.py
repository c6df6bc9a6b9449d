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

from common.errors import UserError
from common.noise.sensor import Gaussian
from common.params import Adam, Constant, Recipe, Sharing, Variant
from common.score.results import history, training_records
from common.store import load_arrays
from common.train import variants
from common.train.patches import Batch, Patches
from common.train.phases import Phase
from common.train.variants import Group, Training, fit_variant, train_group, train_seed, write_records
from common.train.weights import Parent, first_seed, inherit, load_trained, save_weights, weights_file

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


VARIANTS = {"mixed": {"plain": BOTH, "growing": Variant(seeds=[])}, "rest": {"other": BOTH}}


@dataclass(frozen=True)
class Settings:
    """What a training stage reads of the settings."""

    train: SimpleNamespace
    training: Sharing
    seed: int = 0


def group_of(name: str, what: Training) -> Group:
    settings = Settings(SimpleNamespace(variants={"group": {name: BOTH}}), Sharing(threads=None, per_gpu=1))
    return Group("paper", "group", settings, lambda name, settings: what, "key")


def train_variant(name: str, training: Training) -> Group:
    group = group_of(name, training)
    write_records(group, name, {seed: train_seed(group, name, seed) for seed in BOTH.seeds})
    return group


def plain(name: str, settings: Any) -> Training:
    assert name == "plain"
    return PLAIN


def run_stage(monkeypatch: pytest.MonkeyPatch, *arguments: str, threads: int | None = None, what: Any = plain) -> None:
    settings = Settings(SimpleNamespace(variants=VARIANTS), Sharing(threads=threads, per_gpu=1))
    monkeypatch.setattr(variants.params, "load", lambda paper: settings)
    monkeypatch.setattr("sys.argv", ["train", *arguments])
    train_group("paper", what, None)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(variants, "stage_key", lambda paper, group, settings: "key")


def test_a_variant_leaves_weights_history_and_record() -> None:
    train_variant("plain", PLAIN)
    assert set(load_trained("paper", "plain", BOTH, build)) == {0, 3}
    rows = history("paper", "plain")
    assert list(rows["seed"]) == [0, 0, 3, 3]
    record = training_records("paper")["plain"]
    assert (record["architecture"], record["experiment"]) == ("small", "one")
    assert record["seeds"]["3"]["steps"] == 4


def test_checkpoints_stay_until_the_whole_stage_is_done() -> None:
    growing, group = train_variant("growing", GROWING), train_variant("plain", PLAIN)
    first = history("paper", "plain")
    assert len(list(variants.CHECKPOINTS.iterdir())) == 2 + 2 * 2  # of each seed, and of each phase
    train_variant("plain", PLAIN)
    assert history("paper", "plain").equals(first)  # even its seconds: nothing was trained again
    group.forget()
    assert all(path.name.startswith("paper-growing-") for path in variants.CHECKPOINTS.iterdir())
    growing.forget()
    assert not list(variants.CHECKPOINTS.iterdir())


def test_every_phases_network_is_kept() -> None:
    train_variant("growing", GROWING)
    for seed in BOTH.seeds:
        first, last = (load_arrays(weights_file("paper", name, seed)) for name in ("growing/1", "growing"))
        assert list(first) == ["0.bias", "0.weight"]
        assert list(last) == ["0.bias", "0.weight", "1.bias", "1.weight"]
    assert list(training_records("paper")["growing"]["seeds"]["0"]["phases"]) == ["1", "2"]


def test_a_variant_goes_on_from_the_weights_it_inherits_of_the_same_seed() -> None:
    for seed in BOTH.seeds:
        network = build()
        for weight in network.parameters():
            nn.init.constant_(weight, seed + 1.0)
        save_weights(Path(f"models/paper/parents/parent/seed{seed}.safetensors"), network)
    seen: list[float] = []

    def look(network: nn.Module) -> nn.Module:
        seen.append(float(next(network.parameters()).detach().mean()))
        return network

    child = Training(build, batches, PLAIN.validate, RECIPE, phases=(Phase("1", look),), inherits=Parent("parent"))
    train_variant("child", child)
    assert seen == [1.0, 4.0]


def test_a_parent_that_was_not_trained_is_named() -> None:
    child = Training(build, batches, PLAIN.validate, RECIPE, inherits=Parent("parent"))
    with pytest.raises(UserError, match=r"models/paper/<group>/parent/seed0.safetensors is missing"):
        fit_variant("paper", child, RECIPE, seed=0, own_seed=0)


def test_the_stage_trains_the_variants_it_names_and_notes_those_without_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    run_stage(monkeypatch, "mixed")
    assert set(load_trained("paper", "plain", BOTH, build)) == {0, 3}
    assert Path("models/paper/mixed/growing").is_dir()
    assert load_trained("paper", "growing", VARIANTS["mixed"]["growing"], build) == {}
    assert training_records("paper")["growing"]["seeds"] == {}
    assert history("paper", "growing").empty
    assert not Path("models/paper/rest").exists()
    assert not list(variants.CHECKPOINTS.iterdir())
    with pytest.raises(UserError, match="paper has no group of variants mixt; known here: mixed, rest"):
        run_stage(monkeypatch, "mixt")


def test_trainings_side_by_side_give_what_they_give_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for cores in (1, 2):
        monkeypatch.setattr(torch, "get_num_threads", lambda cores=cores: cores)
        run_stage(monkeypatch, "mixed", threads=1)
        weights = [load_arrays(weights_file("paper", "plain", seed)) for seed in BOTH.seeds]
        rows = history("paper", "plain").drop(columns="seconds")
        results.append((weights, rows))
    (alone, one_by_one), (together, same) = results
    assert all((one[name] == other[name]).all() for one, other in zip(alone, together, strict=True) for name in one)
    pd.testing.assert_frame_equal(one_by_one, same)


def diverging(name: str, settings: Any) -> Training:
    return replace(PLAIN, recipe=RECIPE.model_copy(update={"lr": 1e20, "steps": 1000}))


def test_a_training_that_diverges_beside_another_ends_the_stage_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    with pytest.raises(UserError, match=r"plain, seed \d: the train loss is (nan|inf) at step"):
        run_stage(monkeypatch, "mixed", threads=1, what=diverging)


def test_the_seed_of_a_run_shifts_all_trainings() -> None:
    shifted = fit_variant("paper", PLAIN, RECIPE, seed=3, own_seed=0)[""].network
    own = fit_variant("paper", PLAIN, RECIPE, seed=0, own_seed=3)[""].network
    assert torch.equal(next(shifted.parameters()), next(own.parameters()))


def test_one_seed_leaves_its_checkpoints_and_the_stage_goes_on_from_them(monkeypatch: pytest.MonkeyPatch) -> None:
    run_stage(monkeypatch, "mixed", "--seed", "3")
    assert {path.name for path in variants.CHECKPOINTS.iterdir()} == {"paper-plain-3-key.safetensors"}
    assert not Path("results").exists()
    monkeypatch.setattr(variants, "fit_phases", without_steps(3, variants.fit_phases))
    run_stage(monkeypatch, "mixed")
    assert sorted(history("paper", "plain")["seed"].unique()) == [0, 3]
    assert not list(variants.CHECKPOINTS.iterdir())
    with pytest.raises(UserError, match="no variant of mixed has seed 7 in this profile"):
        run_stage(monkeypatch, "mixed", "--seed", "7")


def without_steps(resumed: int, fit: Any) -> Any:
    """`fit_phases` that must not draw a batch for one seed: its training is done."""

    def fit_phases(build: Any, phases: Any, batches: Any, recipe: Any, *, seed: int, **options: Any) -> Any:
        def none(number: int) -> Batch:
            raise AssertionError(f"step {number} of seed {seed} is trained again")

        return fit(build, phases, none if seed == resumed else batches, recipe, seed=seed, **options)

    return fit_phases


def test_a_part_of_a_network_goes_on_from_another_ones_first_seed() -> None:
    parent = nn.ModuleDict({"encoder": build(), "decoder": build()})
    for weight in parent.parameters():
        nn.init.constant_(weight, 2.0)
    save_weights(Path("models/paper/parents/parent/seed3.safetensors"), parent)
    child = nn.ModuleDict({"encoder": build(), "head": nn.Linear(1, 1)})
    inherit("paper", Parent("parent", seed=3, part="encoder"), 0, child)
    assert all(bool((weight == 2).all()) for weight in child["encoder"].parameters())
    with pytest.raises(UserError, match="parent has no seeds, but another variant builds on it"):
        first_seed({"parent": Variant(seeds=[])}, "parent")


@pytest.mark.parametrize(
    ("threads", "on_gpus", "processes", "expected"),
    [(None, 0, "1", 1), (1, 0, "1", 4), (3, 0, "1", 1), (8, 0, "1", 1), (None, 8, "1", 8), (1, 8, "2", 1)],
)
def test_as_many_trainings_at_a_time_as_the_machine_bears(
    monkeypatch: pytest.MonkeyPatch, threads: int | None, on_gpus: int, processes: str, expected: int
) -> None:
    monkeypatch.setattr("torch.get_num_threads", lambda: 4)
    monkeypatch.setenv("WORLD_SIZE", processes)
    assert variants.at_a_time(threads, on_gpus) == expected
