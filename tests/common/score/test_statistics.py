import math

import numpy as np
import pytest
from scipy import stats

from common.score.statistics import (
    EXACT,
    LEVEL,
    RESAMPLES,
    Estimate,
    drawn_estimate,
    mean_estimate,
    paired_estimate,
    paired_interval,
    pooled_std,
    prediction_factor,
    set_estimate,
    two_level_estimate,
)

# Student's sleep data (Biometrika 1908): hours gained by ten patients under two drugs; the textbook paired t test.
FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def skewed(images: int = 40) -> np.ndarray:
    return np.random.default_rng(1).gamma(2.0, 0.2, images)


def test_the_mean_of_samples_has_the_t_interval_of_scipy():
    reference = stats.ttest_1samp(FIRST, 0).confidence_interval(0.95)
    assert mean_estimate(FIRST).interval(LEVEL) == pytest.approx((reference.low, reference.high))


def test_a_single_sample_has_no_interval():
    assert mean_estimate([28.9]).interval(LEVEL) is None


def test_an_exact_number_is_its_own_interval():
    assert Estimate(225859.0, (EXACT,)).interval() == (225859.0, 225859.0)


def test_few_images_are_compared_by_the_paired_t_test():
    # mean difference -1.58, t = -4.0621, 95 % interval (-2.4599, -0.7001): R's `t.test(extra ~ group, paired = TRUE)`
    interval = paired_interval(FIRST, SECOND, seed=0)
    assert interval == pytest.approx((-2.4598858, -0.7001142), abs=1e-6)


def test_many_images_are_compared_by_the_bca_bootstrap_of_scipy():
    reference = stats.bootstrap(
        (skewed(),), np.mean, n_resamples=RESAMPLES, method="BCa", rng=np.random.default_rng(7)
    ).confidence_interval
    assert paired_interval(skewed(), np.zeros(40), seed=7) == pytest.approx((reference.low, reference.high))


def test_the_bootstrap_depends_on_its_seed_alone():
    again = [paired_interval(skewed(), np.zeros(40), seed=seed) for seed in (3, 3, 4)]
    assert again[0] == again[1] != again[2]


def test_equal_differences_give_an_interval_without_width():
    assert paired_interval(np.ones(30), np.zeros(30), seed=0) == (1.0, 1.0)


def test_an_infinite_psnr_leaves_no_interval():
    assert paired_interval([math.inf, math.inf], [math.inf, 30.0], seed=0) is None


def test_the_spread_of_seeds_widens_a_comparison():
    # image means equal in all runs; only the level of the run moves: (0, 0.3, 0.6), variance 0.09, /3 seeds = 0.03
    images = np.linspace(0.9, 1.1, 5)
    runs = np.stack([images + shift for shift in (-0.3, 0.0, 0.3)])
    images_share = images.var(ddof=1) / 5
    estimate = paired_estimate(runs, np.zeros((1, 5)))
    assert estimate.mean == pytest.approx(1.0)
    assert estimate.standard_error**2 == pytest.approx(images_share + 0.03)
    assert estimate.freedom == pytest.approx((images_share + 0.03) ** 2 / (images_share**2 / 4 + 0.03**2 / 2))
    assert paired_interval(runs, np.zeros((1, 5)), seed=0) == pytest.approx(estimate.interval())


def test_seeds_join_the_bootstrap_in_quadrature():
    runs = np.stack([skewed() + shift for shift in (-0.3, 0.0, 0.3)])
    images = paired_interval(skewed(), np.zeros(40), seed=0)
    seeds = math.sqrt(0.03) * stats.t.ppf(0.975, 2)
    mean = skewed().mean()
    expected = mean - math.hypot(mean - images.low, seeds), mean + math.hypot(images.high - mean, seeds)
    assert paired_interval(runs, np.zeros((1, 40)), seed=0) == pytest.approx(expected)


def test_a_published_value_varies_over_seeds_and_draws_but_not_images():
    # rows seeds, columns draws: seed means 1, 3 (variance 2), draw means 1.5, 2.5 (variance 0.5), two of each
    estimate = two_level_estimate([[0.5, 1.5], [2.5, 3.5]])
    assert estimate.mean == 2.0
    assert estimate.standard_error**2 == pytest.approx(2 / 2 + 0.5 / 2)
    assert two_level_estimate([[28.9, 29.0]]).parts == mean_estimate([28.9, 29.0]).parts


def test_a_published_values_interval_covers_the_truth_at_least_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(1000):
        table = rng.normal(0, 0.1, (3, 1)) + rng.normal(0, 0.05, (1, 4)) + rng.normal(0, 0.02, (3, 4))
        interval = two_level_estimate(table).interval()
        covered += interval.low <= 0 <= interval.high
    assert covered >= 930  # 950 expected; 930 is three standard errors below


def test_a_single_trainings_value_varies_over_the_draws_of_each_image():
    estimate = drawn_estimate([[1.0, 5.0], [3.0, 5.0]])  # draws × images: variances 2 and 0
    assert (estimate.mean, estimate.standard_error, estimate.freedom) == (3.5, (2 / 2 / 2**2) ** 0.5, 1)
    assert estimate.interval().high == pytest.approx(3.5 + 12.7062 * 0.5, abs=1e-4)  # t(0.975, 1)


def test_of_a_single_draw_the_images_own_spread_is_taken():
    assert drawn_estimate([FIRST]) == mean_estimate(FIRST)
    assert drawn_estimate([[29.0]]).interval() is None


def test_a_single_trainings_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(5)
    images = rng.normal(29, 2.5, 30)  # far more than the draws differ, and no part of the error: they are the paper's
    intervals = [drawn_estimate(images + rng.normal(0, 0.2, (4, 30))).interval() for _ in range(1000)]
    covered = np.mean([low <= images.mean() <= high for low, high in intervals])
    assert covered == pytest.approx(LEVEL, abs=0.02)
    assert np.mean([high - low for low, high in intervals]) == pytest.approx(2 * 1.98 * 0.2 / 120**0.5, rel=0.1)


def test_trainings_are_the_outer_level_where_there_are_several():
    table = np.random.default_rng(2).normal(29, 0.1, (3, 4, 10))  # seeds, draws, images
    assert set_estimate(table) == two_level_estimate(table.mean(axis=2))
    assert set_estimate(table[:1]) == drawn_estimate(table[0])


def test_a_quotient_has_the_interval_of_its_logarithm():
    a, b = mean_estimate([7400, 7500, 7600]), mean_estimate([14900, 15000, 15100])
    ratio, (low, high) = a.over(b)
    # relative variances of the means 100²/3/7500² and 100²/3/15000²; Welch's degrees of freedom of their sum
    parts = np.array([100**2 / 3 / 7500**2, 100**2 / 3 / 15000**2])
    half = np.sqrt(parts.sum()) * stats.t.ppf(0.975, parts.sum() ** 2 / (parts**2 / 2).sum())
    assert (ratio, low, high) == pytest.approx((0.5, 0.5 * np.exp(-half), 0.5 * np.exp(half)))
    assert b.over(a)[1] == pytest.approx((1 / high, 1 / low))
    with pytest.raises(ValueError, match="positive measurements, got 0 and 7500"):
        mean_estimate([0.0]).over(a)


def test_independent_means_are_compared_by_welchs_test():
    difference = mean_estimate(FIRST).minus(mean_estimate(SECOND))
    reference = stats.ttest_ind(FIRST, SECOND, equal_var=False)
    assert difference.freedom == pytest.approx(reference.df)
    assert difference.interval() == pytest.approx(tuple(reference.confidence_interval(0.95)))


def test_a_difference_with_a_single_run_has_no_interval():
    assert mean_estimate(FIRST).minus(mean_estimate([1.0])).interval() is None


def test_equivalence_is_two_one_sided_t_tests():
    near = [value + 0.1 for value in FIRST[::-1]]
    differences = np.subtract(FIRST, near)
    sides = (
        stats.ttest_1samp(differences, -2.0, alternative="greater").pvalue,
        stats.ttest_1samp(differences, 2.0, alternative="less").pvalue,
    )
    interval = stats.ttest_1samp(differences, 0).confidence_interval(0.90)
    result = paired_estimate(FIRST, near).equivalence(2.0)
    assert result.p_value == pytest.approx(max(sides))
    assert result.interval == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize(("margin", "equivalent"), [(0.05, False), (0.2, True)])
def test_equivalence_holds_where_its_interval_lies_within_the_margin(margin, equivalent):
    # differences 0.05 ± 0.1 in turn, 20 of them: mean 0.05, standard error 0.1·sqrt(20/19)/sqrt(20) = 0.0229,
    # 90 % interval 0.05 ± 1.729·0.0229 = (0.0103, 0.0897)
    differences = np.tile([-0.05, 0.15], 10)
    result = paired_estimate(differences, np.zeros(20)).equivalence(margin)
    assert result.interval == pytest.approx((0.0103, 0.0897), abs=1e-4)
    assert (result.p_value < 0.05) is equivalent


def test_pooled_spread_and_the_next_run():
    # squares about the means: 2 and 8, two degrees of freedom each
    assert pooled_std([[1, 2, 3], [2, 4, 6]]) == (pytest.approx(math.sqrt(10 / 4)), 4)
    # t(0.995, 2) = 9.9248 (tables), times sqrt(4/3)
    assert prediction_factor(2, 3, 0.99) == pytest.approx(9.9248 * math.sqrt(4 / 3), rel=1e-4)
