"""The benchmark as a stage: every denoiser that was scored under the protocol, with its rank and what it costs.

`python -m common.benchmark.stage` joins what the stages before it left in results/benchmark into
results/tables/benchmark.csv, and reads the trainings' histories once more, at equal seconds, into
results/tables/benchmark_seconds.csv.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from common import params
from common.benchmark.table import score_rows, summarised
from common.command import run
from common.errors import UserError
from common.store import read_json, write_csv

RESULTS = Path("results")
BENCHMARK = RESULTS / "benchmark"
TABLES = RESULTS / "tables"
COLUMNS = (
    "denoiser",
    "kind",
    "set",
    "corruption",
    "level",
    "psnr_db",
    "psnr_low",
    "psnr_high",
    "rank",
    "ssim",
    "images",
    "parameters",
    "macs",
    "latency_ms",
    "peak_mb",
    "train_seconds",
    "images_seen",
    "seeds",
)
"""Of results/tables/benchmark.csv, a row for each denoiser, set, corruption and level.

psnr_db, ssim: means over images, suite's convention; psnr_low, psnr_high: the 95 % interval over another choice of
images; rank: by paired differences, shared where their interval holds 0. macs, latency_ms, peak_mb: of an image of
`latency.size`², float32; what was timed on another size is scaled by the area. train_seconds: while another training
may have run beside it. What was not measured is empty.
"""
WHOLE = ("parameters", "macs", "images_seen", "seeds")
"""Columns of whole numbers."""
SECONDS = ("network", "training", "seconds", "psnr_db", "images_seen", "end_psnr_db", "end_seconds")
"""Of results/tables/benchmark_seconds.csv, see `at_equal_seconds`."""


def main() -> None:
    """The stage: both tables."""
    write_csv(TABLES / "benchmark.csv", benchmark_table(BENCHMARK, params.shared().latency.size))
    write_csv(TABLES / "benchmark_seconds.csv", at_equal_seconds(histories(BENCHMARK)))


def benchmark_table(folder: Path, size: int) -> pd.DataFrame:
    """The table, of the scores and records in a folder. size: side of the image whose costs it gives, pixels."""
    rows = [row for file in _files(folder / "scores", "csv") for row in score_rows(pd.read_csv(file))]
    table = summarised(rows, {})
    scaled = size**2 / 1e6
    known = costs(folder, scaled)
    for column in ("parameters", "macs", "latency_ms", "peak_mb", "train_seconds", "images_seen", "seeds"):
        values = [known.get(str(name), {}).get(column) for name in table["denoiser"]]
        table[column] = pd.array(values, dtype="Int64" if column in WHOLE else "Float64")
    timed = table["ms_per_megapixel"].groupby(table["denoiser"]).transform("median") * scaled
    table["latency_ms"] = table["latency_ms"].fillna(timed)
    tested = table.groupby(["set", "corruption", "level"], sort=False).ngroup()
    table = table.assign(tested=tested).sort_values(["tested", "rank", "psnr_db"], ascending=[True, True, False])
    return table[list(COLUMNS)]


def costs(folder: Path, scaled: float) -> dict[str, dict[str, Any]]:
    """Denoiser → what is known of its costs, by the columns of the table. scaled: megapixels of its image."""
    known: dict[str, dict[str, Any]] = dict(read_json(folder / "shipped.json"))
    for name, times in read_json(RESULTS / "filter_latency.json").items():
        known[name] = {"latency_ms": times["ms_per_megapixel"] * scaled}
    for file in _files(folder / "training", "json"):
        record = read_json(file)
        own = {"parameters": record["parameters"], **architecture_costs(record["paper"], record["architecture"])}
        for training, facts in record["trainings"].items():
            seen = {"train_seconds": facts["seconds"], "images_seen": facts["images_seen"], "seeds": 1}
            known[f"{file.stem}.{training}"] = {**own, **seen}
    return known


def architecture_costs(paper: str, architecture: str) -> dict[str, Any]:
    """What a paper's stages measured of one of its networks, by the columns of the table."""
    counted = read_json(RESULTS / paper / "complexity.json")["profile"][architecture]
    timed = read_json(RESULTS / paper / "latency.json")["networks"][architecture]["float32"]
    times = {"latency_ms": timed["median_ms"], "peak_mb": timed["peak_memory_mb"]}
    return {"macs": counted["macs_512"], **times}


def histories(folder: Path) -> dict[tuple[str, str], pd.DataFrame]:
    """(network, training) → its validations, of the histories in a folder."""
    return {
        (file.stem, str(training)): history
        for file in _files(folder / "history", "csv")
        for training, history in pd.read_csv(file).groupby("training", sort=False)
    }


def at_equal_seconds(trainings: Mapping[tuple[str, str], pd.DataFrame]) -> pd.DataFrame:
    """What each network had reached when the fastest of its kind of training was at its end.

    The budget gives all the same images; here all have the same seconds. psnr_db: of the last validation before
    `seconds` were over, under a learning rate that was still high where that is long before the end. end_psnr_db,
    end_seconds: of the whole training. No validation by then: empty. The best comes first.
    """
    rows = []
    for training in dict.fromkeys(kind for _, kind in trainings):
        own = {name: history for (name, kind), history in trainings.items() if kind == training}
        seconds = min(history["seconds"].iloc[-1] for history in own.values())
        for name, history in own.items():
            before, last = history[history["seconds"] <= seconds], history.iloc[-1]
            reached = before.iloc[-1] if len(before) else None
            rows.append(
                {
                    **{"network": name, "training": training, "seconds": seconds},
                    "psnr_db": None if reached is None else reached["val_psnr_db"],
                    "images_seen": None if reached is None else int(reached["images_seen"]),
                    **{"end_psnr_db": last["val_psnr_db"], "end_seconds": last["seconds"]},
                }
            )
    table = pd.DataFrame(rows, columns=list(SECONDS))
    table["images_seen"] = table["images_seen"].astype("Int64")
    return table.sort_values(["training", "psnr_db"], ascending=[False, False], kind="stable")


def _files(folder: Path, ending: str) -> list[Path]:
    files = sorted(folder.glob(f"*.{ending}"))
    if not files:
        raise UserError(f"{folder} is empty: run `dvc repro` so that the stages that fill it run")
    return files


if __name__ == "__main__":
    run(main)
