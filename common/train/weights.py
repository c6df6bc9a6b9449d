"""Trained weights: one safetensors file for each variant and seed."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from common.params import Variant
from common.store import load_arrays, save_arrays


def weights_file(paper: str, name: str, seed: int) -> Path:
    """Where the weights of a variant's seed lie."""
    return Path("models") / paper / name / f"seed{seed}.safetensors"


def save_weights(path: Path, network: nn.Module) -> None:
    """Save a network's weights and buffers."""
    save_arrays(path, {key: value.detach().cpu().numpy() for key, value in network.state_dict().items()})


def load_weights(path: Path, network: nn.Module) -> nn.Module:
    """The network with the weights and buffers of a file; UserError where there is no such file."""
    network.load_state_dict({key: torch.from_numpy(value) for key, value in load_arrays(path).items()})
    return network


def load_trained(paper: str, name: str, variant: Variant, build: Callable[[], nn.Module]) -> dict[int, nn.Module]:
    """The trained networks of a variant by seed; empty where the profile does not train it."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return {seed: load_weights(weights_file(paper, name, seed), build()).to(device) for seed in variant.seeds}
