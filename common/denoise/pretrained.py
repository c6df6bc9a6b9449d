"""Trained networks that come with the suite: weights and a record of each, in replications/<paper>/pretrained.

<variant>.safetensors holds the weights, <variant>.json what they are: how to build the network, what it was trained
for and how, and what it scored. A network is rebuilt from these two files alone; no parameter file has a part in it.
"""

import hashlib
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from torch import nn

from common.errors import UserError
from common.params import Count, Section, Seed, Sigma
from common.score.scale import Scale
from common.store import read_json, write_json
from common.train.weights import load_weights, save_weights

FOLDER = Path(__file__).parents[2] / "replications"
"""Beside this package, so that the networks are found from any folder."""

Pair = Field(min_length=2, max_length=2)


class Network(Section):
    """How the network is built and what it works on."""

    factory: Annotated[str, Field(pattern=r"^replications\.\w+\.models:\w+$")]
    """"package.module:function", called with `settings` as keyword arguments; a record names no other code."""
    settings: dict[str, Any]
    range: Annotated[list[float], Pair]
    """[low, high] into which 0–255 is mapped (`common.score.scale.Scale`)."""
    receptive_field: Count | None
    """Side in pixels (`common.score.complexity.receptive_field`); None: it sees the whole image."""
    period: Count
    """Moving the input by so many pixels moves the output likewise: 1, or what the network pools by in all."""


class Purpose(Section):
    """What the network was trained to remove."""

    corruption: str
    """"gaussian", or the corruption in words."""
    sigma: Annotated[list[Sigma], Pair] | None
    """Lowest and highest level of the Gaussian noise, 0–255 scale; None: another corruption."""
    colours: Literal[1, 3]


class Point(Section):
    """A validation during the training: mean PSNR in dB, suite's convention."""

    step: Count
    val_psnr_db: float


class Training(Section):
    """How the weights came about."""

    data: str
    """The set and split in `common.datasets`, or what else they learnt from."""
    images: Count
    """Number of its images."""
    data_licence: str
    validation: str
    recipe: dict[str, Any]
    """As `common.params.Recipe` had it at `revision`."""
    seed: Seed
    steps: Count
    images_seen: Count
    precision: Literal["bf16", "fp32"]
    device: str
    torch: str
    revision: str
    """Of this project's code."""
    notes: str
    history: list[Point]


class Result(Section):
    """What the network scored: means over `images` images."""

    test: str
    corruption: str
    sigma: Sigma | None
    convention: str
    psnr_db: float
    ssim: float
    images: Count
    notes: str


class Record(Section):
    """The contents of <variant>.json."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of the weights' file."""
    says: str
    """What it is, in one line."""
    network: Network
    trained_for: Purpose
    training: Training
    scores: list[Result]

    @property
    def scale(self) -> Scale:
        """The network's range of values."""
        return Scale(*self.network.range)


def pretrained(folder: Path = FOLDER) -> dict[str, Path]:
    """Name → record of every network that comes with the suite, in the order of the names.

    The name is the variant's, or <paper>/<variant> where two papers have a variant of one name.
    """
    records = sorted(folder.glob("*/pretrained/*.json"))
    variants = [path.stem for path in records]
    named = {
        path.stem if variants.count(path.stem) == 1 else f"{path.parent.parent.name}/{path.stem}": path
        for path in records
    }
    return dict(sorted(named.items()))


def read_record(path: Path) -> Record:
    """The record of a network; UserError, naming the file and the key, where it is not one."""
    try:
        return Record.model_validate(read_json(path))
    except ValidationError as failure:
        first = failure.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise UserError(f"{path}: {key}: {first['msg']}; restore it from git") from None


def load_pretrained(name: str, folder: Path = FOLDER) -> tuple[nn.Module, Record]:
    """The network of that name with its weights, in evaluation mode, and its record.

    UserError for an unknown name, and for a weights file that is missing or is not the one of the record.
    """
    known = pretrained(folder)
    if name not in known:
        raise UserError(f"{name} is not a network that comes with the suite: known are {', '.join(known) or 'none'}")
    record = read_record(known[name])
    weights = known[name].with_suffix(".safetensors")
    if not weights.is_file():
        raise UserError(f"{weights} is missing: restore it from git")
    found = hashlib.sha256(weights.read_bytes()).hexdigest()
    if found != record.sha256:
        raise UserError(f"{weights} has sha256 {found}, its record says {record.sha256}: restore both from git")
    return load_weights(weights, build(record.network)).eval(), record


def save_pretrained(folder: Path, name: str, network: nn.Module, facts: Mapping[str, Any]) -> None:
    """Write <name>.safetensors and <name>.json into replications/<paper>/pretrained.

    facts: a `Record`'s contents without `sha256`, which is taken from the weights; pydantic's ValidationError where
    one is missing, unknown or wrong, with nothing left behind.
    """
    weights = folder / f"{name}.safetensors"
    Record.model_validate({"sha256": "0" * 64, **facts})
    save_weights(weights, network)
    record = {"sha256": hashlib.sha256(weights.read_bytes()).hexdigest(), **facts}
    write_json(weights.with_suffix(".json"), record)


def build(network: Network) -> nn.Module:
    """The untrained network of a record."""
    module, _, function = network.factory.partition(":")
    factory: Callable[..., nn.Module] = getattr(importlib.import_module(module), function)
    return factory(**network.settings)
