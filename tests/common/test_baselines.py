"""The classical filters on photographs that their parameters were not chosen on."""

import numpy as np
import pytest
from skimage import data
from skimage.restoration import denoise_tv_chambolle

from common.baselines import FILTERS, bm3d, filters, median, score_filters, tv
from common.metrics import CONVENTIONS, psnr
from common.noise import Gaussian, corrupt

PHOTOGRAPH = data.chelsea()[80:144, 100:180].astype(np.float32)


def noisy_photograph(sigma: float) -> np.ndarray:
    return corrupt({"chelsea": PHOTOGRAPH}, Gaussian(sigma), seed=0)["chelsea"]


def psnr_db(estimate: np.ndarray) -> float:
    return psnr(float(np.mean((np.clip(estimate, 0, 255) - PHOTOGRAPH) ** 2)))


@pytest.mark.parametrize("sigma", [15.0, 50.0])
def test_every_filter_improves_a_noisy_photograph_and_bm3d_most(sigma: float) -> None:
    noisy = noisy_photograph(sigma)
    gains = {name: psnr_db(denoise(noisy)) - psnr_db(noisy) for name, denoise in filters(sigma).items()}
    assert min(gains.values()) > 2
    assert max(gains, key=gains.__getitem__) == "bm3d"


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("shape", [(31, 57, 3), (31, 57, 1), (5, 16, 1)])
def test_estimates_have_the_shape_and_type_of_their_input(name: str, shape: tuple[int, int, int]) -> None:
    height, width, channels = shape
    noisy = noisy_photograph(30)[:height, :width, :channels]
    before = noisy.copy()
    estimate = filters(30)[name](noisy)
    assert estimate.shape == shape
    assert estimate.dtype == np.float32
    assert np.isfinite(estimate).all()
    np.testing.assert_array_equal(noisy, before)


def test_without_noise_every_filter_returns_its_input() -> None:
    for denoise in filters(0).values():
        np.testing.assert_array_equal(denoise(PHOTOGRAPH), PHOTOGRAPH)


def test_estimates_are_not_clipped() -> None:
    bright = np.full((32, 32, 3), 300, np.float32) + noisy_photograph(10)[:32, :32] / 100
    for name, denoise in filters(10).items():
        assert denoise(bright).mean() == pytest.approx(bright.mean(), abs=1), name


def test_bm3d_takes_sigma_on_the_scale_of_its_image() -> None:
    import bm3d as package

    noisy = noisy_photograph(30)[:32, :32]
    on_unit_scale = package.bm3d_rgb(noisy / 255, 30 / 255) * 255
    np.testing.assert_allclose(bm3d(noisy, 30), on_unit_scale, atol=0.5)


def test_bm3d_survives_an_image_of_one_block() -> None:
    # handed to the package as it is, an 8×8 image ends the process with a segmentation fault
    assert bm3d(noisy_photograph(30)[:8, :8], 30).shape == (8, 8, 3)


@pytest.mark.parametrize("sigma", [15, 30, 50])
def test_the_weight_of_total_variation_is_close_to_the_best(sigma: int) -> None:
    noisy = noisy_photograph(sigma)
    weights = [factor * sigma for factor in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2)]
    best = max(psnr_db(denoise_tv_chambolle(noisy, weight=weight, channel_axis=-1)) for weight in weights)
    assert psnr_db(tv(noisy, sigma)) > best - 0.3


def test_the_median_leaves_each_channel_to_itself() -> None:
    image = np.zeros((9, 9, 3), np.float32)
    image[..., 1] = 100
    np.testing.assert_array_equal(median(image, 30), image)


def test_scores_are_in_order_and_depend_on_the_images_alone() -> None:
    clean = {name: PHOTOGRAPH[top : top + 24, :24] for name, top in (("a", 0), ("b", 20), ("c", 40))}
    noisy = corrupt(clean, Gaussian(30), seed=0)
    chosen = {name: filters(30)[name] for name in ("tv", "median")}
    first, again = (score_filters("table", chosen, noisy, clean, processes=count) for count in (1, 2))

    assert first.drop(columns="seconds").equals(again.drop(columns="seconds"))
    assert list(zip(first["network"], first["image"], strict=True))[:: len(CONVENTIONS)] == [
        (name, image) for name in chosen for image in clean
    ]
    assert (first["seconds"] > 0).all()
    suite = first[(first["convention"] == "suite") & (first["network"] == "median") & (first["image"] == "b")]
    estimate = np.clip(median(noisy["b"], 30), 0, 255).astype(np.float64)
    assert suite["psnr_db"].item() == pytest.approx(psnr(float(np.mean((estimate - clean["b"]) ** 2))))
