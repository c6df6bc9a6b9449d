"""The protocol: what is tested, how it is scored, and what a broken run leaves behind."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from common.benchmark import __main__ as benchmark
from common.benchmark import protocol, runner
from common.benchmark.entrants import Entrant, classical, shipped, trivial
from common.benchmark.protocol import CORRUPTIONS, Case, cases
from common.benchmark.reference import FILE, published
from common.benchmark.runner import Journal, score_set
from common.benchmark.table import COLUMNS, ranks, summarised
from common.datasets.registry import DATASETS
from common.errors import UserError
from common.noise.sensor import Gaussian, corrupt
from tests.common.datasets.test_datasets import picture, write

ONE = [Case("gaussian", 25.0, seed=0)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        write(tmp_path / f"pictures/{number}.png", picture(number, 24, 20))
    return tmp_path / "pictures"


@pytest.fixture
def counting() -> Entrant:
    """The input as it is; `counting.prepare.calls` lists what it was given."""
    calls: list[np.ndarray] = []

    def prepare(case: Case):
        return lambda noisy: calls.append(noisy) or noisy

    prepare.calls = calls
    return Entrant("mine", "own", prepare)


def test_noise_is_the_keyed_one_neither_clipped_nor_rounded(folder: Path, counting: Entrant) -> None:
    score_set(f"folder:{folder}", None, None, [counting], ONE, Journal(None))
    expected = corrupt({"0": picture(0, 24, 20)}, Gaussian(25.0), seed=0)["0"]
    np.testing.assert_array_equal(counting.prepare.calls[0], expected)
    assert expected.min() < 0
    assert not np.array_equal(expected, expected.round())


def test_every_denoiser_sees_the_same_noise(folder: Path, counting: Entrant) -> None:
    other = Entrant("other", "own", counting.prepare)
    score_set(f"folder:{folder}", None, 1, [counting, other], ONE, Journal(None))
    first, second = counting.prepare.calls
    np.testing.assert_array_equal(first, second)


def test_a_score_is_the_mean_over_images(folder: Path) -> None:
    """PSNR of the noisy input by hand: 20 log10(255 / RMSE) of the clipped image, averaged."""
    rows, _ = score_set(f"folder:{folder}", None, None, trivial(), ONE, Journal(None))
    (summary,) = summarised(rows, {}).to_dict("records")
    by_hand = []
    for number in range(3):
        clean = picture(number, 24, 20).astype(float)
        noisy = corrupt({str(number): picture(number, 24, 20)}, Gaussian(25.0), seed=0)[str(number)]
        by_hand.append(20 * np.log10(255 / np.sqrt(np.mean((np.clip(noisy, 0, 255) - clean) ** 2))))
    assert summary["psnr_db"] == pytest.approx(np.mean(by_hand), abs=1e-6)
    half = 4.302653 * np.std(by_hand, ddof=1) / np.sqrt(3)  # t quantile, 2 degrees of freedom
    assert summary["psnr_high"] - summary["psnr_db"] == pytest.approx(half, rel=1e-4)


def test_places_are_shared_where_paired_differences_do_not_tell() -> None:
    """By hand: "b" is 0.1 dB behind "a" on every image but for ±0.5, "c" 1 dB behind with hardly any spread."""
    images = [30.0, 25.0, 33.0, 28.0]
    by_name = {
        "a": images,
        "b": [value - 0.1 + swing for value, swing in zip(images, (0.5, -0.5, 0.5, -0.5), strict=True)],
        "c": [value - 1 + swing for value, swing in zip(images, (0.01, -0.01, 0.0, 0.0), strict=True)],
        "d": [value - 1.5 for value in images],
    }
    table = pd.DataFrame(
        [
            {"set": "s", "corruption": "gaussian", "level": 25.0, "denoiser": name, "image": str(k), "psnr_db": value}
            for name, values in by_name.items()
            for k, value in enumerate(values)
        ]
    )
    places = {key[3]: place for key, place in ranks(table).items()}
    assert places == {"a": 1, "b": 1, "c": 3, "d": 4}


def test_a_broken_run_goes_on_where_it_stopped(folder: Path, counting: Entrant, tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    first, _ = score_set(f"folder:{folder}", None, 2, [counting], ONE, Journal(file))
    text = file.read_text()
    file.write_text(text + "mine,own,half a li")  # killed while it wrote
    again, _ = score_set(f"folder:{folder}", None, None, [counting], ONE, Journal(file))
    assert len(counting.prepare.calls) == 3
    assert [row.image for row in again] == ["0", "1", "2"]
    assert again[:2] == first
    assert len(pd.read_csv(file)) == 3


def test_a_file_of_something_else_is_no_journal(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(UserError, match="is no file of scores"):
        Journal(tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "x,y\n1,2\n"


def test_a_bad_picture_is_named_and_not_fatal(folder: Path, counting: Entrant) -> None:
    (folder / "1.png").write_text("no picture")
    rows, bad = score_set(f"folder:{folder}", None, None, [counting], ONE, Journal(None))
    assert [row.image for row in rows] == ["0", "2"]
    assert len(bad) == 1
    assert "1.png is not a readable image" in bad[0]


def test_a_picture_too_small_to_score_is_named(folder: Path, counting: Entrant) -> None:
    write(folder / "tiny.png", picture(4, 10, 30))
    rows, bad = score_set(f"folder:{folder}", None, None, [counting], ONE, Journal(None))
    assert len(rows) == 3
    assert "tiny of folder:" in bad[0]
    write(folder.parent / "only/tiny.png", picture(4, 10, 30))
    with pytest.raises(UserError, match=r"no picture of .* could be used"):
        score_set(f"folder:{folder.parent / 'only'}", None, None, [counting], ONE, Journal(None))


def test_pictures_are_read_one_at_a_time(folder: Path, monkeypatch: pytest.MonkeyPatch, counting: Entrant) -> None:
    events = []
    read = protocol.read_member
    monkeypatch.setattr(protocol, "read_member", lambda file, grey: events.append("read") or read(file, grey=grey))
    monkeypatch.setattr(runner, "score", lambda *arguments: events.append("score") or runner_score(*arguments))
    score_set(f"folder:{folder}", None, None, [counting], ONE, Journal(None))
    assert events == ["read", "score"] * 3


runner_score = runner.score


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_corruption_takes_colour_and_grey(name: str, channels: int) -> None:
    (case,) = cases([name], [25.0], seed=0)
    clean = picture(1, 32, 24, channels)
    noisy = corrupt({"a": clean}, case.make, seed=0)["a"]
    assert noisy.shape == clean.shape
    assert not np.array_equal(noisy, clean)


def test_the_issue_of_levels_is_one_line() -> None:
    with pytest.raises(UserError, match=r"--sigma must be above 0 and at most 255 \(the 0–255 scale\), got 0"):
        cases(["gaussian"], [15.0, 0.0], 0)
    with pytest.raises(UserError, match="--corruptions rain is unknown: known are gaussian, poisson"):
        cases(["rain"], [15.0], 0)


def test_filters_take_part_where_they_suit() -> None:
    gaussian, jpeg = Case("gaussian", 25.0, 0), Case("jpeg", 10.0, 0)
    parts = {entrant.name: entrant for entrant in classical(["bm3d", "vst_bm3d", "median"])}
    there = {name: [entrant.prepare(case) is not None for case in (gaussian, jpeg)] for name, entrant in parts.items()}
    assert there == {"bm3d": [True, False], "vst_bm3d": [False, False], "median": [True, True]}


def test_a_colour_network_takes_a_grey_picture() -> None:
    (entrant,) = shipped(["dncnn"])
    denoise = entrant.prepare(ONE[0])
    assert denoise is not None
    assert denoise(picture(1, 17, 13, 1).astype(np.float32)).shape == (17, 13, 1)


class TestReference:
    TABLE = pd.read_csv(FILE)

    def test_every_row_has_a_source_and_a_known_set_and_level(self) -> None:
        assert not self.TABLE.isna().any().any()
        assert set(self.TABLE["set"]) <= set(DATASETS)
        assert set(self.TABLE["corruption"]) <= set(CORRUPTIONS)
        assert set(self.TABLE["level"]) <= {15, 25, 50}
        assert self.TABLE["psnr_db"].between(25, 36).all()
        assert not self.TABLE.duplicated(["denoiser", "set", "corruption", "level"]).any()

    def test_more_noise_never_scores_better(self) -> None:
        for _, rows in self.TABLE.groupby(["denoiser", "set"]):
            assert rows.sort_values("level")["psnr_db"].is_monotonic_decreasing

    def test_rows_are_those_of_the_sets_and_levels(self) -> None:
        rows = published(["bsd68"], [("gaussian", 25.0)])
        assert set(rows["set"]) == {"bsd68"}
        # Zhang et al. 2017, Table II
        assert rows.set_index("denoiser").loc[["DnCNN-S", "DnCNN-B"], "psnr_db"].tolist() == [29.23, 29.16]


@pytest.mark.long
def test_the_command_prints_and_saves_one_table(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def denoise(noisy, sigma):\n    return noisy * 0.99\n")
    words = ["--denoiser", "mine:denoise", "--images", "pictures", "--sigma", "15", "25"]
    quick = ["--networks", "--filters", "median", "--save", "table.csv"]
    path = {"PYTHONPATH": str(Path.cwd()), "PATH": "", "COLUMNS": "120"}
    command = [sys.executable, "-m", "common.benchmark", *words, *quick]
    ended = subprocess.run(command, cwd=tmp_path, env=path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    table = pd.read_csv(tmp_path / "table.csv")
    assert set(table["denoiser"]) == {"mine:denoise", "median", "noisy"}
    assert sorted(set(table["level"])) == [15, 25]
    assert "mine:denoise" in ended.stdout


def test_arguments_that_do_not_fit_are_named(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for words, message in [
        (["--weights", "w.pth"], "--weights and --name go with --denoiser"),
        (["--networks", "unet"], "--networks unet is not here: known are"),
        (["--sets", "set13"], "set13 is not a data set"),
    ]:
        monkeypatch.setattr(sys, "argv", ["benchmark", *words])
        with pytest.raises(UserError, match=message):
            benchmark.main()


def test_columns_of_a_journal_are_stable() -> None:
    assert COLUMNS[:7] == ("denoiser", "kind", "set", "corruption", "level", "seed", "image")
