"""Who is tested: filters, trivial predictors, networks that come with the suite, one's own denoiser."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from common.benchmark.protocol import Case, validation
from common.denoise.pretrained import load_pretrained, pretrained
from common.denoise.tiles import in_colours
from common.noise.sensor import Gaussian
from common.score.baselines import FILTERS, VST, filters, filters_for
from common.score.complexity import parameters
from common.score.evaluation import TRIVIAL, Denoiser
from common.score.scale import channels_last

FILTER_NAMES = (*FILTERS, VST)
QUICK_FILTERS = ("nlm", "wavelet", "tv", "median")
"""Without BM3D, which takes seconds an image."""


@dataclass(frozen=True)
class Entrant:
    """A denoiser in the table.

    kind: "own", "network" (comes with the suite), "filter" or "trivial". prepare: what it does in a case, or None
    where it does not take part. parameters: trainable ones; None where it has none.
    """

    name: str
    kind: str
    prepare: Callable[[Case], Denoiser | None]
    parameters: int | None = None


def trivial() -> list[Entrant]:
    """The noisy input as it is. Black and mean images score the same everywhere, far below it."""
    return [Entrant("noisy", "trivial", lambda case: TRIVIAL["noisy"])]


def classical(names: Collection[str]) -> list[Entrant]:
    """The filters of these names, in the cases that suit them (`common.score.baselines.filters_for`)."""
    return [Entrant(name, "filter", _filter(name)) for name in names]


def _filter(name: str) -> Callable[[Case], Denoiser | None]:
    return lambda case: _filters_of(case).get(name)


@cache
def _filters_of(case: Case) -> dict[str, Denoiser]:
    corruption = case.make
    if isinstance(corruption, Gaussian):
        return filters(case.level)
    return filters_for(corruption, validation(), case.seed)


def shipped(names: Iterable[str] | None = None) -> list[Entrant]:
    """The networks that come with the suite: all, or those of these names."""
    entrants = []
    for name in pretrained() if names is None else names:
        network, record = load_pretrained(name)
        low, high = record.network.range
        denoise = as_unit_denoiser(InUnitRange(network, low, high))
        colours = record.trained_for.colours
        entrants.append(Entrant(name, "network", _always(_adapted(denoise, colours)), parameters(network)))
    return entrants


def _always(denoiser: Denoiser) -> Callable[[Case], Denoiser]:
    return lambda case: denoiser


def _adapted(denoise: Denoiser, colours: int) -> Denoiser:
    return lambda noisy: in_colours(noisy, denoise, colours)


class InUnitRange(nn.Module):
    """A network of the range [low, high] as one of [0, 1]."""

    def __init__(self, network: nn.Module, low: float, high: float) -> None:
        super().__init__()
        self.network, self.low, self.high = network, low, high

    def forward(self, noisy: Tensor) -> Tensor:
        estimate: Tensor = self.network(noisy * (self.high - self.low) + self.low)
        return (estimate - self.low) / (self.high - self.low)


def as_unit_denoiser(network: nn.Module, sigma: float | None = None) -> Denoiser:
    """A network of the range [0, 1], images (N, C, H, W), as a denoiser: evaluation mode, float32, one at a time.

    sigma: level on the 0–255 scale for a network that is told it, as a tensor (1, 1, 1, 1) on its own scale; None: its
    forward takes the image alone.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with torch.inference_mode(False):
        network = channels_last(network.eval().float().to(device))
    told = () if sigma is None else (torch.full((1, 1, 1, 1), sigma / 255, device=device),)

    def denoise(noisy: np.ndarray) -> np.ndarray:
        unit = torch.from_numpy(np.ascontiguousarray(noisy / np.float32(255), dtype=np.float32))
        with torch.inference_mode():
            estimate = network(unit.permute(2, 0, 1)[None].to(device), *told)
        if not isinstance(estimate, Tensor):
            raise TypeError(f"forward returned {type(estimate).__name__}, not a tensor")
        if estimate.dim() != 4 or len(estimate) != 1:
            raise ValueError(f"forward returned shape {tuple(estimate.shape)}, not (1, C, H, W)")
        return estimate[0].permute(1, 2, 0).float().cpu().numpy() * np.float32(255)

    return denoise
