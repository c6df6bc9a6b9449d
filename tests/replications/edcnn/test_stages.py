from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from common import params
from common.claims import schema
from common.noise.sensor import keyed_rng
from common.train.weights import Parent
from replications.edcnn import data, segmentation, train
from replications.edcnn.evaluate import fill_table3
from replications.edcnn.models import EDCNN
from replications.edcnn.noise import corruptions
from replications.edcnn.params import Settings
from replications.edcnn.variants import PLANS, SEGMENTATION, builder

FOLDER = Path("replications/edcnn")


@pytest.fixture
def settings() -> Settings:
    return params.load("edcnn", "smoke")


def degraded(settings: Settings, task: str, clean: np.ndarray) -> np.ndarray:
    return corruptions(settings)[task](clean, keyed_rng("test"))


def test_the_tasks_lose_resolution_add_noise_and_erase_alone_and_together(settings: Settings) -> None:
    clean = keyed_rng("clean").uniform(100, 200, size=(1, 64, 64, 3)).astype(np.float32)
    made = {task: degraded(settings, task, clean) for task in ("x4", "noise", "erased", "full", "together")}
    erased = (made["erased"] == 0).all(-1).mean()
    assert 0.02 * 0.9 <= erased <= 0.1 * 1.1  # whole pixels
    assert np.array_equal(made["erased"][made["erased"] != 0], clean[made["erased"] != 0])
    assert np.std(made["noise"] - clean) == pytest.approx(25, rel=0.03)
    assert made["x4"].std() < clean.std() / 3  # white noise loses its contrast
    for task in ("full", "together"):
        assert 0.02 * 0.9 <= (made[task] == 0).all(-1).mean() <= 0.1 * 1.1


def test_the_low_resolution_input_has_the_size_of_the_clean_image_and_no_chance_in_it(settings: Settings) -> None:
    clean = np.zeros((1, 30, 21, 3), np.float32)
    task = corruptions(settings)["x4"]
    assert task(clean, keyed_rng("a")).shape == clean.shape
    ramp = np.tile(np.arange(32, dtype=np.float32)[None, :, None, None], (1, 1, 32, 3))
    assert np.array_equal(task(ramp, keyed_rng("a")), task(ramp, keyed_rng("b")))
    np.testing.assert_allclose(task(ramp, keyed_rng("a"))[0, 8:24], ramp[0, 8:24], atol=0.1)


def test_the_noise_override_moves_the_task_of_noise_alone(settings: Settings) -> None:
    louder = settings.model_copy(update={"noise": settings.noise.model_copy(update={"sigma": 50.0})})
    before, after = corruptions(settings), corruptions(louder)
    assert [task for task in before if before[task] != after[task]] == ["noise"]


def test_trimap_values_become_classes_in_the_order_of_the_ids() -> None:
    trimaps = {"b": np.array([[[3], [1]]], np.uint8), "a": np.array([[[1], [2]]], np.uint8)}
    assert segmentation.classes(trimaps).tolist() == [[[0, 1]], [[2, 0]]]
    with pytest.raises(ValueError, match="values 1, 2 and 3"):
        segmentation.classes({"a": np.zeros((1, 1, 1), np.uint8)})


def test_mean_iou_against_a_hand_calculation() -> None:
    # Class 0: 3 / (3 + 1 + 2); class 1: 4 / (4 + 2 + 1); class 2 nowhere.
    assert segmentation.mean_iou(np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]])) == pytest.approx((3 / 6 + 4 / 7) / 2)


class Constant(nn.Module):
    """The same logits everywhere."""

    def __init__(self, logits: list[float]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))

    def forward(self, images: Tensor) -> Tensor:
        return self.logits[:, None, None].expand(len(images), 3, *images.shape[-2:])


def test_a_network_that_knows_nothing_has_the_cross_entropy_of_three_classes() -> None:
    images = np.zeros((20, 4, 4, 3), np.uint8)
    targets = np.repeat([0, 1], 10)[:, None, None] * np.ones((1, 4, 4), np.int64)
    measured = segmentation.measure(Constant([0.0, 0.0, 0.0]), images, targets)
    assert measured["cross_entropy"] == pytest.approx(np.log(3))
    assert measured["miou"] == pytest.approx((0.5 + 0) / 2)  # all is called class 0


def test_the_prior_predicts_the_shares_of_the_classes() -> None:
    known = np.array([[[0, 0, 0, 1, 2]]])
    measured = segmentation.measure_prior(known, np.array([[[0, 1]]]))
    assert measured["cross_entropy"] == pytest.approx(-(np.log(0.6) + np.log(0.2)) / 2)
    assert measured["miou"] == pytest.approx((1 / 2 + 0) / 2)  # all is called class 0; class 2 is nowhere


def test_labels_are_scaled_to_the_nearest_pixel_and_images_smoothly() -> None:
    trimap = np.kron([[1, 3], [2, 1]], np.ones((4, 6)))[:, :, None].astype(np.uint8)
    (scaled,) = data.resized({"a": trimap}, 16, smooth=False).values()
    assert scaled.shape == (16, 16, 1)
    assert set(np.unique(scaled)) == {1, 2, 3}
    (picture,) = data.resized({"a": np.repeat(trimap * 80, 3, axis=2)}, 16).values()
    assert picture.shape == (16, 16, 3)
    assert len(np.unique(picture)) > 3


def test_a_choice_of_images_is_spread_over_the_classes() -> None:
    images = {f"{kind}/{k}": np.zeros((1, 1, 3), np.uint8) for kind in ("car", "motorcycle") for k in range(5)}
    assert list(data.spread(images, 4)) == ["car/0", "car/2", "motorcycle/0", "motorcycle/2"]
    assert list(data.spread(images, None)) == list(data.spread(images, 20)) == sorted(images)


def test_one_set_is_dealt_out_to_pretraining_and_training(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, split: str, root: str | None) -> dict[str, np.ndarray]:
        return {f"{split}{k:02d}": np.full((130, 140, 3), k, np.uint8) for k in range(20)}

    monkeypatch.setattr(data, "load", load)
    own = settings.data
    splits = {name: images for name, (_, images) in data.photographs(own, None).items()}
    assert set(splits["train"]).isdisjoint(splits["pretrain"])
    assert sorted(splits["train"]) == [f"train{k:02d}" for k in range(0, 20, 2)]
    assert len(splits["pretrain"]) == 10
    assert next(iter(splits["test"].values())).shape == (own.size, own.size, 3)


def test_validation_images_are_held_out_where_a_set_has_none(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str, split: str, root: str | None) -> dict[str, np.ndarray]:
        return {f"{split}{k:02d}": np.full((200, 140, 3), k, np.uint8) for k in range(20)}

    monkeypatch.setattr(data, "load", load)
    own = settings.data.model_copy(
        update={"train": "carbike", "test": "carbike", "pretrain": "oxford_pet", "fit": "resize"}
    )
    splits = {name: images for name, (_, images) in data.photographs(own, None).items()}
    assert sorted(splits["val"]) == ["train00", "train10"]
    assert len(splits["train"]) == 18
    shapes = {image.shape for images in splits.values() for image in images.values()}
    assert shapes == {(own.size, own.size, 3)}


@pytest.mark.parametrize("profile", params.PROFILES)
def test_the_variants_in_params_are_those_that_can_be_trained(profile: str) -> None:
    known = params.load("edcnn", profile).train.every
    assert set(known) == set(PLANS)
    for name, plan in PLANS.items():
        if plan.inherits and known[name].seeds:
            assert known[plan.inherits].seeds


@pytest.fixture
def few_images(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_arrays(path: Any) -> dict[str, np.ndarray]:
        trimap = "trimaps" in str(path)
        return {"a": np.full((64, 64, 1 if trimap else 3), 2 if trimap else 90, np.uint8)}

    for module in (train, segmentation):
        monkeypatch.setattr(module, "load_arrays", load_arrays)


@pytest.mark.usefixtures("few_images")
def test_gradient_descent_is_plain_and_at_a_constant_rate(settings: Settings) -> None:
    printed, usual = (train.training(name, settings).recipe for name in ("full_sgd", "full_skip"))
    assert (printed.optimizer.name, printed.optimizer.weight_decay, printed.schedule.name) == ("sgd", 0, "constant")
    assert usual.optimizer.name == "adam"
    assert printed.steps == usual.steps


@pytest.mark.usefixtures("few_images")
def test_mse_and_l1_are_the_losses_of_their_variants(settings: Settings) -> None:
    inputs, targets = torch.zeros(1, 3, 16, 16), torch.full((1, 3, 16, 16), 0.5)
    losses = {}
    for name in ("full_skip", "full_l1"):
        (player,) = train.training(name, settings).players
        losses[name] = player.objective(nn.Identity(), inputs, targets, 0).item()
    assert losses == {"full_skip": 0.25, "full_l1": 0.5}


@pytest.mark.usefixtures("few_images")
def test_a_segmentation_predicts_classes_without_its_input(settings: Settings) -> None:
    training = train.training("segment_bilinear", settings)
    network = training.build()
    assert isinstance(network, EDCNN)
    assert not network.residual
    batch = training.batches(0)(0)
    assert batch.targets.shape == batch.inputs.shape[:3]
    assert set(np.unique(batch.targets)) == {1}


@pytest.mark.usefixtures("few_images")
def test_the_pretrained_variant_starts_from_the_weights_of_pretraining(settings: Settings) -> None:
    assert train.training("full_skip_pretrained", settings).inherits == Parent("pretrain", seed=0)
    assert train.training("full_skip", settings).inherits is None


def test_every_upsampling_is_trained_on_both_tasks(settings: Settings) -> None:
    tasks = {
        task: {plan.architecture for plan in PLANS.values() if plan.experiment == task}
        for task in (SEGMENTATION, "full")
    }
    assert tasks[SEGMENTATION] == {"bilinear", "reshape", "pixel_shuffle", "unpooling", "transposed"}
    assert tasks["full"] >= tasks[SEGMENTATION]
    assert all(isinstance(builder(name, settings)(), EDCNN) for name in PLANS)


def test_table_3_measures_on_the_networks_scale() -> None:
    clean = {"test": {"a": np.full((8, 8, 3), 100, np.uint8)}}
    noisy = {"test": {"a": np.full((8, 8, 3), 110, np.float32)}}
    network = nn.Conv2d(3, 3, 1, bias=False)
    nn.init.dirac_(network.weight)
    record = fill_table3({"identity": {0: network}}, noisy, clean)["identity"]
    assert record["test_psnr_db"] == pytest.approx([28.1308], abs=1e-3)  # 20·log10(255 / 10)
    assert record["test_l1"] == pytest.approx([20 / 255], abs=1e-5)
    assert record["test_mse"] == pytest.approx([(20 / 255) ** 2], abs=1e-5)


def test_table_3_as_data_agrees_with_the_claims() -> None:
    table = pd.read_csv(FOLDER / "table3.csv").set_index("variant")
    columns = {
        "train_psnr_db": "train_psnr_db",
        "val_psnr_db": "val_psnr_db",
        "train_l1": "train_loss",
        "val_l1": "val_loss",
    }
    seen = 0
    for claim in schema.load("edcnn").claims:
        if claim.kind == "value" and not claim.untestable:
            column = columns.get(str(claim.measure).split(".")[-1], "test_psnr_db")
            assert table.loc[claim.test.rows[0], column] == claim.test.published
            seen += 1
    assert seen == 25  # all but the inference times


def test_table_1_as_data_has_twenty_networks_and_nineteen_numbers() -> None:
    table = pd.read_csv(FOLDER / "super_resolution.csv")
    assert len(table) == 20
    assert table["psnr_db"].count() == 19
    assert set(table["source"]) == {"Table 1"}
