"""`make bench`: how fast the suite trains, scores and makes noise on this machine.

Training is compared, in one run, with the usual loop (float32, NCHW) and with the peak of a single convolution. On a
chip with bf16 instructions (AVX-512 BF16, AMX) the loop has to be three times as fast as the usual one. Without them
it falls back to float32 channels-last, and what is left to gain is the cost of memory.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import nn
from torch.nn import functional as F

from common.noise.sensor import Gaussian, corrupt
from common.params import Adam, Constant, Recipe
from common.score.complexity import macs
from common.score.metrics import CONVENTIONS, score
from common.train.loop import fit
from common.train.patches import Batch

BATCH, CROP, WIDTH = 128, 40, 64
TIMED_STEPS = 2
LEAST_SHARE_OF_PEAK = 0.75
LEAST_SPEED_UP = {"bf16": 3.0, "fp32": 1.2}

RECIPE = Recipe(
    steps=1 + TIMED_STEPS,
    batch=BATCH,
    crop=CROP,
    optimizer=Adam(name="adam", betas=[0.9, 0.999], weight_decay=0.0),
    lr=1e-3,
    schedule=Constant(name="constant"),
    precision="auto",
    validate_every=1 + TIMED_STEPS,
)


def dncnn_17() -> nn.Module:
    """Zhang et al.'s DnCNN: 17 convolutions, 64 maps, batch norm in all but the first and the last."""
    layers: list[nn.Module] = [nn.Conv2d(3, WIDTH, 3, padding=1), nn.ReLU()]
    for _ in range(15):
        layers += [nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(WIDTH, 3, 3, padding=1))


def gflop_per_step() -> float:
    """Forward, gradient of the weights, gradient of the inputs (of all layers but the first); 2 FLOP a MAC."""
    network = dncnn_17()
    first = next(network.children())
    shape = (1, 3, CROP, CROP)
    return BATCH * 2 * (3 * macs(network, shape) - macs(first, shape)) / 1e9


@dataclass(frozen=True)
class Timed:
    """Fastest of several runs: what other work on the machine disturbs least."""

    seconds: float
    gflop: float

    @property
    def gflop_per_second(self) -> float:
        return self.gflop / self.seconds


def fastest(call: Callable[[], object], runs: int) -> float:
    call()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)


def suite_loop(batch: Batch) -> tuple[Timed, str, str]:
    """Steps of `common.train.loop.fit`, from one call for a batch to the next; the format it chose, and why."""
    calls: list[float] = []

    def batches(step: int) -> Batch:
        calls.append(time.perf_counter())
        return batch

    def validate(network: nn.Module) -> dict[str, float]:
        calls.append(time.perf_counter())
        return {}

    trained = fit(dncnn_17, batches, RECIPE, seed=0, validate=validate, label="suite's loop")
    seconds = min(np.diff(calls[1:]))
    return Timed(seconds, gflop_per_step()), trained.facts["precision"], trained.facts["precision_reason"]


def usual_loop(batch: Batch) -> Timed:
    """The loop one writes first: float32, NCHW."""
    network = dncnn_17()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    images = (batch.inputs, batch.targets)
    noisy, clean = (torch.from_numpy(array).permute(0, 3, 1, 2).contiguous() for array in images)

    def step() -> None:
        optimizer.zero_grad()
        F.mse_loss(network(noisy), clean).backward()
        optimizer.step()

    return Timed(fastest(step, TIMED_STEPS), gflop_per_step())


def convolution_peak(dtype: torch.dtype) -> Timed:
    """One 64 → 64 convolution of the network, forward and backward, channels-last."""
    convolution = nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False).to(dtype)
    images = torch.rand(BATCH, WIDTH, CROP, CROP, dtype=dtype).to(memory_format=torch.channels_last).requires_grad_()
    weight = convolution.weight.detach().to(memory_format=torch.channels_last).requires_grad_()
    gradient = torch.rand_like(images)

    def forward_and_backward() -> None:
        torch.autograd.grad(F.conv2d(images, weight, padding=1), (images, weight), gradient)

    gflop = BATCH * 2 * 3 * macs(convolution.float(), (1, WIDTH, CROP, CROP)) / 1e9
    return Timed(fastest(forward_and_backward, 5), gflop)


@pytest.mark.skipif(torch.cuda.is_available(), reason="the targets are those of a CPU")
def test_training_is_faster_than_the_usual_loop_and_near_the_peak_of_a_convolution(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    clean = rng.random((BATCH, CROP, CROP, 3), np.float32)
    batch = Batch(clean + 0.1 * rng.standard_normal(clean.shape, np.float32), clean)

    usual = usual_loop(batch)  # first: what the suite sets for its process must not help it
    suite, precision, reason = benchmark.pedantic(suite_loop, (batch,), rounds=1)
    peak = convolution_peak(torch.bfloat16 if precision == "bf16" else torch.float32)

    speed_up = usual.seconds / suite.seconds
    share = suite.gflop_per_second / peak.gflop_per_second
    benchmark.extra_info |= {"precision": precision, "speed_up": speed_up, "share_of_peak": share}
    rows = (
        ("usual loop: float32, NCHW", usual),
        (f"suite's loop: {precision}, channels-last", suite),
        (f"one convolution: {precision}, channels-last", peak),
    )
    with capsys.disabled():
        print(f"\n\n17-layer DnCNN, {WIDTH} maps, batch {BATCH}×{CROP}², {torch.get_num_threads()} threads")
        for label, timed in rows:
            print(f"  {label:45}{timed.seconds:8.2f} s{timed.gflop_per_second:8.0f} GFLOP/s")
        print(f"  {reason}")
        print(f"  speed-up {speed_up:.2f}× (at least {LEAST_SPEED_UP[precision]}× in {precision})")
        print(f"  share of the convolution's peak {share:.0%} (at least {LEAST_SHARE_OF_PEAK:.0%})\n")
    assert speed_up >= LEAST_SPEED_UP[precision]
    assert share >= LEAST_SHARE_OF_PEAK


@pytest.mark.parametrize("convention", ["suite", "luma"])
def test_scoring_a_photograph(benchmark: BenchmarkFixture, convention: str) -> None:
    rng = np.random.default_rng(0)
    clean = rng.uniform(0, 255, (256, 256, 3)).astype(np.float32)
    noisy = clean + 30 * rng.standard_normal(clean.shape, np.float32)
    assert benchmark(score, noisy, clean, CONVENTIONS[convention]).mse > 0


def test_noise_for_a_photograph(benchmark: BenchmarkFixture) -> None:
    clean = {"grey": np.full((256, 256, 3), 128, np.uint8)}
    noisy = benchmark(corrupt, clean, Gaussian(30), seed=0)
    assert statistics.pstdev(noisy["grey"].ravel()[:1000].tolist()) > 0
