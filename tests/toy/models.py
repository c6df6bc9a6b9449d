"""Plain networks of two depths. Input and output (N, 3, H, W), range [-1, 1]."""

from collections.abc import Callable
from functools import partial

from replications.toy.params import Settings
from torch import nn


def convolutions(depth: int) -> nn.Module:
    """conv, then `depth` × (ReLU·conv), of 8 feature maps."""
    inner = [layer for _ in range(depth) for layer in (nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1))]
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), *inner, nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1))


def networks(settings: Settings) -> dict[str, Callable[[], nn.Module]]:
    """The networks by name, as the settings size them."""
    return {"shallow": partial(convolutions, 0), "deep": partial(convolutions, 2)}
