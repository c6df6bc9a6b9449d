"""The parameters of udncnn: what its params.yaml holds."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from common import params
from common.params import Count, DataSet, Positive, Recipe, Section, Sigma


def _ascending(bounds: list[float]) -> list[float]:
    if not bounds[0] <= bounds[1]:
        raise ValueError("the lower bound first")
    return bounds


def _growing(layers: list[int]) -> list[int]:
    odd = all(count >= 3 and count % 2 for count in layers)
    if not odd or any(later <= earlier for earlier, later in pairwise(layers)):
        raise ValueError("ascending odd numbers of layers, 3 or more: three convolutions and two in each ResBlock")
    return layers


def _rising(qualities: list[int]) -> list[int]:
    if len(qualities) < 2 or qualities != sorted(set(qualities)):
        raise ValueError("two or more qualities, ascending")
    return qualities


def _even(depth: int) -> int:
    if depth % 2:
        raise ValueError("even: the U has D/2 - 1 levels")
    return depth


Pair = Field(min_length=2, max_length=2)
Levels = Annotated[list[Sigma], Pair, AfterValidator(_ascending)]
Layers = Annotated[list[int], Field(min_length=1), AfterValidator(_growing)]
Ladder = AfterValidator(_rising)
Peaks = Annotated[list[Positive], Pair, AfterValidator(_ascending)]


class PoissonGaussian(Section):
    peak: Positive
    sigma: Sigma
    blind_peak: Peaks


class Noise(Section):
    sigma: Sigma
    blind_sigma: Levels
    watched_sigma: Sigma
    peak: Positive
    blind_peak: Peaks
    poisson_gaussian: PoissonGaussian


class EdgeWeight(Section):
    a: Positive
    b: Positive


class Data(params.Data):
    train: DataSet
    validation: DataSet
    validation_crop: Annotated[int, Field(ge=16)]
    test: DataSet
    test_images: Count | None
    test_crop: Annotated[int, Field(ge=16)]
    test_crops: Literal["center", "random"]
    test_draws: Count


class Ladders(Section):
    jpeg: Annotated[list[Annotated[int, Field(ge=1, le=95)]], Ladder]
    jpeg2000: Annotated[list[Annotated[int, Field(ge=15, le=60)]], Ladder]
    hevc_intra: Annotated[list[Annotated[int, Field(ge=0, le=100)]], Ladder]


class Compression(Section):
    test_images: Count | None
    ladders: Ladders


class SuperResolution(Section):
    test: DataSet
    test_crop: Annotated[int, Field(ge=16)] | None
    cascade: Layers


class DNResNet(Section):
    cascade: Layers
    maps: Count
    stem: Literal["9-5-5", "5-5-5"]
    colours: Literal[1, 3]
    residual_scale: Positive | None


class DnCNNS(Section):
    layers: Annotated[int, Field(ge=3)]
    width: Count


class Network(Section):
    depth: Annotated[int, Field(ge=2), AfterValidator(_even)]
    width: Count
    initialisation: Literal["he", "default"]
    batch_norm: Literal["lineage", "standard"]
    residual_scale: Annotated[float, Field(gt=0)]
    dn_resnet: DNResNet
    dncnn_s: DnCNNS


class Train(params.Trainings):
    recipe: Recipe
    dn_resnet: Recipe
    evolution: Recipe
    restoration: Recipe


class Settings(params.Settings):
    """What `params.load("udncnn")` returns."""

    noise: Noise
    edge_weight: EdgeWeight
    data: Data
    compression: Compression
    super_resolution: SuperResolution
    network: Network
    train: Train
    panels: Count
