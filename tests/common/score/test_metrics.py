import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from common.score.metrics import BATCH, CONVENTIONS, pools, psnr, score, score_all

RNG = np.random.default_rng(0)
CLEAN = RNG.integers(0, 256, (48, 40, 3)).astype(np.float32)
ESTIMATE = CLEAN + RNG.normal(0, 40, CLEAN.shape).astype(np.float32)


def test_the_suites_psnr_and_ssim_agree_with_scikit_image() -> None:
    ours = score(ESTIMATE, CLEAN, CONVENTIONS["suite"])
    clipped = np.clip(ESTIMATE.astype(np.float64), 0, 255)
    theirs = peak_signal_noise_ratio(CLEAN.astype(np.float64), clipped, data_range=255)
    ssim = structural_similarity(
        CLEAN.astype(np.float64),
        clipped,
        data_range=255,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ours.psnr_db == pytest.approx(theirs, abs=1e-6)
    assert ours.ssim == pytest.approx(ssim, abs=1e-6)


def test_the_lineages_psnr_is_the_papers_formula_on_minus_one_to_one() -> None:
    # PSNR = 10·log10(4n / ‖y - d‖²), y and d in [-1, 1]: the 4 is the squared range.
    y, d = ESTIMATE / 127.5 - 1, CLEAN / 127.5 - 1
    published = 10 * math.log10(4 * d.size / np.sum((y.astype(np.float64) - d) ** 2))
    assert score(ESTIMATE, CLEAN, CONVENTIONS["lineage"]).psnr_db == pytest.approx(published, abs=1e-4)


@pytest.mark.parametrize(("error", "psnr_db"), [(1.0, 48.1308), (10.0, 28.1308), (255.0, 0.0)])
def test_a_constant_error_gives_the_psnr_of_a_hand_calculation(error: float, psnr_db: float) -> None:
    # 20·log10(255 / error)
    black = np.zeros((16, 16, 3), np.float32)
    assert score(black + error, black, CONVENTIONS["suite"]).psnr_db == pytest.approx(psnr_db, abs=1e-4)


def test_clipping_can_only_help() -> None:
    scores = score_all(ESTIMATE, CLEAN)
    assert scores["suite"].psnr_db > scores["unclipped"].psnr_db


def test_rounding_adds_the_variance_of_uniform_rounding() -> None:
    # Errors well above 1 grey level: rounding adds 1/12 to the mean squared error.
    grey = np.full((256, 256, 3), 128.0, np.float32)
    noisy = grey + RNG.normal(0, 5, grey.shape).astype(np.float32)
    scores = score_all(noisy, grey)
    assert scores["rounded"].mse - scores["suite"].mse == pytest.approx(1 / 12, abs=0.02)


def test_luma_of_a_grey_error_is_the_bt601_weighted_range() -> None:
    # Y spans 219 of 255 levels, so an equal error in R, G and B shrinks by 219/255.
    grey = np.full((16, 16, 3), 100.0, np.float32)
    assert score(grey + 10, grey, CONVENTIONS["luma"]).mse == pytest.approx((10 * 219 / 255) ** 2, rel=1e-6)


def test_the_border_is_left_out() -> None:
    clean = np.zeros((32, 32, 3), np.float32)
    estimate = clean.copy()
    estimate[:4] = estimate[-4:] = 255
    estimate[:, :4] = estimate[:, -4:] = 255
    assert score(estimate, clean, CONVENTIONS["border"]).psnr_db == math.inf


def test_pooling_averages_what_the_convention_names() -> None:
    errors = [100.0, 400.0, 100.0, 400.0, 900.0]
    mean = np.mean([psnr(error) for error in errors])
    assert np.mean(pools(errors, CONVENTIONS["suite"])) == pytest.approx(mean)
    assert pools(errors, CONVENTIONS["pooled"]) == [pytest.approx(psnr(380.0))]
    assert pools(errors, CONVENTIONS["lineage"]) == pytest.approx([psnr(250.0), psnr(900.0)])
    assert BATCH == 4  # the lineage's test batch


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        score(ESTIMATE[1:], CLEAN, CONVENTIONS["suite"])


def test_an_estimate_that_is_not_finite_is_refused() -> None:
    broken = ESTIMATE.copy()
    broken[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        score(broken, CLEAN, CONVENTIONS["suite"])


def test_an_exact_estimate_has_infinite_psnr_and_ssim_one() -> None:
    exact = score(CLEAN, CLEAN, CONVENTIONS["suite"])
    assert exact.psnr_db == math.inf
    assert exact.ssim == pytest.approx(1)


def test_grey_images_are_scored_as_they_are() -> None:
    grey, noisy = CLEAN[..., :1], ESTIMATE[..., :1]
    assert score(noisy, grey, CONVENTIONS["luma"]).mse == score(noisy, grey, CONVENTIONS["rounded"]).mse
