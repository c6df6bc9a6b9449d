from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from common.report.benchmark import benchmark_section
from common.report.blocks import Figures, Fold, Paragraph, Table
from common.report.denoisers import denoiser_name, table_name
from common.report.figures import complete, protocol_figures
from common.report.material import Material, read
from common.store import read_json, write_csv


@pytest.fixture
def material(results: Path) -> Material:
    return read(results, read_json(results / "environment.json"))


def tables(material: Material) -> list[Table]:
    """Of the section and of its folds, in order."""
    blocks = [one for block in benchmark_section(material).blocks for one in getattr(block, "blocks", [block])]
    return [block for block in blocks if isinstance(block, Table)]


def test_the_benchmark_is_a_row_a_denoiser_and_a_column_a_corruption_and_level(material: Material) -> None:
    table, _ = tables(material)
    costs = ["parameters", "GMAC", "latency, ms", "training, s", "crops seen"]
    assert list(table.columns) == ["denoiser", "Gaussian 15", "Gaussian 30", *costs]
    published = ["DUDnCNN (published recipe)", "33.40*", "29.50*", "225,859", "15.90", "350.0", "–", "–"]
    assert table.rows[0] == published
    names = ["DUDnCNN (published recipe)", "BM3D", "DnCNN (blind Gaussian)", "noisy input"]
    assert [row[0] for row in table.rows] == names
    assert table.rows[1] == ["BM3D", "33.30*", "28.80*", "–", "–", "4,000.0", "–", "–"]
    assert table.rows[2] == ["DnCNN (blind Gaussian)", "33.00", "29.00", "57,000", "14.90", "310.0", "12", "4,800"]


def test_the_benchmark_says_on_what_its_networks_were_trained(material: Material) -> None:
    texts = [block.text for block in benchmark_section(material).blocks if isinstance(block, Paragraph)]
    assert any("the same 4,800 crops" in text for text in texts)


def test_equal_seconds_stand_beside_equal_images(material: Material) -> None:
    _, table = tables(material)
    assert list(table.columns) == ["network", "after 9.5 s", "crops seen", "at the end", "after, s"]
    assert table.rows == [["DnCNN", "28.10", "3,600", "29.20", "12.0"]]


def test_the_front_is_named_cheapest_first(material: Material) -> None:
    captions = {figure.path.stem: figure.caption for figure in protocol_figures(material)}
    front = "levels: DnCNN (blind Gaussian), DUDnCNN (published recipe)."
    assert captions["benchmark_macs"].endswith(front)
    assert captions["benchmark_latency_ms"].endswith(front)
    assert "benchmark_train_seconds" not in captions  # known of a single one


def test_a_denoiser_that_was_not_tested_everywhere_is_in_the_table_alone(material: Material) -> None:
    protocol = material.protocol
    once = protocol[(protocol["denoiser"] != "dudncnn") | (protocol["level"] == 15)]
    fewer = replace(material, protocol=once)
    (figure,) = protocol_figures(fewer)  # over time: of those left only DnCNN has multiply-accumulates
    assert figure.caption.endswith("levels: DnCNN (blind Gaussian), BM3D.")
    table, _ = tables(fewer)
    assert ["DUDnCNN (published recipe)", "33.40*", "–"] in [list(row[:3]) for row in table.rows]


def test_the_papers_own_tables_stand_beside_it(material: Material) -> None:
    assert "paper" in material.networks
    assert any(isinstance(block, Figures) for block in benchmark_section(material).blocks)


def test_a_denoiser_has_its_papers_name() -> None:
    papers = ("udncnn", "n2n_resnet")
    assert denoiser_name(papers, "dudncnn") == "DUDnCNN"
    assert denoiser_name(papers, "n2n_resnet/plain") == "without shortcuts"
    assert denoiser_name(papers, "mine") == "mine"
    assert denoiser_name(papers, "mine.denoise") == "mine.denoise"
    assert table_name(papers, "dudncnn.all", "trained") == "DUDnCNN (all corruptions)"
    assert table_name(papers, "dudncnn", "network") == "DUDnCNN (published recipe)"


def test_another_set_is_folded_after_what_grey_pictures_are_to_a_network(material: Material) -> None:
    grey = material.protocol.assign(set="embedded_grey", psnr_db=20.0)
    both = replace(material, protocol=pd.concat([material.protocol, grey]))
    blocks = list(benchmark_section(both).blocks)
    (place,) = (index for index, block in enumerate(blocks) if isinstance(block, Fold) and "grey" in block.title)
    text, fold = blocks[place - 1], blocks[place]
    assert isinstance(text, Paragraph)
    assert "three equal channels" in text.text
    assert isinstance(fold, Fold)
    (table,) = fold.blocks
    assert isinstance(table, Table)
    assert table.rows[0][1].startswith("20.00")


def test_bm3d_stands_among_those_tested_on_all_gaussian_noise(material: Material) -> None:
    poisson = material.protocol[material.protocol["denoiser"] != "bm3d"].assign(corruption="poisson", level=4.0)
    both = pd.concat([material.protocol, poisson])
    assert "bm3d" in set(complete(material.protocol)["denoiser"])
    assert set(both["denoiser"]) - set(complete(both)["denoiser"]) == {"bm3d"}


def test_published_scores_on_the_test_sets_of_the_literature_say_that_they_are(material: Material) -> None:
    row = {"denoiser": "BM3D (published)", "kind": "published", "set": "bsd68", "corruption": "gaussian", "level": 25.0}
    file = material.results / "reference/paper/tables/benchmark.csv"
    write_csv(file, pd.DataFrame([{**row, "psnr_db": 28.57, "rank": None}]))
    (fold,) = (
        block for block in benchmark_section(material).blocks if isinstance(block, Fold) and "BSD68" in block.title
    )
    (table,) = fold.blocks
    assert isinstance(table, Table)
    assert table.rows == [["BM3D (published score)", "28.57"]]
