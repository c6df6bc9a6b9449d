import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from common.benchmark import networks as stage
from common.benchmark.variance import components, needed, variance, worth
from common.store import write_csv
from tests.common import fake_results

TRUE = {"image": 3.0, "draw": 0.5, "seed": 0.2, "seed_image": 0.3, "rest": 0.1}


def sampled(
    rng: np.random.Generator, seeds: int, images: int, draws: int, image: np.ndarray | None = None
) -> np.ndarray:
    """Scores with `TRUE` components; image: the effects of the images, which two networks share."""
    effects = rng.normal(0, TRUE["image"], images) if image is None else image
    return (
        29
        + effects[None, :, None]
        + rng.normal(0, TRUE["draw"], (1, images, draws))
        + rng.normal(0, TRUE["seed"], (seeds, 1, 1))
        + rng.normal(0, TRUE["seed_image"], (seeds, images, 1))
        + rng.normal(0, TRUE["rest"], (seeds, images, draws))
    )


def test_known_components_are_recovered() -> None:
    """Root mean square over 40 tables: the mean squares are unbiased."""
    rng = np.random.default_rng(0)
    found = [components(sampled(rng, seeds=8, images=40, draws=5)) for _ in range(40)]
    for source, deviation in TRUE.items():
        mean = math.sqrt(np.mean([one[source] ** 2 for one in found]))
        assert mean == pytest.approx(deviation, rel=0.1), source


def test_effects_without_any_noise_are_exact() -> None:
    seed, image = np.array([-1.0, 0.0, 1.0]), np.array([-2.0, 2.0])
    found = components(np.repeat((seed[:, None] + image)[:, :, None], 4, axis=2))
    assert found == pytest.approx({"image": 8**0.5, "draw": 0, "seed": 1, "seed_image": 0, "rest": 0}, abs=1e-6)


def test_what_one_seed_or_one_draw_cannot_tell_is_not_told() -> None:
    rng = np.random.default_rng(1)
    one = components(sampled(rng, seeds=1, images=400, draws=4))
    assert [math.isnan(one[source]) for source in ("seed", "seed_image", "rest")] == [True] * 3
    assert one["draw"] == pytest.approx(math.hypot(TRUE["draw"], TRUE["rest"]), rel=0.1)
    single = components(sampled(rng, seeds=3, images=400, draws=1))
    assert math.isnan(single["draw"])
    assert math.isnan(single["rest"])
    assert single["seed_image"] == pytest.approx(math.hypot(TRUE["seed_image"], TRUE["rest"]), rel=0.1)


def test_pairing_takes_the_images_out_of_a_difference() -> None:
    rng = np.random.default_rng(2)
    image = rng.normal(0, TRUE["image"], 60)
    a, b = worth({name: sampled(rng, 3, 60, 2, image) for name in ("a", "b")})
    assert a["std_paired"] == b["std_paired"]
    assert a["std_paired"] < 0.25 * math.sqrt(2) * TRUE["image"]
    assert a["se_paired"] < a["se_unpaired"]
    assert a["images_paired"] < a["images_unpaired"] / 10


def test_so_many_samples_tell_the_difference_as_often_as_is_asked() -> None:
    rng = np.random.default_rng(3)
    count = needed(0.5)
    means = rng.normal(0.2, 0.5, (4000, count)).mean(axis=1)
    assert np.mean(means > 1.96 * 0.5 / math.sqrt(count)) == pytest.approx(0.8, abs=0.02)
    assert needed(0.0) == 2


def test_the_stage_writes_this_run_and_the_reference_runs_with_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_results.make(tmp_path)
    monkeypatch.chdir(tmp_path)
    seeds = [fake_results.scores({"dncnn": 29.0 + seed, "dudncnn": 30.0}).assign(seed=seed) for seed in range(3)]
    write_csv(f"results/reference/three/{fake_results.PAPER}/scores.csv", pd.concat(seeds))
    stage.main()
    rows = pd.read_csv("results/tables/variance.csv").set_index(["run", "network"])
    assert set(rows.index) == {(run, name) for run in ("this run", "three") for name in ("dncnn", "dudncnn")}
    assert rows.loc[("this run", "dncnn"), "std_image"] == pytest.approx(2**0.5, rel=1e-4)  # of 28 and 30 dB
    assert rows.loc[("this run", "dncnn"), ["std_draw", "std_seed", "seeds_needed"]].isna().all()
    assert rows.loc[("three", "dncnn"), "std_seed"] == pytest.approx(1.0)
    assert rows.loc[("three", "dncnn"), "seeds_needed"] == needed(2**0.5)


def test_a_run_without_scores_has_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_results.make(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"results/{fake_results.PAPER}/scores.csv").unlink()
    assert variance(Path("results"), fake_results.PAPER).empty
