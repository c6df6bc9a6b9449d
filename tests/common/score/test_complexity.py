"""Costs and receptive fields against hand calculation and torch's own counter."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from common.score.complexity import input_channels, macs, measured, parameters, receptive_field, square_macs
from replications.udncnn.models import published_networks


def convolution(inputs: int, outputs: int) -> nn.Conv2d:
    """3×3 at full resolution."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


LAYERS = {
    # 8×8 output × 5 maps × 3 inputs × 3×3
    "convolution": (nn.Conv2d(3, 5, 3, padding=1), 64 * 5 * 3 * 9),
    # padding="same" is traced as another operator than padding=1, and must cost the same
    "same padding": (nn.Conv2d(3, 5, 3, padding="same"), 64 * 5 * 3 * 9),
    "dilated": (nn.Conv2d(3, 5, 3, padding=2, dilation=2), 64 * 5 * 3 * 9),
    # 4×4 output
    "strided": (nn.Conv2d(3, 5, 3, stride=2, padding=1), 16 * 5 * 3 * 9),
    # one input map for each output map
    "depthwise": (nn.Conv2d(3, 3, 3, padding=1, groups=3), 64 * 3 * 9),
    "pointwise": (nn.Conv2d(3, 5, 1), 64 * 5 * 3),
    # every one of the 8×8 input pixels meets the whole 4×4 kernel once; the output is 16×16
    "transposed": (nn.ConvTranspose2d(3, 5, 4, stride=2, padding=1), 64 * 5 * 3 * 16),
    "fully connected": (nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 7)), 3 * 64 * 7),
    "pooling": (nn.MaxPool2d(2), 0),
    "batch norm and activation": (nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.Sigmoid()), 0),
}


class Hourglass(nn.Module):
    """conv, max-pool, conv on a quarter of the pixels, unpool to where the maxima stood."""

    def __init__(self) -> None:
        super().__init__()
        self.outer, self.inner = convolution(3, 4), convolution(4, 4)

    def forward(self, image: Tensor) -> Tensor:
        full = F.relu(self.outer(image))
        pooled, indices = F.max_pool2d(full, 2, return_indices=True)
        return F.max_unpool2d(self.inner(pooled), indices, [2, 2], output_size=list(full.shape[-2:]))


@pytest.mark.parametrize(("layer", "by_hand"), LAYERS.values(), ids=LAYERS)
def test_macs_are_those_counted_by_hand_and_half_of_torchs_flops(layer: nn.Module, by_hand: int) -> None:
    shape = (1, 3, 8, 8)
    with FlopCounterMode(display=False) as counter:
        layer(torch.zeros(shape))
    assert macs(layer, shape) == by_hand == counter.get_total_flops() / 2


@pytest.mark.parametrize("side", [8, 9])
def test_pooling_and_unpooling_cost_nothing_but_shrink_what_lies_between(side: int) -> None:
    inner_pixels = (side // 2) ** 2
    assert macs(Hourglass(), (1, 3, side, side)) == side * side * 4 * 3 * 9 + inner_pixels * 4 * 4 * 9


class Summary(nn.Module):
    """A convolution and, whatever the image's size, a 4×4 summary of it."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.summary = convolution(3, 4), convolution(4, 4)

    def forward(self, image: Tensor) -> Tensor:
        return self.summary(F.adaptive_avg_pool2d(self.convolution(image), 4))


@pytest.mark.parametrize("size", [100, 192])
@pytest.mark.parametrize("network", [Hourglass(), nn.Conv2d(3, 5, 3), Summary()], ids=["even", "no padding", "summary"])
def test_macs_of_a_large_image_are_those_of_its_own_trace(network: nn.Module, size: int) -> None:
    assert square_macs(network, size) == macs(network, (1, 3, size, size))


def test_what_is_proportional_to_the_pixels_is_not_computed_on_a_large_image() -> None:
    seen = []
    network = Hourglass()
    network.register_forward_pre_hook(lambda _, images: seen.append(int(images[0].shape[-1])))
    square_macs(network, 512)
    assert set(seen) == {64, 128}


def test_macs_grow_with_the_batch() -> None:
    layer = nn.Conv2d(3, 5, 3)
    assert macs(layer, (4, 3, 8, 8)) == 4 * macs(layer, (1, 3, 8, 8))


def test_a_product_that_fvcore_cannot_count_is_refused() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv2d(3, 3, 1)

        def forward(self, image: Tensor) -> Tensor:
            pixels = self.convolution(image).flatten(2)
            return F.scaled_dot_product_attention(pixels, pixels, pixels)

    with pytest.raises(ValueError, match="scaled_dot_product_attention"):
        macs(Attention(), (1, 3, 8, 8))


def test_counting_leaves_the_network_as_it_was() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4).eval(), nn.BatchNorm2d(4))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    measured(network, 16)
    assert [child.training for child in network] == [True, False, True]
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_parameters_are_the_trained_ones() -> None:
    frozen = nn.Conv2d(4, 4, 1).requires_grad_(False)
    # 4 maps × (3 × 9 weights + 1 bias), γ and β of 4 maps; running mean and variance are not parameters
    assert parameters(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), frozen)) == 4 * 28 + 8


@pytest.mark.parametrize(
    ("network", "by_hand"),
    [
        (nn.Conv2d(3, 2, 1), 1),
        (nn.Sequential(convolution(3, 2), nn.ReLU(), nn.Conv2d(2, 3, 5, padding=2)), 7),
        (nn.Sequential(convolution(3, 4), nn.BatchNorm2d(4), nn.Conv2d(4, 3, 3, padding=4, dilation=4)), 11),
        # a 3×3 stride-2 convolution, then 3×3 on its grid: 3 + 2·2
        (nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), convolution(4, 3), nn.Upsample(scale_factor=2)), 7),
        # 3×3 on the pooled grid: 3 windows of 2, and 3×3 before the pooling
        (Hourglass(), 8),
    ],
)
def test_receptive_field_is_the_one_counted_by_hand(network: nn.Module, by_hand: int) -> None:
    assert receptive_field(network) == by_hand


def test_receptive_field_does_not_depend_on_the_weights() -> None:
    network = nn.Sequential(convolution(3, 4), nn.ReLU(), convolution(4, 3))
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    assert receptive_field(network) == 5


def test_no_pixel_outside_the_receptive_field_changes_the_output_and_the_field_is_no_wider() -> None:
    torch.manual_seed(0)
    network = Hourglass().eval()
    seen = torch.zeros(24, dtype=torch.bool)
    with torch.no_grad():
        for _ in range(40):
            image = torch.randn(1, 3, 24, 24)
            before = network(image)[..., 12, :]
            for row in range(24):
                changed = image.clone()
                changed[..., row, :] = torch.randn(3, 24)
                seen[row] |= bool((network(changed)[..., 12, :] != before).any())
    assert int(seen.sum()) == receptive_field(network)


def test_a_network_that_sees_everything_has_no_receptive_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.score.complexity.LARGEST_FIELD_IMAGE", 128)
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Upsample(size=(128, 128)))
    with pytest.raises(ValueError, match="whole image"):
        receptive_field(network)
    assert measured(network, 32)["receptive_field"] is None


def test_the_receptive_field_may_be_measured_on_a_narrower_network() -> None:
    wide, narrow = (nn.Conv2d(3, width, 5) for width in (6, 2))
    assert measured(wide, 32, narrow) == measured(wide, 32) != measured(narrow, 32)


def test_images_have_the_channels_of_the_first_convolution() -> None:
    assert input_channels(nn.Sequential(nn.ReLU(), nn.Conv2d(1, 8, 3), nn.Conv2d(8, 1, 3))) == 1


@pytest.mark.parametrize(
    ("name", "gmacs", "field"),
    # GMAC and the fields 17 and 33 as published; the U's by hand, from the output back:
    # code: 3 → 2 of a half → 4 → 3 of a quarter → 9 → 18 of a half → 20 → 40 → 44;
    # figure: 5 → 3 of a half → 5 → 3 of a quarter → 7 → 14 of a half → 16 → 32 → 36
    [("dncnn", 23.00, 17), ("udncnn", 10.26, 36), ("udncnn_code", 6.72, 44), ("dudncnn", 23.00, 33)],
)
def test_published_networks_cost_what_is_published(name: str, gmacs: float, field: int) -> None:
    costs = measured(published_networks()[name](), 320)
    assert costs["parameters"] == 225_859
    assert round(costs["macs_320"] / 1e9, 2) == gmacs
    assert costs["receptive_field"] == field
