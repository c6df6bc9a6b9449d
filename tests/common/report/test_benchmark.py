from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from common.report.benchmark import benchmark_section
from common.report.blocks import Figures, Table
from common.report.figures import protocol_figures
from common.report.material import Material, read
from common.report.names import denoiser_name
from common.store import read_json, write_csv

COSTS = {"dncnn": (225859, 14.9e9, 310.0), "dudncnn": (225859, 15.9e9, 350.0), "bm3d": (None, None, 4000.0)}
PSNR_DB = {"dncnn": (33.0, 29.0), "dudncnn": (33.4, 29.5), "bm3d": (33.3, 28.8), "noisy": (24.0, 19.0)}


@pytest.fixture
def protocol() -> pd.DataFrame:
    rows = []
    for denoiser, scores in PSNR_DB.items():
        parameters, macs, latency = COSTS.get(denoiser, (None, None, None))
        for level, psnr_db in zip((15, 30), scores, strict=True):
            told = {"denoiser": denoiser, "set": "embedded", "corruption": "gaussian", "level": level}
            rows.append({**told, "psnr_db": psnr_db, "parameters": parameters, "macs": macs, "latency_ms": latency})
    return pd.DataFrame(rows)


@pytest.fixture
def material(results: Path, protocol: pd.DataFrame) -> Material:
    return replace(read(results, read_json(results / "environment.json")), protocol=protocol)


def test_the_benchmark_is_a_row_a_denoiser_and_a_column_a_corruption_and_level(material: Material) -> None:
    (table,) = (block for block in benchmark_section(material).blocks if isinstance(block, Table))
    columns = ["denoiser", "gaussian 15", "gaussian 30", "parameters", "GMAC", "latency, ms"]
    assert list(table.columns) == columns
    assert table.rows[0] == ["DUDnCNN", "33.40", "29.50", "225,859", "15.90", "350.0"]
    assert [row[0] for row in table.rows] == ["DUDnCNN", "BM3D", "DnCNN", "noisy input"]
    assert table.rows[1] == ["BM3D", "33.30", "28.80", "–", "–", "4,000.0"]


def test_the_front_is_named_cheapest_first(material: Material) -> None:
    captions = {figure.path.stem: figure.caption for figure in protocol_figures(material)}
    assert captions["benchmark_macs"].endswith("On the front, cheapest first: DnCNN, DUDnCNN.")
    assert captions["benchmark_latency_ms"].endswith("On the front, cheapest first: DnCNN, DUDnCNN.")
    assert "benchmark_train_seconds" not in captions


def test_a_denoiser_that_was_not_tested_everywhere_is_in_the_table_alone(
    material: Material, protocol: pd.DataFrame
) -> None:
    once = protocol[(protocol["denoiser"] != "dudncnn") | (protocol["level"] == 15)]
    fewer = replace(material, protocol=once)
    (figure,) = protocol_figures(fewer)  # over time: of those left only DnCNN has multiply-accumulates
    assert figure.caption.endswith("cheapest first: DnCNN, BM3D.")
    (table,) = (block for block in benchmark_section(fewer).blocks if isinstance(block, Table))
    assert ["DUDnCNN", "33.40", "–", "225,859", "15.90", "350.0"] in list(table.rows)


def test_a_common_benchmark_is_read_beside_the_papers_own_table(results: Path, protocol: pd.DataFrame) -> None:
    tables = results / "tables"
    (tables / "benchmark.csv").rename(tables / "networks.csv")
    write_csv(tables / "benchmark.csv", protocol)
    material = read(results, read_json(results / "environment.json"))
    assert material.protocol is not None
    assert "paper" in material.networks
    assert any(isinstance(block, Figures) for block in benchmark_section(material).blocks)


def test_without_a_common_benchmark_the_best_of_each_experiment_is_shown(results: Path) -> None:
    material = read(results, read_json(results / "environment.json"))
    (table,) = (block for block in benchmark_section(material).blocks if isinstance(block, Table))
    where = ["Two <networks>", "Table 1, Gaussian noise on colour"]
    assert table.rows == [[*where, "19.00", "BM3D 30.50", "DUDnCNN 29.50"]]


def test_a_denoiser_has_its_papers_name() -> None:
    papers = ("udncnn", "n2n_resnet")
    assert denoiser_name(papers, "dudncnn") == "DUDnCNN"
    assert denoiser_name(papers, "n2n_resnet/plain") == "without shortcuts"
    assert denoiser_name(papers, "mine") == "mine"
