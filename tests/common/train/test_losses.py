from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss

from common.train.losses import (
    annealed_l0,
    canny_edges,
    discriminator_loss,
    edge_aware,
    feature_distance,
    generator_loss,
    gradient_penalty,
    sobel_magnitude,
    total_variation,
    truncated_mean,
)


def image(*rows: list[float]) -> Tensor:
    return torch.tensor(rows)[None, None]  # (1, 1, H, W)


@pytest.mark.parametrize(("gamma", "loss"), [(2.0, (1 + 0 + 4 + 9) / 4), (1.0, 6 / 4), (0.0, 1.0)])
def test_annealed_l0_is_the_mean_of_powers_of_the_error(gamma: float, loss: float) -> None:
    found = annealed_l0(image([1.0, 2.0], [3.0, -3.0]), image([0.0, 2.0], [5.0, 0.0]), gamma)
    assert found.item() == pytest.approx(loss, rel=1e-5)


def test_the_annealed_gradient_is_finite_however_small_the_error() -> None:
    estimate = torch.tensor([0.0, 1e-8, 1e-3], requires_grad=True)
    annealed_l0(estimate, torch.zeros(3), gamma=0.5).backward()
    # γ (e + ε)^(γ−1) / n: 0.5 / √(2e-8) / 3 and 0.5 / √1e-3 / 3, and 0 where there is no error.
    assert estimate.grad is not None
    torch.testing.assert_close(estimate.grad, torch.tensor([0.0, 1178.511, 5.270]), rtol=1e-4, atol=0)


@pytest.mark.parametrize(
    ("loss", "minimiser"),
    [(mse_loss, 4.0), (l1_loss, 3.0), (partial(annealed_l0, gamma=0.1), 1.0)],
    ids=["mean", "median", "mode"],
)
def test_losses_find_the_mean_the_median_and_the_mode(
    loss: Callable[[Tensor, Tensor], Tensor], minimiser: float
) -> None:
    # 1 is the most frequent of nine values, 3 the middle one, 36 / 9 = 4 their mean.
    targets = torch.tensor([1.0, 1.0, 1.0, 2.0, 3.0, 5.0, 6.0, 7.0, 10.0])
    candidates = torch.linspace(0, 11, 1101)
    losses = torch.stack([loss(candidate.expand(9), targets) for candidate in candidates])
    assert candidates[losses.argmin()].item() == pytest.approx(minimiser, abs=0.005)


@pytest.mark.parametrize(("power", "loss"), [(1.0, (2 + 4) / 2 + (1 + 3) / 2), (2.0, (4 + 16) / 2 + (1 + 9) / 2)])
def test_total_variation_averages_the_steps_to_the_right_and_down(power: float, loss: float) -> None:
    found = total_variation(image([0.0, 2.0], [1.0, 5.0]), power)
    assert found.item() == pytest.approx(loss)
    assert total_variation(image([3.0, 3.0], [3.0, 3.0]), power).item() == 0


def test_feature_distance_is_the_mean_squared_distance_over_the_maps() -> None:
    def features(images: Tensor) -> list[Tensor]:
        return [2 * images, images.mean(dim=(2, 3))]

    estimate, target = image([1.0, 3.0]), image([0.0, 0.0])
    assert feature_distance(features, estimate, target).item() == pytest.approx((4 * (1 + 9) / 2 + 2**2) / 2)
    assert feature_distance(lambda images: 2 * images, estimate, target).item() == pytest.approx(20)


def test_feature_distance_moves_the_estimate_alone() -> None:
    estimate, target = image([1.0]).requires_grad_(), image([0.0]).requires_grad_()
    feature_distance(lambda images: 3 * images, estimate, target).backward()
    assert estimate.grad is not None
    assert estimate.grad.item() == pytest.approx(2 * 9)
    assert target.grad is None


def test_the_penalty_of_a_linear_critic_is_the_distance_of_its_slope_from_one() -> None:
    weight = torch.tensor([3.0, 4.0], requires_grad=True)

    def critic(images: Tensor) -> Tensor:
        return (images.flatten(1) * weight).sum(dim=1)

    real, fake, mu = (torch.rand(5, 1, 1, width, generator=torch.Generator().manual_seed(0)) for width in (2, 2, 1))
    penalty = gradient_penalty(critic, real, fake, mu)
    assert penalty.item() == pytest.approx((5 - 1) ** 2, rel=1e-5)  # ‖(3, 4)‖ = 5
    penalty.backward()
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, 2 * (5 - 1) * torch.tensor([3.0, 4.0]) / 5)


def test_the_penalty_is_taken_between_real_and_fake() -> None:
    # D(x) = x²/2 has the slope x: at μ = 0.25 between 8 and 4 that is 5; a map of scores counts by its mean.
    real, fake, mu = torch.full((1, 1, 1, 1), 8.0), torch.full((1, 1, 1, 1), 4.0), torch.full((1, 1, 1, 1), 0.25)
    for scores in (lambda x: x**2 / 2, lambda x: (x**2 / 2).expand(1, 1, 2, 2)):
        assert gradient_penalty(scores, real, fake, mu).item() == pytest.approx(16)


def test_truncated_scores_outside_the_bounds_have_no_gradient() -> None:
    scores = torch.tensor([-5.0, 50.0, 130.0, 10.0], requires_grad=True)
    mean = truncated_mean(scores)
    assert mean.item() == pytest.approx((0 + 50 + 100 + 10) / 4)
    mean.backward()
    assert scores.grad is not None
    assert scores.grad.tolist() == [0, 0.25, 0, 0.25]


def test_the_plain_gans_losses_are_cross_entropies() -> None:
    real, fake = torch.tensor([2.0, -1.0]), torch.tensor([0.5, 3.0])
    said_real, said_fake = torch.sigmoid(real), torch.sigmoid(fake)
    minimax = said_real.log().mean() + (1 - said_fake).log().mean()
    assert discriminator_loss(real, fake).item() == pytest.approx(-minimax.item(), rel=1e-5)
    assert generator_loss(fake).item() == pytest.approx(-said_fake.log().mean().item(), rel=1e-5)
    # An undecided discriminator: log 4 and log 2.
    zero = torch.zeros(3)
    assert discriminator_loss(zero, zero).item() == pytest.approx(1.386294, rel=1e-6)
    assert generator_loss(zero).item() == pytest.approx(0.693147, rel=1e-6)


def test_the_plain_gans_losses_bear_a_certain_discriminator() -> None:
    logits = torch.tensor([-200.0], requires_grad=True)
    loss = generator_loss(logits)
    loss.backward()
    assert loss.item() == pytest.approx(200)
    assert logits.grad is not None
    assert logits.grad.item() == pytest.approx(-1)  # it does not saturate


def test_the_edge_aware_loss_adds_the_squared_error_at_the_edges() -> None:
    # Errors 1, 0, 2, 3 where the map has 0, 1, 1, 2: (1 + 0 + 4 + 9) / 4 + 0.5 · (0 + 0 + 4 + 4 · 9) / 4.
    edges = image([0.0, 1.0], [1.0, 2.0])
    found = edge_aware(image([1.0, 2.0], [3.0, -3.0]), image([0.0, 2.0], [5.0, 0.0]), lambda target: edges, 0.5)
    assert found.item() == pytest.approx(14 / 4 + 0.5 * 40 / 4)


def test_the_edges_are_those_of_the_target() -> None:
    seen: list[Tensor] = []

    def edges(images: Tensor) -> Tensor:
        seen.append(images)
        return torch.zeros_like(images)

    estimate, target = image([1.0, 2.0]), image([0.0, 2.0])
    assert edge_aware(estimate, target, edges, 1.0).item() == mse_loss(estimate, target).item()
    assert seen == [target]


def test_sobels_magnitude_of_a_step_and_of_a_slope() -> None:
    step = torch.zeros(1, 1, 5, 6)
    step[..., 3:] = 2.0
    # Kernel columns of 1, 2, 1: a step of 2 gives 4 · 2 on both its sides, a slope of 1 a pixel 4 · 2 everywhere.
    assert sobel_magnitude(step)[0, 0].tolist() == [[0.0, 0.0, 8.0, 8.0, 0.0, 0.0]] * 5
    slope = torch.arange(5.0)[:, None].expand(1, 3, 5, 4)
    assert torch.equal(sobel_magnitude(slope)[0, 0, 1:-1], torch.full((3, 4), 8.0))


def test_sobels_magnitude_is_scikit_images_on_another_scale() -> None:
    from skimage.filters import sobel

    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, 1, 9, 7, generator=generator)
    for own, theirs in zip(sobel_magnitude(images), images, strict=True):
        # theirs divides each kernel by 4 and the length by √2, and zeroes nothing inside
        expected = torch.from_numpy(sobel(theirs[0].numpy())) * 4 * 2**0.5
        torch.testing.assert_close(own[0, 1:-1, 1:-1], expected[1:-1, 1:-1].float())


def test_cannys_edges_stand_at_the_step_and_nowhere_else() -> None:
    step = torch.zeros(2, 3, 16, 16)
    step[1, :, :, 8:] = 1.0
    edges = canny_edges(step)
    assert edges.shape == (2, 1, 16, 16)
    assert edges[0].sum() == 0
    assert set(torch.nonzero(edges[1, 0])[:, 1].tolist()) <= {7, 8}
    assert edges[1, 0, 2:-2].amax(dim=1).min() == 1
