import json
import math

import pandas as pd
import pytest

from common import command
from common.errors import UserError
from common.run.regression import FLOORS, check, collect, compare, main, record, spread

BASELINE = {"toy.net.psnr_db": {"value": 24.0, "tolerance": 0.4, "spread": 0.1, "seeds": 3}}


@pytest.fixture
def results(tmp_path):
    """Write results/toy/metrics.json (and filters); returns the folder and the path of a baseline."""

    def write(metrics, name="results", filters=()):
        folder = tmp_path / name / "toy"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "metrics.json").write_text(json.dumps(metrics))
        if filters:
            columns = ["experiment", "network", "image", "convention", "psnr_db", "ssim"]
            pd.DataFrame(filters, columns=columns).to_csv(folder / "baselines.csv", index=False)
        return folder.parent

    return write


@pytest.fixture
def baseline(tmp_path):
    path = tmp_path / "smoke.json"
    path.write_text(json.dumps({"profile": "smoke", "metrics": BASELINE}))
    return path


def test_a_metric_within_tolerance_passes(results, baseline, capsys):
    check(results({"net": {"psnr_db": 23.61}}), baseline)
    assert "1 metrics within tolerance" in capsys.readouterr().out


def test_a_regression_exits_1_and_prints_metric_baseline_now_and_tolerance(results, baseline, capsys):
    with pytest.raises(SystemExit) as exit_:
        check(results({"net": {"psnr_db": 23.59}}), baseline)
    assert exit_.value.code == 1
    title, head, row = capsys.readouterr().out.splitlines()
    assert (title, head.split()) == ("regressed:", ["metric", "baseline", "now", "tolerance"])
    assert row.split() == ["toy.net.psnr_db", "24.0000", "23.5900", "0.4000"]


def test_an_improvement_is_reported_and_does_not_fail(results, baseline, capsys):
    check(results({"net": {"psnr_db": 24.5}}), baseline)
    assert capsys.readouterr().out.startswith("improved beyond tolerance (record a new baseline to hold it):")


def test_a_metric_that_vanished_is_a_regression(results, baseline, capsys):
    gone = {"toy.gone.psnr_db": {"value": 20.0, "tolerance": 0.1}}
    baseline.write_text(json.dumps({"profile": "smoke", "metrics": BASELINE | gone}))
    with pytest.raises(SystemExit) as exit_:
        check(results({"net": {"psnr_db": 24.0}}), baseline)
    assert exit_.value.code == 1
    assert "missing" in capsys.readouterr().out


def test_a_missing_baseline_file_exits_2(results, tmp_path, monkeypatch, capsys):
    folder = results({"net": {"psnr_db": 24.0}})
    arguments = ["check", "--results", str(folder), "--baseline", str(tmp_path / "none.json")]
    monkeypatch.setattr("sys.argv", ["regression", *arguments])
    with pytest.raises(SystemExit) as exit_:
        command.run(main)
    assert exit_.value.code == 2
    assert "none.json is missing: record it" in capsys.readouterr().err


def test_a_metric_without_baseline_fails(results, baseline):
    with pytest.raises(UserError, match=r"no baseline for toy.new.psnr_db"):
        check(results({"net": {"psnr_db": 24.0}, "new": {"psnr_db": 24.0}}), baseline)


def test_results_without_metrics_fail(tmp_path):
    with pytest.raises(UserError, match="run `dvc repro` first"):
        collect(tmp_path)


def test_a_loss_regresses_upwards_and_nan_always():
    entry = {"value": 10.0, "tolerance": 1.0}
    worse, nan = compare(
        {"toy.net.mse": 11.5, "toy.net.psnr_db": math.nan}, dict.fromkeys(("toy.net.mse", "toy.net.psnr_db"), entry)
    )
    assert worse.regressed
    assert nan.regressed
    assert compare({"toy.net.mse": 8.5}, {"toy.net.mse": entry})[0].improved


def test_filters_are_metrics_too(results):
    rows = [("table1", "nlm", "a", "suite", 28.0, 0.8), ("table1", "nlm", "b", "suite", 30.0, 0.9)]
    metrics = collect(results({"net": {"psnr_db": 24.0}}, filters=[*rows, ("table1", "nlm", "a", "luma", 99.0, 0.0)]))
    assert metrics == {
        "toy.net.psnr_db": 24.0,
        "toy.table1.filters.nlm.psnr_db": 29.0,
        "toy.table1.filters.nlm.ssim": pytest.approx(0.85),
    }


def test_the_tolerance_comes_from_the_spread_of_seeds_pooled_over_networks():
    # a: 24.0, 24.1, 24.2 (variance 0.01); b: 25.0, 25.2, 25.4 (0.04): pooled 0.025 with 4 degrees of freedom;
    # t(0.995, 4) = 4.6041 (tables), sqrt(1 + 1/3) = 1.1547
    runs = [{"toy.a.psnr_db": 24 + 0.1 * i, "toy.b.psnr_db": 25 + 0.2 * i, "toy.noisy.psnr_db": 19.0} for i in range(3)]
    entries = spread(runs)
    factor = 4.6041 * math.sqrt(4 / 3)
    assert entries["toy.a.psnr_db"] == {
        "value": 24.1,
        "tolerance": pytest.approx(factor * math.sqrt(0.025), abs=1e-4),
        "spread": pytest.approx(math.sqrt(0.025), abs=1e-5),
        "seeds": 3,
    }
    assert entries["toy.b.psnr_db"]["spread"] == pytest.approx(0.2)  # its own, which is above the pooled one
    assert entries["toy.noisy.psnr_db"]["tolerance"] == FLOORS["psnr_db"]  # varies with no seed, and is not pooled


def test_a_recorded_baseline_accepts_the_runs_it_was_made_of(results, tmp_path, capsys):
    folders = [results({"net": {"psnr_db": 24 + 0.1 * seed, "ssim": 0.7}}, name=f"seed{seed}") for seed in range(3)]
    path = tmp_path / "quick.json"
    record(folders, path, "quick")
    for folder in folders:
        check(folder, path)
    written = json.loads(path.read_text())
    assert written["profile"] == "quick"
    assert set(written["metrics"]["toy.net.psnr_db"]) == {"value", "tolerance", "spread", "seeds"}


def test_one_seed_has_no_spread_to_record(results, tmp_path):
    with pytest.raises(UserError, match="at least two results folders"):
        record([results({"net": {"psnr_db": 24.0}})], tmp_path / "b.json", "smoke")


def test_runs_of_different_networks_have_no_common_spread(results, tmp_path):
    folders = [results({"net": {"psnr_db": 24.0}}, "a"), results({"other": {"psnr_db": 24.0}}, "b")]
    with pytest.raises(UserError, match="hold different metrics"):
        record(folders, tmp_path / "b.json", "smoke")
