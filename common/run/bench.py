"""How fast published networks train on this machine: `make bench`.

For the variants that each paper's `train.TIMED` names, by the paper profile's recipe: the time of a step in
`common.train.loop.fit`, the batch being there; what the batch costs to make; and what the recipe takes in all. Images
are random, so that no data set has to be there. On a GPU where there is one, else on the CPU.
"""

import argparse
import contextlib
import io
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from common import command, params
from common.errors import UserError
from common.noise.sensor import noisy_file
from common.params import Constant, Recipe
from common.score.machine import device_name
from common.score.scale import channels_last
from common.store import save_arrays, write_csv
from common.train.ahead import loader_threads
from common.train.loop import fit
from common.train.patches import Batch
from common.train.phases import network_after
from common.train.precision import choose_precision
from common.train.variants import Training, recipe_of

IMAGES, SIDE = 8, 512
"""Of the random images: more than any crop."""
TIMED_SECONDS = 2.5
"""Steps are timed for about so long; one that takes longer is timed once."""
MOST_STEPS = 200
STANDING = {"lr": 1e-12, "schedule": Constant(name="constant")}
"""Timed networks hardly move: a published rate may diverge on random images, and no step takes longer for its rate."""
BATCHES = 5
PEAK_SIDE = {"cpu": 2048, "cuda": 8192}
"""Of the two square matrices whose product gives the machine's peak."""
PEAK_RUNS = 10


@dataclass(frozen=True)
class Row:
    """A variant's training, timed.

    step_ms: of the device, where the batch is there. batch_ms: of one core, which makes the batch.
    tflops: arithmetic of a step, forward and backward, 2 for a multiply-accumulate, over its time. share: of `peak`.
    steps: of the recipe, whose `trainings` (seeds) take `seconds` each, whichever is slower, device or batches.
    """

    paper: str
    variant: str
    batch: str
    precision: str
    passes: str
    step_ms: float
    tflops: float
    share: float
    batch_ms: float
    steps: int
    seconds: float
    trainings: int


def time_training(paper: str, name: str, training: Training, recipe: Recipe, trainings: int, peak: float) -> Row:
    """Time the steps and the batches of one variant; `peak` in TFLOP/s."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    batches = training.batches(0)
    batch = batches(0)
    batch_ms = 1000 * _fastest(lambda: batches(1), BATCHES)
    seconds, facts = _step_seconds(training, recipe, batch)
    tflop = len(batch.inputs) * _tflop_of_one(training, batch, device)
    in_all = recipe.steps * max(seconds, batch_ms / 1000 / max(1, loader_threads(device)))
    count, height, width, _ = batch.inputs.shape
    size = f"{count} × {height}²" if height == width else f"{count} × {height}×{width}"
    tflops = tflop / seconds
    return Row(
        paper=paper,
        variant=name,
        batch=size,
        precision=facts["precision"],
        passes=facts["passes"],
        step_ms=1000 * seconds,
        tflops=tflops,
        share=tflops / peak,
        batch_ms=batch_ms,
        steps=recipe.steps,
        seconds=in_all,
        trainings=trainings,
    )


def _step_seconds(training: Training, recipe: Recipe, batch: Batch) -> tuple[float, Mapping[str, str]]:
    """Seconds of a step, the first one aside, and how it was made."""

    def timed(steps: int) -> tuple[float, Mapping[str, str]]:
        """Of the second half of 2 · steps; each half ends with a validation, before which the device has finished."""
        with contextlib.redirect_stdout(io.StringIO()):  # without a bar or a line for each training
            trained = fit(
                lambda: network_after(training.build, training.phases),
                lambda number: batch,
                recipe.model_copy(update={"steps": 2 * steps, "validate_every": steps} | STANDING),
                seed=0,
                validate=lambda network: {"val": 0.0},
                players=training.players,
                scale=training.scale,
            )
        first, last = trained.history["seconds"]
        return (last - first) / steps, trained.facts

    seconds, facts = timed(1)
    steps = min(MOST_STEPS, int(TIMED_SECONDS / 2 / seconds))
    return timed(steps) if steps > 1 else (seconds, facts)


def _tflop_of_one(training: Training, batch: Batch, device: torch.device) -> float:
    """Convolutions and matrix products of a step on one image, as torch counts them while they run."""
    with torch.random.fork_rng():
        network = channels_last(network_after(training.build, training.phases).to(device))
    inputs = training.scale.to_network(torch.from_numpy(batch.inputs[:1]).to(device))
    targets = torch.from_numpy(batch.targets[:1]).to(device)
    wanted = training.scale.to_network(targets) if targets.is_floating_point() else targets.long()
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = _NoModules()  # type: ignore[assignment]  # it hooks into gradients, which `autograd.grad` refuses
    with counter:
        for player in training.players:
            network.requires_grad_(len(training.players) == 1)
            player.part(network).requires_grad_(True)
            for _ in range(player.updates):
                player.objective(network, inputs, wanted, 0).backward()
    return counter.get_total_flops() / 1e12


class _NoModules(contextlib.nullcontext[None]):
    """Stands in for what tells torch's counter in which module an operation runs."""

    parents = frozenset({"Global"})


def measured_peak() -> float:
    """TFLOP/s of a product of two large matrices, in the format that trainings on this machine choose."""
    device = torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
    dtype = torch.bfloat16 if choose_precision("auto", device).name == "bf16" else torch.float32
    side = PEAK_SIDE[device.type]
    one, other = (torch.rand(side, side, device=device).to(dtype) for _ in range(2))

    def product() -> None:
        torch.mm(one, other)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return 2 * side**3 / _fastest(product, PEAK_RUNS) / 1e12


def _fastest(call: Callable[[], object], runs: int) -> float:
    """Seconds of the fastest of several runs after the first: what other work on the machine disturbs least."""
    times = []
    for _ in range(1 + runs):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times[1:])


@contextlib.contextmanager
def random_data(paper: str, experiments: set[str]) -> Iterator[None]:
    """Inside, the working directory is one where the paper's images are random."""
    rng = np.random.default_rng(0)
    images = {f"{number}": rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8) for number in range(IMAGES)}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for split in ("train", "val"):
            save_arrays(Path("data") / paper / f"{split}.safetensors", images)
        for experiment in experiments:
            noisy = {name: image.astype(np.float32) for name, image in images.items()}
            save_arrays(noisy_file(paper, experiment, "val"), noisy)
        yield


def time_papers(papers: Sequence[str], peak: float) -> Iterator[Row]:
    """The rows of these papers."""
    for paper in papers:
        settings = params.load(paper, "paper")
        stage = import_module(f"replications.{paper}.train")
        timed: Mapping[str, tuple[str, ...]] = stage.TIMED
        for name, experiments in timed.items():
            variant = settings.train.every[name]
            with random_data(paper, set(experiments)):
                training: Training = stage.training(name, settings)
            print(f"  timing {paper} {name}", flush=True)
            recipe = recipe_of(variant, training.recipe)
            yield time_training(paper, name, training, recipe, len(variant.seeds), peak)


def show(rows: list[Row], title: str) -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, caption_justify="left")
    heads = {
        "paper": "paper",
        "variant": "variant",
        "batch": "batch",
        "precision": "precision",
        "step_ms": "ms a step",
        "tflops": "TFLOP/s",
        "share": "of peak",
        "batch_ms": "ms a batch",
        "steps": "steps",
        "seconds": "s a training",
        "trainings": "trainings",
    }
    for key, head in heads.items():
        table.add_column(head, justify="left" if key in ("paper", "variant", "batch", "precision") else "right")
    forms = {"step_ms": "{:.2f}", "tflops": "{:.3g}", "share": "{:.0%}", "batch_ms": "{:.1f}", "seconds": "{:.0f}"}
    for row in rows:
        record = asdict(row)
        table.add_row(*(forms.get(key, "{}").format(record[key]) for key in heads))
    Console(width=None if os.isatty(1) else 150).print(table)


def main() -> None:
    """Print the table, and keep it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="also write results/bench/<machine>.csv")
    parser.add_argument("papers", nargs="*", metavar="paper", help="all where none is named")
    arguments = parser.parse_args()
    if unknown := set(arguments.papers) - set(params.papers()):
        raise UserError(f"{unknown.pop()} is no replicated paper; known here: {', '.join(params.papers())}")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name, threads = device_name(device), torch.get_num_threads()
    machine = name if device.type == "cuda" else f"{name}, {threads} threads"
    peak = measured_peak()
    rows = list(time_papers(arguments.papers or params.papers(), peak))
    version = torch.__version__
    show(rows, f"{machine}; torch {version}; peak of a matrix product {peak:.3g} TFLOP/s")
    total = sum(row.seconds * row.trainings for row in rows)
    print(f"These {sum(row.trainings for row in rows)} trainings one after the other: {total / 60:.0f} min")
    if arguments.keep:
        table = pd.DataFrame([asdict(row) for row in rows], columns=[field.name for field in fields(Row)])
        table = table.assign(machine=machine, torch=version, peak_tflops=peak)
        path = Path("results/bench") / f"{re.sub(r'[^A-Za-z0-9]+', '-', machine).strip('-').lower()}.csv"
        write_csv(path, table)
        print(f"written to {path}")


if __name__ == "__main__":
    command.run(main)
