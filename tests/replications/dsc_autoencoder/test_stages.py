from collections.abc import Mapping

import numpy as np

from common import params
from common.noise.sensor import Chain, Gaussian, SaltAndPepper
from common.store import Arrays
from replications.dsc_autoencoder.data import labelled_splits, small
from replications.dsc_autoencoder.labels import label_of, labelled_arrays
from replications.dsc_autoencoder.noise import boxed, corruptions


def labelled(side: int = 64) -> Arrays:
    rng = np.random.default_rng(0)
    return {f"{name}/{k}": rng.integers(256, size=(side, side, 3), dtype=np.uint8) for name in "ab" for k in range(5)}


def classes(images: Mapping[str, np.ndarray]) -> dict[str, int]:
    names = [label_of(image) for image in images]
    return {name: names.count(name) for name in set(names)}


def test_no_labelled_image_is_in_two_splits_and_every_class_is_in_each() -> None:
    settings = params.load("dsc_autoencoder").data.model_copy(update={"labelled_validation": 2, "labelled_test": 3})
    train = labelled()
    splits = labelled_splits(train, labelled(), settings)
    assert classes(splits["labelled_train"]) == {"a": 3, "b": 3}
    assert classes(splits["labelled_val"]) == {"a": 2, "b": 2}
    assert classes(splits["labelled_test"]) == {"a": 3, "b": 3}
    assert not set(splits["labelled_train"]) & set(splits["labelled_val"])


def test_labels_are_numbered_by_name() -> None:
    pictures, numbers = labelled_arrays(labelled())
    assert pictures.shape == (10, 64, 64, 3)
    assert numbers.tolist() == [0] * 5 + [1] * 5


def test_an_image_of_64_pixels_stays_as_it_is_and_others_take_that_size() -> None:
    image = labelled()["a/0"]
    np.testing.assert_array_equal(small(image), image)
    assert small(np.full((96, 130, 3), 77, np.uint8)).shape == (64, 64, 3)
    assert (small(np.full((96, 130, 3), 77, np.uint8)) == 77).all()


def test_the_mixture_has_no_level_that_noise_sigma_replaces() -> None:
    settings = params.load("dsc_autoencoder")
    assert corruptions(settings) == {"denoise": Chain((Gaussian(25), SaltAndPepper(0.1)))}
    assert not hasattr(settings.noise, "sigma")


def test_the_box_lies_in_an_otherwise_clean_image() -> None:
    clean = np.full((1, 40, 40, 3), 100, np.float32)
    noisy = boxed(params.load("dsc_autoencoder"))(clean, np.random.default_rng(0))
    assert (noisy != clean).any(axis=-1).sum() == 14**2  # 0.35 of 40 pixels
