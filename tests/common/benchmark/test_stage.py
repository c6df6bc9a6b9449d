"""The join: what was scored and what was measured elsewhere become one table."""

from pathlib import Path

import pandas as pd
import pytest

from common.benchmark import stage
from common.errors import UserError
from common.store import write_csv, write_json

IMAGES = ("a", "b", "c")


def scores(denoiser: str, kind: str, psnr_db: tuple[float, ...]) -> pd.DataFrame:
    keys = {"denoiser": denoiser, "kind": kind, "set": "embedded", "corruption": "gaussian", "level": 25.0, "seed": 0}
    return pd.DataFrame([{**keys, "image": i, "psnr_db": p, "ssim": 0.8} for i, p in zip(IMAGES, psnr_db, strict=True)])


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    monkeypatch.chdir(tmp_path)
    write_csv("results/benchmark/scores/net.csv", scores("net.blind", "trained", (30.0, 31.0, 32.0)))
    others = [
        scores("bm3d", "filter", (30.1, 30.9, 32.1)),
        scores("mine", "own", (28.0, 29.1, 29.9)),
        scores("dncnn", "network", (20.0, 21.0, 22.0)),
    ]
    write_csv("results/benchmark/scores/untrained.csv", pd.concat(others).assign(seconds_per_megapixel=2.0))
    write_json("results/benchmark/shipped.json", {"dncnn": {"parameters": 9, "macs": 7, "peak_mb": 5.0, "seeds": 1}})
    write_json("results/filter_latency.json", {"bm3d": {"ms_per_megapixel": 1000.0}})
    training = {"paper": "p", "architecture": "a", "parameters": 3}
    facts = {"blind": {"seconds": 12.5, "images_seen": 4800}}
    write_json("results/benchmark/training/net.json", {**training, "trainings": facts})
    write_json("results/p/complexity.json", {"profile": {"a": {"macs_512": 11}}})
    write_json("results/p/latency.json", {"networks": {"a": {"float32": {"median_ms": 40.0, "peak_memory_mb": 6.0}}}})
    return stage.benchmark_table(stage.BENCHMARK, 1000).set_index("denoiser")


def test_a_row_has_scores_and_costs(table: pd.DataFrame) -> None:
    row = table.loc["net.blind"]
    assert row["psnr_db"] == pytest.approx(31.0)
    assert row["psnr_low"] == pytest.approx(31 - 4.3027 / 3**0.5, abs=1e-3)  # t of 2 degrees of freedom, s = 1
    assert row[["parameters", "macs", "latency_ms", "peak_mb"]].tolist() == [3, 11, 40.0, 6.0]
    assert row[["train_seconds", "images_seen", "seeds"]].tolist() == [12.5, 4800, 1]


def test_denoisers_that_the_images_cannot_tell_apart_share_a_place(table: pd.DataFrame) -> None:
    assert table["rank"].to_dict() == {"net.blind": 1, "bm3d": 1, "mine": 3, "dncnn": 4}


def test_a_time_is_of_one_image_of_the_size_whatever_it_was_timed_on(table: pd.DataFrame) -> None:
    assert table.loc["bm3d", "latency_ms"] == pytest.approx(1000)  # its stage's, of a megapixel
    assert table.loc["mine", "latency_ms"] == pytest.approx(2000)  # that of the scoring
    assert table.loc["dncnn", ["parameters", "macs"]].tolist() == [9, 7]
    assert pd.isna(table.loc["bm3d", "macs"])


def history(*rows: tuple[float, float, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["seconds", "val_psnr_db", "images_seen"])


def test_equal_seconds_are_those_of_the_fastest() -> None:
    trainings = {
        ("fast", "blind"): history((1.0, 20.0, 8), (2.0, 25.0, 16)),
        ("slow", "blind"): history((1.5, 22.0, 8), (3.0, 28.0, 16)),
        ("slowest", "blind"): history((4.0, 21.0, 8), (8.0, 29.0, 16)),
        ("slow", "all"): history((2.0, 18.0, 8), (4.0, 19.0, 16)),
    }
    table = stage.at_equal_seconds(trainings)
    assert table["network"].tolist() == ["fast", "slow", "slowest", "slow"]
    assert table["training"].tolist() == ["blind", "blind", "blind", "all"]
    assert table["seconds"].tolist() == [2.0, 2.0, 2.0, 4.0]
    assert table["psnr_db"].tolist()[:2] == [25.0, 22.0]
    assert pd.isna(table["psnr_db"].iloc[2])
    assert table["psnr_db"].iloc[3] == 19.0
    assert table["end_psnr_db"].tolist() == [25.0, 28.0, 29.0, 19.0]


def test_a_folder_that_no_stage_has_filled_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="scores is empty: run `dvc repro`"):
        stage.benchmark_table(tmp_path, 512)
