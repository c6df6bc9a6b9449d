from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.score.panels import RECORD, draw_panels, file_name, inset_window
from common.store import read_json


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
def test_a_panel_holds_the_noisy_the_restored_and_the_clean_picture(channels: int, tmp_path: Path) -> None:
    clean = {name: photograph(channels=channels) for name in ("boat", "house")}
    corrupted = {name: noisy(image) for name, image in clean.items()}
    halved = {name: (image + clean[name]) / 2 for name, image in corrupted.items()}
    draw_panels(tmp_path / "panels", ["boat"], clean, corrupted, {"DnCNN": halved}, given="decoded")
    assert [path.name for path in (tmp_path / "panels").iterdir()] == ["boat"]
    record = read_json(tmp_path / "panels/boat" / RECORD)
    assert (record["image"], record["width"], record["height"], record["inset"]) == ("boat", 128, 96, [60, 90, 24])
    assert [one["name"] for one in record["pictures"]] == ["decoded", "DnCNN", "clean"]
    given, restored, original = (one["psnr_db"] for one in record["pictures"])
    assert restored > given + 5  # halving the error gains 6 dB, but for what clipping gains the noisy one
    assert original is None
    for one in record["pictures"]:
        with Image.open(tmp_path / "panels/boat" / one["file"]) as picture:
            assert (picture.format, picture.size) == ("WEBP", (128, 96))


def test_a_picture_is_near_what_it_shows(tmp_path: Path) -> None:
    clean = {"boat": photograph()}
    corrupted = {"boat": noisy(clean["boat"])}
    draw_panels(tmp_path, ["boat"], clean, corrupted, {})
    with Image.open(tmp_path / "boat/0_noisy.webp") as picture:
        shown = np.asarray(picture.convert("RGB")).astype(float)
    error = shown - np.clip(corrupted["boat"], 0, 255)
    assert np.sqrt((error**2).mean()) < 4  # noise of 30 is not smoothed, as lossy compression would smooth its colour


def test_the_same_panel_has_the_same_bytes(tmp_path: Path) -> None:
    clean = {"boat": photograph()}
    for folder in ("one", "two"):
        draw_panels(tmp_path / folder, ["boat"], clean, {"boat": noisy(clean["boat"])}, {})
    for file in ("0_noisy.webp", "1_clean.webp", RECORD):
        assert (tmp_path / "one/boat" / file).read_bytes() == (tmp_path / "two/boat" / file).read_bytes()


def test_an_exact_estimate_has_no_psnr(tmp_path: Path) -> None:
    clean = {"boat": photograph()}
    draw_panels(tmp_path, ["boat"], clean, {"boat": clean["boat"].astype(np.float32)}, {})
    assert read_json(tmp_path / "boat" / RECORD)["pictures"][0]["psnr_db"] is None


def test_no_image_gives_an_empty_folder(tmp_path: Path) -> None:
    draw_panels(tmp_path / "panels", [], {}, {}, {})
    assert list((tmp_path / "panels").iterdir()) == []


def test_a_draw_of_an_image_gives_a_name_that_a_link_can_hold() -> None:
    assert file_name("101085#3") == "101085_3"
