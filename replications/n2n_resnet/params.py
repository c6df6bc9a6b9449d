"""The parameters of n2n_resnet: what its params.yaml holds."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from common import params
from common.params import Count, DataSet, Positive, Recipe, Section, Sigma

Share = Annotated[float, Field(ge=0, le=1)]


class Noise(Section):
    """sigma: Gaussian test level. watched_sigma, curve_sigma: of the validation images, the second for Fig. 19."""

    sigma: Sigma
    watched_sigma: Sigma
    curve_sigma: Sigma
    impulse: Share
    heavy_impulse: Share
    text: Share


class Range(Section):
    """Bounds of a corruption's level, drawn for each training image."""

    low: Annotated[float, Field(ge=0)]
    high: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if self.low > self.high:
            raise ValueError(f"a range with low ≤ high, not {self.low:g} to {self.high:g}")
        return self


class TrainingNoise(Section):
    """sigma on the 0–255 scale; impulse and text as shares of the pixels."""

    sigma: Range
    impulse: Range
    text: Range


class Face(Section):
    """A photograph for the panels, and the square of it that is shown: top, left and side in pixels."""

    dataset: DataSet
    image: str
    top: Annotated[int, Field(ge=0)]
    left: Annotated[int, Field(ge=0)]
    side: Annotated[int, Field(ge=16)]


class Data(params.Data):
    train: DataSet
    validation: DataSet | None
    validation_share: Annotated[float, Field(gt=0, lt=1)] | None
    validation_crop: Annotated[int, Field(ge=16)]
    test: DataSet
    test_images: Count | None
    test_crop: Annotated[int, Field(ge=16)]
    medical: DataSet
    faces: Annotated[list[Face], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_validation(self) -> "Data":
        if (self.validation is None) == (self.validation_share is None):
            raise ValueError("validated by a data set (validation) or a share of train (validation_share), not both")
        return self


class Branches(Section):
    """Feature maps of the parallel branches of a block."""

    pointwise: Count
    three: Count
    five: Count
    pooled: Count


class DnCNN(Section):
    depth: Count
    width: Count


class Network(Section):
    blocks: Count
    width: Count
    branches: Branches
    predicts: Literal["residual", "image"]
    residual_scale: Positive
    dncnn: DnCNN


class Annealing(Section):
    """γ of the annealed L0 loss: from `start` to `end`, linearly, over the first `share` of the training."""

    start: Positive
    end: Annotated[float, Field(ge=0)]
    share: Annotated[float, Field(gt=0, le=1)]


class Train(params.Trainings):
    """epochs: into how many equal parts a training is divided, for the claims that count in epochs."""

    noise: TrainingNoise
    annealing: Annealing
    epochs: Count
    recipe: Recipe


class Probe(Section):
    """How far Table 1's recipe is tried: steps of each training and side of its crops."""

    steps: Count
    crop: Annotated[int, Field(ge=8)]


class Settings(params.Settings):
    """What `params.load("n2n_resnet")` returns."""

    noise: Noise
    data: Data
    network: Network
    train: Train
    table1: Probe
