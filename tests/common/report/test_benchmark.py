from dataclasses import replace
from pathlib import Path

import pytest

from common.report.benchmark import benchmark_section
from common.report.blocks import Figures, Table
from common.report.figures import protocol_figures
from common.report.material import Material, read
from common.report.names import denoiser_name
from common.store import read_json


@pytest.fixture
def material(results: Path) -> Material:
    return read(results, read_json(results / "environment.json"))


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


def test_a_denoiser_that_was_not_tested_everywhere_is_in_the_table_alone(material: Material) -> None:
    protocol = material.protocol
    once = protocol[(protocol["denoiser"] != "dudncnn") | (protocol["level"] == 15)]
    fewer = replace(material, protocol=once)
    (figure,) = protocol_figures(fewer)  # over time: of those left only DnCNN has multiply-accumulates
    assert figure.caption.endswith("cheapest first: DnCNN, BM3D.")
    (table,) = (block for block in benchmark_section(fewer).blocks if isinstance(block, Table))
    assert ["DUDnCNN", "33.40", "–", "225,859", "15.90", "350.0"] in list(table.rows)


def test_the_papers_own_tables_stand_beside_it(material: Material) -> None:
    assert "paper" in material.networks
    assert any(isinstance(block, Figures) for block in benchmark_section(material).blocks)


def test_a_denoiser_has_its_papers_name() -> None:
    papers = ("udncnn", "n2n_resnet")
    assert denoiser_name(papers, "dudncnn") == "DUDnCNN"
    assert denoiser_name(papers, "n2n_resnet/plain") == "without shortcuts"
    assert denoiser_name(papers, "mine") == "mine"
