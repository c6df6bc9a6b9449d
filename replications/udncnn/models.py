"""The networks of the paper's two sources. Input and output (N, colours, H, W), range [-1, 1], any H, W ≥ 1.

DnCNN, UDnCNN and DUDnCNN are residual denoisers, x + scale · f(x), of the same D + 2 convolutions (225,859 parameters
at D = 6, C = 64), seen at three receptive fields. DnCNN is plain; UDnCNN pools on the way in and unpools on the way
out; DUDnCNN keeps the full resolution and dilates instead. DnCNN-S is a deep, wide DnCNN.

DN-ResNet is a small network that grows: ResBlocks before its last convolution, each of which may be made of
depthwise-separable convolutions instead of plain ones.
"""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from replications.udncnn.params import Settings

NEW_STD = 0.001
"""Standard deviation of the weights of a new ResBlock, which so begins close to the identity (the paper's value)."""


@dataclass(frozen=True)
class Build:
    """How the convolutions of any of the three are made.

    depth: D, the middle layers between the first and the last convolution.
    width: C, the feature maps.
    initialisation: `he` draws the weights of all convolutions but the last from N(0, 2 / fan_in); `default` is torch's.
    batch_norm: `lineage` has eps = C and γ = 1.25·√C, as the public course code sets them; `standard` is torch's.
    residual_scale: factor on f(x); below 1 the network starts near the identity and takes a higher learning rate.
    colours: channels of the image.
    """

    depth: int = 6
    width: int = 64
    initialisation: Literal["he", "default"] = "he"
    batch_norm: Literal["lineage", "standard"] = "lineage"
    residual_scale: float = 1.0
    colours: int = 3

    @property
    def levels(self) -> int:
        """Levels of the U (and of dilation): D/2 - 1, which leaves two middle layers at the bottom of an even D."""
        return max(self.depth // 2 - 1, 0)

    def head(self) -> nn.Conv2d:
        """The first convolution, colours → features."""
        return self._convolution(self.colours, self.width)

    def middle(self, dilation: int = 1) -> nn.Sequential:
        """conv·BN·ReLU, features → features."""
        return nn.Sequential(self._convolution(self.width, self.width, dilation), self._norm(), nn.ReLU())

    def tail(self) -> nn.Conv2d:
        """The last convolution, features → colours; it keeps torch's initialisation, as in the lineage."""
        return nn.Conv2d(self.width, self.colours, 3, padding=1)

    def _convolution(self, inputs: int, outputs: int, dilation: int = 1) -> nn.Conv2d:
        convolution = nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation)
        if self.initialisation == "he":
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        return convolution

    def _norm(self) -> nn.BatchNorm2d:
        if self.batch_norm == "standard":
            return nn.BatchNorm2d(self.width)
        norm = nn.BatchNorm2d(self.width, eps=self.width)
        nn.init.constant_(norm.weight, 1.25 * math.sqrt(self.width))
        return norm


class DnCNN(nn.Module):
    """Residual denoiser of plain 3×3 convolutions (Zhang et al. 2017; the course lineage's D middle layers).

    x + scale · f(x), f = conv·ReLU, D × (conv·BN·ReLU), conv. Receptive field 2(D + 2) + 1.
    """

    def __init__(self, build: Build) -> None:
        super().__init__()
        self.scale = build.residual_scale
        self.head = build.head()
        self.middle = nn.Sequential(*(build.middle() for _ in range(build.depth)))
        self.tail = build.tail()

    def residual(self, noisy: Tensor) -> Tensor:
        """f(x), which the network adds to its input."""
        features: Tensor = self.tail(self.middle(F.relu(self.head(noisy))))
        return features

    def forward(self, noisy: Tensor) -> Tensor:
        return noisy + self.scale * self.residual(noisy)


class UDnCNN(nn.Module):
    """DnCNN as a U: 2×2 max-poolings with indices, max-unpoolings, skips (h + skip)/√2.

    The lineage's figure and its code disagree on the way out, so `order` is a parameter. `figure` unpools, then
    convolves, and adds a last skip from the first convolution (10.26 GMAC at 320² for D = 6, C = 64). `code`
    convolves, then unpools, and has no skip at full resolution: its last convolution sees one pixel in four (6.72).
    """

    def __init__(self, build: Build, order: Literal["figure", "code"] = "figure") -> None:
        super().__init__()
        self.scale, self.order = build.residual_scale, order
        self.head = build.head()
        self.encoder = nn.ModuleList(build.middle() for _ in range(build.levels))
        self.bottleneck = nn.Sequential(*(build.middle() for _ in range(build.depth - 2 * build.levels)))
        self.decoder = nn.ModuleList(build.middle() for _ in range(build.levels))
        self.tail = build.tail()

    def forward(self, noisy: Tensor) -> Tensor:
        height, width = noisy.shape[-2:]
        least = 2 ** len(self.encoder)  # a smaller image would be pooled away
        padded = F.pad(noisy, (0, max(least - width, 0), 0, max(least - height, 0)), mode="replicate")
        return noisy + self.scale * self.residual(padded)[..., :height, :width]

    def residual(self, noisy: Tensor) -> Tensor:
        """f(x), which the network adds to its input; H, W ≥ 2^levels."""
        first = features = F.relu(self.head(noisy))  # (N, C, H, W)
        pooled = []  # (skip, where its maxima stood, size before pooling), outermost first
        for layer in self.encoder:
            full = layer(features)
            features, indices = F.max_pool2d(full, 2, return_indices=True)  # H → ⌊H/2⌋
            pooled.append((features, indices, full.shape[-2:]))
        features = self.bottleneck(features)
        for layer, (skip, indices, size) in zip(self.decoder, reversed(pooled), strict=True):
            features = _join(features, skip)
            if self.order == "code":
                features = layer(features)
            features = F.max_unpool2d(features, indices, (2, 2), output_size=list(size))
            if self.order == "figure":
                features = layer(features)
        if self.order == "figure":
            features = _join(features, first)
        residual: Tensor = self.tail(features)
        return residual


class DUDnCNN(nn.Module):
    """UDnCNN's skips at full resolution: dilated convolutions in place of pooling.

    Dilations 1, 1, 2, 4, 4, 2, 1, 1 for D = 6, so a receptive field of 33. The convolutions see what UDnCNN's see, and
    nothing is thrown away; the price is DnCNN's MACs.
    """

    def __init__(self, build: Build) -> None:
        super().__init__()
        self.scale = build.residual_scale
        self.head = build.head()
        dilations = [2**level for level in range(build.levels)]
        bottom = [build.middle(2**build.levels) for _ in range(build.depth - 2 * build.levels)]
        self.encoder = nn.ModuleList(build.middle(dilation) for dilation in dilations)
        self.bottleneck = nn.Sequential(*bottom)
        self.decoder = nn.ModuleList(build.middle(dilation) for dilation in reversed(dilations))
        self.tail = build.tail()

    def forward(self, noisy: Tensor) -> Tensor:
        features = F.relu(self.head(noisy))  # (N, C, H, W), and so to the end
        skips = []
        for layer in self.encoder:
            features = layer(features)
            skips.append(features)
        features = self.bottleneck(features)
        for layer, skip in zip(self.decoder, reversed(skips), strict=True):
            features = layer(_join(features, skip))
        return noisy + self.scale * self.tail(features)


def _join(features: Tensor, skip: Tensor) -> Tensor:
    """The lineage's skip connection; √2 keeps the variance of two independent terms."""
    return (features + skip) / math.sqrt(2)


@dataclass(frozen=True)
class DNBuild:
    """How a DN-ResNet is made.

    layers: its convolutions, 3 and two for each ResBlock (a separable convolution counts as one).
    maps: feature maps of the ResBlocks.
    stem: the three convolutions that are not in ResBlocks, by their kernels; the paper gives the last one's alone.
        "9-5-5" has 9×9 to twice the maps, 5×5, and 5×5 at the end, as SRCNN; "5-5-5" has 5×5 throughout.
    colours: channels of the image; the paper's are grey.
    residual_scale: None, and the network gives the image, as in the paper; a number, and it gives x + number · f(x),
        f = 0 at first: the last convolution's weights are zero.
    separable: whether its ResBlocks are depthwise-separable.
    """

    layers: int = 13
    maps: int = 32
    stem: Literal["9-5-5", "5-5-5"] = "9-5-5"
    colours: int = 1
    residual_scale: float | None = None
    separable: bool = False


class ResBlock(nn.Module):
    """x + conv(ReLU(conv(x))), 3×3, without batch norm and without a ReLU after the sum; (N, maps, H, W)."""

    def __init__(self, maps: int, separable: bool = False) -> None:
        super().__init__()
        self.maps = maps
        convolution = separable_convolution if separable else new_convolution
        self.first, self.second = convolution(maps), convolution(maps)

    def forward(self, features: Tensor) -> Tensor:
        change: Tensor = self.second(F.relu(self.first(features)))
        return features + change


def new_convolution(maps: int, kernel: int = 3) -> nn.Conv2d:
    """maps → maps, weights N(0, 0.001²), no bias at first."""
    convolution = nn.Conv2d(maps, maps, kernel, padding=kernel // 2)
    nn.init.normal_(convolution.weight, std=NEW_STD)
    nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
    return convolution


def separable_convolution(maps: int) -> nn.Sequential:
    """A 3×3 convolution of each map by itself, then a 1×1 convolution over maps, with nothing between.

    M·K²·W·H + M·N·W·H multiply-accumulates in place of M·K²·N·W·H. The depthwise weights are He's: with both small, the
    gradient of either would drown in Adam's ε.
    """
    depthwise = nn.Conv2d(maps, maps, 3, padding=1, groups=maps)
    nn.init.kaiming_normal_(depthwise.weight, nonlinearity="relu")
    nn.init.zeros_(depthwise.bias)  # type: ignore[arg-type]
    return nn.Sequential(depthwise, new_convolution(maps, kernel=1))


class DNResNet(nn.Module):
    """Ren, El-Khamy and Lee's cascaded residual denoiser (ACCV 2018): stem, ResBlocks, 5×5 convolution.

    13 layers of 32 maps with the stem 9-5-5 have 149,761 parameters. The stem's convolutions are He's; where the
    network gives the image, the last one's weights are torch's own. Receptive field 4 · ResBlocks + 17, or + 13 with
    the stem 5-5-5.
    """

    def __init__(self, build: DNBuild) -> None:
        super().__init__()
        self.scale = build.residual_scale
        kernel, head = (9, 2 * build.maps) if build.stem == "9-5-5" else (5, build.maps)
        first = nn.Conv2d(build.colours, head, kernel, padding=kernel // 2)
        second = nn.Conv2d(head, build.maps, 5, padding=2)
        for convolution in (first, second):
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        self.stem = nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
        self.blocks = nn.Sequential(*(ResBlock(build.maps, build.separable) for _ in range(blocks_of(build.layers))))
        self.tail = nn.Conv2d(build.maps, build.colours, 5, padding=2)
        if build.residual_scale is not None:
            for weight in self.tail.parameters():
                nn.init.zeros_(weight)

    def forward(self, noisy: Tensor) -> Tensor:
        features: Tensor = self.tail(self.blocks(self.stem(noisy)))  # (N, maps, H, W) up to the tail
        return features if self.scale is None else noisy + self.scale * features


def grow(network: nn.Module, layers: int) -> nn.Module:
    """The cascade: new ResBlocks before a DN-ResNet's last convolution, up to so many layers; the rest is kept."""
    assert isinstance(network, DNResNet)
    maps = network.tail.in_channels
    network.blocks.extend(ResBlock(maps) for _ in range(blocks_of(layers) - len(network.blocks)))
    return network


def separate(network: nn.Module, blocks: Collection[int]) -> nn.Module:
    """The evolution: new depthwise-separable ResBlocks in place of these of a DN-ResNet; the rest is kept."""
    assert isinstance(network, DNResNet)
    for index in blocks:
        network.blocks[index] = ResBlock(network.tail.in_channels, separable=True)
    return network


def blocks_of(layers: int) -> int:
    """ResBlocks of a DN-ResNet of so many convolutions."""
    return (layers - 3) // 2


NETWORKS: dict[str, Callable[[Build], nn.Module]] = {
    "dncnn": DnCNN,
    "udncnn": UDnCNN,
    "udncnn_code": partial(UDnCNN, order="code"),
    "dudncnn": DUDnCNN,
}


def table1_network(name: str, **build: Any) -> nn.Module:
    """A network of Table 1 by its name in `NETWORKS`, made as the fields of `Build` say."""
    return NETWORKS[name](Build(**build))


def dn_resnet(**build: Any) -> nn.Module:
    """A DN-ResNet made as the fields of `DNBuild` say."""
    return DNResNet(DNBuild(**build))


DEPTHS = (1, 2, 4, 8)
"""Depths of Fig. 4 that are trained beside Table 1's D: variants `dncnn_d1`, …"""
NARROW: dict[str, Any] = {"width": 1, "dn_resnet": {"maps": 2}, "dncnn_s": {"width": 1}}
"""Feature maps of the networks whose receptive fields are measured: the fewest with the same layers. A depthwise
convolution of a single map would be a plain one."""


def variants(settings: Settings) -> dict[str, Callable[[], nn.Module]]:
    """DnCNN and its relatives, Fig. 4's depths included, by the names of their variants, as the settings size them."""
    build = Build(**settings.network.model_dump(exclude={"dn_resnet", "dncnn_s"}))
    builders: dict[str, Callable[[], nn.Module]] = {name: partial(network, build) for name, network in NETWORKS.items()}
    return builders | {f"dncnn_d{depth}": partial(DnCNN, replace(build, depth=depth)) for depth in DEPTHS}


def dn_build(settings: Settings) -> DNBuild:
    """The DN-ResNet at the end of the cascade, as the settings size it."""
    own = settings.network.dn_resnet
    return DNBuild(own.cascade[-1], own.maps, own.stem, own.colours, own.residual_scale)


def dncnn_s(settings: Settings) -> nn.Module:
    """The deep DnCNN that DN-ResNet is compared with, for images of the same colours."""
    own = settings.network.dncnn_s
    scale, colours = settings.network.residual_scale, settings.network.dn_resnet.colours
    return DnCNN(Build(own.layers - 2, own.width, "he", "standard", scale, colours))


def networks(settings: Settings) -> dict[str, Callable[[], nn.Module]]:
    """The networks compared with each other and with other papers', as this profile trains them."""
    build = dn_build(settings)
    return {name: builder for name, builder in variants(settings).items() if name in NETWORKS} | {
        "dn_resnet": partial(DNResNet, build),
        "ds_dn_resnet": partial(DNResNet, replace(build, separable=True)),
        "dn_resnet_colour": partial(DNResNet, replace(build, colours=3)),
        "ds_dn_resnet_colour": partial(DNResNet, replace(build, colours=3, separable=True)),
        "dncnn_s": partial(dncnn_s, settings),
    }


def published_networks() -> dict[str, Callable[[], nn.Module]]:
    """The networks at the paper's size, D = 6 and C = 64, and the convolutions of its cost formula, 32 → 32 maps."""
    return _networks(width=64, maps=32)


def narrow_published_networks() -> dict[str, Callable[[], nn.Module]]:
    """The same as narrow as `NARROW`."""
    return _networks(NARROW["width"], NARROW["dn_resnet"]["maps"])


def _networks(width: int, maps: int) -> dict[str, Callable[[], nn.Module]]:
    deep = Build(18, width, batch_norm="standard", colours=1)
    return {name: partial(network, Build(width=width)) for name, network in NETWORKS.items()} | {
        "dncnn_s": partial(DnCNN, deep),
        "dn_resnet_13": partial(DNResNet, DNBuild(13, maps)),
        "ds_dn_resnet_13": partial(DNResNet, DNBuild(13, maps, separable=True)),
        "dn_resnet_13_555": partial(DNResNet, DNBuild(13, maps, "5-5-5")),
        "ds_dn_resnet_13_555": partial(DNResNet, DNBuild(13, maps, "5-5-5", separable=True)),
        "dn_resnet_19": partial(DNResNet, DNBuild(19, maps)),
        "convolution": partial(new_convolution, maps),
        "separable_convolution": partial(separable_convolution, maps),
    }


def timed_at_published_size() -> dict[str, Callable[[], nn.Module]]:
    """Those whose latency is published."""
    timed = ("dncnn_s", "dn_resnet_13", "ds_dn_resnet_13")
    return {name: builder for name, builder in published_networks().items() if name in timed}
