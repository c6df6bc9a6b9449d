import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from common import params
from common.train.seeding import seeded
from replications.n2n_resnet.models import (
    Branches,
    Build,
    InceptionBlock,
    InceptionResNet,
    networks,
    published_networks,
)
from replications.n2n_resnet.tasks import TASKS

SMALL = Build(blocks=2, width=6, branches=Branches(2, 3, 4, 5))


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("shortcuts", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4), (7, 13), (33, 17)])
def test_any_image_size_keeps_its_size(size: tuple[int, int], shortcuts: bool) -> None:
    network = InceptionResNet(Build(2, 6, SMALL.branches, shortcuts=shortcuts)).eval()
    images = torch.randn(2, 3, *size)
    assert network(images).shape == images.shape


def test_the_published_network_has_five_blocks() -> None:
    blocks = [module for module in published_networks()["resnet"]().modules() if isinstance(module, InceptionBlock)]
    assert len(blocks) == 5


def test_without_shortcuts_the_network_has_the_same_parameters_and_computes_something_else() -> None:
    with seeded(0):
        resnet = InceptionResNet(SMALL).eval()
    plain = InceptionResNet(Build(2, 6, SMALL.branches, shortcuts=False)).eval()
    assert parameters(plain) == parameters(resnet)
    plain.load_state_dict(resnet.state_dict())
    images = torch.randn(1, 3, 9, 9)
    assert not torch.allclose(plain(images), resnet(images))


def test_a_block_has_the_parameters_counted_by_hand() -> None:
    # Width 6, branches 2, 3, 4, 5: convolutions 6·2 + 6·3·9 + 6·4·9 + 4·4·9 + 6·5 + 14·6, and two for each map of a
    # batch norm: 2, 3, 4, 4, 5 and 6.
    block = InceptionBlock(6, Branches(2, 3, 4, 5), shortcut=True)
    assert parameters(block) == 12 + 162 + 216 + 144 + 30 + 84 + 2 * (2 + 3 + 4 + 4 + 5 + 6)


def test_the_branches_are_concatenated_and_projected_to_the_blocks_width() -> None:
    block = InceptionBlock(6, Branches(2, 3, 4, 5), shortcut=True)
    seen: list[tuple[int, ...]] = []

    def watch(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(tuple(inputs[0].shape))

    block.project.register_forward_pre_hook(watch)
    assert block(torch.randn(2, 6, 8, 8)).shape == (2, 6, 8, 8)
    assert seen == [(2, 2 + 3 + 4 + 5, 8, 8)]


def test_the_shared_convolutions_compute_the_four_branches() -> None:
    with seeded(0):
        block = InceptionBlock(6, Branches(2, 3, 4, 5), shortcut=True).eval()
        features = torch.randn(1, 6, 7, 9)
    narrow, wide = block.pointwise_and_pooled.weight, block.three_and_five.weight
    pooled = F.avg_pool2d(features, 3, stride=1, padding=1, count_include_pad=False)
    middle = F.relu(block.five[0](F.conv2d(features, wide[3:], padding=1)))
    branches = [
        F.conv2d(features, narrow[:2]),
        F.conv2d(features, wide[:3], padding=1),
        F.conv2d(middle, block.five[2].weight, padding=1),  # type: ignore[arg-type]
        F.conv2d(pooled, narrow[2:]),
    ]
    expected = F.relu(features + block.project(F.relu(block.join[0](torch.cat(branches, dim=1)))))
    torch.testing.assert_close(block(features), expected)


def test_a_block_whose_projection_is_zero_returns_what_is_positive_in_its_input() -> None:
    block = InceptionBlock(6, SMALL.branches, shortcut=True).eval()
    nn.init.zeros_(block.project[0].weight)  # type: ignore[arg-type]
    features = torch.randn(1, 6, 5, 5)
    torch.testing.assert_close(block(features), features.clamp(min=0))


def test_the_receptive_field_is_five_pixels_wider_than_four_for_each_block() -> None:
    from common.score.complexity import receptive_field

    assert receptive_field(InceptionResNet(SMALL)) == 4 * 2 + 5


@pytest.mark.parametrize("predicts", ["residual", "image"])
def test_the_output_of_an_untrained_tail_is_the_noisy_image_or_nothing(predicts: str) -> None:
    network = InceptionResNet(Build(2, 6, SMALL.branches, predicts=predicts)).eval()  # type: ignore[arg-type]
    nn.init.zeros_(network.tail.weight)
    assert network.tail.bias is not None
    nn.init.zeros_(network.tail.bias)
    images = torch.randn(1, 3, 8, 8)
    torch.testing.assert_close(network(images), images if predicts == "residual" else torch.zeros_like(images))


def test_every_profile_trains_the_known_tasks_on_known_networks() -> None:
    for profile in params.PROFILES:
        settings = params.load("n2n_resnet", profile)
        assert set(settings.train.every) == set(TASKS)
        assert {task.architecture for task in TASKS.values()} == set(networks(settings))
