import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from common.errors import UserError
from common.noise.sensor import Gaussian
from common.params import Adam, Constant, Recipe
from common.train.loop import Trained, fit
from common.train.patches import Batch, Patches
from common.train.phases import WHOLE, Phase, fit_phases, joined, network_after
from common.train.turns import supervised

RECIPE = Recipe(
    steps=7,
    batch=2,
    crop=12,
    optimizer=Adam(name="adam", betas=[0.9, 0.999], weight_decay=0.0),
    lr=0.01,
    schedule=Constant(name="constant"),
    precision="fp32",
    validate_every=2,
)
IMAGES = {"a": np.random.default_rng(0).integers(0, 256, (20, 20, 1)).astype(np.uint8)}


def unwatched(network: nn.Module) -> dict[str, float]:
    """A validation that measures nothing."""
    return {"val_psnr_db": 0.0}


def build() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 3, padding=1))


def insert(network: nn.Module) -> nn.Module:
    """A new convolution and a ReLU before the last one."""
    assert isinstance(network, nn.Sequential)
    for module in (nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)):
        network.insert(len(network) - 1, module)
    return network


PHASES = (Phase("first", lambda network: network), Phase("second", insert), Phase("third", insert))


def train(
    phases: tuple[Phase, ...] = PHASES, seed: int = 0, scratch: Path | None = None, until: int | None = None
) -> dict[str, Trained]:
    """Train; with `until`, break off (as a kill would) when that batch is asked for."""
    patches = Patches(IMAGES, Gaussian(30.0), batch=2, crop=12, seed=seed)

    def draw(number: int) -> Batch:
        drawn.append(number)
        if number == until:
            raise KeyboardInterrupt
        return patches(number)

    drawn.clear()
    return fit_phases(
        build, phases, draw, RECIPE, seed=seed, players=(supervised(),), validate=unwatched, scratch=scratch
    )


drawn: list[int] = []
"""Numbers of the batches that the last training asked for."""


def assert_same(one: nn.Module, other: nn.Module) -> None:
    for (name, weight), expected in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(weight, expected), name


def test_phases_share_the_steps_and_go_on_with_the_batches() -> None:
    trained = train()
    assert [run.facts["steps"] for run in trained.values()] == [2, 2, 3]
    assert drawn == list(range(7))


def test_a_phase_without_steps_would_start_from_the_weights_of_the_one_before() -> None:
    given: list[nn.Module] = []

    def look(network: nn.Module) -> nn.Module:
        given.append(copy.deepcopy(network))
        return network

    trained = train((PHASES[0], Phase("second", look)))
    assert_same(given[0], trained["first"].network)


def test_what_a_phase_changes_leaves_the_network_before_it_alone() -> None:
    trained = train()
    assert [len(run.network) for run in trained.values()] == [3, 5, 7]  # type: ignore[arg-type]
    assert_same(trained["first"].network, train((PHASES[0], PHASES[1], Phase("x", insert)))["first"].network)


def test_new_weights_differ_from_phase_to_phase_and_seed_to_seed() -> None:
    new: list[torch.Tensor] = []

    def keep(network: nn.Module) -> nn.Module:
        changed = insert(network)
        assert isinstance(changed, nn.Sequential)
        weight = changed[-2].weight
        assert isinstance(weight, torch.Tensor)
        new.append(weight.detach().clone())
        return changed

    phases = (Phase("first", keep), Phase("second", keep))
    train(phases)
    train(phases, seed=1)
    assert not any(torch.equal(new[one], new[other]) for one, other in ((0, 1), (0, 2), (1, 3)))


def test_one_phase_is_a_plain_training() -> None:
    patches = Patches(IMAGES, Gaussian(30.0), batch=2, crop=12, seed=0)
    plain = fit(build, patches, RECIPE, seed=0, validate=unwatched)
    whole = joined(train((WHOLE,)))
    assert_same(whole.network, plain.network)
    assert whole.history.drop(columns="seconds").equals(plain.history.drop(columns="seconds"))


def test_the_history_of_all_phases_counts_on() -> None:
    whole = joined(train())
    assert list(whole.history["step"]) == [2, 4, 6, 7]
    assert list(whole.history["images_seen"]) == [4, 8, 12, 14]
    assert whole.history["seconds"].is_monotonic_increasing
    assert whole.facts["steps"] == 7
    assert list(whole.facts["phases"]) == ["first", "second", "third"]


@pytest.mark.parametrize("until", [1, 3, 6])
def test_a_resumed_training_in_phases_ends_in_the_weights_of_an_unbroken_one(tmp_path: Path, until: int) -> None:
    scratch = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(scratch=scratch, until=until)
    resumed = joined(train(scratch=scratch))
    assert drawn[0] == until
    unbroken = joined(train())
    assert_same(resumed.network, unbroken.network)
    assert resumed.history.drop(columns="seconds").equals(unbroken.history.drop(columns="seconds"))


def test_the_network_after_some_phases_has_their_structure() -> None:
    assert [len(network_after(build, PHASES[:count])) for count in (1, 2, 3)] == [3, 5, 7]  # type: ignore[arg-type]


def test_more_phases_than_steps_are_refused() -> None:
    with pytest.raises(UserError, match="7 steps cannot be shared by 8 phases"):
        train(tuple(Phase(str(number), lambda network: network) for number in range(8)))
