import io
import sys
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, features

from common.datasets.embedded import skimage_data
from common.datasets.images import read_image
from common.errors import UserError
from common.noise.codecs import CODECS, Codec, HevcIntra, Jpeg, Jpeg2000, RandomQuality
from common.noise.sensor import corrupt, keyed_rng
from common.score.metrics import psnr

COFFEE = read_image(skimage_data() / "coffee.png", "coffee")[150:278, 200:328]
LADDERS = {"jpeg": (5, 10, 20, 40, 80), "jpeg2000": (24, 27, 30, 34, 40), "hevc_intra": (0, 15, 30, 45, 70)}


class Raw(Codec):
    """An uncompressed file: 8 bits a value."""

    lowest, highest = 0, 0

    def _compress(self, image: Image.Image) -> bytes:
        return np.asarray(image).tobytes()

    def _decode(self, file: bytes) -> Image.Image:
        side = int(np.sqrt(len(file)))
        return Image.frombytes("L", (side, side), file)


def psnr_db(a: np.ndarray, b: np.ndarray) -> float:
    return psnr(float(np.mean((a.astype(float) - b) ** 2)))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("image", [COFFEE, COFFEE[:, :, 1:2]], ids=["colour", "grey"])
def test_along_a_ladder_bits_and_psnr_rise(codec: str, image: np.ndarray) -> None:
    rungs = [CODECS[codec](quality).encode(image) for quality in LADDERS[codec]]
    bits = [bits_per_pixel for _, bits_per_pixel in rungs]
    decibels = [psnr_db(decoded, image) for decoded, _ in rungs]
    assert bits == sorted(set(bits))
    assert decibels == sorted(set(decibels))
    assert 0 < bits[0] < bits[-1] < 8 * image.shape[2]
    assert decibels[0] > 20


def test_at_equal_bits_each_codec_beats_its_elder() -> None:
    image, decibels = read_image(skimage_data() / "coffee.png", "coffee")[:256, 100:356], []
    for codec in ("jpeg", "jpeg2000", "hevc_intra"):
        rungs = [CODECS[codec](quality).encode(image) for quality in LADDERS[codec]]
        bits = [bits_per_pixel for _, bits_per_pixel in rungs]
        assert bits[0] < 0.5 < bits[-1]
        decibels.append(np.interp(0.5, bits, [psnr_db(decoded, image) for decoded, _ in rungs]))
    assert decibels[0] + 1 < decibels[1] < decibels[2]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (3, 70), (17, 33), (64, 48)])
def test_any_size_keeps_its_shape(codec: str, size: tuple[int, int], channels: int) -> None:
    clean = np.ascontiguousarray(COFFEE[: size[0], : size[1], :channels])[None].astype(np.float32)
    decoded = CODECS[codec](LADDERS[codec][2])(clean, keyed_rng("unused"))
    assert decoded.shape == clean.shape
    assert decoded.dtype == np.float32
    assert psnr_db(decoded, clean) > (20 if min(size) > 1 else 10)  # OpenJPEG cuts a single pixel's bits crudely


@pytest.mark.parametrize("codec", CODECS)
def test_encoding_again_gives_the_same_bits(codec: str) -> None:
    compress = CODECS[codec](LADDERS[codec][1])
    (first, bits), (second, bits_again) = compress.encode(COFFEE), compress.encode(COFFEE)
    np.testing.assert_array_equal(first, second)
    assert bits == bits_again


def test_bits_per_pixel_are_those_of_the_whole_file() -> None:
    grey = np.ascontiguousarray(COFFEE[:, :, :1])
    decoded, bits_per_pixel = Raw(0).encode(grey)
    assert bits_per_pixel == 8
    np.testing.assert_array_equal(decoded, grey)


def test_a_file_holds_clipped_whole_levels() -> None:
    decoded, _ = Raw(0).encode(np.array([[[-3.0], [0.4]], [[99.6], [300.0]]]))
    np.testing.assert_array_equal(decoded[:, :, 0], [[0, 0], [100, 255]])


def test_jpeg_is_subsampled_4_2_0() -> None:
    file = Jpeg(50)._compress(Image.fromarray(COFFEE))
    with Image.open(io.BytesIO(file)) as image:
        # (component, horizontal and vertical sampling, table): luminance twice as fine as either chrominance.
        layers = [layer[1:3] for layer in image.layer]  # type: ignore[attr-defined]
    assert layers == [(2, 2), (1, 1), (1, 1)]


def test_jpeg_2000_is_irreversible_and_decorrelates_colour() -> None:
    # ISO/IEC 15444-1, A.6.1: marker COD, Lcod, Scod, progression, layers (2), colour transform; 4 more, 0 for 9/7.
    for image, colour_transform in ((COFFEE, 1), (COFFEE[:, :, 0], 0)):
        file = Jpeg2000(30)._compress(Image.fromarray(image))
        segment = file[file.index(b"\xff\x52") :]
        assert segment[8] == colour_transform
        assert segment[13] == 0


def test_jpeg_2000_aims_at_its_psnr() -> None:
    for quality in (27, 30, 34):
        assert abs(psnr_db(Jpeg2000(quality).encode(COFFEE)[0], COFFEE) - quality) < 0.6


def test_a_codec_as_a_corruption_decodes_each_image_of_its_own() -> None:
    clean = np.stack([COFFEE, COFFEE[::-1]]).astype(np.float32)
    decoded = Jpeg(10)(clean, keyed_rng("unused"))
    for before, after in zip(clean, decoded, strict=True):
        np.testing.assert_array_equal(after, Jpeg(10).encode(before)[0])


def test_random_quality_draws_from_its_whole_range_for_each_image() -> None:
    clean = np.broadcast_to(COFFEE[:32, :32].astype(np.float32), (60, 32, 32, 3))
    decoded = RandomQuality("jpeg", 10, 13)(clean, keyed_rng("qualities"))
    rungs = [Jpeg(quality).encode(clean[0])[0] for quality in range(10, 14)]
    drawn = [[index for index, rung in enumerate(rungs) if (rung == image).all()] for image in decoded]
    assert all(len(found) == 1 for found in drawn)
    # Each of four is drawn 15 times on average; fewer than 4 has a probability of 2e-4.
    assert min(np.bincount(np.concatenate(drawn), minlength=4)) >= 4


def test_random_quality_depends_on_its_key_alone() -> None:
    images = {"a": COFFEE[:32, :32], "b": COFFEE[32:64, :32]}
    corruption = RandomQuality("jpeg2000", 24, 40)
    whole, alone = corrupt(images, corruption, seed=0), corrupt({"b": images["b"]}, corruption, seed=0)
    np.testing.assert_array_equal(whole["b"], alone["b"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Jpeg(0), r"quality must be a whole number in \[1, 95\] for Jpeg, got 0"),
        (lambda: Jpeg2000(0), r"in \[15, 60\]"),
        (lambda: HevcIntra(101), r"in \[0, 100\]"),
        (lambda: Jpeg(10.5), "whole number"),  # type: ignore[arg-type]
        (lambda: RandomQuality("bpg", 1, 2), "codec must be one of jpeg, jpeg2000, hevc_intra, got 'bpg'"),
        (lambda: RandomQuality("jpeg", 0, 50), r"in \[1, 95\]"),
        (lambda: RandomQuality("jpeg", 50, 40), "high must be ≥ low = 50, got 40"),
    ],
)
def test_an_impossible_quality_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(("codec", "name"), [(Jpeg(10), "JPEG"), (Jpeg2000(30), "JPEG 2000")])
def test_a_pillow_without_the_codec_is_named(codec: Codec, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda feature: False)
    with pytest.raises(UserError, match=f"this Pillow has no {name}: install its wheel"):
        codec.encode(COFFEE)


def test_a_missing_pillow_heif_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UserError, match="HEVC needs pillow-heif, which cannot be imported"):
        HevcIntra(30).encode(COFFEE)


def test_a_pillow_heif_without_an_encoder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pillow_heif.libheif_info", lambda: {"encoders": {}})
    with pytest.raises(UserError, match="this pillow-heif has no HEVC encoder"):
        HevcIntra(30).encode(COFFEE)
