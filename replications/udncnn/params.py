"""The udncnn sections of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from common.params import Count, Recipe, Section, Sigma, Variant


class Noise(Section):
    sigma: Sigma


class Data(Section):
    train: str
    validation: str
    validation_crop: Annotated[int, Field(ge=16)]
    test: str
    test_images: Count | None
    test_crop: Annotated[int, Field(ge=16)]
    test_crops: Literal["center", "random"]
    test_draws: Count


class Network(Section):
    depth: Count
    width: Count
    initialisation: Literal["he", "default"]
    batch_norm: Literal["lineage", "standard"]
    residual_scale: Annotated[float, Field(gt=0)]


class Train(Section):
    recipe: Recipe
    variants: dict[str, Variant]


class Settings(Section):
    """What `params.paper("udncnn")` returns."""

    noise: Noise
    data: Data
    network: Network
    train: Train
    panels: Count
