from pathlib import Path

import pandas as pd
import pytest

from common.benchmark import networks as benchmark
from common.errors import UserError
from common.store import write_csv, write_json
from tests.common import fake_results


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fake_results.make(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results/tables"


def test_every_denoiser_has_a_row_of_its_kind(tables: Path) -> None:
    benchmark.main()
    rows = pd.read_csv(tables / "networks.csv").set_index("network")
    assert rows["kind"].to_dict() == {
        **dict.fromkeys(["dncnn", "dudncnn"], "network"),
        **dict.fromkeys(["noisy", "black", "mean"], "trivial"),
        **dict.fromkeys(["bm3d", "median"], "filter"),
    }


@pytest.mark.parametrize("rows", [0, None])
def test_networks_that_ship_are_rows_where_the_noise_suits_them(tables: Path, rows: int | None) -> None:
    write_csv(f"results/{fake_results.PAPER}/shipped.csv", fake_results.scores({"dncnn": 31.0}).iloc[:rows])
    table = benchmark.networks(Path("results"), fake_results.PAPER)
    assert list(table.loc[table["kind"] == "shipped", "psnr_db"]) == ([31.0] if rows is None else [])
    assert list(table.loc[table["kind"] == "network", "network"]) == ["dncnn", "dudncnn"]


def test_quality_is_the_mean_over_images_in_the_suites_convention(tables: Path) -> None:
    benchmark.main()
    rows = pd.read_csv(tables / "networks.csv").set_index("network")
    for network, psnr_db in (fake_results.PSNR_DB | fake_results.FILTERS_DB).items():
        assert rows.loc[network, "psnr_db"] == psnr_db
    assert rows.loc["dncnn", "psnr_std"] == pytest.approx(2**0.5, rel=1e-4)  # of 28 and 30 dB
    assert rows.loc["dncnn", "images"] == 2


def test_seeds_are_averaged_before_the_spread_over_images(tables: Path) -> None:
    two = [fake_results.scores({"dncnn": psnr_db}).assign(seed=seed) for seed, psnr_db in ((0, 29.0), (1, 30.0))]
    write_csv(f"results/{fake_results.PAPER}/scores.csv", pd.concat(two))
    row = benchmark.networks(Path("results"), fake_results.PAPER).set_index("network").loc["dncnn"]
    assert (row["psnr_db"], row["seeds"]) == (29.5, 2)
    assert row["psnr_std"] == pytest.approx(2**0.5)


def test_costs_are_those_of_the_profiles_network(tables: Path) -> None:
    benchmark.main()
    row = pd.read_csv(tables / "networks.csv").set_index("network").loc["dncnn"]
    costs = ("parameters", "macs_512", "latency_ms", "ms_per_megapixel", "peak_memory_mb", "training_seconds")
    assert [row[column] for column in costs] == [57000, 14.9e9, 300, 1144, 100, 20]
    assert pd.isna(row["latency_ms_bf16"])


@pytest.mark.parametrize("missing", ["latency.json", "complexity.json", "training", "baselines.csv"])
def test_what_was_not_measured_is_empty(tables: Path, missing: str) -> None:
    path = Path("results") / fake_results.PAPER / missing
    path.rename(path.with_name("away"))
    benchmark.main()
    assert "dncnn" in set(pd.read_csv(tables / "networks.csv")["network"])


def test_missing_scores_are_named(tables: Path) -> None:
    (Path("results") / fake_results.PAPER / "scores.csv").unlink()
    with pytest.raises(UserError, match=r"scores\.csv is missing"):
        benchmark.main()


def test_the_nearest_convention_is_found_for_published_values_alone(tables: Path) -> None:
    benchmark.main()
    rows = pd.read_csv(tables / "conventions.csv").set_index("network")
    # 28.74 is published: 29.00 clipped, 28.75 unclipped, less where errors are averaged before the logarithm
    assert rows.loc["dncnn", "nearest"] == "unclipped"
    assert rows.loc["dncnn", "difference"] == pytest.approx(0.01, abs=1e-4)
    assert rows.loc[["noisy", "bm3d"], "nearest"].isna().all()


def test_a_network_without_bf16_times_keeps_its_float32_ones(tables: Path) -> None:
    record = {"networks": {"dncnn": {"bfloat16": {"median_ms": 80.0}}}}
    write_json(f"results/{fake_results.PAPER}/latency.json", record)
    row = benchmark.networks(Path("results"), fake_results.PAPER).set_index("network").loc["dncnn"]
    assert row["latency_ms_bf16"] == 80.0
    assert pd.isna(row["latency_ms"])
