from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from common import params
from common.train.seeding import seeded
from replications.dsc_autoencoder.models import (
    GATES,
    PLAIN,
    Autoencoder,
    Build,
    Classifier,
    published_networks,
    variants,
)

SMALL = Build(width=0.125)
CONVOLUTIONS = ["64x64x64", "32x32x64", "16x16x128", "8x8x256", "4x4x518"]
DECONVOLUTIONS = ["8x8x256", "16x16x128", "32x32x64", "64x64x64", "64x64x3"]
"""Table 1 of the paper, for an input of 64×64×3."""


def small(gates: tuple[float, ...] = GATES, seed: int = 0) -> Autoencoder:
    with seeded(seed):
        return Autoencoder(Build(width=0.125), gates).eval()


def photographs(count: int = 2, height: int = 64, width: int = 64) -> Tensor:
    return 255 * torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0))


def sizes_of(layers: nn.ModuleList, network: nn.Module, images: Tensor) -> list[str]:
    """Output sizes of the layers, H×W×C as the paper prints them."""
    sizes: list[str] = []
    handles = [
        layer.register_forward_hook(lambda _, __, out: sizes.append("x".join(map(str, (*out.shape[2:], out.shape[1])))))
        for layer in layers
    ]
    network(images)
    for handle in handles:
        handle.remove()
    return sizes


@pytest.mark.parametrize("name", ["dsc", "plain"])
def test_every_output_size_is_that_of_table_1(name: str) -> None:
    network = published_networks()[name]()
    assert isinstance(network, Autoencoder)
    images = photographs(1)
    encoder, decoder = sizes_of(network.encoder, network, images), sizes_of(network.decoder, network, images)
    print(*(f"Conv-{i + 1} {a:10}  Deconv-{i + 1} {b}" for i, (a, b) in enumerate(zip(encoder, decoder, strict=True))))
    assert encoder == CONVOLUTIONS
    assert decoder == DECONVOLUTIONS


def test_the_classifiers_sizes_are_those_of_table_2() -> None:
    classifier = Classifier(Build())
    images = photographs(1)
    assert sizes_of(classifier.encoder, classifier, images) == CONVOLUTIONS
    assert classifier.describe(images).shape == (1, 1024)
    assert classifier(images).shape == (1, 10)


def test_a_bottleneck_of_512_is_a_parameter() -> None:
    network = Autoencoder(Build(bottleneck=512))
    assert sizes_of(network.encoder, network, photographs(1))[-1] == "4x4x512"


def test_both_networks_have_the_same_parameters() -> None:
    # 3×3 kernels: conv 3·64, 64·64, 64·128, 128·256, 256·518, deconv 518·256, 256·128, 128·64, 64·64, 64·3.
    maps = (3, 64, 64, 128, 256, 518, 256, 128, 64, 64, 3)
    expected = sum(9 * first * second + second for first, second in pairwise(maps))
    for build in published_networks().values():
        assert sum(parameter.numel() for parameter in build().parameters()) == expected


@pytest.mark.parametrize("size", [(1, 1), (5, 31), (64, 64), (65, 80), (100, 33)])
def test_any_image_size_keeps_its_size(size: tuple[int, int]) -> None:
    images = photographs(1, *size)
    assert small()(images).shape == images.shape


def test_padding_does_not_touch_an_image_whose_sides_are_multiples_of_16() -> None:
    network, images = small(), photographs(1, 32, 48)
    torch.testing.assert_close(network(images), network.decode(*network.encode(images)))


def test_the_forward_pass_is_the_papers_equations() -> None:
    """Written out layer by layer: X_i = ReLU(Conv(δ_i X_{i-1})), X'_{j+1} = ReLU(Deconv(X'_j + (1 - δ) X_{5-j}))."""
    network, x = small(), photographs(1)
    conv, deconv = network.encoder, network.decoder
    x1 = F.relu(conv[0](0.1 * x))
    x2 = F.relu(conv[1](0.2 * x1))
    x3 = F.relu(conv[2](0.3 * x2))
    x4 = F.relu(conv[3](0.4 * x3))
    x5 = F.relu(conv[4](x4))
    y1 = F.relu(deconv[0](x5))
    y2 = F.relu(deconv[1](y1 + 0.6 * x4))
    y3 = F.relu(deconv[2](y2 + 0.7 * x3))
    y4 = F.relu(deconv[3](y3 + 0.8 * x2))
    y5 = F.relu(deconv[4](y4 + 0.9 * x1))
    torch.testing.assert_close(network(x), y5)


def test_with_all_gates_at_1_nothing_goes_across() -> None:
    network, images = small(PLAIN), photographs()
    bottleneck, connected = network.encode(images)
    silent = [torch.zeros_like(features) for features in connected]
    torch.testing.assert_close(network(images), network.decode(bottleneck, silent))
    everything_by_the_bottleneck = network.decode(torch.zeros_like(bottleneck), connected)
    assert everything_by_the_bottleneck.var(dim=(0, 2, 3)).max() < 1e-4 * network(images).var(dim=(0, 2, 3)).max()


def test_with_all_gates_at_0_the_output_knows_nothing_of_the_input() -> None:
    network = small((0.0, 0.0, 0.0, 0.0))
    torch.testing.assert_close(network(photographs()), network(torch.zeros(2, 3, 64, 64)))


@pytest.mark.parametrize("layer", [1, 2, 3, 4])
def test_a_gate_at_0_closes_the_way_down_and_at_1_the_way_across(layer: int) -> None:
    images = photographs(1)
    gates = [0.5, 0.5, 0.5, 0.5]
    gates[layer - 1] = 0.0
    blank = [features.var(dim=(2, 3))[..., :].max().item() == 0 for features in small(tuple(gates)).encode(images)[1]]
    assert not any(blank[: layer - 1])
    assert blank[layer - 1]  # its convolution saw zeros
    gates[layer - 1] = 1.0
    network = small(tuple(gates))
    bottleneck, connected = network.encode(images)
    without = list(connected)
    without[layer - 1] = torch.zeros_like(connected[layer - 1])
    torch.testing.assert_close(network.decode(bottleneck, connected), network.decode(bottleneck, without))


def test_no_output_is_negative() -> None:
    assert small()(photographs() - 128).min() >= 0


def test_weights_are_a_truncated_normal_that_keeps_the_size_of_the_features() -> None:
    with seeded(0):
        network = Autoencoder(Build(width=0.5))
    # He et al. 2015: variance 2 / inputs; a 3×3 deconvolution of stride 2 sees 9/4 inputs of each map.
    # A normal cut at two standard deviations keeps 0.774 of its variance (1 - 4·φ(2) / (2·Φ(2) - 1)).
    for layer, inputs in ((network.encoder[2], 9 * 32), (network.decoder[1], 9 * 128 / 4)):
        std = (2 / inputs) ** 0.5
        assert layer.weight.abs().max().item() <= 2 * std
        assert layer.weight.std().item() == pytest.approx(std * 0.774**0.5, rel=0.03)


def test_a_stated_std_is_that_of_every_layer_but_the_readout() -> None:
    with seeded(0):
        classifier = Classifier(Build(width=0.25, std=0.1))
    for weight in (classifier.encoder[3].weight, classifier.descriptor.weight):
        assert weight.std().item() == pytest.approx(0.1 * 0.774**0.5, rel=0.03)


def test_dropout_acts_in_training_and_spares_the_features_of_the_perceptual_loss() -> None:
    with seeded(0):
        classifier = Classifier(SMALL, dropout=0.5)
        images = photographs()
        assert not torch.equal(classifier.train()(images), classifier(images))
        torch.testing.assert_close(classifier.describe(images), classifier.eval().describe(images))
        torch.testing.assert_close(classifier(images), classifier(images))


def test_the_pretrained_classifier_takes_over_every_convolution() -> None:
    denoiser, classifier = small(), Classifier(Build(width=0.125), GATES)
    classifier.encoder.load_state_dict(denoiser.encoder.state_dict())
    images = photographs(1)
    bottleneck, _ = denoiser.encode(images)
    torch.testing.assert_close(F.relu(classifier.descriptor(bottleneck.flatten(1))), classifier.describe(images))


def test_every_variant_in_params_can_be_built() -> None:
    for profile in params.PROFILES:
        settings = params.load("dsc_autoencoder", profile)
        assert set(settings.train.every) == set(variants(settings))
