from collections.abc import Callable

import pytest
import torch
from torch import nn

from common.train.seeding import seeded
from replications.udncnn.models import NETWORKS, Build, DnCNN, UDnCNN, published_networks

SMALL = Build(depth=6, width=8, batch_norm="standard")


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_network_has_the_published_number_of_parameters(name: str) -> None:
    # 3·64·9 + 64 + 6·(64·64·9 + 64 + 2·64) + 64·3·9 + 3, counted from the lineage's D = 6, C = 64.
    network = published_networks()[name]()
    assert sum(parameter.numel() for parameter in network.parameters()) == 225_859


@pytest.mark.parametrize("name", sorted(NETWORKS))
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4), (7, 13), (33, 17), (40, 40)])
def test_any_image_size_keeps_its_size(name: str, size: tuple[int, int]) -> None:
    network = NETWORKS[name](SMALL).eval()
    images = torch.randn(2, 3, *size)
    assert network(images).shape == images.shape


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 6, 7, 8, 10])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_any_depth_has_that_many_middle_layers(name: str, depth: int) -> None:
    network = NETWORKS[name](Build(depth=depth, width=4, batch_norm="standard"))
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert len(convolutions) == depth + 2
    assert network(torch.randn(1, 3, 32, 32)).shape == (1, 3, 32, 32)


def test_dudncnn_has_the_published_dilations() -> None:
    network = NETWORKS["dudncnn"](SMALL)
    dilations = [module.dilation[0] for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert dilations == [1, 1, 2, 4, 4, 2, 1, 1]


@pytest.mark.parametrize("order", ["code", "figure"])
def test_udncnn_pools_twice_with_indices_and_unpools_twice(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counting(name: str, original: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object, **options: object) -> object:
            calls.append(name)
            return original(*args, **options)

        return counted

    for name in ("max_pool2d", "max_unpool2d"):
        monkeypatch.setattr(nn.functional, name, counting(name, getattr(nn.functional, name)))
    UDnCNN(SMALL, order=order)(torch.randn(1, 3, 16, 16))  # type: ignore[arg-type]
    assert calls == ["max_pool2d", "max_pool2d", "max_unpool2d", "max_unpool2d"]


def test_the_two_orders_compute_different_functions_of_the_same_weights() -> None:
    code, figure = UDnCNN(SMALL, "code").eval(), UDnCNN(SMALL, "figure").eval()
    figure.load_state_dict(code.state_dict())
    images = torch.randn(1, 3, 16, 16)
    assert not torch.allclose(code(images), figure(images))


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_network_whose_last_convolution_is_zero_returns_its_input(name: str) -> None:
    network = NETWORKS[name](SMALL).eval()
    assert isinstance(network.tail, nn.Conv2d)
    nn.init.zeros_(network.tail.weight)
    nn.init.zeros_(network.tail.bias)  # type: ignore[arg-type]
    images = torch.randn(1, 3, 15, 18)
    torch.testing.assert_close(network(images), images)


def test_the_lineages_batch_norm_has_eps_c_and_gamma_1_25_root_c() -> None:
    norms = [module for module in DnCNN(Build(depth=3, width=36)).modules() if isinstance(module, nn.BatchNorm2d)]
    assert [norm.eps for norm in norms] == [36] * 3
    assert all(torch.all(norm.weight == 1.25 * 6) for norm in norms)


def test_he_initialisation_keeps_the_scale_and_leaves_the_last_convolution_alone() -> None:
    with seeded(0):
        network = DnCNN(Build(depth=2, width=64))
    middle = [module for module in network.middle.modules() if isinstance(module, nn.Conv2d)]
    # He et al. 2015: standard deviation √(2 / fan_in), fan_in = 64·9.
    assert middle[0].weight.std().item() == pytest.approx((2 / 576) ** 0.5, rel=0.02)
    # torch's default is uniform in ±1/√fan_in.
    assert network.tail.weight.abs().max().item() <= 576**-0.5
