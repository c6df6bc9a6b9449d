"""DnCNN, UDnCNN and DUDnCNN: one list of 3×3 convolutions, seen at three receptive fields.

All three are residual denoisers, x + scale · f(x), of the same D + 2 convolutions (225,859 parameters at D = 6,
C = 64). DnCNN is plain; UDnCNN pools on the way in and unpools on the way out; DUDnCNN keeps the full resolution and
dilates instead. Input and output (N, 3, H, W), range [-1, 1], any H, W ≥ 1.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from replications.udncnn.params import Settings

COLOURS = 3


@dataclass(frozen=True)
class Build:
    """How the convolutions of any of the three are made.

    depth: D, the middle layers between the first and the last convolution.
    width: C, the feature maps.
    initialisation: `he` draws the weights of all convolutions but the last from N(0, 2 / fan_in); `default` is torch's.
    batch_norm: `lineage` has eps = C and γ = 1.25·√C, as the public course code sets them; `standard` is torch's.
    residual_scale: factor on f(x); below 1 the network starts near the identity and takes a higher learning rate.
    """

    depth: int = 6
    width: int = 64
    initialisation: Literal["he", "default"] = "he"
    batch_norm: Literal["lineage", "standard"] = "lineage"
    residual_scale: float = 1.0

    @property
    def levels(self) -> int:
        """Levels of the U (and of dilation): D/2 - 1, which leaves two middle layers at the bottom of an even D."""
        return max(self.depth // 2 - 1, 0)

    def head(self) -> nn.Conv2d:
        """The first convolution, colours → features."""
        return self._convolution(COLOURS, self.width)

    def middle(self, dilation: int = 1) -> nn.Sequential:
        """conv·BN·ReLU, features → features."""
        return nn.Sequential(self._convolution(self.width, self.width, dilation), self._norm(), nn.ReLU())

    def tail(self) -> nn.Conv2d:
        """The last convolution, features → colours; it keeps torch's initialisation, as in the lineage."""
        return nn.Conv2d(self.width, COLOURS, 3, padding=1)

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


NETWORKS: dict[str, Callable[[Build], nn.Module]] = {
    "dncnn": DnCNN,
    "udncnn": UDnCNN,
    "udncnn_code": partial(UDnCNN, order="code"),
    "dudncnn": DUDnCNN,
}
DEPTHS = (1, 2, 4, 8)
"""Depths of Fig. 4 that are trained beside Table 1's D: variants `dncnn_d1`, …"""


def variants(settings: Settings) -> dict[str, Callable[[], nn.Module]]:
    """Every network this paper trains, by the name of its variant, as the settings size it."""
    build = Build(**settings.network.model_dump())
    builders: dict[str, Callable[[], nn.Module]] = {name: partial(network, build) for name, network in NETWORKS.items()}
    return builders | {f"dncnn_d{depth}": partial(DnCNN, replace(build, depth=depth)) for depth in DEPTHS}


def networks(settings: Settings) -> dict[str, Callable[[], nn.Module]]:
    """The networks compared with each other and with other papers', as this profile trains them."""
    return {name: builder for name, builder in variants(settings).items() if name in NETWORKS}


def published_networks() -> dict[str, Callable[[], nn.Module]]:
    """The networks at the paper's size, D = 6 and C = 64."""
    return {name: partial(network, Build()) for name, network in NETWORKS.items()}
