"""Trained weights, one safetensors file for each seed: models/<paper>/<group>/<variant>/seed<k>.safetensors.

The network of a phase before the last is a variant <name>/<phase>.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from common.errors import UserError
from common.params import Variant
from common.score.results import of_variant
from common.store import load_arrays, save_arrays


@dataclass(frozen=True)
class Parent:
    """Where a network starts from: the trained weights of another variant.

    seed: which of its trainings; None: that of the child's own seed. part: the submodule whose weights are taken over,
    by its name in both networks; empty: all of it.
    """

    variant: str
    seed: int | None = None
    part: str = ""


def first_seed(variants: Mapping[str, Variant], name: str) -> int:
    """The first seed of a variant that another one builds on; UserError where the profile trains none."""
    if not variants[name].seeds:
        raise UserError(f"{name} has no seeds, but another variant builds on it: give it one seed")
    return variants[name].seeds[0]


def inherit(paper: str, parent: Parent | None, own_seed: int, network: nn.Module) -> nn.Module:
    """The network with what it takes over of its parent; UserError where that has not been trained."""
    if parent is None:
        return network
    weights = _tensors(weights_file(paper, parent.variant, own_seed if parent.seed is None else parent.seed))
    prefix = f"{parent.part}." if parent.part else ""
    own = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
    network.get_submodule(parent.part).load_state_dict(own)
    return network


def weights_file(paper: str, name: str, seed: int) -> Path:
    """Where the weights of a variant's seed lie, whatever its group; UserError where there are none, or two."""
    return of_variant(Path("models") / paper, f"{name}/seed{seed}.safetensors")


def save_weights(path: Path, network: nn.Module) -> None:
    """Save a network's weights and buffers."""
    save_arrays(path, {key: value.detach().cpu().numpy() for key, value in network.state_dict().items()})


def load_weights(path: Path, network: nn.Module) -> nn.Module:
    """The network with the weights and buffers of a file; UserError where there is no such file, or of another one."""
    try:
        network.load_state_dict(_tensors(path))
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise UserError(f"{path} holds the weights of another network ({reason}): delete it and run again") from None
    return network


def load_trained(paper: str, name: str, variant: Variant, build: Callable[[], nn.Module]) -> dict[int, nn.Module]:
    """The trained networks of a variant by seed; empty where the profile does not train it."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return {seed: load_weights(weights_file(paper, name, seed), build()).to(device) for seed in variant.seeds}


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    return {key: torch.from_numpy(value) for key, value in load_arrays(path).items()}
