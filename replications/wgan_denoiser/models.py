"""The paper's generator and critic, equations (11) and (12), and the native DCGAN it is compared with.

Generators take and return (N, 3, H, W) in the range [-1, 1] and any H, W ≥ 1. Discriminators take the same images and
return a map of scores.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replications.wgan_denoiser.params import BLOCKS, Settings

COLOURS = 3
STRIDE = 8
"""Of the discriminator's feature and score maps: its first three blocks halve the image, as in the lineage."""
LEAK = 0.2
"""Slope of every LeakyReLU below zero; the paper writes a, the lineage 0.2."""
SHORTCUTS = {10: 2, 8: 4}
"""Decoder block → the encoder block whose features it receives."""


@dataclass(frozen=True)
class Build:
    """What equations (11) and (12) leave open.

    width: K of the generator, even. critic_width: K₂ of the discriminator.
    pool_after: encoder blocks that are followed by a 2×2 max-pooling; block 12 - p of the decoder is preceded by the
        upsampling that undoes the pooling after block p.
    last_gain: γ of block 12's batch norm before training. At 1 the untrained network subtracts noise of half the
        range of the image.
    critic_norm: `batch` as printed, or `none`.
    dcgan_width, dcgan_blocks: feature maps and residual blocks of the DCGAN's generator.
    """

    width: int = 64
    critic_width: int = 48
    pool_after: tuple[int, ...] = (2, 4)
    last_gain: float = 1.0
    critic_norm: Literal["batch", "none"] = "batch"
    dcgan_width: int = 64
    dcgan_blocks: int = 4


class Residual(nn.Module):
    """Residual layer: two 3×3 convolutions beside the identity, or beside a 1×1 convolution where the width changes."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.identity = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = self.second(F.leaky_relu(self.first(features), LEAK))
        return changed + self.identity(features)


class Generator(nn.Module):
    """Encoder-decoder of twelve blocks that predicts the noise and subtracts it (equation 11).

    CBL(K) ×4, CBL(K/2), CBL(1), RBL(K/2), RBL(K) ×4, RBL(3). CBL: 3×3 convolution, batch norm, LeakyReLU; RBL: the
    same with a residual layer. Max-pooling on the way in, nearest-neighbour upsampling on the way out. Block 6 has a
    single channel: without the shortcuts all that is known of the noise passes through it.

    linear_end leaves out the LeakyReLU of block 12, which shrinks negative noise to a fifth.
    """

    def __init__(self, build: Build, *, shortcuts: bool = True, linear_end: bool = False) -> None:
        super().__init__()
        width, self.pool_after = build.width, build.pool_after
        self.shortcuts = SHORTCUTS if shortcuts else {}
        into = [COLOURS, width, width, width, width, width // 2, 1]
        out = [1, width // 2, width, width, width, width]
        self.encoder = nn.ModuleList(
            _block(nn.Conv2d(inputs, outputs, 3, padding=1), outputs) for inputs, outputs in pairwise(into)
        )
        self.decoder = nn.ModuleList(_block(Residual(inputs, outputs), outputs) for inputs, outputs in pairwise(out))
        norm = nn.BatchNorm2d(COLOURS)
        nn.init.constant_(norm.weight, build.last_gain)
        end = nn.Identity() if linear_end else nn.LeakyReLU(LEAK)
        self.decoder.append(nn.Sequential(Residual(width, COLOURS), norm, end))

    def forward(self, noisy: Tensor) -> Tensor:
        height, width = noisy.shape[-2:]
        multiple = 2 ** len(self.pool_after)
        right, below = -width % multiple, -height % multiple
        padded = F.pad(noisy, (0, right, 0, below), mode="replicate") if right or below else noisy
        return noisy - self.noise(padded)[..., :height, :width]

    def noise(self, noisy: Tensor) -> Tensor:
        """The predicted noise of an image whose sides the poolings divide."""
        features = noisy  # (N, 3, H, W); each pooling halves H and W
        kept = {}
        for number, block in enumerate(self.encoder, start=1):
            features = kept[number] = block(features)
            if number in self.pool_after:
                features = F.max_pool2d(features, 2)
        for number, block in enumerate(self.decoder, start=len(self.encoder) + 1):
            if BLOCKS - number in self.pool_after:
                features = F.interpolate(features, scale_factor=2.0, mode="nearest")
            features = block(features)
            if number in self.shortcuts:  # added to the block's output: block 8's input has half the channels
                features = features + kept[self.shortcuts[number]]
        return features


class Critic(nn.Module):
    """Discriminator that scores every place of an image (equation 12); no sigmoid.

    CL(K₂), CBL(2K₂), CBL(8K₂), CBL(2K₂), CBR(K₂), CBR(K₂); the first three have stride 2, as in the lineage. Its map
    of scores is (N, K₂, ⌊H/8⌋, ⌊W/8⌋); H, W ≥ 8. CBR ends in a ReLU, so no score is negative; `signed` leaves
    the last ReLU out, as the logarithms of the plain min-max loss need.
    """

    def __init__(self, build: Build, *, signed: bool = False) -> None:
        super().__init__()
        width = build.critic_width
        widths = [COLOURS, width, 2 * width, 8 * width, 2 * width, width, width]
        blocks = []
        for index, (inputs, outputs) in enumerate(pairwise(widths)):
            kernel, stride = (4, 2) if index < 3 else (3, 1)
            norm = nn.BatchNorm2d(outputs) if index > 0 and build.critic_norm == "batch" else nn.Identity()
            activation: nn.Module = nn.LeakyReLU(LEAK) if index < 4 else nn.ReLU()
            if signed and index == len(widths) - 2:
                activation = nn.Identity()
            blocks.append(nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, padding=1), norm, activation))
        self.describe = nn.Sequential(*blocks[:3])
        self.judge = nn.Sequential(*blocks[3:])

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.judge(self.describe(images))
        return scores

    def features(self, images: Tensor) -> Tensor:
        """What the feature loss compares: the widest block's output, (N, 8K₂, ⌊H/8⌋, ⌊W/8⌋)."""
        described: Tensor = self.describe(images)
        return described


class DCGANGenerator(nn.Module):
    """Generator of the DCGAN denoiser (Yan & Wang 2017, after the public code `srez`): it draws the image anew.

    3×3 convolution, residual blocks (batch norm, ReLU, 3×3 convolution, twice), 3×3 and two 1×1 convolutions, tanh.
    Full resolution throughout; neither the input nor its noise is carried past the network.
    """

    def __init__(self, build: Build) -> None:
        super().__init__()
        width = build.dcgan_width
        self.head = nn.Conv2d(COLOURS, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(*(_preactivated(width) for _ in range(2))) for _ in range(build.dcgan_blocks)
        )
        self.tail = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU()
        )
        self.colours = nn.Conv2d(width, COLOURS, 1)

    def forward(self, noisy: Tensor) -> Tensor:
        features = self.head(noisy)  # (N, C, H, W), and so to the end
        for block in self.blocks:
            features = features + block(features)
        return torch.tanh(self.colours(self.tail(features)))


class Adversarial(nn.Module):
    """A generator and its critic, trained against each other; only the generator is kept."""

    def __init__(self, generator: nn.Module, critic: Critic) -> None:
        super().__init__()
        self.generator, self.critic = generator, critic

    def forward(self, noisy: Tensor) -> Tensor:
        estimate: Tensor = self.generator(noisy)
        return estimate


def _block(layer: nn.Module, outputs: int) -> nn.Sequential:
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.LeakyReLU(LEAK))


def _preactivated(width: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))


GENERATORS: dict[str, Callable[[Build], nn.Module]] = {
    "wgan": Generator,
    "minimax": Generator,
    "linear_end": partial(Generator, linear_end=True),
    "no_shortcuts": partial(Generator, shortcuts=False),
    "dcgan": DCGANGenerator,
    "wgan_marine": Generator,
    "wgan_grassland": Generator,
}
"""Variant → its generator. `minimax` differs from `wgan` in its loss, the last two in what they are trained on."""
NETWORKS = ("wgan", "dcgan")
"""Variants whose generators differ in what they cost: all but the DCGAN's have the convolutions of equation (11)."""
PLAIN = ("minimax", "dcgan")
"""Variants of the plain min-max game, whose discriminator needs scores of either sign."""
NARROW = {"width": 4, "dcgan_width": 1}
"""Feature maps of the networks whose receptive fields are measured: the fewest with the same layers. With K = 2 the
first residual layer of the decoder would keep its number of maps, and so have no convolution beside it."""


def generators(settings: Settings) -> dict[str, Callable[[], nn.Module]]:
    """The generator of every variant, as the settings size it."""
    build = _build(settings)
    return {name: partial(generator, build) for name, generator in GENERATORS.items()}


def games(settings: Settings) -> dict[str, Callable[[], Adversarial]]:
    """Generator and discriminator of every variant."""
    build = _build(settings)
    return {name: partial(_game, build, name) for name in GENERATORS}


def networks(settings: Settings) -> dict[str, Callable[[], nn.Module]]:
    """The networks compared with each other and with other papers', as this profile trains them."""
    return {name: generator for name, generator in generators(settings).items() if name in NETWORKS}


def published_networks() -> dict[str, Callable[[], nn.Module]]:
    """The networks at the size of the paper profile: the paper prints no widths."""
    return {name: partial(GENERATORS[name], Build()) for name in NETWORKS}


def narrow_published_networks() -> dict[str, Callable[[], nn.Module]]:
    """The same as narrow as `NARROW`."""
    build = Build(width=NARROW["width"], dcgan_width=NARROW["dcgan_width"])
    return {name: partial(GENERATORS[name], build) for name in NETWORKS}


def _game(build: Build, name: str) -> Adversarial:
    return Adversarial(GENERATORS[name](build), Critic(build, signed=name in PLAIN))


def _build(settings: Settings) -> Build:
    sizes = settings.network.model_dump()
    return Build(**{**sizes, "pool_after": tuple(sizes["pool_after"])})
