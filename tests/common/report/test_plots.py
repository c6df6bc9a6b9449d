from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.transforms import Bbox
from PIL import Image

from common.report import plots, scatter

NAN = float("nan")
BENCHMARK = pd.DataFrame(
    [
        ("Table 1", "dncnn", "network", 29.2, 14.8, 310.0),
        *(
            ("Table 1", f"dncnn_{index}", "network", 29.2 + index / 100, 14.8 + index / 100, 310.0 + index)
            for index in range(6)
        ),
        ("Table 1", "bm3d", "filter", 30.8, NAN, 19000.0),
        ("Table 1", "noisy", "trivial", 19.0, NAN, NAN),
    ],
    columns=["panel", "network", "kind", "psnr_db", "macs_512", "ms"],
)
PUBLISHED = pd.DataFrame(
    [
        ("U1: Table 1", "PSNR, dB", "dncnn", "published", 28.97, NAN, NAN),
        ("U1: Table 1", "PSNR, dB", "dncnn", "ours", 29.2, 29.1, 29.3),
        ("U1: Table 1", "PSNR, dB", "dncnn", "paper", 29.0, NAN, NAN),
    ],
    columns=["claim", "unit", "row", "series", "value", "low", "high"],
)


def curves(seeds: int = 1) -> pd.DataFrame:
    rows = [(seed, 100 * step, 1 / step, 25 + step + seed) for seed in range(seeds) for step in range(1, 5)]
    return pd.DataFrame(rows, columns=["seed", "images_seen", "train_loss", "val_psnr_db"])


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of every figure."""
    folder = tmp_path_factory.mktemp("figures")
    plots.published_vs_ours(PUBLISHED, folder / "published.png")
    plots.training_curves({f"network_{index}": curves(2) for index in range(12)}, folder / "training.png")
    scatter.psnr_scatter(BENCHMARK, "macs_512", "GMAC", folder / "macs.png")
    scatter.psnr_scatter(BENCHMARK, "ms", "time, ms", folder / "latency.png")
    return folder


def test_every_figure_is_as_wide_as_a_phone_and_nothing_is_cut_off_at_its_edges(figures: Path) -> None:
    for path in sorted(figures.glob("*.png")):
        pixels = np.asarray(Image.open(path).convert("L"))
        assert pixels.shape[1] == plots.WIDTH_INCHES * plots.DPI, path
        edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert (edges == 255).all(), path


def test_the_same_figure_has_the_same_bytes(figures: Path, tmp_path: Path) -> None:
    plots.published_vs_ours(PUBLISHED, tmp_path / "published.png")
    assert (tmp_path / "published.png").read_bytes() == (figures / "published.png").read_bytes()


def test_no_figure_is_registered_with_pyplot(figures: Path) -> None:
    assert pyplot.get_fignums() == []


def test_a_cost_that_nothing_has_draws_no_figure(tmp_path: Path) -> None:
    nothing = BENCHMARK.assign(ms=NAN)
    assert not scatter.psnr_scatter(nothing, "ms", "time, ms", tmp_path / "latency.png")
    assert not (tmp_path / "latency.png").exists()


def test_names_of_neighbouring_points_do_not_cover_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes: list[Bbox] = []
    original = scatter._name_points

    def watched(axes, points, *arguments):  # type: ignore[no-untyped-def]
        original(axes, points, *arguments)
        boxes.extend(scatter._text_box(text) for text in axes.texts)

    monkeypatch.setattr(scatter, "_name_points", watched)
    scatter.psnr_scatter(BENCHMARK, "macs_512", "GMAC", tmp_path / "macs.png")
    assert len(boxes) == 8  # seven networks and the line of the best filter
    assert not any(one.overlaps(other) for index, one in enumerate(boxes) for other in boxes[:index])


def test_names_on_the_front_cover_no_point_off_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dearer and worse ones lie to the right of the best, where its name would stand first."""
    worse = [("Table 1", f"worse_{step}", "network", 29.2 - step / 50, 16.0 + 2 * step, NAN) for step in range(1, 9)]
    crowd = pd.concat([BENCHMARK.head(1), pd.DataFrame(worse, columns=BENCHMARK.columns)])
    original, covered = scatter._name_points, []

    def watched(axes, points, names, drawn):  # type: ignore[no-untyped-def]
        original(axes, points, names, drawn)
        squares = [scatter._square(axes.transData.transform(point)) for point in drawn]
        covered.append((names, [scatter._text_box(text).count_overlaps(squares) for text in axes.texts]))

    monkeypatch.setattr(scatter, "_name_points", watched)
    scatter.psnr_scatter(crowd, "macs_512", "GMAC", tmp_path / "macs.png", front=True)
    assert covered == [(["dncnn"], [0])]


def test_networks_of_one_cost_are_no_figure(tmp_path: Path) -> None:
    alike = BENCHMARK.assign(macs_512=14.8)
    assert not scatter.psnr_scatter(alike, "macs_512", "GMAC", tmp_path / "macs.png")
    assert not (tmp_path / "macs.png").exists()


def test_curves_of_another_measure_are_drawn_too(tmp_path: Path) -> None:
    accuracy = curves().rename(columns={"val_psnr_db": "val_accuracy", "train_loss": "critic_loss"})
    plots.training_curves({"classifier": accuracy}, tmp_path / "accuracy.png")
    assert plots.watched(accuracy) == "val_accuracy"
    assert (tmp_path / "accuracy.png").is_file()


def test_sixteen_networks_have_sixteen_line_styles() -> None:
    styles = plots.line_styles([f"network_{index}" for index in range(16)])
    assert len({(style["color"], style["linestyle"]) for style in styles.values()}) == 16
