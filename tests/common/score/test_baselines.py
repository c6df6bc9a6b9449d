"""The classical filters on photographs that their parameters were not chosen on."""

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.stats import poisson
from skimage import data
from skimage.restoration import denoise_tv_chambolle

from common.noise.sensor import Corruption, Gaussian, Poisson, PoissonGaussian, corrupt
from common.score.baselines import (
    FILTERS,
    Filtering,
    anscombe,
    bm3d,
    filters,
    filters_for,
    inverse_anscombe,
    median,
    score_filters,
    tv,
    vst_bm3d,
)
from common.score.metrics import CONVENTIONS, psnr

PHOTOGRAPH = data.chelsea()[80:144, 100:180].astype(np.float32)


def noisy_photograph(sigma: float) -> np.ndarray:
    return corrupt({"chelsea": PHOTOGRAPH}, Gaussian(sigma), seed=0)["chelsea"]


def psnr_db(estimate: np.ndarray) -> float:
    return psnr(float(np.mean((np.clip(estimate, 0, 255) - PHOTOGRAPH) ** 2)))


@pytest.mark.long
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
    bright = np.full((32, 32, 1), 300, np.float32) + noisy_photograph(10)[:32, :32, :1] / 100
    for name, denoise in filters(10).items():
        assert denoise(bright).mean() == pytest.approx(bright.mean(), abs=1), name


def test_bm3d_takes_sigma_on_the_scale_of_its_image() -> None:
    import bm3d as package

    noisy = noisy_photograph(30)[:32, :32, :1]
    on_unit_scale = package.bm3d(noisy[..., 0] / 255, 30 / 255) * 255
    np.testing.assert_allclose(bm3d(noisy, 30)[..., 0], on_unit_scale, atol=0.5)


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
    experiments = {"table": Filtering(chosen, noisy, clean)}
    first, again = (score_filters(experiments, processes=count) for count in (1, 2))

    assert first.drop(columns="seconds").equals(again.drop(columns="seconds"))
    assert list(zip(first["network"], first["image"], strict=True))[:: len(CONVENTIONS)] == [
        (name, image) for name in chosen for image in clean
    ]
    assert (first["seconds"] > 0).all()
    suite = first[(first["convention"] == "suite") & (first["network"] == "median") & (first["image"] == "b")]
    estimate = np.clip(median(noisy["b"], 30), 0, 255).astype(np.float64)
    assert suite["psnr_db"].item() == pytest.approx(psnr(float(np.mean((estimate - clean["b"]) ** 2))))


def mean_transformed(photons: float, sigma: float) -> tuple[float, float]:
    """Mean and variance of the transform of noisy counts, by summation over counts and Gauss–Hermite quadrature."""
    counts = np.arange(500)
    nodes, weights = hermegauss(101)
    weights = weights / weights.sum()
    values = anscombe(counts[:, None] + sigma * nodes, sigma)
    mean = poisson.pmf(counts, photons) @ (values @ weights)
    return float(mean), float(poisson.pmf(counts, photons) @ (values**2 @ weights) - mean**2)


@pytest.mark.parametrize("photons", [0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 20.0, 100.0])
@pytest.mark.parametrize(("sigma", "bias"), [(0.0, 0.02), (0.5, 0.05), (1.0, 0.03), (3.0, 0.05)])
def test_the_inverse_transform_is_unbiased(photons: float, sigma: float, bias: float) -> None:
    mean, _ = mean_transformed(photons, sigma)
    assert inverse_anscombe(np.array([mean]), sigma)[0] == pytest.approx(photons, abs=bias)


def test_the_algebraic_inverse_would_be_biased_at_few_photons() -> None:
    mean, _ = mean_transformed(1.0, 0.0)
    assert abs(mean**2 / 4 - 3 / 8 - 1) > 0.15


def test_the_inverse_transform_has_its_published_values() -> None:
    # No photons: D = 2√(3/8), where 3/8 + 1/4 − 11/12 + 5/12 − 1/8 = 0. Many: D²/4 − 1/8 (Anscombe 1948).
    assert inverse_anscombe(np.array([2 * (3 / 8) ** 0.5, 0.5, -3.0])) == pytest.approx([0, 0, 0])
    assert inverse_anscombe(np.array([200.0])) == pytest.approx([10_000 - 1 / 8], abs=0.01)


@pytest.mark.parametrize("sigma", [0.0, 1.0])
def test_the_transform_makes_the_variance_one(sigma: float) -> None:
    assert [mean_transformed(photons, sigma)[1] for photons in (5.0, 20.0, 100.0)] == pytest.approx([1, 1, 1], abs=0.07)


@pytest.mark.parametrize("corruption", [Poisson(4.0), Poisson(60.0), PoissonGaussian(10.0, 25.5)])
def test_bm3d_after_the_transform_beats_the_filters_that_take_the_noise_for_white(corruption: Corruption) -> None:
    clean = {"chelsea": PHOTOGRAPH.mean(axis=-1, keepdims=True).round().astype(np.uint8)}
    noisy = corrupt(clean, corruption, seed=0)["chelsea"]
    known = filters_for(corruption, clean, seed=0)
    assert list(known) == ["vst_bm3d", "nlm", "wavelet", "tv", "median"]
    errors = {
        name: np.mean((np.clip(denoise(noisy), 0, 255) - clean["chelsea"]) ** 2) for name, denoise in known.items()
    }
    assert min(errors, key=errors.__getitem__) == "vst_bm3d"


def test_without_noise_the_transform_and_its_inverse_return_the_image() -> None:
    flat = np.full((16, 16, 1), 100, np.float32)
    # The unbiased inverse differs from the algebraic one by a quarter of a photon, here 255 / 10⁴ grey levels.
    np.testing.assert_allclose(vst_bm3d(flat, peak=1e4), flat, atol=0.03)
    np.testing.assert_allclose(vst_bm3d(flat, peak=1e4, sigma=1.0), flat, atol=0.03)
