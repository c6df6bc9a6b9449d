"""How long a network or a filter takes for one image, and how much memory it needs.

Stages: `python -m common.score.latency <paper>` writes results/<paper>/latency.json, `python -m common.score.latency
filter_latency` results/filter_latency.json. What a stage times is timed in one interleaved run, so that a machine that
slows down slows all of it alike.
"""

import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable, Collection, Hashable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from common import params
from common.command import run
from common.errors import UserError
from common.noise.sensor import Gaussian, corrupt
from common.params import Latency as LatencySettings
from common.progress import progress
from common.score.baselines import filters
from common.score.complexity import PaperModels, input_channels
from common.score.machine import device_name
from common.score.scale import channels_last
from common.store import write_json

BUDGET_SECONDS = 2.0
"""A call whose repeats take longer is timed `FEWEST` times, and one that takes longer by itself once: on a chip without
bf16 instructions a bf16 pass takes seconds."""
FEWEST = 3
FILTER_SIZE = 256
"""Side of the image on which the filters are timed, at most: BM3D's time grows with the area, 40 s and more at 512²."""
WARMUP_SIZE = 32
"""Side of the image that loads the libraries before memory is measured; its own memory is negligible."""
PRELOADED = ["common.score.baselines", "common.score.complexity"]
"""What a process that measures memory need not import itself: not this module, which it may have to run as its main."""
MEGABYTE = 1e6
FILTER_SIGMA = 30.0
"""Noise level for which they are timed; only the median's window grows with it."""
FILTERS = "filter_latency"
"""Stands where the command line has a paper, and names the filters' file."""

Build = Callable[[], nn.Module]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Latency:
    """Times of one call in milliseconds: median, interquartile range, fastest, over `repeats` runs."""

    median_ms: float
    iqr_ms: float
    min_ms: float
    repeats: int


def measure(
    calls: Mapping[Key, Callable[[], object]],
    warmup: int,
    repeats: int,
    budget_seconds: float = BUDGET_SECONDS,
    synchronise: Callable[[], None] = lambda: None,
) -> dict[Key, Latency]:
    """Time the calls turn by turn, `warmup` untimed runs and then `repeats` timed ones of each.

    A call whose repeats would take longer than `budget_seconds` gets fewer, but at least `FEWEST`, spread over the
    turns; one that needs the whole budget for its first run is not run again, and that run is its time.
    synchronise: waits for the device, before the clock starts and before it stops.
    """

    def seconds(call: Callable[[], object]) -> float:
        synchronise()
        started = time.perf_counter()
        call()
        synchronise()
        return time.perf_counter() - started

    times: dict[Key, list[float]] = {}
    turns: dict[Key, int] = {}
    with progress(len(calls) + repeats, "latency") as advance:
        for key, call in calls.items():
            first = last = seconds(call)
            if first >= budget_seconds:
                turns[key], times[key] = 0, [first]
            else:
                for _ in range(warmup - 1):
                    last = seconds(call)
                turns[key], times[key] = min(repeats, max(FEWEST, int(budget_seconds / last))), []
            advance()
        for turn in range(repeats):
            for key, call in calls.items():
                if turns[key] * (turn + 1) // repeats > turns[key] * turn // repeats:
                    times[key].append(seconds(call))
            advance()
    return {key: _summary(taken) for key, taken in times.items()}


def _summary(seconds: list[float]) -> Latency:
    milliseconds = [1000 * value for value in seconds]
    lower, upper = np.percentile(milliseconds, [25, 75])
    return Latency(statistics.median(milliseconds), float(upper - lower), min(milliseconds), len(milliseconds))


def inference(build: Build, size: int, dtype: torch.dtype, device: torch.device) -> Callable[[], Tensor]:
    """One forward pass on one size × size image, ready to be called.

    Evaluation mode, channels-last, no gradients; the whole network and its image are of `dtype`, weights included (no
    autocast, which would convert the weights at every call). On a GPU float32 is what torch makes of it: TF32.
    """
    network = channels_last(build().eval().to(device, dtype))
    image = torch.rand(1, input_channels(network), size, size).to(device, dtype, memory_format=torch.channels_last)

    def forward() -> Tensor:
        with torch.inference_mode():
            output: Tensor = network(image)
            return output

    return forward


def peak_memory(build: Build, size: int, dtype: torch.dtype, device: torch.device) -> float:
    """Memory in megabytes (10⁶ bytes) that one forward pass takes at its peak, beyond weights and input.

    On a GPU the peak of torch's allocator; on a CPU how much the resident memory of a fresh process grows, so that the
    buffers of the convolution library count too. Raises UserError where the memory does not suffice.
    """
    if device.type == "cuda":
        forward = inference(build, size, dtype, device)
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        forward()
        torch.cuda.synchronize()
        return (torch.cuda.max_memory_allocated() - before) / MEGABYTE
    context = multiprocessing.get_context("forkserver")  # each child a fork of a process that did nothing but import
    context.set_forkserver_preload(PRELOADED)
    try:
        with ProcessPoolExecutor(1, context) as pool:
            return pool.submit(_resident_growth, build, size, dtype).result()
    except BrokenProcessPool:
        raise UserError(f"not enough memory for one image of {size}×{size}: lower latency.size") from None


def _resident_growth(build: Build, size: int, dtype: torch.dtype) -> float:
    device = torch.device("cpu")
    inference(build, WARMUP_SIZE, dtype, device)()
    forward = inference(build, size, dtype, device)
    before = _peak_resident()
    forward()
    return (_peak_resident() - before) / MEGABYTE


def _peak_resident() -> int:
    """Most bytes this process has had in memory; Linux counts in KiB, macOS in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    """The stage: a paper's networks at the profile's size in each number format, or the profile's filters."""
    (paper,) = sys.argv[1:]
    if paper == FILTERS:
        shared = params.shared()
        write_json(f"results/{FILTERS}.json", time_filters(shared.latency, shared.baselines.filters))
        return
    settings = params.load(paper)
    models = PaperModels.of(import_module(f"replications.{paper}.models"))
    record = time_networks(settings.latency, models.networks(settings))
    published = time_published(settings.latency, models.timed_at_published_size())
    write_json(f"results/{paper}/latency.json", {**record, "published": published})


def time_networks(settings: LatencySettings, builders: Mapping[str, Build]) -> dict[str, Any]:
    """The contents of results/<paper>/latency.json: time and peak memory of each network in each number format."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    formats = {dtype: getattr(torch, dtype) for dtype in settings.dtypes}
    networks = [(name, dtype) for name in builders for dtype in formats]
    memory = {
        (name, dtype): peak_memory(builders[name], settings.size, formats[dtype], device) for name, dtype in networks
    }
    calls = {
        (name, dtype): inference(builders[name], settings.size, formats[dtype], device) for name, dtype in networks
    }
    synchronise = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    timed = measure(calls, settings.warmup, settings.repeats, synchronise=synchronise)
    record: dict[str, Any] = {
        "size": settings.size,
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "networks": {name: {} for name in builders},
    }
    for name, dtype in networks:
        times = _record(timed[name, dtype], settings.size)
        record["networks"][name][dtype] = {**times, "peak_memory_mb": round(memory[name, dtype], 1)}
    return record


def time_published(settings: LatencySettings, builders: Mapping[str, Build]) -> dict[str, dict[str, dict[str, float]]]:
    """Number format → network → its times at the published size; a format that the profile does not time is empty.

    For the papers whose `models` have `timed_at_published_size()`, networks by name.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    calls = {
        (name, dtype): inference(build, settings.size, getattr(torch, dtype), device)
        for dtype in settings.published_dtypes
        for name, build in builders.items()
    }
    synchronise = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    timed = measure(calls, settings.warmup, settings.repeats, synchronise=synchronise)
    record: dict[str, dict[str, dict[str, float]]] = {"float32": {}, "bfloat16": {}}
    for (name, dtype), latency in timed.items():
        record[dtype][name] = _record(latency, settings.size)
    return record


def time_filters(settings: LatencySettings, names: Collection[str]) -> dict[str, Any]:
    """The contents of results/filter_latency.json.

    On one thread of the CPU, on a noisy colour ramp: their time hardly depends on the picture.
    """
    size = min(settings.size, FILTER_SIZE)
    ramp = np.broadcast_to(np.linspace(0, 255, size, dtype=np.float32)[:, None], (size, size, 3))
    noisy = corrupt({"ramp": ramp}, Gaussian(FILTER_SIGMA), seed=0)["ramp"]
    calls = {name: partial(denoise, noisy) for name, denoise in filters(FILTER_SIGMA).items() if name in names}
    timed = measure(calls, settings.warmup, settings.repeats)
    return {name: _record(latency, size) for name, latency in timed.items()}


def _record(latency: Latency, size: int) -> dict[str, float]:
    """The figures of latency.json; per megapixel, so that different sizes compare."""
    per_megapixel = latency.median_ms / (size * size / 1e6)
    times = {name: round(value, 3) for name, value in asdict(latency).items()}
    return {**times, "size": size, "ms_per_megapixel": round(per_megapixel, 2)}


if __name__ == "__main__":
    run(main)
