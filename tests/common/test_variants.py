"""What a variant's training leaves behind: weights of every phase, records, nothing of its checkpoints."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from common import variants
from common.errors import UserError
from common.noise import Gaussian
from common.params import Adam, Constant, Recipe, Variant
from common.patches import Batch, Patches
from common.phases import Phase
from common.store import load_arrays, read_json
from common.variants import Training, fit_variant, train_variant
from common.weights import load_trained, save_weights, weights_file

RECIPE = Recipe(
    steps=4,
    batch=2,
    crop=8,
    optimizer=Adam(name="adam", betas=[0.9, 0.999], weight_decay=0.0),
    lr=0.01,
    schedule=Constant(name="constant"),
    ema_decay=None,
    precision="fp32",
    validate_every=2,
    checkpoint_seconds=1e-9,
)
IMAGES = {"a": np.random.default_rng(0).integers(0, 256, (20, 20, 1)).astype(np.uint8)}
BOTH = Variant(seeds=[0, 3], steps=None, lr=None)


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


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(variants, "_key", lambda paper, seed: "key")


def test_a_variant_leaves_weights_history_and_record_and_no_checkpoint() -> None:
    train_variant("paper", "plain", BOTH, PLAIN, seed=0)
    assert set(load_trained("paper", "plain", BOTH, build)) == {0, 3}
    history = pd.read_csv("results/paper/history/plain.csv")
    assert list(history["seed"]) == [0, 0, 3, 3]
    record = read_json("results/paper/training/plain.json")
    assert (record["architecture"], record["experiment"]) == ("small", "one")
    assert record["seeds"]["3"]["steps"] == 4
    assert not list(Path(".scratch/checkpoints").iterdir())


def test_every_phases_network_is_kept() -> None:
    train_variant("paper", "growing", BOTH, GROWING, seed=0)
    for seed in BOTH.seeds:
        first, last = (load_arrays(weights_file("paper", name, seed)) for name in ("growing/1", "growing"))
        assert list(first) == ["0.bias", "0.weight"]
        assert list(last) == ["0.bias", "0.weight", "1.bias", "1.weight"]
    assert list(read_json("results/paper/training/growing.json")["seeds"]["0"]["phases"]) == ["1", "2"]
    assert not list(Path(".scratch/checkpoints").iterdir())


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
    train_variant("paper", "child", BOTH, child, seed=0)
    assert seen == [1.0, 4.0]


def test_a_parent_that_was_not_trained_is_named() -> None:
    child = Training(build, batches, PLAIN.validate, RECIPE, inherits="parent")
    with pytest.raises(UserError, match=r"models/paper/parent/seed0.safetensors is missing"):
        fit_variant("paper", child, RECIPE, seed=0, own_seed=0)


def test_a_variant_without_seeds_leaves_what_its_stage_must() -> None:
    none = Variant(seeds=[], steps=None, lr=None)
    train_variant("paper", "plain", none, PLAIN, seed=0)
    assert Path("models/paper/plain").is_dir()
    assert read_json("results/paper/training/plain.json")["seeds"] == {}
    assert pd.read_csv("results/paper/history/plain.csv").empty
    assert load_trained("paper", "plain", none, build) == {}


def test_the_stage_of_a_variant_without_seeds_does_not_import_torch() -> None:
    root = Path(variants.__file__).parents[1]
    code = "import sys; import common.unrun, replications.udncnn.train; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0


def test_the_seed_of_a_run_shifts_all_trainings() -> None:
    shifted = fit_variant("paper", PLAIN, RECIPE, seed=3, own_seed=0)[""].network
    own = fit_variant("paper", PLAIN, RECIPE, seed=0, own_seed=3)[""].network
    assert torch.equal(next(shifted.parameters()), next(own.parameters()))
