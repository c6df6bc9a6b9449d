"""The parameters of edcnn: what its params.yaml holds."""

from typing import Annotated, Literal

from pydantic import Field

from common import params
from common.params import Count, DataSet, Positive, Recipe, Section, Sigma

Share = Annotated[float, Field(gt=0, le=1)]
Side = Annotated[int, Field(ge=16)]


class Noise(Section):
    sigma: Sigma
    mixed_sigma: Sigma
    erased: Annotated[list[Share], Field(min_length=2, max_length=2)]
    factor: Annotated[int, Field(ge=2)]


class Segmentation(Section):
    images: DataSet
    size: Side
    train_images: Count | None
    test_images: Count | None


class Data(params.Data):
    train: DataSet
    pretrain: DataSet
    test: DataSet
    test_images: Count | None
    size: Side
    fit: Literal["crop", "resize"]
    segmentation: Segmentation


class Network(Section):
    width: Annotated[int, Field(ge=4, multiple_of=4)]
    residual_scale: Positive


class Train(params.Trainings):
    recipe: Recipe
    segmentation: Recipe


class Settings(params.Settings):
    """What `params.load("edcnn")` returns."""

    noise: Noise
    data: Data
    network: Network
    train: Train
    panels: Annotated[int, Field(ge=0)]
