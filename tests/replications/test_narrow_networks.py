"""The narrow networks on which receptive fields are measured, of every paper that has them."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import pytest
import torch
from torch import nn

from common import params
from common.score.complexity import PaperModels, parameters

MODELS = {paper: PaperModels.of(import_module(f"replications.{paper}.models")) for paper in params.papers()}
Builders = Mapping[str, Callable[[], nn.Module]]


def layers(network: nn.Module) -> list[tuple[Any, ...]]:
    """Every module by its type and whatever a receptive field depends on."""
    names = ("kernel_size", "stride", "dilation")
    return [
        (type(module), *(getattr(module, name, None) for name in names), getattr(module, "groups", 1) > 1)
        for module in network.modules()
    ]


def assert_the_same_but_narrower(narrow: Builders, wide: Builders) -> None:
    for name, build in wide.items():
        with torch.device("meta"):  # nothing is computed
            ours, theirs = narrow[name](), build()
        assert layers(ours) == layers(theirs), name
        assert parameters(ours) < parameters(theirs), name


@pytest.mark.parametrize("paper", [paper for paper, models in MODELS.items() if models.NARROW])
def test_the_narrow_networks_have_the_layers_of_the_others(paper: str) -> None:
    models = MODELS[paper]
    settings = params.load(paper, "paper")
    assert_the_same_but_narrower(models.narrow_networks(settings), models.networks(settings))
    if models.published_networks():
        assert_the_same_but_narrower(models.narrow_published_networks(), models.published_networks())
