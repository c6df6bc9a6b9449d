"""What the benchmark's trained networks are compared with: filters, the noisy input, published recipes, your own.

A stage: `python -m common.benchmark.untrained` scores each of them on the protocol's images, results/benchmark/
scores/untrained.csv, and measures what the networks that come with the suite cost, results/benchmark/shipped.json.
"""

from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from common import params
from common.benchmark.door import own
from common.benchmark.entrants import classical, shipped, trivial
from common.benchmark.protocol import CORRUPTIONS, SIGMAS, Case, cases
from common.benchmark.runner import Journal, score_set
from common.benchmark.table import COLUMNS, Row
from common.command import run
from common.denoise.pretrained import build, pretrained, read_record
from common.score.complexity import parameters, square_macs
from common.score.latency import time_networks
from common.score.machine import cpu_threads
from common.score.workers import side_by_side
from common.store import write_csv, write_json

RESULTS = Path("results/benchmark")


def main() -> None:
    """The stage: score all, time the networks."""
    shared = params.shared()
    jobs = [(name, case) for name in shared.benchmark.sets for case in cases(CORRUPTIONS, SIGMAS, shared.seed)]
    # BM3D takes most of the time, on one core; a GPU is one process's
    processes = 1 if torch.cuda.is_available() else torch.get_num_threads()
    rows = [row for scored in side_by_side(partial(scores, shared), jobs, processes) for row in scored]
    write_csv(RESULTS / "scores/untrained.csv", pd.DataFrame(rows, columns=list(COLUMNS)))
    write_json(RESULTS / "shipped.json", shipped_costs(shared.latency))


def scores(shared: params.Shared, job: tuple[str, Case]) -> list[Row]:
    """All of them in one case on the images of one set; on one thread of a CPU, since other cases run beside it."""
    name, case = job
    chosen = shared.benchmark.denoisers
    named = [own(each.denoiser, Path(each.weights) if each.weights else None, each.name) for each in chosen]
    entrants = [*named, *shipped(), *classical(shared.baselines.filters), *trivial()]
    with cpu_threads(None if torch.cuda.is_available() else 1):
        root, limit, crop = shared.data.root, shared.benchmark.images, shared.benchmark.crop
        rows, bad = score_set(name, root, limit, entrants, [case], Journal(None), crop=crop)
    for line in bad:
        print(f"  not used: {line}")
    return rows


def shipped_costs(settings: params.Latency) -> dict[str, Any]:
    """Size, multiply-accumulates, time, memory and training of each network that comes with the suite.

    Of a colour picture, as all networks in the table: one for grey takes it channel by channel.
    """
    records = {name: read_record(path) for name, path in pretrained().items()}
    builders = {name: partial(build, record.network) for name, record in records.items()}
    passes = {name: 3 // record.trained_for.colours for name, record in records.items()}
    times = time_networks(settings, builders)["networks"]
    return {
        name: {
            "parameters": parameters(builders[name]()),
            "macs": passes[name] * square_macs(builders[name](), settings.size),
            "latency_ms": passes[name] * times[name]["float32"]["median_ms"],
            "peak_mb": times[name]["float32"]["peak_memory_mb"],
            "images_seen": record.training.images_seen,
            "seeds": 1,
        }
        for name, record in records.items()
    }


if __name__ == "__main__":
    run(main)
