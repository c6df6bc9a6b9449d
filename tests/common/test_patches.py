import numpy as np
import pytest

from common.errors import UserError
from common.noise import Gaussian
from common.patches import Patches

IMAGE = np.arange(60 * 50 * 3, dtype=np.int64).reshape(60, 50, 3).astype(np.uint8)


def patches(sigma: float = 0.0, seed: int = 0) -> Patches:
    return Patches({"image": IMAGE}, Gaussian(sigma), batch=64, crop=16, seed=seed)


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    first, again = patches(30.0)(5), patches(30.0)(5)
    np.testing.assert_array_equal(first.noisy, again.noisy)
    np.testing.assert_array_equal(first.clean, again.clean)
    assert not np.array_equal(first.clean, patches(30.0)(6).clean)
    assert not np.array_equal(first.clean, patches(30.0, seed=1)(5).clean)


def test_a_batch_is_float_crops_of_the_images() -> None:
    batch = patches()(0)
    assert batch.clean.shape == (64, 16, 16, 3)
    assert batch.clean.dtype == np.float32
    np.testing.assert_array_equal(batch.noisy, batch.clean)


def test_every_crop_is_a_flipped_or_turned_window_of_its_image() -> None:
    windows = np.lib.stride_tricks.sliding_window_view(IMAGE, (16, 16, 3)).reshape(-1, 16, 16, 3)
    known = {window.tobytes() for window in windows}
    for crop in patches()(0).clean.astype(np.uint8)[:16]:
        poses = [np.rot90(view, k) for view in (crop, crop[:, ::-1]) for k in range(4)]
        assert any(np.ascontiguousarray(pose).tobytes() in known for pose in poses)


def test_all_eight_poses_occur() -> None:
    ramp = np.zeros((16, 16, 3), np.uint8)
    ramp[:, :, 0], ramp[:, :, 1] = np.arange(16)[None], np.arange(16)[:, None]
    one_window = Patches({"ramp": ramp}, Gaussian(0.0), batch=200, crop=16, seed=0)
    assert len({crop.tobytes() for crop in one_window(0).clean}) == 8


def test_an_image_smaller_than_the_crop_is_named() -> None:
    with pytest.raises(UserError, match="image small is 50×12, smaller than a training crop of 16×16"):
        Patches({"small": IMAGE[:12]}, Gaussian(1.0), batch=1, crop=16, seed=0)
