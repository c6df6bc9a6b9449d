"""DN-ResNet: sizes against hand counts and published values, what its cascade and its evolution leave alone."""

import copy
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from common import params
from common.noise.sensor import Gaussian
from common.score.complexity import macs, parameters
from common.train.phases import network_after
from common.train.seeding import seeded
from common.train.weights import Parent
from replications.udncnn.data import first_draws
from replications.udncnn.models import (
    DNBuild,
    DNResNet,
    ResBlock,
    grow,
    published_networks,
    separate,
)
from replications.udncnn.noise import corruptions
from replications.udncnn.params import Settings
from replications.udncnn.pictures import in_grey, of_colours
from replications.udncnn.restoration_tasks import restoration_tasks
from replications.udncnn.tasks import EVOLVED, cascade, tasks

SMALL = DNBuild(layers=7, maps=4)
IMAGES = torch.rand(2, 1, 11, 14) * 2 - 1


@pytest.fixture
def settings() -> Settings:
    return params.load("udncnn")


def made(build: DNBuild) -> DNResNet:
    with seeded(0):
        return DNResNet(build).eval()


@pytest.mark.parametrize(
    ("build", "count"),
    [
        # 9·9·64 + 64, 25·64·32 + 32, two times 9·32·32 + 32 for each ResBlock, 25·32 + 1.
        (DNBuild(), 149_761),
        (DNBuild(layers=3), 57_281),
        (DNBuild(layers=19), 205_249),
        # 25·32 + 32, 25·32·32 + 32, the same ResBlocks, 25·32 + 1: 123 K or less by any reading with 5×5 at the end.
        (DNBuild(stem="5-5-5"), 119_745),
        # A separable convolution has 9·32 + 32 and 32·32 + 32.
        (DNBuild(separable=True), 57_281 + 10 * 1376),
        (DNBuild(colours=3), 149_761 + 2 * (81 * 64) + 2 * (25 * 32 + 1)),
    ],
)
def test_parameters_are_those_counted_by_hand(build: DNBuild, count: int) -> None:
    assert parameters(DNResNet(build)) == count


def test_the_deep_dncnn_has_the_published_size_and_four_times_dn_resnets() -> None:
    # 64·9 + 64 + 18·(64·64·9 + 64 + 2·64) + 64·9 + 1: 667–669 K are published for 20 layers of 64 maps.
    count = parameters(published_networks()["dncnn_s"]())
    assert count == 668_225
    assert round(count / 149_761) == 4


@pytest.mark.parametrize("size", [8, 24])
def test_counted_macs_are_those_of_the_formula(size: int) -> None:
    networks, maps, kernel = published_networks(), 32, 3
    shape = (1, maps, size, size)
    area = size * size
    assert macs(networks["convolution"](), shape) == maps * kernel**2 * maps * area
    assert macs(networks["separable_convolution"](), shape) == (maps * kernel**2 + maps * maps) * area
    saved = 10 * (maps * kernel**2 * maps - maps * kernel**2 - maps * maps) * area
    grey = (1, 1, size, size)
    plain, separable = (macs(networks[name](), grey) for name in ("dn_resnet_13", "ds_dn_resnet_13"))
    assert plain - separable == saved
    # Per pixel 81·64 + 25·64·32 + 25·32 outside the ResBlocks: 2.12 times fewer, not the published 2.5.
    assert plain / separable == pytest.approx(149_344 / 70_304)


@pytest.mark.parametrize("layers", [3, 5, 13])
@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("scale", [None, 0.1])
def test_any_image_size_keeps_its_size(layers: int, colours: int, scale: float | None) -> None:
    network = made(DNBuild(layers, maps=2, colours=colours, residual_scale=scale))
    for size in ((1, 1), (5, 3), (16, 9)):
        assert network(torch.zeros(1, colours, *size)).shape == (1, colours, *size)
    assert sum(isinstance(module, nn.Conv2d) for module in network.modules()) == layers


@pytest.mark.parametrize("layers", [9, 13])
def test_a_grown_network_with_zeroed_new_blocks_computes_the_old_function(layers: int) -> None:
    network = made(SMALL)
    grown = grow(copy.deepcopy(network), layers)
    assert isinstance(grown, DNResNet)
    for block in list(grown.blocks)[len(network.blocks) :]:
        for weight in block.parameters():
            nn.init.zeros_(weight)
    assert torch.equal(grown(IMAGES), network(IMAGES))


def test_growing_keeps_every_weight_and_draws_new_ones_from_the_published_law() -> None:
    network = made(replace(SMALL, maps=32))
    with seeded(1):
        grown = grow(copy.deepcopy(network), 13)
    assert isinstance(grown, DNResNet)
    for name, weight in network.state_dict().items():
        assert torch.equal(grown.state_dict()[name], weight), name
    new = torch.cat([weight.flatten() for block in list(grown.blocks)[2:] for weight in _kernels(block)])
    # Standard error of a standard deviation over n normal values: σ / √2n; four of them.
    assert new.std().item() == pytest.approx(0.001, abs=4 * 0.001 / (2 * len(new)) ** 0.5)
    assert torch.allclose(grown(IMAGES), network(IMAGES), atol=1e-3)


@pytest.mark.parametrize("index", [0, 1])
def test_the_evolution_replaces_one_block_and_leaves_the_others(index: int) -> None:
    network = made(SMALL)
    evolved = separate(copy.deepcopy(network), [index])
    assert isinstance(evolved, DNResNet)
    kinds = [isinstance(block, ResBlock) and isinstance(block.first, nn.Sequential) for block in evolved.blocks]
    assert kinds == [number == index for number in range(2)]
    for name, weight in network.state_dict().items():
        if not name.startswith(f"blocks.{index}."):
            assert torch.equal(evolved.state_dict()[name], weight), name


def test_the_incremental_evolution_replaces_one_block_in_each_phase_until_none_is_left(settings: Settings) -> None:
    task = tasks(settings)["ds_blind"]
    counts = [
        sum(isinstance(block.first, nn.Sequential) for block in network.blocks)  # type: ignore[union-attr]
        for network in (network_after(task.build, task.phases[: count + 1]) for count in range(len(task.phases)))
    ]
    blocks = (settings.network.dn_resnet.cascade[-1] - 3) // 2
    assert counts == list(range(1, blocks + 1))


def test_the_cascade_ends_in_the_network_trained_at_once(settings: Settings) -> None:
    known = tasks(settings)
    grown, at_once = known["dn_gaussian"].network(), known["dn_gaussian_at_once"].network()
    assert [value.shape for value in grown.parameters()] == [value.shape for value in at_once.parameters()]
    phases = settings.network.dn_resnet.cascade
    assert [*known["dn_gaussian"].snapshots(), known["dn_gaussian"].phases[-1].name] == list(map(str, phases))


def test_super_resolution_cascades_on(settings: Settings) -> None:
    task = cascade(restoration_tasks(settings)["dn_x2"], DNBuild(), [3, 13, 19])
    assert parameters(task.network()) == 205_249  # as counted above


def test_super_resolution_cuts_its_pictures_to_multiples_of_the_factor(settings: Settings) -> None:
    colours = {"photo": np.zeros((50, 32, 3), np.uint8)}
    for factor, size in ((2, (50, 32)), (3, (48, 30)), (4, (48, 32))):
        pictures = restoration_tasks(settings)[f"dn_x{factor}"].pictures(colours | in_grey(colours))
        assert {name: image.shape for name, image in pictures.items()} == {"photo": (*size, 1)}


def test_every_variant_has_a_task_and_its_recipe() -> None:
    for profile in params.PROFILES:
        chosen = params.load("udncnn", profile)
        train, seeds = chosen.train, {name: set(variant.seeds) for name, variant in chosen.train.every.items()}
        known = tasks(chosen) | restoration_tasks(chosen)
        assert set(seeds) == set(known)
        for name, task in known.items():
            assert hasattr(train, task.recipe)
            # What a variant inherits from must be trained with the same seeds.
            if task.inherits is not None:
                assert task.inherits == Parent(EVOLVED)
                assert seeds[name] <= seeds[EVOLVED]


def test_separable_blocks_start_close_to_the_identity() -> None:
    with seeded(0):
        block = ResBlock(32, separable=True)
    features = torch.randn(1, 32, 8, 8)
    assert (block(features) - features).abs().max() < 0.01


def test_separable_blocks_learn_at_once() -> None:
    with seeded(0):
        block = ResBlock(32, separable=True)
    block(torch.randn(1, 32, 8, 8)).square().mean().backward()
    # Adam divides by the gradient's size plus 1e-8: well above it, every weight moves at the learning rate.
    assert all(weight.grad is not None and weight.grad.abs().median() > 1e-7 for weight in _kernels(block))


def test_the_override_of_sigma_moves_the_gaussian_trainings_that_are_not_blind_and_nothing_else(
    settings: Settings,
) -> None:
    override = settings.model_copy(update={"noise": settings.noise.model_copy(update={"sigma": 50.0})})
    before, after = tasks(settings), tasks(override)
    for name, task in after.items():
        moved = (task.corruption, task.watched) != (before[name].corruption, before[name].watched)
        assert moved == (task.corruption == task.watched == Gaussian(50.0)), name
        assert moved == (task.recipe == "recipe" or name in ("dn_gaussian", "dn_gaussian_at_once", "dncnn_s")), name
    known = corruptions(settings)
    changed = {name for name, corruption in corruptions(override).items() if corruption != known[name]}
    assert changed == {"table1", "gaussian"}


def test_dn_resnets_noises_are_of_grey_images_and_table_1s_of_colour() -> None:
    colours = {"photo": np.full((4, 5, 3), (255, 0, 0), np.uint8)}
    both = colours | in_grey(colours)
    assert list(of_colours(both, 3)) == ["photo"]
    grey = of_colours(both, 1)
    assert list(grey) == ["grey/photo"]
    assert grey["grey/photo"].shape == (4, 5, 1)
    assert (grey["grey/photo"] == 76).all()  # 0.299 · 255, rounded: BT.601


def test_one_crop_of_each_image_has_a_grey_version() -> None:
    assert list(first_draws(dict.fromkeys(("a#0", "a#1", "b#0", "b#10", "plain"), np.zeros((2, 2, 3), np.uint8)))) == [
        "a#0",
        "b#0",
        "plain",
    ]


def test_the_edge_aware_tasks_differ_from_the_blind_one_by_their_loss_alone(settings: Settings) -> None:
    known = tasks(settings)
    for name in ("dn_blind_edge_a", "dn_blind_edge_b"):
        assert isinstance(known[name].loss, partial)
        assert replace(known[name], loss=known["dn_blind"].loss) == known["dn_blind"]


def _kernels(block: nn.Module) -> list[torch.Tensor]:
    return [weight for weight in block.parameters() if weight.dim() > 1]
