from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from common.noise.corruptions import BoxPatch, Erase, LowResolution, Text
from common.noise.sensor import Corruption, Gaussian, corrupt, keyed_rng

PHOTOGRAPHS = {
    f"image{index}": np.random.default_rng(index).integers(0, 256, (33, 47, 3)).astype(np.uint8) for index in range(3)
}
EVERY = [Text(0.1, 0.4), BoxPatch(30.0, 0.5), Erase(0.1, 0.3), LowResolution(4)]


def flat(value: float, *shape: int) -> np.ndarray:
    return np.full(shape, value, np.float32)


@pytest.mark.parametrize("corruption", EVERY, ids=repr)
def test_a_corruption_depends_on_its_key_alone_and_keeps_the_shape(corruption: Corruption) -> None:
    whole = corrupt(PHOTOGRAPHS, corruption, seed=0)
    alone = corrupt({"image1": PHOTOGRAPHS["image1"]}, corruption, seed=0)
    np.testing.assert_array_equal(whole["image1"], alone["image1"])
    for name, image in PHOTOGRAPHS.items():
        assert whole[name].shape == image.shape
        assert whole[name].dtype == np.float32
        assert (whole[name] != image).any()


@pytest.mark.parametrize("corruption", EVERY, ids=repr)
def test_a_corruption_leaves_its_input_alone(corruption: Corruption) -> None:
    clean = flat(128, 2, 16, 16, 3)
    corruption(clean, keyed_rng("input"))
    np.testing.assert_array_equal(clean, 128)


@pytest.mark.parametrize("corruption", EVERY[:3], ids=repr)
def test_the_images_of_a_batch_are_corrupted_differently(corruption: Corruption) -> None:
    first, second = corruption(flat(128, 2, 32, 32, 3), keyed_rng("batch"))
    assert (first != second).any()


@pytest.mark.parametrize("shape", [(48, 48, 3), (64, 80, 3), (17, 9, 1), (1, 1, 3)])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9])
def test_text_covers_its_share_to_the_pixel_and_nothing_else(shape: tuple[int, int, int], p: float) -> None:
    clean = np.random.default_rng(0).integers(0, 256, (2, *shape)).astype(np.float32)
    written = Text(p, p)(clean, keyed_rng("text"))
    for before, after in zip(clean, written, strict=True):
        # A drawn colour is a real number: it equals a whole grey level with probability zero.
        assert (after != before).any(axis=-1).sum() == round(p * shape[0] * shape[1])
        assert ((after == before).all(axis=-1) | (after != before).all(axis=-1)).all()
    assert 0 <= written.min() <= written.max() <= 255


def test_text_draws_its_share_for_each_image() -> None:
    written = Text(0.1, 0.5)(flat(128, 200, 24, 24, 3), keyed_rng("text"))
    shares = (written != 128).any(axis=-1).mean(axis=(1, 2))
    assert stats.kstest(shares, stats.uniform(0.1, 0.4).cdf).pvalue > 1e-3


def test_text_is_as_dense_at_the_borders_as_inside() -> None:
    covered = (Text(0.25, 0.25)(flat(128, 400, 48, 48, 3), keyed_rng("text")) != 128).any(axis=-1)
    border = np.ones((48, 48), bool)
    border[6:-6, 6:-6] = False
    shares = covered[:, border].mean(axis=1)
    assert abs(shares.mean() - 0.25) < 4 * shares.std() / np.sqrt(len(shares))


def test_text_is_made_of_strings_of_one_colour_each() -> None:
    written = Text(0.2, 0.2)(flat(128, 1, 96, 96, 3), keyed_rng("text"))[0]
    colours, counts = np.unique(written[(written != 128).any(axis=-1)], axis=0, return_counts=True)
    assert 3 < len(colours) < 60
    assert counts.max() > 50


def test_a_box_patch_is_gaussian_noise_in_its_box_alone() -> None:
    patch, images = BoxPatch(30.0, 0.5), {f"image{index}": np.full((90, 128, 3), 128, np.uint8) for index in range(8)}
    noise = []
    for name, noisy in corrupt(images, patch, seed=0).items():
        top, left, side = patch.box((90, 128, 3), keyed_rng(name, patch, 0, 0))
        assert side == 45
        inside = noisy[top : top + side, left : left + side] - 128
        assert (inside != 0).sum() == (noisy != 128).sum()
        noise.append(inside.ravel())
    values = np.concatenate(noise)
    assert abs(values.mean()) < 4 * 30 / np.sqrt(values.size)
    assert abs(values.std() - 30) < 4 * 30 / np.sqrt(2 * values.size)


def test_a_box_reaches_every_place() -> None:
    rng = keyed_rng("boxes")
    places = {BoxPatch(30.0, 0.5).box((4, 5), rng)[:2] for _ in range(300)}
    assert places == {(top, left) for top in range(3) for left in range(4)}


def test_a_box_of_the_whole_image_is_plain_gaussian_noise() -> None:
    noise = BoxPatch(30.0, 1.0)(flat(0, 4, 64, 64, 3), keyed_rng("box"))
    assert (noise != 0).all()
    assert abs(noise.std() - 30) < 4 * 30 / np.sqrt(2 * noise.size)


def test_erasing_fills_one_rectangle_of_the_drawn_area() -> None:
    erased = Erase(0.05, 0.4, value=127.5)(flat(10, 300, 40, 56, 3), keyed_rng("erase")) == 127.5
    shares, aspects = [], []
    for mask in erased.all(axis=-1):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
        assert mask.sum() == height * width
        shares.append(mask.mean())
        aspects.append(height / width)
    assert stats.kstest(shares, stats.uniform(0.05, 0.35).cdf).pvalue > 1e-3
    # Sides are rounded to whole pixels: the smallest is about √(0.05 · 2240 / 2) = 7.5, so by less than one in seven.
    assert 0.5 * 6 / 7 < min(aspects) < 0.65
    assert 1.55 < max(aspects) < 2 * 7 / 6


@pytest.mark.parametrize("shape", [(10, 100, 3), (100, 10, 3), (1, 1, 3)])
@pytest.mark.parametrize("share", [0.01, 0.5, 1.0])
def test_a_rectangle_fits_into_any_image(shape: tuple[int, int, int], share: float) -> None:
    erased = Erase(share, share)(flat(10, 20, *shape), keyed_rng("erase"))
    # Half a pixel on either side of the larger of the possible rectangles, and at least one pixel.
    wanted = share * shape[0] * shape[1]
    assert (abs((erased == 0).all(axis=-1).sum(axis=(1, 2)) - wanted) <= max(1.0, (sum(shape[:2])) / 2)).all()
    assert (erased == 0).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize("shape", [(64, 48), (37, 53), (3, 2)])
def test_low_resolution_is_pillows_reduction_and_enlargement(shape: tuple[int, int]) -> None:
    grey = np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)
    size = [max(1, round(side / 4)) for side in reversed(shape)]
    small = Image.fromarray(grey).resize((size[0], size[1]), Image.Resampling.BICUBIC)
    wanted = np.asarray(small.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))
    found = LowResolution(4)(grey[None, ..., None], keyed_rng("unused"))[0, ..., 0]
    np.testing.assert_allclose(found, wanted, atol=0.01)


def test_full_resolution_is_no_corruption() -> None:
    image = PHOTOGRAPHS["image0"]
    np.testing.assert_allclose(corrupt({"image0": image}, LowResolution(1), seed=0)["image0"], image, atol=1e-4)


def test_low_resolution_keeps_what_varies_slowly() -> None:
    ramp = np.broadcast_to(np.arange(64, dtype=np.float32)[None, :, None, None], (1, 64, 64, 3))
    reduced = LowResolution(4)(ramp, keyed_rng("unused"))
    np.testing.assert_allclose(reduced[:, 8:-8], ramp[:, 8:-8], atol=0.05)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Text(0.5, 0.1), "high must be a fraction"),
        (lambda: Text(0.5, 1.0), "high must be below 1"),
        (lambda: BoxPatch(-1.0, 0.5), "sigma must be a finite level"),
        (lambda: BoxPatch(30.0, 1.5), "share must be a fraction"),
        (lambda: Erase(0.0, 0.5), "low must be above 0"),
        (lambda: Erase(0.1, 0.5, value=300.0), r"value must be in \[0, 255\]"),
        (lambda: LowResolution(0), "factor must be a whole number ≥ 1"),
        (lambda: LowResolution(2.5), "factor must be a whole number ≥ 1"),  # type: ignore[arg-type]
    ],
)
def test_an_impossible_corruption_is_refused(make: Callable[[], Corruption], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_corruptions_of_one_image_have_different_keys() -> None:
    # The key is the repr: fields that change the corruption must be in it.
    assert len({repr(corruption) for corruption in [*EVERY, Erase(0.1, 0.3, 255.0), Gaussian(30.0)]}) == 6
