from collections.abc import Sequence
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from common.params import Adam, Constant, Recipe
from common.train.loop import fit
from common.train.patches import Batch
from common.train.seeding import seeded
from common.train.turns import Player
from replications.wgan_denoiser import losses
from replications.wgan_denoiser.guidance import watch
from replications.wgan_denoiser.models import Adversarial, Build, Critic, Generator

BUILD = Build(width=4, critic_width=2)
FACTORS = losses.Factors(adversarial=0.5, pixel=1.0, feature=1.0, smoothness=0.0001, penalty=10.0, reduction="sum")
GAMES = {
    "wasserstein": losses.wasserstein(FACTORS, seed=0),
    "minimax": losses.minimax(FACTORS),
    "dcgan": losses.dcgan(0.1),
}


Reduction = Literal["sum", "mean"]


class Pixels(nn.Module):
    """A critic whose map of scores is the image itself, ten times as large, and whose features are the image."""

    def forward(self, images: Tensor) -> Tensor:
        return 10 * images

    def features(self, images: Tensor) -> Tensor:
        return images


def _pair(signed: bool = False) -> Adversarial:
    with seeded(0):
        return Adversarial(Generator(BUILD), Critic(BUILD, signed=signed))


def test_scores_count_from_0_to_100_and_outside_have_no_gradient() -> None:
    # Scores 10·(-1, 2, 20) count as 0, 20 and 100: their mean is 40.
    denoised = torch.tensor([-1.0, 2.0, 20.0]).reshape(1, 1, 1, 3).requires_grad_()
    fake, real = losses.truncated_scores(Pixels(), denoised, torch.zeros(1, 1, 1, 3))  # type: ignore[arg-type]
    fake.backward()
    assert fake.item() == 40
    assert real.item() == 0
    assert denoised.grad is not None
    torch.testing.assert_close(denoised.grad.flatten(), torch.tensor([0, 10 / 3, 0]))


@pytest.mark.parametrize(("reduction", "expected"), [("sum", 0.5 * 12 * 2**2), ("mean", 2**2)])
def test_the_pixel_loss_of_pictures_of_12_values_each_wrong_by_2(reduction: Reduction, expected: float) -> None:
    clean = torch.zeros(5, 3, 2, 2)
    assert _restored(losses.Factors(0, 1, 0, 0, 0, reduction), clean + 2, clean) == pytest.approx(expected)


@pytest.mark.parametrize(("reduction", "expected"), [("sum", 4 * 3**2), ("mean", 3**2)])
def test_the_feature_loss_of_four_places_wrong_by_3_in_every_map(reduction: Reduction, expected: float) -> None:
    clean = torch.zeros(5, 3, 16, 16)  # (16 / 8)² places at the features' stride
    assert _restored(losses.Factors(0, 0, 1, 0, 0, reduction), clean + 3, clean) == pytest.approx(expected)


def test_smoothness_is_half_the_sum_of_squared_steps_under_its_factor() -> None:
    # Total variation is a mean: 3² over the steps to the right, 0 below. Half the picture's 12 values times that.
    picture = torch.tensor([0.0, 3.0]).expand(1, 3, 2, 2).contiguous()
    assert _restored(losses.Factors(0, 0, 0, 2, 0, "sum"), picture, picture) == pytest.approx(2 * 0.5 * 12 * 9)


@pytest.mark.parametrize("name", sorted(GAMES))
def test_each_player_moves_its_own_part_alone(name: str) -> None:
    batch = Batch(*np.random.default_rng(0).uniform(0, 255, (2, 4, 16, 16, 3)).astype(np.float32))
    for index, moved in enumerate(("critic", "generator")):
        player: Player = GAMES[name].players(1)[index]
        network = _train([player], batch, name)
        before = _pair(signed=name != "wasserstein")
        for part in ("critic", "generator"):
            pairs = zip(before.get_submodule(part).parameters(), network.get_submodule(part).parameters(), strict=True)
            assert any(not torch.equal(old, new) for old, new in pairs) == (part == moved), part


def test_the_same_seed_trains_the_same_pair() -> None:
    batch = Batch(*np.random.default_rng(0).uniform(0, 255, (2, 4, 16, 16, 3)).astype(np.float32))
    first, second = (_train(GAMES["wasserstein"].players(2), batch, "wasserstein") for _ in range(2))
    for old, new in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(old, new)


def test_the_mixtures_of_the_penalty_depend_on_seed_and_step() -> None:
    pair, images = _pair(), torch.linspace(-1, 1, 2 * 3 * 16 * 16).reshape(2, 3, 16, 16)
    values = [
        losses.wasserstein(FACTORS, seed=seed).judging(pair.critic, 0.5 * images, images, step).item()
        for seed, step in ((0, 0), (0, 0), (0, 1), (1, 0))
    ]
    assert values[0] == values[1]
    assert len(set(values)) == 3


def test_guidance_is_the_gap_of_scores_and_the_share_of_the_gradient() -> None:
    # Scores are ten times the pixels, here all within [0, 100]: clean 1, denoised 0.5, a gap of 5. The gradient of
    # -0.5·mean(10·x) by the 768 values of an image is -5/768 each, norm 5/√768; that of ½Σ(x - 1)² is 0.5·√768.
    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, images: Tensor) -> Tensor:
            return torch.full_like(images, 0.5) + 0 * self.weight

    factors = losses.Factors(0.5, 1, 0, 0, 10, "sum")
    clean = {name: np.full((16, 16, 3), 255, np.uint8) for name in "ab"}
    noisy = {name: np.full((16, 16, 3), 200, np.float32) for name in "ab"}
    measure = watch(losses.wasserstein(factors, seed=0), noisy, clean)
    measured = measure(Adversarial(Half(), Pixels()))  # type: ignore[arg-type]
    assert measured["critic_gap"] == pytest.approx(5)
    assert measured["adversarial_gradient"] == pytest.approx(5 / 768**0.5)
    assert measured["adversarial_share"] == pytest.approx(10 / 768)


def _restored(factors: losses.Factors, denoised: Tensor, clean: Tensor) -> float:
    return losses.restoration(factors, Pixels(), denoised, clean).item()  # type: ignore[arg-type]


def _train(players: Sequence[Player], batch: Batch, name: str) -> nn.Module:
    recipe = Recipe(
        steps=2,
        batch=4,
        crop=16,
        optimizer=Adam(name="adam", betas=[0.9, 0.999], weight_decay=0.0),
        lr=0.01,
        schedule=Constant(name="constant"),
        precision="fp32",
        validate_every=2,
    )
    trained = fit(
        lambda: _pair(signed=name != "wasserstein"),
        lambda step: batch,
        recipe,
        seed=0,
        validate=lambda network: {"val_psnr_db": 0.0},
        players=players,
        label="",
    )
    return trained.network
