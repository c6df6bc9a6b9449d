"""Residual networks of two depths. Input and output (N, 3, H, W), range [-1, 1]."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from replications.toy.params import Settings
from torch import Tensor, nn


class Residual(nn.Module):
    """x + 0.1 · f(x), f = conv·ReLU, `depth` × (conv·ReLU), conv."""

    def __init__(self, depth: int, width: int) -> None:
        super().__init__()
        sizes = [3, *[width] * (depth + 1)]
        layers = [layer for a, b in pairwise(sizes) for layer in (nn.Conv2d(a, b, 3, padding=1), nn.ReLU())]
        self.body = nn.Sequential(*layers, nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, noisy: Tensor) -> Tensor:
        return noisy + 0.1 * self.body(noisy)


def networks(settings: Settings) -> dict[str, Callable[[], nn.Module]]:
    """The networks by variant, as the settings size them."""
    return {name: partial(Residual, depth, settings.network.width) for name, depth in (("shallow", 0), ("deep", 2))}
