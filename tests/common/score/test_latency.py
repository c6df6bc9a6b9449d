"""Timing with a clock of our own, and memory against hand calculation."""

import time
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from common.errors import UserError
from common.params import Latency as Settings
from common.score.latency import Latency, inference, measure, peak_memory, time_published
from common.score.machine import device_name

CPU = torch.device("cpu")


class Clock:
    """Stands still but for the work done by its calls."""

    def __init__(self) -> None:
        self.now, self.done = 0.0, ""

    def call(self, name: str, *seconds: float) -> Callable[[], None]:
        """Work that takes the seconds given, run by run, and the last of them ever after."""
        left = list(seconds)

        def work() -> None:
            self.now += left.pop(0) if len(left) > 1 else left[0]
            self.done += name

        return work


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", lambda: clock.now)
    return clock


def test_warm_up_runs_are_not_timed(clock: Clock) -> None:
    timed = measure({"a": clock.call("a", 9, 9, 0.001, 0.002, 0.003, 0.004, 0.010)}, 2, 5, budget_seconds=1000)
    # median of 1, 2, 3, 4, 10 ms; quartiles 2 and 4
    assert (timed["a"].median_ms, timed["a"].iqr_ms, timed["a"].min_ms) == pytest.approx((3, 2, 1))
    assert timed["a"].repeats == 5


def test_calls_take_turns(clock: Clock) -> None:
    measure({"a": clock.call("a", 0.1), "b": clock.call("b", 0.1)}, 2, 3, budget_seconds=10)
    assert clock.done == "aabb" + "ab" * 3


def test_a_slow_call_gets_fewer_repeats_spread_over_the_run(clock: Clock) -> None:
    timed = measure({"f": clock.call("f", 0.1), "s": clock.call("s", 0.7)}, 1, 8, budget_seconds=3)
    assert (timed["f"].repeats, timed["s"].repeats) == (8, 4)
    assert clock.done == "fs" + "ffs" * 4


def test_a_slow_call_is_timed_three_times_all_the_same(clock: Clock) -> None:
    assert measure({"s": clock.call("s", 2.9)}, 1, 8, budget_seconds=3)["s"].repeats == 3


def test_a_call_that_needs_the_whole_budget_runs_once(clock: Clock) -> None:
    timed = measure({"s": clock.call("s", 5)}, 3, 8, budget_seconds=3)
    assert timed["s"] == Latency(5000, 0, 5000, 1)
    assert clock.done == "s"


def test_the_device_is_waited_for_inside_the_clock(clock: Clock) -> None:
    # the call returns at once and leaves 0.25 s of work behind, as a GPU does
    queue: list[float] = []

    def wait() -> None:
        clock.now += sum(queue)
        queue.clear()

    timed = measure({"a": lambda: queue.append(0.25)}, 1, 3, synchronise=wait)
    assert timed["a"].median_ms == pytest.approx(250)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_inference_runs_wholly_in_its_format_and_leaves_the_builder_alone(dtype: torch.dtype) -> None:
    seen = []

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv2d(1, 2, 3)

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            seen.append((image.dtype, self.training, torch.is_grad_enabled(), tuple(image.shape)))
            output: torch.Tensor = self.convolution(image)
            return output

    output = inference(Network, 16, dtype, CPU)()
    assert seen == [(dtype, False, False, (1, 1, 16, 16))]
    assert output.dtype == dtype
    assert output.is_contiguous(memory_format=torch.channels_last)


def two_convolutions(width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1))


def test_peak_memory_is_that_of_the_feature_maps_alive_together() -> None:
    # input and output of the second convolution, 32 maps of 256² float32 each; the library's buffers come on top
    feature_maps_mb = 2 * 32 * 256 * 256 * 4 / 1e6
    measured_mb = peak_memory(partial(two_convolutions, 32), 256, torch.float32, CPU)
    assert feature_maps_mb * 0.95 < measured_mb < feature_maps_mb * 1.5


def killed() -> nn.Module:
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def test_running_out_of_memory_names_the_parameter_to_lower() -> None:
    with pytest.raises(UserError, match=r"lower latency\.size"):
        peak_memory(killed, 64, torch.float32, CPU)


def test_the_device_has_a_name() -> None:
    assert device_name(CPU).strip()


def test_published_networks_are_timed_in_the_formats_asked_for_and_the_others_are_empty() -> None:
    settings = Settings(size=16, warmup=1, repeats=3, dtypes=[], published_dtypes=["float32"])
    record = time_published(settings, {"small": partial(nn.Conv2d, 1, 1, 3)})
    assert list(record) == ["float32", "bfloat16"]
    assert list(record["float32"]) == ["small"]
    assert record["float32"]["small"]["size"] == 16
    assert record["float32"]["small"]["median_ms"] > 0
    assert record["bfloat16"] == {}
