"""The parameters of dsc_autoencoder: what its params.yaml holds."""

from typing import Annotated, Literal

from pydantic import Field

from common import params
from common.params import Count, DataSet, Positive, Recipe, Section, Sigma

Share = Annotated[float, Field(ge=0, le=1)]
Side = Annotated[int, Field(ge=16)]


class Noise(Section):
    gaussian: Sigma
    salt_and_pepper: Share
    box_sigma: Sigma
    box_share: Share


class Data(params.Data):
    train: DataSet
    train_split: str
    validation: DataSet
    validation_crop: Side
    test: DataSet
    test_images: Count | None
    test_crop: Side
    labelled: DataSet
    labelled_validation: Count
    labelled_test: Count | None


class Network(Section):
    width: Positive
    bottleneck: Count
    kernel: Literal[1, 3, 5, 7, 9]
    gates: Annotated[list[Share], Field(min_length=4, max_length=4)]
    std: Positive | None
    dropout: Annotated[float, Field(ge=0, lt=1)]


class Train(params.Trainings):
    recipe: Recipe
    classifier: Recipe


class Settings(params.Settings):
    """What `params.load("dsc_autoencoder")` returns."""

    noise: Noise
    data: Data
    network: Network
    train: Train
    panels: Count
