from dataclasses import replace

import pytest
import torch
from torch import nn

from common import params
from common.train.seeding import seeded
from replications.wgan_denoiser.models import (
    GENERATORS,
    NETWORKS,
    Build,
    Critic,
    Generator,
    games,
    generators,
    networks,
)

SMALL = Build(width=4, critic_width=2, dcgan_width=4, dcgan_blocks=2)


def _convolutions(module: nn.Module) -> list[nn.Conv2d]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]


@pytest.mark.parametrize("name", sorted(GENERATORS))
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4), (7, 13), (33, 18)])
def test_any_image_size_keeps_its_size(name: str, size: tuple[int, int]) -> None:
    images = torch.randn(2, 3, *size)
    assert GENERATORS[name](SMALL).eval()(images).shape == images.shape


def test_the_generator_has_the_twelve_blocks_of_equation_11() -> None:
    generator = Generator(replace(SMALL, width=8))
    encoder = [_convolutions(block)[0].out_channels for block in generator.encoder]
    decoder = [_convolutions(block)[0].out_channels for block in generator.decoder]
    assert encoder == [8, 8, 8, 8, 4, 1]
    assert decoder == [4, 8, 8, 8, 8, 3]


def test_the_critic_has_the_six_blocks_of_equation_12() -> None:
    critic = Critic(replace(SMALL, critic_width=3))
    assert [layer.out_channels for layer in _convolutions(critic)] == [3, 6, 24, 6, 3, 3]
    norms = [layer for layer in critic.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert len(norms) == 5  # none in the first block, CL
    assert critic(torch.randn(2, 3, 32, 40)).shape == (2, 3, 4, 5)
    assert critic.features(torch.randn(2, 3, 32, 40)).shape == (2, 24, 4, 5)


def test_scores_are_never_negative_unless_signed() -> None:
    images = torch.randn(4, 3, 32, 32)
    with seeded(0):
        plain, signed = Critic(SMALL), Critic(SMALL, signed=True)
    assert plain(images).min() == 0
    assert signed(images).min() < 0


def test_without_shortcuts_the_noise_passes_through_one_channel_of_a_sixteenth_of_the_pixels() -> None:
    generator = Generator(SMALL, shortcuts=False).eval()
    seen: list[tuple[int, ...]] = []
    generator.encoder[-1].register_forward_hook(lambda block, inputs, output: seen.append(tuple(output.shape)))
    nn.init.zeros_(generator.encoder[-1][0].weight)  # type: ignore[index]
    first, second = (generator.noise(torch.randn(1, 3, 16, 16)) for _ in range(2))
    assert seen == [(1, 1, 4, 4)] * 2
    torch.testing.assert_close(first, second)  # nothing of the image gets past a closed block 6


def test_the_shortcuts_carry_blocks_2_and_4_past_a_closed_block_6() -> None:
    images = torch.randn(1, 3, 16, 16)
    for dropped, kept in ((10, 8), (8, 10)):
        generator = Generator(SMALL).eval()
        nn.init.zeros_(generator.encoder[-1][0].weight)  # type: ignore[index]
        generator.shortcuts = {kept: generator.shortcuts[kept]}
        assert not torch.allclose(generator.noise(images), generator.noise(images.flip(-1))), dropped


def test_shortcuts_join_blocks_of_one_resolution_wherever_the_poolings_are() -> None:
    for places in ((), (1,), (2, 4), (1, 3, 5), (1, 2, 3, 4, 5)):
        images = torch.randn(1, 3, 19, 34)
        assert Generator(replace(SMALL, pool_after=places)).eval()(images).shape == images.shape


def test_the_output_is_the_input_minus_the_predicted_noise() -> None:
    generator = Generator(SMALL).eval()
    images = torch.randn(2, 3, 16, 12)
    torch.testing.assert_close(generator(images), images - generator.noise(images))


def test_a_leaky_end_shrinks_what_is_below_zero_to_a_fifth() -> None:
    images = torch.randn(1, 3, 8, 8)
    printed, linear = (Generator(SMALL, linear_end=linear_end).eval() for linear_end in (False, True))
    linear.load_state_dict(printed.state_dict())
    noise = linear.noise(images)
    torch.testing.assert_close(printed.noise(images), torch.where(noise < 0, noise / 5, noise))


def test_every_variant_in_params_can_be_built() -> None:
    for profile in params.PROFILES:
        settings = params.load("wgan_denoiser", profile)
        assert set(settings.train.every) == set(games(settings)) == set(generators(settings))
        assert set(networks(settings)) == set(NETWORKS)


def test_variants_named_as_one_network_cost_as_much() -> None:
    sizes = {name: [tuple(weight.shape) for weight in build(SMALL).parameters()] for name, build in GENERATORS.items()}
    assert all(sizes[name] == sizes["wgan"] for name in set(GENERATORS) - {"dcgan"})
