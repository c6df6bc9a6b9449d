import numpy as np
import pandas as pd
import pytest

from common import params
from common.noise.sensor import Gaussian, keyed_rng
from replications.wgan_denoiser import measures, real
from replications.wgan_denoiser.data import tiles
from replications.wgan_denoiser.evaluate import cross_test, shown_images, training_course
from replications.wgan_denoiser.params import Settings


def test_saturation_is_that_of_hsv() -> None:
    # S = 1 - min / max: pure red 1, grey 0, (200, 100, 150) ½.
    image = np.array([[[255, 0, 0], [90, 90, 90], [200, 100, 150]]], np.float32)
    assert measures.saturation(image) == pytest.approx((1 + 0 + 0.5) / 3)


def test_texture_error_is_0_for_the_clean_image_and_1_for_a_flat_one() -> None:
    clean = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    flat = np.full(clean.shape, 128, np.float32)
    assert measures.texture_error(clean, clean) == 0
    assert measures.texture_error(flat, clean) == pytest.approx(1)
    assert measures.texture_energy(flat, clean) == 0
    assert measures.texture_energy(clean, clean) == 1


def test_gradient_energy_of_a_ramp() -> None:
    # Steps of 2 to the right, of 3 below: 2² + 3².
    ramp = (2 * np.arange(5)[None, :, None] + 3 * np.arange(4)[:, None, None]) * np.ones(3)
    assert measures.gradient_energy(ramp) == pytest.approx(13)


def _history(values: list[float], **columns: float) -> pd.DataFrame:
    steps = range(10, 10 * len(values) + 1, 10)
    return pd.DataFrame({"seed": 0, "step": steps, "val_psnr_db": values, **columns})


def test_a_straight_rise_has_no_spread_and_a_zigzag_has() -> None:
    assert measures.psnr_spread(_history([20, 25, 3, 8, 26, 27, 28, 29, 30])) == pytest.approx(0, abs=1e-9)
    # The line through the last half falls by 0.4 a step: residuals 0.4, -1.2, 1.2, -0.4, on two degrees of freedom.
    late = [1.0, -1.0, 1.0, -1.0]
    assert measures.psnr_spread(_history([0, 0, 0, 0, *late])) == pytest.approx((3.2 / 2) ** 0.5)


def test_too_few_validations_are_refused() -> None:
    with pytest.raises(ValueError, match="validate_every"):
        measures.psnr_spread(_history([20, 21, 22, 23]))


def test_the_course_of_a_training_compares_its_last_third_with_its_first() -> None:
    history = _history([1, 2, 3, 4, 5, 6], critic_gap=0.5, adversarial_share=0.5)
    history["adversarial_gradient"] = [8.0, 8, 5, 5, 2, 2]
    history["critic_gap"] = [1.0, 1, 0, 0, -1, -1]
    course = training_course({"wgan": history})["wgan"]
    assert course["adversarial_gradient_early"] == [8]
    assert course["adversarial_gradient_change"] == [-6]
    assert course["adversarial_share_change"] == [0]
    assert course["critic_gap_late"] == [-1]


def test_the_cross_test_means_over_each_familys_images() -> None:
    rows = [("wgan", 0, "marine/a", 30.0), ("wgan", 0, "marine/b", 32.0), ("wgan", 0, "grassland/a", 25.0)]
    scores = pd.DataFrame(rows, columns=["network", "seed", "image", "psnr_db"]).assign(convention="suite")
    assert cross_test(scores, ["marine", "grassland"]) == {"wgan": {"marine": [31.0], "grassland": [25.0]}}


def test_tiles_are_spread_over_all_images() -> None:
    images = {name: np.full((33, 50, 3), value, np.uint8) for value, name in enumerate("ab")}
    cut = tiles(images, 16, 4)  # of two rows and three columns in each
    assert list(cut) == ["a_0_0", "a_1_1", "b_0_1", "b_1_2"]
    assert {tile.shape for tile in cut.values()} == {(16, 16, 3)}
    assert len(tiles(images, 16, 100)) == 12


def test_noise_of_flat_tiles_is_found_beside_texture() -> None:
    texture = np.random.default_rng(0).integers(60, 200, (32, 32, 3))
    scene = np.concatenate([np.full((32, 256, 3), 128), texture], axis=1).astype(np.float32)
    noisy = Gaussian(8)(scene[None], keyed_rng("grain"))[0]
    assert real.noise_level(noisy) == pytest.approx(8, rel=0.15)
    assert real.noise_level(scene) == pytest.approx(0, abs=1e-9)


def test_images_that_must_not_be_shown_need_no_panels() -> None:
    settings = params.load("wgan_denoiser").model_dump()
    clean = {f"{family}/{k}": np.zeros((1, 1, 3), np.uint8) for family in ("marine", "grassland") for k in range(3)}
    assert shown_images(clean, Settings(**settings | {"panels": 1})) == ["marine/0", "grassland/0"]
    assert shown_images(clean, Settings(**settings | {"panels": 0})) == []
