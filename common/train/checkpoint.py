"""A training's checkpoint: weights, optimisers and progress in one safetensors file, nothing pickled.

The file is written beside its name and moved there, so a kill at any moment leaves the last whole one.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from common.store import Arrays, load_arrays, save_arrays


def save(
    path: Path, modules: Mapping[str, nn.Module], optimizers: Sequence[torch.optim.Optimizer], record: Any
) -> None:
    """Save the modules' weights, the optimisers' states and a JSON record of everything else."""
    arrays = {
        f"{name}/{key}": _numpy(value) for name, module in modules.items() for key, value in module.state_dict().items()
    }
    groups = []
    for number, optimizer in enumerate(optimizers):
        state = optimizer.state_dict()
        for index, slots in state["state"].items():
            known = {slot: _numpy(value) for slot, value in slots.items() if value is not None}
            arrays |= {f"optimizer{number}/{index}/{slot}": value for slot, value in known.items()}
        groups.append(
            [{key: value for key, value in group.items() if key != "params"} for group in state["param_groups"]]
        )
    arrays["record"] = np.frombuffer(json.dumps({"groups": groups, **record}).encode(), dtype=np.uint8)
    save_arrays(path, arrays)


def load(
    path: Path, modules: Mapping[str, nn.Module], optimizers: Sequence[torch.optim.Optimizer]
) -> dict[str, Any] | None:
    """Put a checkpoint back into the modules and the optimisers; the record, or None where there is no checkpoint."""
    if not path.is_file():
        return None
    arrays = load_arrays(path)
    record: dict[str, Any] = json.loads(arrays.pop("record").tobytes())
    for name, module in modules.items():
        module.load_state_dict({key: torch.from_numpy(value) for key, value in _under(arrays, name).items()})
    for number, (optimizer, groups) in enumerate(zip(optimizers, record.pop("groups"), strict=True)):
        state = optimizer.state_dict()
        slots: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in _under(arrays, f"optimizer{number}").items():
            index, slot = key.split("/", 1)
            slots.setdefault(int(index), {})[slot] = torch.from_numpy(value)
        for group, saved in zip(state["param_groups"], groups, strict=True):
            group |= saved
        optimizer.load_state_dict({"state": slots, "param_groups": state["param_groups"]})
    return record


def _under(arrays: Arrays, name: str) -> Arrays:
    return {key.split("/", 1)[1]: value for key, value in arrays.items() if key.startswith(f"{name}/")}


def _numpy(value: torch.Tensor) -> np.ndarray:
    array: np.ndarray = value.detach().cpu().numpy()
    return array
