"""Plain networks of two depths. Input and output (N, 3, H, W), range [-1, 1]."""

from collections.abc import Callable
from functools import partial

from replications.toy.params import Settings
from torch import nn

DEPTHS = {"shallow": 0, "deep": 2}


def convolutions(depth: int, width: int) -> nn.Module:
    """conv, then `depth` × (ReLU·conv), then ReLU·conv."""
    inner = [layer for _ in range(depth) for layer in (nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))]
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), *inner, nn.ReLU(), nn.Conv2d(width, 3, 3, padding=1))


def networks(settings: Settings) -> dict[str, Callable[[], nn.Module]]:
    """The networks by name, as the settings size them."""
    return {name: partial(convolutions, depth, settings.network.width) for name, depth in DEPTHS.items()}
