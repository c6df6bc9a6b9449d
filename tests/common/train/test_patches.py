import numpy as np
import pytest

from common.errors import UserError
from common.noise.sensor import Gaussian
from common.train.patches import Labelled, Patches

IMAGE = np.arange(60 * 50 * 3, dtype=np.int64).reshape(60, 50, 3).astype(np.uint8)


def patches(sigma: float = 0.0, seed: int = 0) -> Patches:
    return Patches({"image": IMAGE}, Gaussian(sigma), batch=64, crop=16, seed=seed)


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    first, again = patches(30.0)(5), patches(30.0)(5)
    np.testing.assert_array_equal(first.inputs, again.inputs)
    np.testing.assert_array_equal(first.targets, again.targets)
    assert not np.array_equal(first.targets, patches(30.0)(6).targets)
    assert not np.array_equal(first.targets, patches(30.0, seed=1)(5).targets)


def test_a_batch_is_float_crops_of_the_images() -> None:
    batch = patches()(0)
    assert batch.targets.shape == (64, 16, 16, 3)
    assert batch.targets.dtype == np.float32
    np.testing.assert_array_equal(batch.inputs, batch.targets)


def test_every_crop_is_a_flipped_or_turned_window_of_its_image() -> None:
    windows = np.lib.stride_tricks.sliding_window_view(IMAGE, (16, 16, 3)).reshape(-1, 16, 16, 3)
    known = {window.tobytes() for window in windows}
    for crop in patches()(0).targets.astype(np.uint8)[:16]:
        poses = [np.rot90(view, k) for view in (crop, crop[:, ::-1]) for k in range(4)]
        assert any(np.ascontiguousarray(pose).tobytes() in known for pose in poses)


def test_all_eight_poses_occur() -> None:
    ramp = np.zeros((16, 16, 3), np.uint8)
    ramp[:, :, 0], ramp[:, :, 1] = np.arange(16)[None], np.arange(16)[:, None]
    one_window = Patches({"ramp": ramp}, Gaussian(0.0), batch=200, crop=16, seed=0)
    assert len({crop.tobytes() for crop in one_window(0).targets}) == 8


def test_an_image_smaller_than_the_crop_is_named() -> None:
    with pytest.raises(UserError, match="image small is 50×12, smaller than a training crop of 16×16"):
        Patches({"small": IMAGE[:12]}, Gaussian(1.0), batch=1, crop=16, seed=0)


def test_noisy_targets_are_a_second_draw_of_the_same_crops() -> None:
    corruption = Gaussian(30.0)
    pairs = Patches({"image": IMAGE}, corruption, batch=64, crop=16, seed=0, noisy_targets=True)(3)
    clean = patches(30.0)(3)
    np.testing.assert_array_equal(pairs.inputs, clean.inputs)
    noise = [(images - clean.targets).ravel() for images in (pairs.inputs, pairs.targets)]
    assert np.std(noise[1]) == pytest.approx(30, rel=0.02)
    assert abs(np.corrcoef(*noise)[0, 1]) < 4 / len(noise[0]) ** 0.5  # four standard errors of no correlation


def test_labels_follow_their_images_through_mirroring() -> None:
    images = np.stack(
        [np.tile(np.arange(8, dtype=np.uint8)[None, :, None] + 10 * index, (8, 1, 3)) for index in range(5)]
    )
    batch = Labelled(images, images[..., 0].astype(np.int64), batch=64, seed=0)(2)
    np.testing.assert_array_equal(batch.inputs[..., 0].astype(np.int64), batch.targets)
    mirrored = batch.inputs[:, 0, 0, 0] > batch.inputs[:, 0, 1, 0]
    assert 0 < mirrored.sum() < 64
    assert batch.targets.dtype == np.int64


def test_labels_of_whole_images_are_those_of_the_drawn_images() -> None:
    images = np.stack([np.full((4, 4, 3), index, np.uint8) for index in range(5)])
    batch = Labelled(images, np.arange(5), batch=32, seed=0)(0)
    np.testing.assert_array_equal(batch.inputs[:, 0, 0, 0], batch.targets)
    assert len(set(batch.targets)) == 5
