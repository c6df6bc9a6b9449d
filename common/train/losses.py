"""Losses that torch does not have, as functions of tensors (N, C, H, W) in the network's range.

The squared and the absolute error are `torch.nn.functional.mse_loss` and `l1_loss`. Sums of many terms are means here,
so that a loss does not depend on the batch or the image size.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def annealed_l0(estimate: Tensor, target: Tensor, gamma: float, epsilon: float = 1e-8) -> Tensor:
    """Annealed L0 loss: mean of (|estimate − target| + ε)^γ, γ lowered from 2 to 0 over the training.

    Its minimiser moves from the mean of the targets (γ = 2) through their median (γ = 1) towards their mode (γ → 0),
    what random-valued impulse noise in the targets asks for (Noise2Noise, Lehtinen et al. 2018; ε = 1e-8 is theirs, for
    images in [-0.5, 0.5]). Scaling both tensors by s scales the loss by s^γ, so that γ also sets the learning rate's
    effect. The derivative by one error e is γ (|e| + ε)^(γ−1) sign(e) / n: 0 at e = 0, but for γ < 1 it grows without
    bound, up to γ ε^(γ−1), as e → 0. At γ = 0 the loss is 1 and teaches nothing.
    """
    return ((estimate - target).abs() + epsilon).pow(gamma).mean()


def total_variation(images: Tensor, power: float = 1.0) -> Tensor:
    """Smoothness loss: mean of |x right − x|^power plus mean of |x below − x|^power, over neighbouring pixels.

    power 1 is the anisotropic total variation (Rudin, Osher and Fatemi 1992, with absolute values); power 2, squared
    differences, is what public code of GAN denoisers calls smoothness loss (there half the sum, not the mean).
    """
    right = (images[..., :, 1:] - images[..., :, :-1]).abs().pow(power).mean()
    below = (images[..., 1:, :] - images[..., :-1, :]).abs().pow(power).mean()
    return right + below


def edge_aware(estimate: Tensor, target: Tensor, edges: Callable[[Tensor], Tensor], weight: float) -> Tensor:
    """Squared error that counts more at the target's edges M: mean (e − t)² + weight · mean (M·e − M·t)².

    edges: images (N, C, H, W) → edge map M (N, 1, H, W), ≥ 0. With M = 0 it is the mean squared error.
    """
    squared = (estimate - target).square()
    return squared.mean() + weight * (edges(target).square() * squared).mean()


def sobel_magnitude(images: Tensor) -> Tensor:
    """Length of the Sobel gradient (kernels of 1, 2, 1) of the mean over channels: (N, C, H, W) → (N, 1, H, W).

    In units of the images; a step of height h has 4h. At the border the image is continued by its last pixels.
    """
    grey = F.pad(images.mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    rows = grey[..., :-2, :] + 2 * grey[..., 1:-1, :] + grey[..., 2:, :]
    columns = grey[..., :-2] + 2 * grey[..., 1:-1] + grey[..., 2:]
    return torch.hypot(rows[..., 2:] - rows[..., :-2], columns[..., 2:, :] - columns[..., :-2, :])


def canny_edges(images: Tensor, sigma: float = 1.0, low: float = 0.1, high: float = 0.2) -> Tensor:
    """Canny's edges (1986) of the mean over channels, 1 on an edge and 0 elsewhere: (N, C, H, W) → (N, 1, H, W).

    images: in [0, 1]. sigma: of the Gaussian before the gradient, in pixels; low, high: hysteresis thresholds of the
    Sobel gradient (kernels that sum to 1). Defaults are scikit-image's, whose implementation this is; on the CPU.
    """
    from skimage.feature import canny

    grey = images.detach().mean(dim=1).cpu().numpy()
    maps = np.stack([canny(image, sigma, low, high) for image in grey])
    return torch.from_numpy(maps)[:, None].to(images)


def feature_distance(
    features: Callable[[Tensor], Tensor | Sequence[Tensor]], estimate: Tensor, target: Tensor
) -> Tensor:
    """Perceptual loss (Johnson et al. 2016): mean squared distance of features; of several maps, the mean over maps.

    features: images → a feature map or several, of any shapes. The gradient reaches the estimate alone.
    """
    with torch.no_grad():
        wanted = _maps(features(target))
    found = _maps(features(estimate))
    return torch.stack([F.mse_loss(one, other) for one, other in zip(found, wanted, strict=True)]).mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mu: Tensor) -> Tensor:
    """WGAN-GP's penalty: mean over images of (‖∇D(m)‖₂ − 1)², m = μ·real + (1 − μ)·fake (Gulrajani et al. 2017).

    critic: images → scores (N, …); an image's D is the mean of its scores. mu: (N, 1, 1, 1), drawn from U[0, 1] by the
    caller's seeded generator. Without the factor λ. Differentiable by the critic's weights, not by the images. Batch
    normalisation in the critic mixes the images' gradients: the penalty is then no longer per image.
    """
    mixed = (mu * real + (1 - mu) * fake).detach().requires_grad_()
    scores = critic(mixed)
    (gradient,) = torch.autograd.grad(scores.reshape(len(scores), -1).mean(dim=1).sum(), mixed, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def truncated_mean(scores: Tensor, low: float = 0.0, high: float = 100.0) -> Tensor:
    """Mean of the scores after truncation to [low, high]. A score outside has no gradient: it cannot be moved."""
    return scores.clamp(low, high).mean()


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The plain GAN's loss of the discriminator: −mean log D(real) − mean log(1 − D(fake)), D = sigmoid(logit)."""
    return -F.logsigmoid(real_logits).mean() - F.logsigmoid(-fake_logits).mean()


def generator_loss(fake_logits: Tensor) -> Tensor:
    """The plain GAN's loss of the generator, non-saturating: −mean log D(fake) (Goodfellow et al. 2014, as in DCGAN).

    The min-max game's own mean log(1 − D(fake)) has the same fixed point, but next to no gradient while D wins.
    """
    return -F.logsigmoid(fake_logits).mean()


def _maps(features: Tensor | Sequence[Tensor]) -> Sequence[Tensor]:
    return [features] if isinstance(features, Tensor) else features
