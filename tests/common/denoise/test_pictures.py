"""Pictures of every kind keep what they are: levels, transparency, orientation, profile."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from common.denoise.pictures import Picture, read_picture, write_picture
from common.errors import UserError
from tests.common.datasets.test_datasets import encoded, picture, png_of_16_bits

TURNED = Image.Exif()
TURNED[0x0112] = 6
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def levels(deep: bool, channels: int) -> np.ndarray:
    """Levels of which no byte can be lost unseen."""
    rng = np.random.default_rng(channels)
    return rng.integers(0, 65536 if deep else 256, (12, 9, channels)).astype(np.uint16 if deep else np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".TIFF"])
@pytest.mark.parametrize("alpha", [False, True], ids=["opaque", "alpha"])
@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "colour"])
@pytest.mark.parametrize("deep", [False, True], ids=["8 bits", "16 bits"])
def test_nothing_is_lost(deep: bool, channels: int, alpha: bool, suffix: str, tmp_path: Path) -> None:
    pixels = levels(deep, channels)
    path, opacity = tmp_path / f"a{suffix}", levels(deep, 2)[..., 0] if alpha else None
    write_picture(path, Picture(pixels, opacity, profile=PROFILE if channels == 3 else b""))
    again = read_picture(path)
    assert again.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(again.pixels, pixels)
    assert (again.alpha is None) == (opacity is None)
    if opacity is not None:
        np.testing.assert_array_equal(again.alpha, opacity)
    assert again.profile == (PROFILE if channels == 3 else b"")
    assert again.orientation == 1


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "deep.png", "deep.tif"])
def test_orientation_is_kept(name: str, tmp_path: Path) -> None:
    pixels = levels("deep" in name, 3)
    write_picture(tmp_path / name, Picture(pixels, exif=TURNED.tobytes()))
    again = read_picture(tmp_path / name)
    assert again.orientation == 6
    assert again.pixels.shape == pixels.shape
    if "deep" not in name:
        with Image.open(tmp_path / name) as stored:
            assert stored.getexif()[0x0112] == 6


def test_a_turned_tiff_of_8_bits_comes_upright(tmp_path: Path) -> None:
    content = encoded(Image.fromarray(picture(1)), "TIFF", exif=TURNED)
    (tmp_path / "a.tif").write_bytes(content)
    read = read_picture(tmp_path / "a.tif")
    assert read.orientation == 1
    np.testing.assert_array_equal(read.pixels, np.rot90(picture(1), -1))  # as EXIF 2.32 defines 6


def test_16_bits_are_read_as_the_specification_says(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png_of_16_bits(color_type=6, channels=4))
    read = read_picture(tmp_path / "a.png")
    assert (read.pixels == 0x1234).all()
    assert (read.alpha == 0x1234).all()


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (Image.fromarray(picture(1, 16, 16)).quantize(16), "PNG"),
        (Image.new("CMYK", (8, 6), (10, 200, 30, 5)), "JPEG"),
        (Image.new("1", (8, 6), 1), "PNG"),
        (Image.new("LA", (8, 6), (90, 12)), "PNG"),
        (Image.new("P", (8, 6)), "TIFF"),
    ],
    ids=["palette", "CMYK", "black and white", "grey with alpha", "palette TIFF"],
)
def test_other_modes_become_grey_or_rgb(image: Image.Image, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind.lower()}"
    path.write_bytes(encoded(image, kind))
    read = read_picture(path)
    grey = image.mode in ("1", "LA")
    assert read.pixels.shape == (*image.size[::-1], 1 if grey else 3)
    with Image.open(path) as stored:
        np.testing.assert_array_equal(read.pixels.squeeze(), np.asarray(stored.convert("L" if grey else "RGB")))
    assert (read.alpha is not None) == (image.mode == "LA")


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    frames = [Image.fromarray(picture(seed)) for seed in (1, 2)]
    cases = {
        "text.png": (b"hello", "no known picture format"),
        "empty.tif": (b"", "no known picture format"),
        "cut.png": (encoded(Image.fromarray(picture(1, 64, 64)))[:900], "is not a readable image"),
        "cut16.png": (png_of_16_bits(color_type=2, channels=3)[:60], "is not a readable image"),
        "cut.tif": (b"II*\0\x08\0", "is not a readable image"),
        "pages.tif": (encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]), "has 2 pages"),
        "float.tif": (encoded(Image.new("F", (4, 4)), "TIFF"), "more than 16 bits"),
        "wide.tif": (encoded(Image.new("I", (4, 4)), "TIFF"), "more than 16 bits"),
    }
    for name, (content, words) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError) as error:
            read_picture(tmp_path / name)
        assert words in str(error.value), (name, str(error.value))
        assert name in str(error.value)
        assert "0x" not in str(error.value)
        assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="cannot be read"):
        read_picture(tmp_path / "nowhere.png")


def test_what_a_format_cannot_hold_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "a.jpg", "JPEG holds 8 bits"), (tmp_path / "a.bmp", "must end in .png")):
        with pytest.raises(UserError, match=words):
            write_picture(path, Picture(levels(True, 3)))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=r"a\.png cannot be written"):
        write_picture(tmp_path / "file/a.png", Picture(levels(False, 3)))
