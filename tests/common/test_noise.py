import numpy as np
import pytest
from scipy import stats

from common.noise import BlindGaussian, Gaussian, corrupt, keyed_rng

GREY = {f"image{index}": np.full((64, 64, 3), 128, dtype=np.uint8) for index in range(4)}
VALUES = 64 * 64 * 3


def noise_of(images: dict[str, np.ndarray], sigma: float = 30.0, seed: int = 0, draw: int = 0) -> dict[str, np.ndarray]:
    noisy = corrupt(images, Gaussian(sigma), seed=seed, draw=draw)
    return {name: noisy[name] - images[name].astype(np.float32) for name in images}


def test_gaussian_noise_has_the_mean_spread_and_shape_of_its_law() -> None:
    noise = np.concatenate([array.ravel() for array in noise_of(GREY).values()])
    # Standard errors of mean, standard deviation, skewness and excess kurtosis of n normal values; 4 of them.
    n = len(noise)
    assert abs(noise.mean()) < 4 * 30 / np.sqrt(n)
    assert abs(noise.std() - 30) < 4 * 30 / np.sqrt(2 * n)
    assert abs(stats.skew(noise)) < 4 * np.sqrt(6 / n)
    assert abs(stats.kurtosis(noise)) < 4 * np.sqrt(24 / n)


def test_noise_is_neither_clipped_nor_rounded() -> None:
    noisy = corrupt({"white": np.full((32, 32, 3), 255, np.uint8)}, Gaussian(30.0), seed=0)["white"]
    assert noisy.dtype == np.float32
    assert noisy.max() > 255
    assert len(np.unique(noisy)) > 0.9 * noisy.size


def test_sigma_zero_leaves_the_image_alone() -> None:
    np.testing.assert_array_equal(corrupt(GREY, Gaussian(0.0), seed=0)["image0"], GREY["image0"])


def test_keyed_noise_is_independent_of_image_order_and_of_the_other_images() -> None:
    whole = noise_of(GREY)
    reordered = noise_of(dict(reversed(GREY.items())))
    alone = noise_of({"image2": GREY["image2"]})
    np.testing.assert_array_equal(whole["image2"], reordered["image2"])
    np.testing.assert_array_equal(whole["image2"], alone["image2"])


def test_images_colours_seeds_draws_and_levels_have_uncorrelated_noise() -> None:
    base = noise_of(GREY)
    pairs = {
        "images": (base["image0"], base["image1"]),
        "seeds": (base["image0"], noise_of(GREY, seed=1)["image0"]),
        "draws": (base["image0"], noise_of(GREY, draw=1)["image0"]),
        "levels": (base["image0"], noise_of(GREY, sigma=50.0)["image0"]),
        "colours": (base["image0"][..., 0], base["image0"][..., 1]),
        "neighbours": (base["image0"][1:], base["image0"][:-1]),
    }
    for what, (one, other) in pairs.items():
        # The correlation of n independent pairs has standard error 1/√n.
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4 / np.sqrt(one.size), what


def test_blind_noise_draws_a_level_for_each_image_within_its_bounds() -> None:
    clean = np.full((400, 32, 32, 3), 128, np.float32)
    noisy = BlindGaussian(5.0, 50.0)(clean, keyed_rng("test"))
    sigmas = (noisy - clean).std(axis=(1, 2, 3))
    assert sigmas.min() > 5 * 0.9
    assert sigmas.max() < 50 * 1.1
    assert stats.kstest(sigmas, stats.uniform(5, 45).cdf).pvalue > 1e-3


@pytest.mark.parametrize("level", [-5.0, float("nan"), float("inf")])
def test_an_impossible_level_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="sigma must be a finite level ≥ 0"):
        Gaussian(level)


def test_blind_bounds_must_be_in_order() -> None:
    with pytest.raises(ValueError, match="high must be ≥ low"):
        BlindGaussian(50.0, 5.0)


def test_keys_that_look_alike_are_different_keys() -> None:
    first = {key: keyed_rng(*key).random() for key in [(1,), ("1",), (1.0,), (1, 2), ((1, 2),), ("1, 2",)]}
    assert len(set(first.values())) == len(first)
