"""The 10-layer autoencoder with Direct Symmetric Connections (DSC), its plain twin, and the classifier of its encoder.

Five convolutions X_i = ReLU(Conv_i(δ_i · X_{i-1})) and five deconvolutions X'_j. Deconv-1 takes X_5, and deconv-(j+1)
takes X'_j + (1 - δ_{5-j}) · X_{5-j}: what the gate δ lets through goes on to the bottleneck, the rest goes across. The
paper prints X_i for the connection, which fits in no size but one. With all gates at 1 nothing goes across, which is
the plain network. Images are on the 0–255 scale, and the last layer has its ReLU too.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from torch import Tensor, nn
from torch.nn import functional as F

from replications.dsc_autoencoder.params import Settings

Layer = TypeVar("Layer", nn.Conv2d, nn.ConvTranspose2d, nn.Linear)

COLOURS = 3
WIDTHS = (64, 64, 128, 256)
"""Feature maps of conv-1 to conv-4; the bottleneck's are a parameter, since the printed 518 may be a slip for 512."""
GATES = (0.1, 0.2, 0.3, 0.4)
PLAIN = (1.0, 1.0, 1.0, 1.0)
REDUCTION = 16
"""Four of the convolutions halve the image: heights and widths are padded to multiples of this."""
CLASSES = 10
DESCRIPTORS = 1024
READOUT_SHARE = 0.01
"""Spread of the last weights as a share of the other layers': else logits start in hundreds, as the images do."""


@dataclass(frozen=True)
class Build:
    """How the layers of all the networks are made.

    width: factor on the published numbers of feature maps. bottleneck: feature maps of conv-5 before that factor.
    kernel: side of all kernels, odd. std: of the truncated normal (cut at two of them) that weights are drawn from;
    None: √(2 / inputs of an output pixel), so that features keep their size. Biases start at 0.
    """

    width: float = 1.0
    bottleneck: int = 518
    kernel: int = 3
    std: float | None = None

    @property
    def widths(self) -> tuple[int, ...]:
        """Feature maps of conv-1 to conv-5."""
        return tuple(max(round(self.width * maps), 1) for maps in (*WIDTHS, self.bottleneck))

    def encoder(self) -> nn.ModuleList:
        """Conv-1 keeps the size, conv-2 to conv-5 halve it: the only places for the strides in the published sizes."""
        inputs = (COLOURS, *self.widths)
        strides = (1, 2, 2, 2, 2)
        return nn.ModuleList(
            self._drawn(nn.Conv2d(inputs[i], self.widths[i], self.kernel, strides[i], self.kernel // 2))
            for i in range(len(strides))
        )

    def decoder(self) -> nn.ModuleList:
        """Deconv-1 to deconv-4 double the size, deconv-5 keeps it."""
        outputs = (*reversed(self.widths[:4]), COLOURS)
        inputs = tuple(reversed(self.widths))
        strides = (2, 2, 2, 2, 1)
        return nn.ModuleList(
            self._drawn(
                nn.ConvTranspose2d(inputs[j], outputs[j], self.kernel, strides[j], self.kernel // 2, strides[j] - 1)
            )
            for j in range(len(strides))
        )

    def linear(self, inputs: int, outputs: int, share: float = 1.0) -> nn.Linear:
        """A fully connected layer; `share` is a factor on the spread of its weights."""
        return self._drawn(nn.Linear(inputs, outputs), share)

    def _drawn(self, layer: Layer, share: float = 1.0) -> Layer:
        weights_per_map = math.prod(layer.weight.shape[2:])
        maps = layer.weight.shape[0 if isinstance(layer, nn.ConvTranspose2d) else 1]
        overlap = math.prod(layer.stride) if isinstance(layer, nn.ConvTranspose2d) else 1
        std = share * (math.sqrt(2 * overlap / (maps * weights_per_map)) if self.std is None else self.std)
        nn.init.trunc_normal_(layer.weight, std=std, a=-2 * std, b=2 * std)
        assert layer.bias is not None
        nn.init.zeros_(layer.bias)
        return layer


class Autoencoder(nn.Module):
    """The denoiser: input and output (N, 3, H, W), 0–255, any H, W ≥ 1 (padded by replication, cropped at the end).

    gates: δ_1 … δ_4, each from 0 (the connection takes all, the next convolution nothing) to 1 (no connection).
    """

    def __init__(self, build: Build, gates: Sequence[float] = GATES) -> None:
        super().__init__()
        self.gates = tuple(gates)
        self.encoder, self.decoder = build.encoder(), build.decoder()

    def forward(self, noisy: Tensor) -> Tensor:
        height, width = noisy.shape[-2:]
        return self.decode(*self.encode(padded(noisy)))[..., :height, :width]

    def encode(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Bottleneck X_5, (N, 518, H/16, W/16), and the connected features X_1 … X_4."""
        *connected, bottleneck = encoded(self.encoder, (*self.gates, 1.0), images)
        return bottleneck, connected

    def decode(self, bottleneck: Tensor, connected: Sequence[Tensor]) -> Tensor:
        """The image, (N, 3, H, W), from what `encode` returns."""
        first, *others = self.decoder
        features: Tensor = F.relu(first(bottleneck))  # X'_1, the size of X_4
        for deconvolution, gate, across in zip(others, reversed(self.gates), reversed(connected), strict=True):
            features = F.relu(deconvolution(features + (1 - gate) * across))
        return features


class Classifier(nn.Module):
    """Conv-1 to conv-5, a fully connected layer of 1024 with dropout, and a readout over ten classes (Table 2).

    Input (N, 3, 64, 64), 0–255; output (N, 10) logits, whose softmax is in the cross-entropy.
    gates: of the autoencoder whose encoder it starts from, so that its weights see what they were trained on.
    """

    def __init__(self, build: Build, gates: Sequence[float] = PLAIN, size: int = 64, dropout: float = 0.5) -> None:
        super().__init__()
        self.gates, self.dropout = tuple(gates), dropout
        self.encoder = build.encoder()
        self.descriptor = build.linear(build.widths[-1] * (size // REDUCTION) ** 2, DESCRIPTORS)
        self.readout = build.linear(DESCRIPTORS, CLASSES, READOUT_SHARE)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.readout(F.dropout(self.describe(images), self.dropout, self.training))
        return logits

    def describe(self, images: Tensor) -> Tensor:
        """The 1024 features of the perceptual loss, (N, 1024), before the dropout."""
        features = encoded(self.encoder, (*self.gates, 1.0), images)[-1]
        return F.relu(self.descriptor(features.flatten(1)))


def encoded(encoder: nn.ModuleList, gates: Sequence[float], images: Tensor) -> list[Tensor]:
    """X_1 … X_5 of images (N, 3, H, W) whose sides are multiples of 16."""
    features = []
    for convolution, gate in zip(encoder, gates, strict=True):
        images = F.relu(convolution(gate * images))
        features.append(images)
    return features


def padded(images: Tensor) -> Tensor:
    """The images with their right and lower borders repeated up to multiples of 16."""
    height, width = images.shape[-2:]
    return F.pad(images, (0, -width % REDUCTION, 0, -height % REDUCTION), mode="replicate")


def variants(settings: Settings) -> dict[str, Callable[[], nn.Module]]:
    """Every network this paper trains, untrained, by the name of its variant and as the settings size it."""
    own = settings.network
    build = Build(own.width, own.bottleneck, own.kernel, own.std)
    classifier = partial(Classifier, build, dropout=own.dropout)
    return {
        "dsc": partial(Autoencoder, build, own.gates),
        "plain": partial(Autoencoder, build, PLAIN),
        "plain_dsc_rate": partial(Autoencoder, build, PLAIN),
        "perceptual": partial(Autoencoder, build, PLAIN),
        "classifier": classifier,
        "classifier_dsc": partial(classifier, gates=own.gates),
    }


def networks(settings: Settings) -> dict[str, Callable[[], nn.Module]]:
    """The two denoisers, compared with each other and with other papers', as this profile sizes them."""
    return {name: variants(settings)[name] for name in ("dsc", "plain")}


def published_networks() -> dict[str, Callable[[], nn.Module]]:
    """The denoisers at the paper's size."""
    return {"dsc": partial(Autoencoder, Build()), "plain": partial(Autoencoder, Build(), PLAIN)}
