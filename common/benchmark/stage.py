"""The benchmark as a stage: every denoiser that is here, on the same images with the same noise, in one table.

`python -m common.benchmark.stage` writes results/tables/benchmark.csv: filters, networks that come with the suite, and
those that `benchmark.denoisers` names in params.yaml, on Gaussian noise and every other corruption of the protocol.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from common import params
from common.benchmark.door import own
from common.benchmark.entrants import classical, shipped, trivial
from common.benchmark.protocol import CORRUPTIONS, SIGMAS, cases
from common.benchmark.runner import Journal, Row, score_set, summarised
from common.command import run
from common.denoise.pretrained import load_pretrained, pretrained
from common.score.complexity import square_macs
from common.store import write_csv

TABLE = Path("results/tables/benchmark.csv")
SIDE = 512
"""Of the image whose multiply-accumulates and time the table gives: the literature's."""


def main() -> None:
    """The stage: score all, write the table."""
    shared = params.shared()
    settings = shared.benchmark
    named = [own(each.denoiser, Path(each.weights) if each.weights else None, each.name) for each in settings.denoisers]
    entrants = [*named, *shipped(), *classical(shared.baselines.filters), *trivial()]
    rows: list[Row] = []
    for name in settings.sets:
        chosen = cases(CORRUPTIONS, SIGMAS, shared.seed)
        scored, _ = score_set(name, shared.data.root, None, entrants, chosen, Journal(None), crop=settings.crop)
        rows += scored
    write_csv(TABLE, with_costs(summarised(rows, entrants)))


def with_costs(table: pd.DataFrame) -> pd.DataFrame:
    """The table with what each denoiser costs: macs and latency_ms of 512×512, and how long a network has learnt."""
    facts: dict[str, dict[str, Any]] = {}
    for name in pretrained():
        network, record = load_pretrained(name)
        facts[name] = {"macs": square_macs(network, SIDE), "images_seen": record.training.images_seen, "seeds": 1}
    for column in ("macs", "images_seen", "seeds"):
        values = [facts.get(name, {}).get(column) for name in table["denoiser"]]
        table[column] = pd.array(values, dtype="Int64")
    return table.assign(latency_ms=table["ms_per_megapixel"] * SIDE**2 / 1e6)


if __name__ == "__main__":
    run(main)
