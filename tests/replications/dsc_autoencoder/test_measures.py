import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from common.train.seeding import seeded
from replications.dsc_autoencoder import measures
from replications.dsc_autoencoder.models import GATES, PLAIN, Autoencoder, Build
from replications.dsc_autoencoder.train import rates


def network(gates: tuple[float, ...] = GATES) -> Autoencoder:
    with seeded(0):
        return Autoencoder(Build(width=0.125), gates).eval()


def images() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: (255 * rng.random((32, 48, 3))).astype(np.float32) for name in "ab"}


def test_a_curves_shape_by_hand() -> None:
    # The first tenth (step 5) is left out: 1000 at 10, 800 at 50, 600, 620, 500 at 80, 90, 100.
    history = pd.DataFrame({"step": [5, 10, 50, 80, 90, 100], "val_mse": [9e9, 1000, 800, 600, 620, 500]})
    shape = measures.curve(history)
    assert shape["fall"] == pytest.approx(0.5)
    assert shape["fall_late"] == pytest.approx(1 - 500 / 800)
    assert shape["span_last"] == pytest.approx(120 / (1720 / 3))
    assert shape["roughness"] == pytest.approx((20 / 4) / 704)


def test_a_curve_that_rises_has_lost_nothing() -> None:
    shape = measures.curve(pd.DataFrame({"step": [50, 100], "val_mse": [500, 1000]}))
    assert (shape["fall"], shape["fall_late"]) == (0, 0)
    assert shape["roughness"] == pytest.approx(500 / 750)


def test_a_curve_of_one_validation_has_no_shape() -> None:
    assert set(measures.curve(pd.DataFrame({"step": [50], "val_mse": [500]})).values()) == {0}


def test_outputs_count_black_pixels_and_zeros() -> None:
    clean = {"a": np.full((2, 2, 3), 100, np.uint8)}
    estimate = np.zeros((2, 2, 3), np.float32)
    estimate[0, 0] = (0, 15, 300)  # bright in one colour: not near black
    estimate[0, 1] = (0, 15, 15)
    found = measures.outputs({"a": estimate}, clean)
    assert found["near_black"] == 0.75
    assert found["zeros"] == pytest.approx(8 / 12)
    # Squares: 4 × 100² (red), 2 × 85² + 2 × 100² (green), 200² + 85² + 2 × 100² (blue), over 12 values.
    assert found["test_mse"] == pytest.approx((4 * 10000 + 2 * 7225 + 20000 + 40000 + 7225 + 20000) / 12)


def test_a_classifiers_history_is_read_at_the_papers_iterations() -> None:
    history = pd.DataFrame(
        {
            "step": [10, 20, 90, 110, 120],
            "test_accuracy": [5.0, 10.0, 30.0, 40.0, 44.0],
            "test_cross_entropy": [3.0, 2.0, 1.0, 0.5, 0.1],
        }
    )
    found = measures.classification(history)
    assert (found["accuracy_20"], found["accuracy_100"]) == (10, 30)
    assert found["cross_entropy_mean"] == pytest.approx(2)
    assert found["plateau"] == pytest.approx(42)  # from step 96 on
    assert found["gain_last"] == 4


def test_the_plain_networks_output_comes_through_the_bottleneck_alone() -> None:
    found = measures.flow(network(PLAIN), images())
    assert found["bottleneck"] == pytest.approx(1)
    assert [found[f"connection_{layer}"] for layer in (1, 2, 3, 4)] == [0, 0, 0, 0]
    assert found["connection_1_energy"] == 0


def test_a_bottleneck_that_never_fires_carries_nothing() -> None:
    dead = network()
    nn.init.constant_(dead.encoder[4].bias, -1e6)  # type: ignore[arg-type]
    found = measures.flow(dead, images())
    assert (found["bottleneck"], found["bottleneck_energy"], found["dead_maps"]) == (0, 0, 1)
    assert found["connection_1"] > 0


def test_a_constant_that_a_path_adds_counts_as_nothing() -> None:
    constant = network(PLAIN)
    nn.init.zeros_(constant.encoder[4].weight)  # type: ignore[arg-type]
    nn.init.constant_(constant.encoder[4].bias, 50.0)  # type: ignore[arg-type]
    with torch.no_grad():
        for layer in constant.decoder:
            layer.weight.mul_(0)  # type: ignore[union-attr, operator]
    assert measures.flow(constant, images())["bottleneck"] == 0


def test_outlines_of_a_sobel_map_of_the_image_itself_and_of_a_constant() -> None:
    from skimage.filters import sobel

    clean = {name: image.astype(np.uint8) for name, image in images().items()}
    grey = {name: image.astype(np.float64).mean(axis=-1) for name, image in clean.items()}
    edges = {name: sobel(image) for name, image in grey.items()}
    assert measures.outline(edges, clean)["on_edges"] == pytest.approx(1)
    assert measures.outline({name: -edge for name, edge in edges.items()}, clean)["on_edges"] == pytest.approx(-1)
    assert measures.outline({name: 5 - 3 * image for name, image in grey.items()}, clean)["edges"] == pytest.approx(1)
    assert measures.outline({name: np.ones_like(edge) for name, edge in edges.items()}, clean) == {
        "on_edges": 0,
        "edges": 0,
    }


def test_conv1_maps_have_the_size_of_the_image() -> None:
    assert measures.conv1_map(network(), np.zeros((30, 41, 3), np.float32)).shape == (30, 41)


def test_psnr_inside_and_outside_a_box_by_hand() -> None:
    clean = {"a": np.full((4, 4, 3), 100, np.uint8)}
    noisy = {"a": clean["a"].astype(np.float32)}
    noisy["a"][:2, :2] += 51
    estimate = clean["a"].astype(np.float32) + 25.5
    estimate[:2, :2] = 151
    found = measures.box({"a": estimate}, noisy, clean)
    # An error of 51 is a fifth of 255, 10·log10(25) dB; one of 25.5 a tenth, 20 dB.
    assert found["inside_db"] == pytest.approx(10 * math.log10(25))
    assert found["outside_db"] == pytest.approx(20)
    assert found["inside_minus_outside_db"] == pytest.approx(10 * math.log10(25) - 20)


class Indifferent(nn.Module):
    """Gives every class the same logit, or the first one all of it."""

    def __init__(self, first: float) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.tensor(first))

    def forward(self, batch: Tensor) -> Tensor:
        logits = torch.zeros(len(batch), 10)
        logits[:, 0] = self.first
        return logits


def test_rates_of_classifiers_that_know_nothing() -> None:
    pictures, labels = np.zeros((150, 64, 64, 3), np.uint8), np.repeat(np.arange(10), 15)
    with torch.inference_mode():
        uniform, first = (rates(Indifferent(logit), pictures, labels, "test") for logit in (0.0, 100.0))
    assert uniform["test_cross_entropy"] == pytest.approx(math.log(10))
    assert first["test_accuracy"] == pytest.approx(10)
    assert first["test_cross_entropy"] == pytest.approx(90)  # 100 nats for nine classes of ten
