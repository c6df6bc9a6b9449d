"""What generator and discriminator minimise: the paper's game, the plain min-max game, and the DCGAN denoiser's.

Two departures from the paper's print, both forced. Its gradient penalty (10) is a reciprocal, which makes a gradient of
norm 1 infinitely bad; equation (5) has WGAN-GP's, and so have we. And real and denoised images are scored as one batch:
batch norm gives every batch that is scored alone nearly the same mean score, whatever it shows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from common.noise.sensor import keyed_rng
from common.train.losses import (
    discriminator_loss,
    feature_distance,
    generator_loss,
    gradient_penalty,
    total_variation,
    truncated_mean,
)
from common.train.turns import Player
from replications.wgan_denoiser.models import STRIDE, Adversarial, Critic
from replications.wgan_denoiser.params import Loss

LOW, HIGH = 0.0, 100.0
"""Equations (6) and (7): a score below or above counts as these, and its gradient is zero."""

Term = Callable[[Critic, Tensor, Tensor], Tensor]
"""(discriminator, denoised, clean) → scalar; images (N, 3, H, W) in [-1, 1]."""


@dataclass(frozen=True)
class Factors:
    """Weights of the generator's terms, and λ of the gradient penalty.

    reduction: what a squared difference is reduced to before its factor. `sum` is the lineage's: half the sum over an
    image (for features the sum over places, mean over maps), then the mean over the batch. `mean`: over everything.
    """

    adversarial: float
    pixel: float
    feature: float
    smoothness: float
    penalty: float
    reduction: Literal["sum", "mean"]


@dataclass(frozen=True)
class Game:
    """The two sides of an adversarial training.

    scores: mean scores of the denoised and of the clean images, as this game counts them.
    judging: (discriminator, denoised, clean, step) → the discriminator's loss.
    adversarial, restoration: the generator's loss is their sum; both are weighted already.
    drawn: whether `judging` depends on the step.
    """

    scores: Callable[[Critic, Tensor, Tensor], tuple[Tensor, Tensor]]
    judging: Callable[[Critic, Tensor, Tensor, int], Tensor]
    adversarial: Term
    restoration: Term
    drawn: bool = False

    def players(self, critic_updates: int) -> tuple[Player, Player]:
        """The discriminator, which moves first and `critic_updates` times, and the generator."""
        return (
            Player(
                self._judge,
                "critic",
                lambda network: _pair(network).critic,
                updates=critic_updates,
                steady=not self.drawn,
            ),
            Player(self._restore, "generator", lambda network: _pair(network).generator),
        )

    def _judge(self, network: nn.Module, noisy: Tensor, clean: Tensor, step: int) -> Tensor:
        pair = _pair(network)
        with torch.no_grad():
            denoised = pair.generator(noisy).float()
        return self.judging(pair.critic, denoised, clean, step)

    def _restore(self, network: nn.Module, noisy: Tensor, clean: Tensor, step: int) -> Tensor:
        pair = _pair(network)
        denoised = pair.generator(noisy).float()
        return self.adversarial(pair.critic, denoised, clean) + self.restoration(pair.critic, denoised, clean)


def game_of(name: str, loss: Loss, seed: int) -> Game:
    """The game that a variant plays."""
    if name == "dcgan":
        return dcgan(loss.dcgan_adversarial)
    factors = Factors(loss.adversarial, loss.pixel, loss.feature, loss.smoothness, loss.penalty, loss.reduction)
    return minimax(factors) if name == "minimax" else wasserstein(factors, seed=seed)


def wasserstein(factors: Factors, *, seed: int) -> Game:
    """The paper's: the truncated scores' difference with gradient penalty, equations (5) to (9).

    seed: of μ, the share of the clean image in the mixtures whose gradient is penalised; drawn anew in each step.
    """

    def judging(critic: Critic, denoised: Tensor, clean: Tensor, step: int) -> Tensor:
        fake, real = truncated_scores(critic, denoised, clean)
        mu = keyed_rng("gradient penalty", seed, step).random((len(clean), 1, 1, 1), dtype="float32")
        with torch.autocast(clean.device.type, enabled=False):  # bf16 has 8 bits for a norm near 1
            penalty = gradient_penalty(
                lambda images: critic(images).clamp(LOW, HIGH), clean, denoised, torch.from_numpy(mu).to(clean)
            )
        return fake - real + factors.penalty * penalty

    def adversarial(critic: Critic, denoised: Tensor, clean: Tensor) -> Tensor:
        return -factors.adversarial * truncated_scores(critic, denoised, clean)[0]

    return Game(truncated_scores, judging, adversarial, partial(restoration, factors), drawn=True)


def minimax(factors: Factors) -> Game:
    """The same with the plain GAN's loss (3) in place of Wasserstein's: no truncation, no penalty (claim G4)."""

    def adversarial(critic: Critic, denoised: Tensor, clean: Tensor) -> Tensor:
        return factors.adversarial * generator_loss(logits(critic, denoised, clean)[0])

    return Game(_mean_logits, _discriminate, adversarial, partial(restoration, factors))


def dcgan(share: float) -> Game:
    """The DCGAN denoiser's: the plain GAN's loss and the L1 distance to the clean image, `share` to 1 - `share`."""

    def adversarial(critic: Critic, denoised: Tensor, clean: Tensor) -> Tensor:
        return share * generator_loss(logits(critic, denoised, clean)[0])

    def content(critic: Critic, denoised: Tensor, clean: Tensor) -> Tensor:
        return (1 - share) * F.l1_loss(denoised, clean)

    return Game(_mean_logits, _discriminate, adversarial, content)


def truncated_scores(critic: Critic, denoised: Tensor, clean: Tensor) -> tuple[Tensor, Tensor]:
    """loss_fake and loss_real of equations (7) and (6): means of the truncated maps, scored as one batch."""
    fake, real = critic(torch.cat([denoised, clean])).float().chunk(2)
    return truncated_mean(fake, LOW, HIGH), truncated_mean(real, LOW, HIGH)


def logits(critic: Critic, denoised: Tensor, clean: Tensor) -> tuple[Tensor, Tensor]:
    """The plain discriminator's logits of denoised and of clean images, (N,) each: the means of an image's map."""
    fake, real = critic(torch.cat([denoised, clean])).float().flatten(1).mean(dim=1).chunk(2)
    return fake, real


def restoration(factors: Factors, critic: Critic, denoised: Tensor, clean: Tensor) -> Tensor:
    """Pixel, feature and smoothness loss. The features are the discriminator's own; the lineage takes VGG-16's."""
    pixel = F.mse_loss(denoised, clean)
    feature = feature_distance(lambda images: critic.features(images).float(), denoised, clean)
    smoothness = total_variation(denoised, power=2)
    if factors.reduction == "sum":
        half, places = denoised[0].numel() / 2, (denoised.shape[-2] // STRIDE) * (denoised.shape[-1] // STRIDE)
        pixel, feature, smoothness = half * pixel, places * feature, half * smoothness
    return factors.pixel * pixel + factors.feature * feature + factors.smoothness * smoothness


def _discriminate(critic: Critic, denoised: Tensor, clean: Tensor, step: int) -> Tensor:
    fake, real = logits(critic, denoised, clean)
    return discriminator_loss(real, fake)


def _mean_logits(critic: Critic, denoised: Tensor, clean: Tensor) -> tuple[Tensor, Tensor]:
    fake, real = logits(critic, denoised, clean)
    return fake.mean(), real.mean()


def _pair(network: nn.Module) -> Adversarial:
    return cast(Adversarial, network)
