import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2ycbcr

from common import params
from common.datasets.embedded import skimage_data
from common.datasets.images import read_image
from common.datasets.registry import describe, load, local_root
from common.noise.sensor import keyed_rng
from common.score.metrics import psnr
from replications.udncnn.super_resolution import (
    Bicubic,
    experiment,
    luminance,
    published,
    record,
    score_factor,
)

COFFEE = read_image(skimage_data() / "coffee.png", "coffee")[150:227, 200:301]
FACTORS = (2, 3, 4)


def bicubic(image: np.ndarray, factor: int) -> np.ndarray:
    return Bicubic(factor)(image[None].astype(np.float32), keyed_rng("unused"))[0]


@pytest.mark.parametrize("factor", FACTORS)
def test_bicubic_is_pillows_reduction_and_enlargement(factor: int) -> None:
    grey = COFFEE[:72, :96, :1].astype(np.float32)
    small = Image.fromarray(grey[:, :, 0]).resize((96 // factor, 72 // factor), Image.Resampling.BICUBIC)
    wanted = np.asarray(small.resize((96, 72), Image.Resampling.BICUBIC))
    np.testing.assert_allclose(bicubic(grey, factor)[:, :, 0], wanted, atol=0.01)


def test_bicubic_has_matlabs_weights() -> None:
    # Keys' kernel at the distances 1/4, 3/4, 5/4, 7/4, by hand: 111/128, 29/128, -9/128, -3/128. imresize(…, 2) weights
    # four neighbours by them; imresize(…, 1/2) eight by half of each, at half the distances 1/2, 3/2, 5/2, 7/2.
    near, next_, third, far = 111 / 128, 29 / 128, -9 / 128, -3 / 128
    reduced = np.array([far, third, next_, near, near, next_, third, far]) / 2
    row = np.random.default_rng(0).uniform(0, 255, 48)
    small = np.array([reduced @ row[2 * index - 3 : 2 * index + 5] for index in range(2, 22)])  # pixels 2 … 21
    large = np.array([[far, next_, near, third] @ small[index - 2 : index + 2] for index in range(2, 18)])  # 4 … 19
    found = bicubic(np.broadcast_to(row[None, :, None], (48, 48, 1)), 2)[24, :, 0]
    np.testing.assert_allclose(found[8:40:2], large, atol=0.01)


def test_a_size_that_is_no_multiple_is_refused() -> None:
    with pytest.raises(ValueError, match="101×77 is no multiple of 3"):
        bicubic(COFFEE, 3)
    with pytest.raises(ValueError, match="factor must be a whole number ≥ 1"):
        Bicubic(0)


def test_luminance_is_the_rounded_y_of_bt_601() -> None:
    # scikit-image's Y of uint8 RGB is MATLAB's before rounding.
    wanted = np.round(rgb2ycbcr(COFFEE)[:, :, 0]).astype(np.uint8)
    found = luminance({"coffee": COFFEE})["coffee"]
    np.testing.assert_array_equal(found[:, :, 0], wanted)


def test_the_grey_file_of_set14_is_its_own_luminance() -> None:
    grey = np.repeat(COFFEE[:, :, :1], 3, axis=2)
    images = luminance({"bridge": grey, "man": grey})
    np.testing.assert_array_equal(images["bridge"], grey[:, :, :1])
    # 219 levels of 255 remain (16–235), to half a level of rounding.
    assert np.ptp(images["man"].astype(int)) == pytest.approx(np.ptp(grey.astype(int)) * 219 / 255, abs=1)


@pytest.mark.parametrize("factor", FACTORS)
def test_scores_leave_out_the_border_and_the_rest_of_the_sides(factor: int) -> None:
    clean = luminance({"coffee": COFFEE})
    scores, shown = score_factor(factor, {"brighter": {0: lambda noisy: noisy + 4}}, clean)
    assert set(scores["experiment"]) == {experiment(factor)}
    height, width = (side // factor * factor for side in (77, 101))
    whole = clean["coffee"][:height, :width].astype(np.float64)
    inside = (slice(factor, height - factor), slice(factor, width - factor))
    enlarged = bicubic(whole, factor)
    for name, shift in (("noisy", 0), ("brighter", 4)):
        estimate = np.round(np.clip(enlarged + shift, 0, 255))
        wanted = psnr(float(np.mean((estimate - whole)[inside] ** 2)))
        own = scores[(scores["network"] == name) & (scores["convention"] == "rounded")]
        assert own["psnr_db"].tolist() == pytest.approx([wanted])
        assert shown[name]["coffee"].shape == (height - 2 * factor, width - 2 * factor, 1)


def test_published_networks_beat_bicubic_in_the_order_of_their_years() -> None:
    table = published()
    assert sorted(set(table["factor"])) == [2, 3, 4]
    for _, rows in table.groupby("factor"):
        by_method = rows.set_index("method")["psnr_db"]
        assert list(by_method.index) == ["bicubic", "srcnn", "vdsr", "drcn", "drrn", "memnet"]
        assert by_method["bicubic"] < by_method["srcnn"] < by_method["vdsr"] < by_method["drrn"] < by_method["memnet"]
    # U18: a third of the size is true of MemNet's 677 K, not of DRRN's 297 K.
    assert table.set_index(["method", "factor"]).loc[("memnet", 3), "parameters"] == 677_000


def test_the_record_sets_ours_beside_the_published_on_their_images_alone() -> None:
    scores, _ = score_factor(
        3, {"restorer": {0: lambda noisy: noisy, 1: lambda noisy: noisy + 4}}, {"a": COFFEE[..., :1]}
    )
    on_set14, elsewhere = record(scores, "set14"), record(scores, "embedded")
    assert list(on_set14) == list(elsewhere) == ["x2", "x3", "x4"]
    assert on_set14["x3"]["psnr_db"]["memnet"] == 30.00
    assert on_set14["x2"]["ssim"]["drrn"] == 0.9136
    assert list(elsewhere["x3"]["psnr_db"]) == ["noisy", "restorer"]
    assert elsewhere["x2"]["psnr_db"] == {}
    ours = on_set14["x3"]["psnr_db"]["restorer"]
    assert len(ours) == 2
    assert ours[0] == on_set14["x3"]["psnr_db"]["noisy"][0] > ours[1]


def test_our_bicubic_baseline_is_the_published_one() -> None:
    root = local_root(params.shared().data.root)
    if describe("set14").find(root) is None:
        pytest.skip("data.root holds no Set14")
    clean = luminance(load("set14", "test", str(root)))
    for factor in FACTORS:
        scores, _ = score_factor(factor, {}, clean)
        ours = scores[scores["convention"] == "rounded"][["psnr_db", "ssim"]].mean()
        theirs = published().set_index(["method", "factor"]).loc[("bicubic", factor)]
        assert ours["psnr_db"] == pytest.approx(theirs["psnr_db"], abs=0.02)
        assert ours["ssim"] == pytest.approx(theirs["ssim"], abs=0.001)
