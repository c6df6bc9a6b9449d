"""The door for one's own denoiser: "package.module:name" → an entrant of the benchmark.

The name is a function `denoise(noisy, sigma)` on float32 arrays (H, W, C) in [0, 1], sigma on the 0–255 scale; or a
torch module (an instance, a class or a factory, called without arguments) on tensors (1, C, H, W) in [0, 1]. A module
whose forward takes a second argument is given the noise level on its own scale, σ / 255, as a tensor (1, 1, 1, 1).
Whatever goes wrong in it is said in one line that names it.
"""

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from common.benchmark.entrants import Entrant, as_unit_denoiser
from common.benchmark.protocol import Case
from common.errors import UserError
from common.score.complexity import parameters
from common.score.evaluation import Denoiser
from common.score.metrics import psnr
from common.store import load_arrays

WRONG_SCALE = 16.0
"""Largest value in units of white beyond which an output is of another scale than [0, 1]."""
WRAPPERS = ("params_ema", "params", "state_dict", "model")
"""Keys under which training frameworks (BasicSR, Lightning, …) save the weights."""
WANTED = "write denoise(noisy, sigma), or a torch module or a factory of one that needs no arguments"


def own(spec: str, weights: Path | None, label: str | None) -> Entrant:
    """The entrant that `spec` ("package.module:name") describes, with weights from a file; UserError, see above."""
    found = _found(spec)
    name = label or spec
    network = _network(spec, found)
    if network is None:
        if weights:
            raise UserError(f"--weights goes with a torch module, and {spec} is a function")
        return Entrant(name, "own", lambda case: _checked(spec, _by_function(found, case.sigma)))
    if weights:
        _load(network, weights)
    told = _takes_sigma(spec, network)

    def prepare(case: Case) -> Denoiser:
        return _checked(spec, as_unit_denoiser(network, case.sigma if told else None))

    return Entrant(name, "own", prepare, parameters(network))


def _found(spec: str) -> Any:
    module_name, _, name = spec.partition(":")
    if not module_name or not name:
        raise UserError(f"--denoiser {spec} must be package.module:name")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(error.name + ".")):
            raise UserError(
                f"--denoiser {spec}: there is no module {error.name} here or in PYTHONPATH: run from its folder"
            ) from None
        raise UserError(f"--denoiser {spec} cannot be imported: {last_line(error)}") from None
    except Exception as error:
        raise UserError(f"--denoiser {spec} cannot be imported: {last_line(error)}") from None
    if not hasattr(module, name):
        raise UserError(f"--denoiser {spec}: {module_name} ({module.__file__}) has no {name}")
    return getattr(module, name)


def _network(spec: str, found: Any) -> nn.Module | None:
    """The torch module that was found or that a factory makes; None: it is a function that denoises."""
    if isinstance(found, nn.Module):
        return found
    if not callable(found):
        raise UserError(f"--denoiser {spec} is a {type(found).__name__}: {WANTED}")
    if _accepts(found, None, None) and not (isinstance(found, type) and issubclass(found, nn.Module)):
        return None
    if not _accepts(found):
        raise UserError(f"--denoiser {spec} takes {_signature(found)}: {WANTED}")
    try:
        made = found()
    except Exception as error:
        raise UserError(f"--denoiser {spec} failed: {last_line(error)}") from None
    if not isinstance(made, nn.Module):
        raise UserError(f"--denoiser {spec} returned {type(made).__name__} where a torch module is wanted: {WANTED}")
    return made


def _accepts(function: Callable[..., Any], *arguments: Any) -> bool:
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    except ValueError:  # a built-in without a signature
        return len(arguments) == 2
    return True


def _signature(function: Callable[..., Any]) -> str:
    return str(inspect.signature(function)).split(" -> ")[0]


def _takes_sigma(spec: str, network: nn.Module) -> bool:
    """Whether forward must be, or by its name can be, told the noise level."""
    if _accepts(network.forward, None):
        return any(name in inspect.signature(network.forward).parameters for name in ("sigma", "noise_level"))
    if _accepts(network.forward, None, None):
        return True
    raise UserError(
        f"--denoiser {spec}: forward takes {_signature(network.forward)}: write forward(noisy) or forward(noisy, sigma)"
    )


def _load(network: nn.Module, path: Path) -> None:
    """Weights of a file into a network; UserError where they are not readable or not the network's."""
    if not path.is_file():
        raise UserError(f"--weights {path} is missing: give a .safetensors file, or one saved by torch.save")
    if path.suffix == ".safetensors":
        state: Any = {key: torch.from_numpy(array) for key, array in load_arrays(path).items()}
    else:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise UserError(
                f"--weights {path} cannot be read as tensors alone ({last_line(error)[:200]}): save the state_dict"
            ) from None
    for key in WRAPPERS:
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"--weights {path} holds no state_dict: save network.state_dict()")
    own_state = network.state_dict()
    missing, unknown = own_state.keys() - state.keys(), state.keys() - own_state.keys()
    # numbers without a shape are saved with one by some; torch takes them
    other = [key for key in own_state.keys() & state.keys() if _shape(own_state[key]) != _shape(state[key])]
    for keys, words in (
        (missing, "lacks"),
        (unknown, "has, and the network has not,"),
        (other, "has another shape of"),
    ):
        if keys:
            first = sorted(keys)[0]
            more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
            raise UserError(f"--weights {path} {words} {first}{more}: it is of another network or other settings")
    network.load_state_dict(state)


def _shape(value: Tensor) -> tuple[int, ...]:
    return tuple(value.shape) or (1,)


def _by_function(function: Callable[..., Any], sigma: float) -> Denoiser:
    return lambda noisy: _scaled(function((noisy / np.float32(255)).astype(np.float32), sigma))


def _scaled(estimate: Any) -> Any:
    """0–1 → 0–255, for what can be multiplied."""
    if isinstance(estimate, Tensor):
        estimate = estimate.detach().cpu().numpy()
    return estimate * 255 if isinstance(estimate, np.ndarray) and estimate.dtype.kind in "fiu" else estimate


def _checked(spec: str, denoise: Denoiser) -> Denoiser:
    """The same denoiser, each of whose outputs is held to what an estimate is."""

    def checked(noisy: np.ndarray) -> np.ndarray:
        try:
            estimate: Any = denoise(noisy)
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f"--denoiser {spec} failed on a picture of shape {noisy.shape}: {last_line(error)}"
            ) from None
        if not isinstance(estimate, np.ndarray) or estimate.dtype.kind not in "fiu":
            raise UserError(f"--denoiser {spec} returned {type(estimate).__name__}, not an array of numbers")
        if estimate.shape == noisy.shape[:2] and noisy.shape[2] == 1:
            estimate = estimate[..., None]
        if estimate.shape != noisy.shape:
            raise UserError(
                f"--denoiser {spec} returned shape {estimate.shape} for a picture of shape {noisy.shape} (H, W, C)"
            )
        if not np.isfinite(estimate).all():
            raise UserError(f"--denoiser {spec} returned NaN or infinite values")
        if np.abs(estimate).max() > WRONG_SCALE * 255:
            apart, largest = psnr(float(np.mean((estimate - noisy) ** 2, dtype=np.float64))), np.abs(estimate).max()
            raise UserError(
                f"--denoiser {spec} returned values up to {largest / 255:.0f} where white is 1 (PSNR "
                f"against its own input {apart:.1f} dB): return the picture in [0, 1], not on the 0–255 scale"
            )
        return estimate.astype(np.float32)

    return checked


def last_line(error: BaseException) -> str:
    """What went wrong and where, in one line: kind, message, the last file and line of the traceback."""
    lines = str(error).strip().splitlines() or [""]
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {lines[0]}{where}"
