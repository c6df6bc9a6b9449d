"""EDCNN: a U-Net of 23 convolutions with batch norm and Tanh, and five ways up inside it.

Two input convolutions, four encoder blocks of two, four decoder blocks of three, one output convolution. Input and
output (N, 3, H, W), range [-1, 1], any H, W ≥ 1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from replications.edcnn.params import Settings

COLOURS = 3
LEVELS = 4
"""Encoder blocks, and decoder blocks: each side is halved so often."""
MULTIPLE = 2**LEVELS
"""Sides are padded to a multiple of this."""

Upsampling = Literal["bilinear", "reshape", "pixel_shuffle", "unpooling", "transposed"]


@dataclass(frozen=True)
class Build:
    """How an EDCNN is made.

    width: feature maps C at full resolution.
    widths: `doubling` has C, 2C, … 16C maps from the top to the bottom and a 1×1 convolution after each upsampling, the
    reading that comes near the published 28,985,088 parameters. `constant` has C maps and 3×3 kernels everywhere, as
    the text says, and adds the skips, since joining them would double the maps.
    upsampling: how a decoder block doubles the resolution.
    skips: join each encoder level to its decoder level.
    residual: the output is added to the input, x + residual_scale · f(x); without, f(x) is the output.
    enhancement: an enhancement unit at the bottom; C must be a multiple of 4.
    """

    width: int = 64
    widths: Literal["doubling", "constant"] = "doubling"
    upsampling: Upsampling = "bilinear"
    skips: bool = True
    residual: bool = True
    residual_scale: float = 1.0
    enhancement: bool = False

    def maps(self, level: int) -> int:
        """Feature maps at a level, 0 at full resolution to 4 at the bottom."""
        return self.width * 2**level if self.widths == "doubling" else self.width


def layer(inputs: int, outputs: int, kernel: int = 3) -> nn.Sequential:
    """conv·BN·Tanh; the size stays."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.BatchNorm2d(outputs), nn.Tanh())


class EDCNN(nn.Module):
    """The network: x + scale · f(x), or f(x) alone.

    Tanh follows every convolution but the last: an erased pixel may need a residual of 2, which Tanh cannot give.
    """

    def __init__(self, build: Build) -> None:
        super().__init__()
        self.residual, self.scale = build.residual, build.residual_scale
        top, bottom = build.maps(0), build.maps(LEVELS)
        self.head = nn.Sequential(layer(COLOURS, top), layer(top, top))
        self.encoder = nn.ModuleList(
            nn.Sequential(
                layer(build.maps(level), build.maps(level + 1)), layer(build.maps(level + 1), build.maps(level + 1))
            )
            for level in range(LEVELS)
        )
        self.bottleneck = EnhancementUnit(bottom) if build.enhancement else nn.Identity()
        self.decoder = nn.ModuleList(DecoderBlock(build, level) for level in reversed(range(LEVELS)))
        self.tail = nn.Conv2d(top, COLOURS, 3, padding=1)

    def forward(self, degraded: Tensor) -> Tensor:
        height, width = degraded.shape[-2:]
        padded = F.pad(degraded, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")
        prediction = self.predict(padded)[..., :height, :width]
        return degraded + self.scale * prediction if self.residual else prediction

    def predict(self, degraded: Tensor) -> Tensor:
        """f(x); H and W are multiples of 16."""
        features = self.head(degraded)  # (N, C, H, W)
        levels = []  # (skip, where the maxima of its pooling stood), outermost first
        for block in self.encoder:
            pooled, positions = F.max_pool2d(features, 2, return_indices=True)
            levels.append((features, positions))
            features = block(pooled)  # (N, 2C, H/2, W/2), (N, 4C, H/4, W/4), …
        features = self.bottleneck(features)
        for block, (skip, positions) in zip(self.decoder, reversed(levels), strict=True):
            features = block(features, skip, positions)
        prediction: Tensor = self.tail(features)
        return prediction


class DecoderBlock(nn.Module):
    """Twice the resolution and the maps of the level above: upsampling, a convolution, the skip, two convolutions.

    The first convolution takes what the upsampling leaves: all 2C maps of the level below, or a quarter of them where
    maps are traded for pixels (reshape, pixel shuffle). A transposed 2×2 convolution stands in its place.
    """

    def __init__(self, build: Build, level: int) -> None:
        super().__init__()
        inputs, outputs = build.maps(level + 1), build.maps(level)
        self.upsampling, self.skips, self.concatenates = build.upsampling, build.skips, build.widths == "doubling"
        if build.upsampling == "transposed":
            up = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
            self.first = nn.Sequential(up, nn.BatchNorm2d(outputs), nn.Tanh())
        else:
            left = inputs // 4 if build.upsampling in ("reshape", "pixel_shuffle") else inputs
            self.first = layer(left, outputs, 1 if self.concatenates else 3)
        joined = 2 * outputs if self.skips and self.concatenates else outputs
        self.rest = nn.Sequential(layer(joined, outputs), layer(outputs, outputs))

    def forward(self, features: Tensor, skip: Tensor, positions: Tensor) -> Tensor:
        if self.upsampling != "transposed":
            features = upsample(features, self.upsampling, positions)
        features = self.first(features)  # (N, C, 2H, 2W)
        if self.skips:
            features = torch.cat((skip, features), 1) if self.concatenates else skip + features
        restored: Tensor = self.rest(features)
        return restored


def upsample(features: Tensor, how: Upsampling, positions: Tensor) -> Tensor:
    """Double the resolution of features (N, C, H, W) without weights.

    `bilinear` and `unpooling` keep the C maps, `reshape` and `pixel_shuffle` leave C/4. `reshape` reads the values in
    the order N, C, H, W as (N, C/4, 2H, 2W): four maps come to lie below each other, each with two rows in one.
    positions: where the maxima of the pooling on the way in stood, (N, C, H, W) or, since the level above has half the
    maps, (N, C/2, H, W); each half of the maps then goes to the same positions.
    """
    if how == "bilinear":
        return F.interpolate(features, scale_factor=2, mode="bilinear")
    if how == "pixel_shuffle":
        return F.pixel_shuffle(features, 2)
    batch, maps, height, width = features.shape
    if how == "unpooling":
        places = positions.repeat(1, maps // positions.shape[1], 1, 1)
        return F.max_unpool2d(features, places, (2, 2), output_size=[2 * height, 2 * width])
    return features.reshape(batch, maps // 4, 2 * height, 2 * width)


class EnhancementUnit(nn.Module):
    """Equations (5) to (10): two runs of three 3×3 convolutions; a part of the features passes by the second.

    P₁ = C_a(I) has D₃ maps. The first D₃/s of them join the input, R = C(S(P₁, 1/s), I); the others go on,
    P₂ = C_b(S(P₁, 1 - 1/s)); the output is P₂ + R. This is the unit of IDN (Z. Hui, X. Wang, X. Gao, CVPR 2018), from
    which come the numbers that the paper leaves out: s = 4, d = C/4, D₁…₆ = C - d, C - 2d, C, C, C - d, C + d, and the
    1×1 convolution that brings the C + d maps of the output back to C.
    """

    def __init__(self, maps: int) -> None:
        super().__init__()
        step = maps // 4
        self.short = nn.Sequential(layer(maps, maps - step), layer(maps - step, 2 * step), layer(2 * step, maps))
        self.long = nn.Sequential(layer(maps - step, maps), layer(maps, maps - step), layer(maps - step, maps + step))
        self.compress = layer(maps + step, maps, 1)
        self.parts = [step, maps - step]

    def forward(self, features: Tensor) -> Tensor:
        kept, onward = self.short(features).split(self.parts, dim=1)
        enhanced: Tensor = self.compress(self.long(onward) + torch.cat((kept, features), 1))
        return enhanced


ARCHITECTURES: dict[str, Mapping[str, Any]] = {
    "bilinear": {},
    "reshape": {"upsampling": "reshape"},
    "pixel_shuffle": {"upsampling": "pixel_shuffle"},
    "unpooling": {"upsampling": "unpooling"},
    "transposed": {"upsampling": "transposed"},
    "no_skip": {"skips": False, "residual": False},
    "no_inner_skip": {"skips": False},
    "enhanced": {"enhancement": True},
}
"""What each network changes of `Build`. `no_skip` has no connection around anything, not even from input to output."""
UPSAMPLINGS = ("bilinear", "reshape", "pixel_shuffle", "unpooling", "transposed")
READINGS: dict[str, Build] = {"doubling": Build(), "constant": Build(widths="constant")}
"""The two readings of the published size: 64 to 1024 maps, or 64 in every layer."""
NARROW = {"width": 4}
"""Feature maps of the networks whose receptive fields are measured: the fewest of which pixel shuffle can leave a
quarter."""


def build_of(architecture: str, settings: Settings) -> Build:
    """How the settings size a network of `ARCHITECTURES`."""
    return replace(Build(**settings.network.model_dump()), **ARCHITECTURES[architecture])


def networks(settings: Settings) -> dict[str, Callable[[], nn.Module]]:
    """The networks compared with each other and with other papers', as this profile trains them."""
    return {name: partial(EDCNN, build_of(name, settings)) for name in (*UPSAMPLINGS, "no_skip")}


def published_networks() -> dict[str, Callable[[], nn.Module]]:
    """None: with 29 million parameters, costs beyond the counts of architecture.json take minutes to measure."""
    return {}
