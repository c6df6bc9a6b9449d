"""How much the discriminator tells the generator: the gap of its scores, and the gradient it sends (claim G9)."""

from collections.abc import Mapping
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from common.score.scale import Scale
from common.train.loop import Validate
from replications.wgan_denoiser.losses import Game, Term
from replications.wgan_denoiser.models import Adversarial


def watch(game: Game, noisy: Mapping[str, np.ndarray], clean: Mapping[str, np.ndarray]) -> Validate:
    """Measures a generator and its discriminator, both in evaluation mode, on validation images of one size.

    critic_gap: mean score of the clean images minus that of the denoised ones. adversarial_gradient: norm of the
    adversarial loss's gradient by a denoised image, mean over images. adversarial_share: that norm over the norm of
    the restoration loss's gradient; where it is small, the discriminator does not steer.
    """
    targets, inputs = (np.stack([images[name] for name in noisy]) for images in (clean, noisy))

    def measure(network: nn.Module) -> dict[str, float]:
        pair = cast(Adversarial, network)
        device = next(network.parameters()).device
        with torch.inference_mode(False), torch.enable_grad():
            wanted = Scale().to_network(targets).to(device)
            denoised = pair.generator(Scale().to_network(inputs).to(device)).detach().requires_grad_()
            fake, real = game.scores(pair.critic, denoised, wanted)
            adversarial = _gradient_norms(game.adversarial, pair, denoised, wanted)
            restoration = _gradient_norms(game.restoration, pair, denoised, wanted)
        return {
            "critic_gap": float((real - fake).detach()),
            "adversarial_gradient": float(adversarial.mean()),
            "adversarial_share": float((adversarial / restoration).mean()),
        }

    return measure


def _gradient_norms(term: Term, pair: Adversarial, denoised: Tensor, clean: Tensor) -> Tensor:
    """Norm of the gradient of one image's loss by that image, for each image."""
    (gradient,) = torch.autograd.grad(term(pair.critic, denoised, clean), denoised)
    return len(denoised) * gradient.flatten(1).norm(dim=1)  # a term is a mean over images
