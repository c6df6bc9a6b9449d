import numpy as np
import pytest
import torch

from common import params
from common.errors import UserError
from common.noise.sensor import BlindGaussian, Gaussian, RandomImpulse
from common.train.patches import Patches
from replications.n2n_resnet.data import crop_face, hold_out
from replications.n2n_resnet.noise import corruptions, noisy_images, watched
from replications.n2n_resnet.params import Annealing, Face, Settings
from replications.n2n_resnet.tasks import PAIRS, TASKS, gamma, player, training_noise

NOISE2NOISE = Annealing(start=2.0, end=0.0, share=1.0)
SETTINGS: Settings = params.load("n2n_resnet")


def photograph(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(256, size=(40, 50, 3), dtype=np.uint8)


@pytest.mark.parametrize("noise", sorted(PAIRS))
def test_a_pair_differs_in_its_targets_alone(noise: str) -> None:
    noisy, clean = (TASKS[name] for name in PAIRS[noise])  # type: ignore[index]
    assert noisy.noisy_targets
    assert not clean.noisy_targets
    assert (noisy.noise, noisy.loss, noisy.architecture, noisy.images) == (
        clean.noise,
        clean.loss,
        clean.architecture,
        clean.images,
    )


@pytest.mark.parametrize("noise", sorted(PAIRS))
def test_noisy_and_clean_targets_are_of_the_same_crops_with_the_same_inputs(noise: str) -> None:
    images = {name: photograph(index) for index, name in enumerate("ab")}
    corruption = training_noise(noise, SETTINGS)  # type: ignore[arg-type]
    noisy, clean = (
        Patches(images, corruption, batch=2, crop=24, seed=3, noisy_targets=TASKS[name].noisy_targets)(7)
        for name in PAIRS[noise]  # type: ignore[index]
    )
    np.testing.assert_array_equal(noisy.inputs, clean.inputs)
    assert not np.array_equal(noisy.targets, noisy.inputs)
    assert not np.array_equal(noisy.targets, clean.targets)
    assert np.array_equal(clean.targets, np.round(clean.targets))  # pixels of the photographs


def test_training_levels_are_the_papers() -> None:
    published = params.load("n2n_resnet", "paper")
    assert training_noise("gaussian", published) == BlindGaussian(0, 50)
    assert training_noise("impulse", published) == RandomImpulse(0, 0.95)


def test_noise_sigma_replaces_the_gaussian_test_level_and_nothing_else() -> None:
    own = corruptions(SETTINGS)
    louder = SETTINGS.model_copy(update={"noise": SETTINGS.noise.model_copy(update={"sigma": 40.0})})
    replaced = corruptions(louder)
    assert {name for name in own if own[name] != replaced[name]} == {"gaussian", "medical"}
    assert replaced["gaussian"] == Gaussian(40)
    assert watched(louder) == watched(SETTINGS)
    assert watched(SETTINGS)["fig19"] == Gaussian(50)


def test_medical_images_are_an_experiment_of_their_own() -> None:
    images = {"cat": photograph(0), "medical/eye": photograph(1)}
    tested = {noisy.experiment: noisy.chosen for noisy in noisy_images(SETTINGS) if noisy.split == "test"}
    assert [name for name, image in images.items() if tested["medical"](name, image)] == ["medical/eye"]
    assert [name for name, image in images.items() if tested["text"](name, image)] == ["cat"]


def test_the_impulse_loss_starts_as_the_squared_error_and_ends_as_a_count_of_errors() -> None:
    network, inputs = torch.nn.Identity(), torch.tensor([0.0, 0.5, 0.0, 0.0])
    targets = torch.tensor([0.0, 0.0, 1.0, 0.0])
    objective = player(TASKS["impulse_noisy"], 1000, NOISE2NOISE).objective
    assert objective(network, inputs, targets, 0).item() == pytest.approx((0.25 + 1) / 4, rel=1e-4)
    assert objective(network, inputs, targets, 500).item() == pytest.approx((0.5 + 1) / 4, rel=1e-4)
    # γ = 0.2: ε = 1e-8 of the two exact pixels counts 1e-8^0.2 = 0.0251 each, the others 0.5^0.2 and 1.
    assert objective(network, inputs, targets, 900).item() == pytest.approx((2 * 0.0251 + 0.8706 + 1) / 4, rel=1e-3)


def test_the_exponent_stays_where_the_annealing_ends() -> None:
    short = Annealing(start=1.0, end=0.5, share=0.5)
    assert [gamma(step, 100, short) for step in (0, 25, 50, 99)] == [1.0, 0.75, 0.5, 0.5]


def test_a_tenth_of_the_training_images_is_held_out_and_no_image_is_in_both() -> None:
    images = {f"{number:03d}": photograph(number) for number in range(20)}
    train, validation = hold_out(images, 0.1, seed=0)
    assert len(validation) == 2
    assert set(train) | set(validation) == set(images)
    assert not set(train) & set(validation)
    assert set(hold_out(images, 0.1, seed=1)[1]) != set(validation)


def test_a_face_outside_its_photograph_is_refused_by_name() -> None:
    face = Face(dataset="embedded", image="cat", top=30, left=0, side=16)
    with pytest.raises(UserError, match="leaves cat, which is 50×40"):
        crop_face({"cat": photograph(0)}, face)
    assert crop_face({"cat": photograph(0)}, face.model_copy(update={"top": 24})).shape == (16, 16, 3)
