from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from common.noise.sensor import (
    BlindGaussian,
    BlindPoisson,
    Chain,
    Corruption,
    Gaussian,
    OneOf,
    Poisson,
    PoissonGaussian,
    RandomImpulse,
    SaltAndPepper,
    corrupt,
    keyed_rng,
    rms,
)

GREY = {f"image{index}": np.full((64, 64, 3), 128, dtype=np.uint8) for index in range(4)}
VALUES = 64 * 64 * 3
FIRST_NOISE = [139.51843, 149.22218, 122.17292, 147.63219, 143.83817, 143.94391]


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


def test_each_image_gets_one_of_several_corruptions_as_often_as_another() -> None:
    clean = np.full((300, 8, 8, 3), 128, np.float32)
    noisy = OneOf((Gaussian(0.0), SaltAndPepper(1.0), Gaussian(10.0)))(clean, keyed_rng("test"))
    assert noisy.dtype == np.float32
    same = (noisy == clean).all(axis=(1, 2, 3))
    black_and_white = np.isin(noisy, (0, 255)).all(axis=(1, 2, 3))
    counts = [same.sum(), black_and_white.sum(), (~same & ~black_and_white).sum()]
    assert stats.chisquare(counts).pvalue > 1e-3
    with pytest.raises(ValueError, match="at least one corruption"):
        OneOf(())


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


def flat(value: float, *shape: int) -> np.ndarray:
    return np.full(shape, value, np.float32)


def test_the_noise_of_an_image_is_the_one_it_always_had() -> None:
    # Computed when the noise was first defined: a change here changes every published test image of the suite.
    noisy = corrupt({"image": np.full((1, 2, 3), 128, np.uint8)}, Gaussian(25.0), seed=0)["image"]
    np.testing.assert_allclose(noisy.ravel(), FIRST_NOISE, rtol=1e-6)


@pytest.mark.parametrize("value", [0.0, 20.0, 255.0])
def test_photon_noise_keeps_the_mean_and_has_the_variance_of_its_law(value: float) -> None:
    noisy = Poisson(30.0)(flat(value, 4, 64, 64, 3), keyed_rng("photons"))
    variance = 255 * value / 30
    fourth = 3 * variance**2 + variance * (255 / 30) ** 2  # Poisson's fourth central moment 3λ² + λ, in grey levels
    assert abs(noisy.mean() - value) <= 4 * np.sqrt(variance / noisy.size)
    assert abs(noisy.var() - variance) <= 4 * np.sqrt((fourth - variance**2) / noisy.size)
    np.testing.assert_allclose(noisy * 30 / 255, np.round(noisy * 30 / 255), atol=1e-4)  # whole photons


def test_read_out_noise_adds_its_variance_to_the_photon_noise() -> None:
    noisy = PoissonGaussian(30.0, 12.0)(flat(100, 4, 64, 64, 3), keyed_rng("sensor"))
    variance = 255 * 100 / 30 + 12**2
    assert noisy.dtype == np.float32
    assert abs(noisy.var() - variance) < 5 * variance * np.sqrt(2 / noisy.size)


def test_an_impulse_replaces_a_whole_pixel_by_a_uniform_colour() -> None:
    noisy = RandomImpulse(0.3, 0.3)(flat(128.5, 4, 64, 64, 3), keyed_rng("impulses"))
    replaced = noisy != 128.5
    np.testing.assert_array_equal(replaced.all(axis=-1), replaced.any(axis=-1))
    n = 4 * 64 * 64
    assert abs(replaced.any(axis=-1).sum() - 0.3 * n) < 4 * np.sqrt(n * 0.3 * 0.7)
    colours = noisy[replaced.all(axis=-1)]
    assert stats.kstest(colours.ravel(), stats.uniform(0, 255).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(colours[:, 0], colours[:, 1])[0, 1]) < 4 / np.sqrt(len(colours))


def test_impulse_noise_draws_its_probability_for_each_image() -> None:
    noisy = RandomImpulse(0.1, 0.9)(flat(128.5, 400, 32, 32, 3), keyed_rng("impulses"))
    shares = (noisy != 128.5).any(axis=-1).mean(axis=(1, 2))
    assert stats.kstest(shares, stats.uniform(0.1, 0.8).cdf).pvalue > 1e-3


def test_salt_and_pepper_are_equally_frequent_and_take_all_channels() -> None:
    noisy = SaltAndPepper(0.2)(flat(128, 4, 64, 64, 3), keyed_rng("salt"))
    n = 4 * 64 * 64
    for value, probability in [(255, 0.1), (0, 0.1), (128, 0.8)]:
        count = (noisy == value).all(axis=-1).sum()
        assert abs(count - n * probability) < 4 * np.sqrt(n * probability * (1 - probability)), value


def test_a_chain_applies_its_parts_in_order_with_one_generator() -> None:
    clean, rng = flat(128, 1, 16, 16, 3), keyed_rng("chain")
    step_by_step = SaltAndPepper(0.5)(Gaussian(10.0)(clean, rng), rng)
    chained = Chain((Gaussian(10.0), SaltAndPepper(0.5)))(clean, keyed_rng("chain"))
    np.testing.assert_array_equal(chained, step_by_step)
    assert set(np.unique(Chain((Gaussian(10.0), SaltAndPepper(1.0)))(clean, keyed_rng("chain")))) == {0.0, 255.0}


def test_rms_is_the_root_of_the_pooled_squared_error() -> None:
    black, grey = np.zeros((40, 40, 3), np.uint8), np.full((80, 80, 3), 100, np.uint8)
    # Every pixel turns 0 or 255 alike: errors 0 and 255 on black; 100 and 155 on grey, which has four times the pixels.
    expected = np.sqrt((255**2 / 2 + 4 * (100**2 + 155**2) / 2) / 5)
    assert rms(SaltAndPepper(1.0), {"black": black, "grey": grey}, seed=0) == pytest.approx(expected, rel=0.02)
    assert rms(Gaussian(25.0), GREY, seed=0) == pytest.approx(25, abs=4 * 25 / np.sqrt(2 * 4 * VALUES))
    assert rms(Gaussian(0.0), GREY, seed=0) == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomImpulse(-0.1, 0.5), r"low must be a fraction in \[0.0, 1\]"),
        (lambda: RandomImpulse(0.5, 0.1), r"high must be a fraction in \[0.5, 1\]"),
        (lambda: RandomImpulse(0.5, 1.1), "high must be a fraction"),
        (lambda: SaltAndPepper(float("nan")), "fraction must be a fraction"),
        (lambda: Poisson(0.0), "peak must be a finite number of photons > 0"),
        (lambda: PoissonGaussian(30.0, -1.0), "sigma must be a finite level"),
    ],
)
def test_an_impossible_corruption_is_refused(make: Callable[[], Corruption], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_blind_poisson_draws_a_peak_for_each_image_uniform_in_the_logarithm() -> None:
    white = np.full((400, 32, 32, 1), 255, np.float32)
    noisy = BlindPoisson(1.0, 8.0)(white, np.random.default_rng(0))
    # Photon noise of a white pixel has the mean 255 and the variance 255² / peak.
    peaks = 255**2 / noisy.var(axis=(1, 2, 3))
    assert abs(noisy.mean() - 255) < 4 * 255 / np.sqrt(noisy.size)
    # The variance of 1024 pixels is known to about √(2 / 1024), 4.4 % (a peak of 1 has 25 % more).
    assert peaks.min() > 1 * (1 - 4 * 0.055)
    assert peaks.max() < 8 * (1 + 4 * 0.055)
    for share, bound in ((1 / 3, 2), (2 / 3, 4)):  # log 2 and log 4 divide log 8 into three
        assert abs(np.mean(peaks < bound) - share) < 4 * np.sqrt(share * (1 - share) / 400)


def test_blind_poisson_of_equal_bounds_is_poisson() -> None:
    clean = np.full((3, 64, 64, 1), 128, np.float32)
    noisy = BlindPoisson(4.0, 4.0)(clean, np.random.default_rng(0))
    photons = noisy / (255 / 4)
    np.testing.assert_allclose(photons, np.round(photons), atol=1e-4)
    assert abs(noisy.var() - 255 * 128 / 4) < 4 * 255 * 128 / 4 * np.sqrt(2.2 / noisy.size)


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-1.0, 1.0), (2.0, 1.0), (1.0, float("inf"))])
def test_impossible_peaks_are_refused(bounds: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        BlindPoisson(*bounds)


def test_keyed_poisson_noise_depends_on_the_image_alone() -> None:
    alone = corrupt({"image2": GREY["image2"]}, Poisson(4.0), seed=0)["image2"]
    np.testing.assert_array_equal(corrupt(dict(reversed(GREY.items())), Poisson(4.0), seed=0)["image2"], alone)
    assert not np.array_equal(corrupt({"image2": GREY["image2"]}, Poisson(2.0), seed=0)["image2"], alone)
