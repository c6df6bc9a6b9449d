import itertools
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from common.train.seeding import seeded
from replications.edcnn.models import ARCHITECTURES, EDCNN, READINGS, Build, EnhancementUnit, upsample

RESIDUAL = sorted(set(ARCHITECTURES) - {"no_skip"})


def small(architecture: str) -> EDCNN:
    with seeded(0):
        return EDCNN(Build(width=4, **ARCHITECTURES[architecture]))


def convolutions(network: nn.Module) -> Iterator[nn.Conv2d | nn.ConvTranspose2d]:
    return (module for module in network.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d))


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 33), (30, 21)])
@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_any_image_size_keeps_its_size(architecture: str, size: tuple[int, int]) -> None:
    images = torch.randn(2, 3, *size)
    assert small(architecture).eval()(images).shape == images.shape


@pytest.mark.parametrize("architecture", sorted(set(ARCHITECTURES) - {"enhanced"}))
def test_there_are_23_convolutions_whatever_the_way_up(architecture: str) -> None:
    assert len(list(convolutions(small(architecture)))) == 23


def test_the_input_is_a_multiple_of_sixteen_by_replicated_borders() -> None:
    network = small("no_skip").eval()
    images = torch.randn(1, 3, 20, 30)
    padded = F.pad(images, (0, 2, 0, 12), mode="replicate")
    torch.testing.assert_close(network(images), network(padded)[..., :20, :30])


def test_the_two_readings_of_the_published_size_have_the_parameters_counted_by_hand() -> None:
    def layer(inputs: int, outputs: int, kernel: int = 3) -> int:
        return inputs * outputs * kernel**2 + outputs + 2 * outputs  # weights, biases, batch norm

    widths = [64, 128, 256, 512, 1024]
    way_in = sum(layer(a, b) + layer(b, b) for a, b in itertools.pairwise(widths))
    way_out = sum(layer(b, a, 1) + layer(2 * a, a) + layer(a, a) for a, b in itertools.pairwise(widths))
    last = 64 * 3 * 9 + 3
    with torch.device("meta"):
        doubling, constant = (EDCNN(READINGS[name]) for name in ("doubling", "constant"))
    assert count(doubling) == layer(3, 64) + layer(64, 64) + way_in + way_out + last == 28_958_147
    assert count(constant) == layer(3, 64) + 21 * layer(64, 64) + last == 781_827
    assert len(list(convolutions(constant))) == 23
    assert all(module.kernel_size == (3, 3) for module in convolutions(constant))


def test_unpooling_has_bilinears_parameters_and_the_others_differ_in_the_first_of_three_alone() -> None:
    counts = {how: count(small(how)) for how in ("bilinear", "unpooling", "reshape", "pixel_shuffle", "transposed")}
    # C = 4: the 1×1 convolutions take 8, 16, 32, 64 maps to half of them; a quarter of the maps is left after pixel
    # shuffle and reshape; a transposed 2×2 convolution has four times the weights.
    weights = 8 * 4 + 16 * 8 + 32 * 16 + 64 * 32
    assert counts["unpooling"] == counts["bilinear"]
    assert counts["reshape"] == counts["pixel_shuffle"] == counts["bilinear"] - weights * 3 // 4
    assert counts["transposed"] == counts["bilinear"] + 3 * weights


def test_pixel_shuffle_is_undone_by_pixel_unshuffle() -> None:
    features = torch.randn(2, 8, 3, 5)
    up = upsample(features, "pixel_shuffle", torch.empty(0))
    assert up.shape == (2, 2, 6, 10)
    torch.testing.assert_close(F.pixel_unshuffle(up, 2), features, rtol=0, atol=0)


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_reshape_keeps_the_order_of_the_values_and_is_undone_by_a_reshape(memory: torch.memory_format) -> None:
    features = torch.arange(4 * 2 * 3.0).reshape(1, 4, 2, 3).to(memory_format=memory)
    up = upsample(features, "reshape", torch.empty(0))
    assert up.shape == (1, 1, 4, 6)
    assert up.flatten().tolist() == list(range(24))
    torch.testing.assert_close(up.reshape(features.shape), features, rtol=0, atol=0)


def test_unpooling_puts_every_value_where_its_maximum_stood_and_zeros_elsewhere() -> None:
    features = torch.rand(2, 3, 6, 8) + 1
    pooled, positions = F.max_pool2d(features, 2, return_indices=True)
    up = upsample(pooled, "unpooling", positions)
    assert up.shape == features.shape
    assert torch.equal(up[up != 0], features[up != 0])
    assert torch.equal(F.max_pool2d(up, 2), pooled)
    assert int((up != 0).sum()) == pooled.numel()


def test_unpooling_uses_the_positions_of_half_as_many_maps_twice() -> None:
    _, positions = F.max_pool2d(torch.rand(1, 3, 4, 4), 2, return_indices=True)
    up = upsample(torch.ones(1, 6, 2, 2), "unpooling", positions)
    assert torch.equal(up[:, :3], up[:, 3:])


def test_bilinear_keeps_a_constant_and_a_ramp() -> None:
    ramp = torch.arange(4.0).expand(1, 1, 4, 4)
    up = upsample(ramp, "bilinear", torch.empty(0))
    # Pixel areas aligned: a new pixel's centre lies a quarter from an old one's; the border is held.
    assert up[0, 0, 0].tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]


class Zeros(nn.Module):
    def forward(self, features: Tensor) -> Tensor:
        return torch.zeros_like(features)


@pytest.mark.parametrize(("architecture", "connected"), [("bilinear", True), ("no_inner_skip", False)])
def test_without_skips_everything_passes_through_the_bottom(architecture: str, connected: bool) -> None:
    network = small(architecture).eval()
    network.bottleneck = Zeros()
    first, second = (network.predict(torch.randn(1, 3, 32, 32)) for _ in range(2))
    assert torch.equal(first, second) is not connected


def test_the_network_without_any_skip_predicts_the_picture_itself() -> None:
    network = small("no_skip").eval()
    images = torch.randn(1, 3, 16, 16)
    torch.testing.assert_close(network(images), network.predict(images))


@pytest.mark.parametrize("architecture", RESIDUAL)
def test_a_residual_network_whose_last_convolution_is_zero_returns_its_input(architecture: str) -> None:
    network = small(architecture).eval()
    nn.init.zeros_(network.tail.weight)
    nn.init.zeros_(network.tail.bias)  # type: ignore[arg-type]
    images = torch.randn(1, 3, 19, 18)
    torch.testing.assert_close(network(images), images)


def test_the_enhancement_unit_has_the_widths_of_equations_5_and_6() -> None:
    unit = EnhancementUnit(16)
    d1, d2, d3, d4, d5, d6 = (module.out_channels for module in convolutions(nn.ModuleList([unit.short, unit.long])))
    assert d3 - d1 == d1 - d2 == 16 // 4
    assert d6 - d4 == d4 - d5 == 16 // 4
    assert d6 == d3 // 4 + 16  # what the sum of equation (10) needs
    assert unit(torch.randn(2, 16, 3, 5)).shape == (2, 16, 3, 5)
