"""The parameters of wgan_denoiser: what its params.yaml holds."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from common import params
from common.params import Count, DataSet, Recipe, Section, Sigma

BLOCKS = 12
"""Blocks of the generator: six of the encoder, six of the decoder."""

Factor = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Side = Annotated[int, Field(ge=16)]


def _even(width: int) -> int:
    if width % 2:
        raise ValueError("even: blocks 5 and 7 have half of it")
    return width


class Noise(Section):
    sigma: Sigma


class Loss(Section):
    """Factors of the objective; see `replications.wgan_denoiser.losses.Factors`."""

    adversarial: Factor
    pixel: Factor
    feature: Factor
    smoothness: Factor
    penalty: Factor
    reduction: Literal["sum", "mean"]
    critic_updates: Count
    dcgan_adversarial: Annotated[float, Field(ge=0, le=1)]


class ImpliedSigma(Section):
    """Where claim G8 is measured: centre crops of the first test images of each family."""

    images: Count
    crop: Side


class Family(Section):
    """Data sets of one scene family: its training, validation and test images."""

    train: DataSet
    validation: DataSet
    test: DataSet


class Data(params.Data):
    families: Annotated[dict[str, Family], Field(min_length=2)]
    validation_images: Count
    validation_crop: Side
    test_images: Count
    test_crop: Side
    real: str
    real_images: Count
    real_crop: Side


class Network(Section):
    """See `replications.wgan_denoiser.models.Build`."""

    width: Annotated[int, Field(ge=2), AfterValidator(_even)]
    critic_width: Count
    pool_after: list[Annotated[int, Field(ge=1, lt=BLOCKS // 2)]]
    last_gain: Annotated[float, Field(gt=0)]
    critic_norm: Literal["batch", "none"]
    dcgan_width: Count
    dcgan_blocks: Count


class Train(params.Trainings):
    recipe: Recipe


class Settings(params.Settings):
    """What `params.load("wgan_denoiser")` returns."""

    noise: Noise
    loss: Loss
    data: Data
    implied_sigma: ImpliedSigma
    network: Network
    train: Train
    panels: Annotated[int, Field(ge=0)]
