"""Results of a paper that nothing had to be trained for: every file the later stages read, with known numbers."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from common.score.metrics import CONVENTIONS
from common.score.panels import draw_panels
from common.store import write_csv, write_json, write_text

PAPER = "udncnn"
REPOSITORY = Path(__file__).parents[2]
PSNR_DB = {"dncnn": 29.0, "dudncnn": 29.5, "noisy": 19.0, "black": 6.0, "mean": 12.0}
FILTERS_DB = {"bm3d": 30.5, "median": 25.0}
IMAGES = {"astronaut": 1.0, "chelsea": -1.0}
"""Distance of each image's PSNR from the mean."""
UNCLIPPED_DB = -0.25
"""Distance of the PSNR under the unclipped conventions."""
CLAIMS = """
paper: udncnn
title: A paper of two <networks>
citation: A. Author, "Two networks", 2020
experiments:
  table1:
    data: {data.test: bsds300}
    noise: {noise.sigma: 30}
claims:
- {id: U1, source: Table 1, says: PSNR, experiment: table1, measure: psnr_db, convention: unclipped,
   parts: [dncnn == 28.74 +- 0.15, dudncnn == 29.1 +- 0.15], table: udncnn_table1, note: which test set is open}
- {id: U2, source: Table 1, says: dudncnn > dncnn, experiment: table1, measure: psnr_db, test: dudncnn > dncnn}
- {id: U20, source: section 2, says: parameters, measure: "complexity.published.{}.parameters",
   test: dncnn == 225859}
self_checks:
- {id: US1, source: section 3, says: "1,000 images of a set of 300", test: 1000 == 300}
choices:
- {parameter: network.depth, value: 6, provenance: lineage, note: the paper names none}
"""
SUMMARY = """
name: Two <networks>
claims: DUDnCNN is {{ (published["U1.dudncnn"] - published["U1.dncnn"]) | apart }} DnCNN.
found: >-
  It is {{ (psnr.table1.dudncnn - psnr.table1.dncnn) | apart }} it{{ ", as claimed" if holds("U2") }}.
picture: table1/astro
published_scale:
  claim: U1
  what: Table 1 at σ = 30
  orders: [U2]
  found: At the published scale DUDnCNN is {{ (ours["U1.dudncnn"] - ours["U1.dncnn"]) | apart }} DnCNN.
"""


def make(folder: Path) -> None:
    """Write the parameters, claims.yaml and results/<paper> into `folder`."""
    replication, results = folder / "replications" / PAPER, folder / "results" / PAPER
    replication.mkdir(parents=True)
    shutil.copy(REPOSITORY / "params.yaml", folder)
    for file in ("params.py", "params.yaml", "names.yaml"):
        shutil.copy(REPOSITORY / "replications" / PAPER / file, replication)
    write_text(replication / "claims.yaml", CLAIMS)
    write_text(replication / "summary.yaml", SUMMARY)
    splits = {"train": 46, "val": 5, "test": 2}
    data = {name: {"dataset": "embedded", "images": count, "sha256": "0" * 64} for name, count in splits.items()}
    write_json(results / "data.json", data)
    write_csv(results / "scores.csv", scores(PSNR_DB))
    write_csv(results / "baselines.csv", scores(FILTERS_DB).assign(seconds=1.5))
    costs = {"parameters": 57000, "receptive_field": 17}
    macs = {"dncnn": 14_900_000_000, "dudncnn": 15_900_000_000}
    profile = {name: {**costs, "macs_512": count} for name, count in macs.items()}
    published = {"dncnn": {**costs, "parameters": 225859}}
    write_json(results / "complexity.json", {"published": published, "profile": profile})
    times = {"median_ms": 300.0, "size": 512, "ms_per_megapixel": 1144.0}
    slower = {"dncnn": times, "dudncnn": {**times, "ms_per_megapixel": 1300.0}}
    networks = {name: {"float32": {**slower[name], "peak_memory_mb": 100.0}} for name in profile}
    write_json(results / "latency.json", {"networks": networks})
    write_json(folder / "results/filter_latency.json", {"median": times})
    for name in profile:
        write_csv(results / f"history/table1/{name}.csv", history())
        write_json(results / f"training/table1/{name}.json", training(name))
    write_csv(results / "history/table1/dncnn_d1.csv", history().iloc[:0])
    write_json(results / "training/table1/dncnn_d1.json", {**training("dncnn_d1"), "seeds": {}})


def draw(folder: Path) -> None:
    """Draw one panel into results/<paper>/panels."""
    clean = {"astronaut": np.full((32, 32, 3), 128, np.uint8)}
    noisy = {name: image + np.float32(9) for name, image in clean.items()}
    draw_panels(folder / "results" / PAPER / "panels/table1", list(clean), clean, noisy, {"dncnn": noisy})


def publish(folder: Path) -> None:
    """Lay down a run at the published scale as results/reference/paper: this run's ledger, 0.1 dB better."""
    results = folder / "results"
    table = pd.read_csv(results / "claims.csv", dtype=str, keep_default_na=False)
    numbers = table["kind"] == "value"
    table.loc[numbers, "ours"] = [f"{float(value) + 0.1:.4f}" for value in table.loc[numbers, "ours"]]
    table.loc[numbers, "verdict"] = "reproduced"
    write_csv(results / "reference/paper/claims.csv", table)
    run = {"profile": "paper", "seed": 0, "code": "0" * 40, "date": "2026-01-31"}
    machine = {"cpu": "a processor", "cores": 2, "gpu": "a large GPU"}
    data = {PAPER: {"test": {"dataset": "bsds300", "images": 100, "sha256": ""}}}
    write_json(results / "reference/paper/environment.json", {"run": run, "machine": machine, "data": data})


def scores(psnr_db: dict[str, float]) -> pd.DataFrame:
    """A score table in which every network has its PSNR on average over the images."""
    rows = []
    for network, mean in psnr_db.items():
        for image, distance in IMAGES.items():
            for name, convention in CONVENTIONS.items():
                psnr = mean + distance + (0 if convention.clip else UNCLIPPED_DB)
                rows.append(("table1", network, 0, image, name, 255**2 / 10 ** (psnr / 10), psnr, 0.8))
    columns = ["experiment", "network", "seed", "image", "convention", "mse", "psnr_db", "ssim"]
    return pd.DataFrame(rows, columns=columns)


def history() -> pd.DataFrame:
    """Two validations of one training."""
    curves = {"images_seen": [800, 1600], "train_loss": [0.02, 0.01], "val_psnr_db": [27.0, 29.0]}
    return pd.DataFrame({"seed": 0, **curves})


def training(name: str) -> dict[str, object]:
    """The record of one variant's training."""
    facts = {
        "steps": 100,
        "seconds": 20.0,
        "threads": 1,
        "device": "cpu",
        "precision": "fp32",
        "precision_reason": "asked for",
    }
    recipe = {"batch": 16, "crop": 44, "optimizer": {"name": "adam"}, "schedule": {"name": "one_cycle"}, "lr": 0.02}
    return {"architecture": name, "experiment": "table1", "recipe": recipe, "seeds": {"0": facts}}
