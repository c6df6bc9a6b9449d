"""What denoised in the papers' own experiments: quality, size, time and memory, each on its paper's noise and images.

A stage: `python -m common.benchmark.networks` joins what the papers' stages measured into results/tables/networks.csv,
scores every network under every convention beside its published value in results/tables/conventions.csv, and tells what
a difference is worth in results/tables/variance.csv (`common.benchmark.variance`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from common import params
from common.benchmark.variance import variance
from common.claims.schema import load
from common.command import run
from common.score.metrics import CONVENTIONS, set_scores
from common.score.results import UNTRAINED, Measurements, record, score_table, shipped_scores, training_records
from common.store import write_csv

RESULTS = Path("results")
TABLES = RESULTS / "tables"
COSTS = (
    "parameters",
    "macs_512",
    "latency_ms",
    "latency_ms_bf16",
    "latency_size",
    "ms_per_megapixel",
    "peak_memory_mb",
    "training_seconds",
)


def main() -> None:
    """The stage: the three tables, over all papers."""
    papers = params.papers()
    write_csv(TABLES / "networks.csv", pd.concat([networks(RESULTS, paper) for paper in papers]))
    write_csv(TABLES / "conventions.csv", pd.concat([conventions(RESULTS, paper) for paper in papers]))
    write_csv(TABLES / "variance.csv", pd.concat([variance(RESULTS, paper) for paper in papers]))


def networks(results: Path, paper: str) -> pd.DataFrame:
    """A row for each network, filter and trivial predictor of each of a paper's experiments.

    kind: "network", trained in this run; "shipped", by a published recipe, comes with the suite; "filter"; "trivial".

    psnr_db, ssim: mean over images and seeds, the suite's convention; psnr_std: standard deviation over images of the
    mean over seeds. parameters, macs_512: of the network as the profile sizes it. latency_ms on an image of side
    latency_size, float32, latency_ms_bf16 likewise; ms_per_megapixel compares sizes. training_seconds: mean over seeds.
    What was not measured is empty.
    """
    scores = pd.concat([_kinds(score_table(paper, results)), shipped_scores(paper, results).assign(kind="shipped")])
    scores = scores[scores["convention"] == "suite"]
    costs = _costs(results, paper)
    rows = []
    by_image = scores.groupby(["kind", "experiment", "network", "image", "draw"], sort=False)[
        ["psnr_db", "ssim"]
    ].mean()
    seeds = scores.groupby(["kind", "network"])["seed"].nunique()
    for (kind, experiment, network), images in by_image.groupby(["kind", "experiment", "network"], sort=False):
        known = costs.get(str(network), {}) if kind != "shipped" else {}
        rows.append(
            {
                "paper": paper,
                "experiment": experiment,
                "network": network,
                "kind": kind,
                "psnr_db": images["psnr_db"].mean(),
                "ssim": images["ssim"].mean(),
                "psnr_std": images["psnr_db"].std(),
                "images": len(images),
                "seeds": seeds[str(kind), str(network)] if kind in ("network", "shipped") else None,
                **{column: known.get(column) for column in COSTS},
            }
        )
    return pd.DataFrame(rows).astype({"seeds": "Int64", "parameters": "Int64", "macs_512": "Int64"})


def _kinds(scores: pd.DataFrame) -> pd.DataFrame:
    untrained = scores["network"].isin(UNTRAINED).map({True: "trivial", False: "filter"})
    return scores.assign(kind=untrained.where(~scores["trained"], "network"))


def conventions(results: Path, paper: str) -> pd.DataFrame:
    """PSNR in dB of each network under each convention, the published value, and the convention nearest to it.

    Descriptive: the convention of a verdict is fixed in claims.yaml. `difference` is the nearest minus the published.
    """
    published = {
        (claim.experiment, claim.test.rows[0]): claim.test.published
        for claim in load(paper).claims
        if claim.kind == "value" and claim.measure == "psnr_db"
    }
    measurements = Measurements(paper, results)
    pairs = measurements.scores[["experiment", "network"]].drop_duplicates()
    rows = []
    for experiment, network in pairs.itertuples(index=False):
        scores = {
            name: float(set_scores(measurements.scores_of(network, experiment, name), "psnr_db", name).mean())
            for name in CONVENTIONS
        }
        row: dict[str, Any] = {"paper": paper, "experiment": experiment, "network": network, **scores}
        value = published.get((experiment, network))
        if value is not None:
            nearest = min(scores, key=lambda name: abs(scores[name] - value))
            row |= {"published": value, "nearest": nearest, "difference": scores[nearest] - value}
        rows.append(row)
    columns = ["paper", "experiment", "network", *CONVENTIONS, "published", "nearest", "difference"]
    return pd.DataFrame(rows, columns=columns)


def _costs(results: Path, paper: str) -> dict[str, dict[str, float]]:
    """Network or filter → what is known of `COSTS`; records that are not there yet leave them out.

    A trained variant has the costs of its architecture.
    """
    folder = results / paper
    costs: dict[str, dict[str, float]] = {}
    for network, facts in record(folder / "complexity.json").get("profile", {}).items():
        costs.setdefault(network, {}).update(parameters=facts["parameters"], macs_512=facts["macs_512"])
    for network, formats in record(folder / "latency.json").get("networks", {}).items():
        costs.setdefault(network, {}).update(_times(formats.get("float32", {})))
        costs[network]["latency_ms_bf16"] = formats.get("bfloat16", {}).get("median_ms")
    for name, times in record(results / "filter_latency.json").items():
        costs.setdefault(name, {}).update(_times(times))
    for name, training in training_records(paper, results).items():
        seconds = [facts["seconds"] for facts in training["seeds"].values()]
        if seconds:
            architecture = costs.get(training["architecture"], {})
            costs[name] = {**architecture, "training_seconds": sum(seconds) / len(seconds)}
    return costs


def _times(record: Mapping[str, float]) -> dict[str, float]:
    names = {"latency_ms": "median_ms", "latency_size": "size"}
    wanted = {**names, "ms_per_megapixel": "ms_per_megapixel", "peak_memory_mb": "peak_memory_mb"}
    return {column: record[key] for column, key in wanted.items() if key in record}


if __name__ == "__main__":
    run(main)
