"""Which number format a network trains in: bf16 where this machine's convolutions are faster in it, else float32.

A chip without bf16 instructions emulates them several times slower, so `auto` times one convolution in both.
"""

import math
import statistics
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch

from common.score.scale import channels_last

PROBE_SHAPE = (32, 64, 40, 40)
"""Input (N, C, H, W) of the probe's 3×3 convolution: a small DnCNN batch, a few milliseconds in float32."""
GAIN = 1.2
"""bf16 must be this much faster to be chosen, so that a busy machine decides the same way every time."""

HOPELESS = 2.0
"""A run in bf16 that takes so many times as long as in float32 ends the probe: emulation is several times slower."""


@dataclass(frozen=True)
class Precision:
    """The chosen format, and why."""

    name: Literal["bf16", "fp32"]
    reason: str
    device: str

    def autocast(self) -> AbstractContextManager[object]:
        """Context in which convolutions run in this format; weights and optimiser stay float32."""
        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.name == "bf16")


def choose_precision(wanted: Literal["auto", "bf16", "fp32"], device: torch.device) -> Precision:
    """The format to train in on `device`."""
    if wanted != "auto":
        return Precision(wanted, "asked for by train.recipe.precision", device.type)
    gain = bf16_gain(device.type)
    name: Literal["bf16", "fp32"] = "bf16" if gain >= GAIN else "fp32"
    return Precision(name, f"a probe convolution ran {gain:.1f}× as fast in bf16 as in float32", device.type)


@cache
def bf16_gain(device: str) -> float:
    """Time of a float32 channels-last convolution over its time in bf16 (> 1: bf16 is faster)."""
    float32 = _seconds(device, torch.float32)
    return float32 / _seconds(device, torch.bfloat16, enough=HOPELESS * float32)


def _seconds(device: str, dtype: torch.dtype, enough: float = math.inf) -> float:
    """Median of a few runs after the first; of fewer, where one takes longer than `enough` seconds."""
    channels = PROBE_SHAPE[1]
    with torch.random.fork_rng(), torch.inference_mode():
        convolution = channels_last(torch.nn.Conv2d(channels, channels, 3, padding=1).to(device, dtype))
        images = torch.zeros(PROBE_SHAPE, device=device, dtype=dtype).to(memory_format=torch.channels_last)
        times = []
        for _ in range(5):
            started = time.perf_counter()
            convolution(images)
            if device == "cuda":
                torch.cuda.synchronize()
            times.append(time.perf_counter() - started)
            if len(times) > 1 and times[-1] > enough:
                break
    return statistics.median(times[1:])
