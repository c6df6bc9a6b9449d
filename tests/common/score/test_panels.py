from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.score.panels import LARGEST_BYTES, OUTLINE, draw_panels, file_name, inset_window


def photograph(height: int = 96, width: int = 128, channels: int = 3) -> np.ndarray:
    """A smooth ramp with a checkerboard in its lower right."""
    image = np.tile(np.linspace(40, 200, width, dtype=np.float32), (height, 1))
    image[60:84, 90:114] = 255 * (np.indices((24, 24)).sum(0) % 2)
    return np.repeat(image[..., None], channels, axis=-1).astype(np.uint8)


def noisy(image: np.ndarray) -> np.ndarray:
    return image + np.random.default_rng(0).normal(0, 30, image.shape).astype(np.float32)


def test_the_inset_is_where_the_clean_image_varies_most() -> None:
    assert inset_window(photograph()) == (60, 90, 24)


def test_a_constant_image_has_its_inset_at_the_top_left() -> None:
    assert inset_window(np.full((64, 64, 3), 255, np.uint8)) == (0, 0, 16)


def test_the_inset_of_a_tiny_image_fits_into_it() -> None:
    assert inset_window(np.zeros((5, 9, 1), np.uint8)) == (0, 0, 5)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_panel_is_drawn_for_each_image_named_and_outlines_the_inset(channels: int, tmp_path: Path) -> None:
    clean = {"boat": photograph(channels=channels), "house": photograph(channels=channels)}
    corrupted = {name: noisy(image) for name, image in clean.items()}
    draw_panels(tmp_path / "panels", ["boat"], clean, corrupted, {"dncnn": corrupted, "dudncnn": corrupted})
    assert [path.name for path in (tmp_path / "panels").iterdir()] == ["boat.png"]
    pixels = np.asarray(Image.open(tmp_path / "panels/boat.png").convert("RGB")).reshape(-1, 3).astype(int)
    outline = np.array([int(OUTLINE[start : start + 2], 16) for start in (1, 3, 5)])
    assert (np.abs(pixels - outline).max(axis=1) < 12).sum() > 500


def test_the_same_panel_has_the_same_bytes(tmp_path: Path) -> None:
    clean = {"boat": photograph()}
    for folder in ("one", "two"):
        draw_panels(tmp_path / folder, ["boat"], clean, {"boat": noisy(clean["boat"])}, {})
    assert (tmp_path / "one/boat.png").read_bytes() == (tmp_path / "two/boat.png").read_bytes()


def test_a_panel_of_networks_that_remove_no_noise_stays_below_300_kilobytes(tmp_path: Path) -> None:
    clean = {"boat": photograph(256, 256)}
    corrupted = {"boat": noisy(clean["boat"])}
    draw_panels(tmp_path, ["boat"], clean, corrupted, {"dncnn": corrupted, "udncnn": corrupted, "dudncnn": corrupted})
    assert (tmp_path / "boat.png").stat().st_size <= LARGEST_BYTES


def test_a_panel_registers_no_figure_with_pyplot(tmp_path: Path) -> None:
    from matplotlib import pyplot

    clean = {"boat": photograph()}
    draw_panels(tmp_path, ["boat"], clean, {"boat": noisy(clean["boat"])}, {})
    assert pyplot.get_fignums() == []


def test_no_image_gives_an_empty_folder(tmp_path: Path) -> None:
    draw_panels(tmp_path / "panels", [], {}, {}, {})
    assert list((tmp_path / "panels").iterdir()) == []


def test_a_draw_of_an_image_gives_a_name_that_a_link_can_hold() -> None:
    assert file_name("101085#3") == "101085_3"
