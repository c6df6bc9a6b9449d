"""params.yaml as typed, validated objects.

The file is the only place where a knob has a value: no field here has a default but a variant's departures from its
recipe, so a stage's parameters are exactly what DVC records for it. Each paper validates its own sections by the models
in `replications/<paper>/params.py`.
"""

import difflib
import importlib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from common.errors import UserError

PARAMS_FILE = Path("params.yaml")
PROFILES = ("smoke", "quick", "paper")

Sigma = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Standard deviation of Gaussian noise on the 0–255 scale."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Section(BaseModel):
    """A section of params.yaml: every key required, unknown keys refused, values immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Data(Section):
    root: str | None
    """Folder with local copies of the data sets, or null: embedded photographs and downloads."""


class Noise(Section):
    sigma: Sigma | None
    """Gaussian noise level on the 0–255 scale for every pure-Gaussian experiment, or null: each its own."""


class Adam(Section):
    """Adam (Kingma & Ba 2015), weight decay added to the gradient."""

    name: Literal["adam"]
    betas: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=2, max_length=2)]
    weight_decay: Annotated[float, Field(ge=0)]


class SGD(Section):
    """Stochastic gradient descent; with momentum 0 the plain one."""

    name: Literal["sgd"]
    momentum: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: Annotated[float, Field(ge=0)]


class Constant(Section):
    """The learning rate stays."""

    name: Literal["constant"]


class OneCycle(Section):
    """The learning rate rises to `recipe.lr` and falls to nothing (Smith & Topin 2018)."""

    name: Literal["one_cycle"]


class Steps(Section):
    """The learning rate is multiplied by `gamma` after `every` steps, and never falls below `lowest`."""

    name: Literal["step"]
    every: Count
    gamma: Annotated[float, Field(gt=0, le=1)]
    lowest: Annotated[float, Field(ge=0)]


class Recipe(Section):
    """How a network is trained; see `common.train.loop.fit`."""

    steps: Count
    batch: Count
    crop: Annotated[int, Field(ge=8)]
    optimizer: Annotated[Adam | SGD, Field(discriminator="name")]
    lr: Positive
    schedule: Annotated[Constant | OneCycle | Steps, Field(discriminator="name")]
    precision: Literal["auto", "bf16", "fp32"]
    validate_every: Count


class Variant(Section):
    """One trained network: its seeds, and where it departs from the profile's recipe. In the file its seeds suffice."""

    seeds: list[Seed]
    steps: Count | None = None
    lr: Positive | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_seeds(cls, record: Any) -> Any:
        return {"seeds": record} if isinstance(record, list) else record


class Sharing(Section):
    """How trainings share a machine without a GPU."""

    threads: Count | None
    """CPU threads of a training, as many trainings at a time as the cores bear; null: one after the other on all."""


class Latency(Section):
    size: Count
    warmup: Count
    repeats: Annotated[int, Field(ge=3)]
    dtypes: list[Literal["float32", "bfloat16"]]
    published_dtypes: list[Literal["float32", "bfloat16"]]


class Baselines(Section):
    filters: list[Literal["bm3d", "vst_bm3d", "nlm", "wavelet", "tv", "median"]]


class Params(Section):
    """The common part of params.yaml, and the section of each paper under the chosen profile."""

    profile: Literal["smoke", "quick", "paper"]
    seed: Seed
    trainings_per_gpu: Count
    data: Data
    noise: Noise
    papers: dict[str, Any]
    profiles: dict[str, Any]

    @property
    def training(self) -> Sharing:
        """How the trainings of the chosen profile share a machine."""
        return _section(Sharing, self.profiles[self.profile]["training"], f"profiles.{self.profile}.training")

    @property
    def latency(self) -> Latency:
        """Latency settings of the chosen profile."""
        return _section(Latency, self.profiles[self.profile]["latency"], f"profiles.{self.profile}.latency")

    @property
    def baselines(self) -> Baselines:
        """Classical filters of the chosen profile."""
        return _section(Baselines, self.profiles[self.profile]["baselines"], f"profiles.{self.profile}.baselines")

    def paper(self, name: str) -> Any:
        """The settings of one paper under the chosen profile, as `replications.<name>.params.Settings`."""
        module = importlib.import_module(f"replications.{name}.params")
        section = {**self.papers[name], **self.profiles[self.profile][name]}
        return _section(module.Settings, section, f"profiles.{self.profile}.{name}")

    def has_sigma(self, paper: str) -> bool:
        """Whether the paper has an experiment of pure Gaussian noise, whose level `noise.sigma` replaces."""
        return hasattr(self.paper(paper).noise, "sigma")

    def sigma(self, paper: str) -> float:
        """Level of the paper's Gaussian experiment, where it `has_sigma`: `noise.sigma` if a number, else its own."""
        own: float = self.paper(paper).noise.sigma
        return own if self.noise.sigma is None else self.noise.sigma


def papers() -> list[str]:
    """Names of the replicated papers: the folders of `replications/` that declare their parameters."""
    return sorted(path.parent.name for path in Path("replications").glob("*/params.py"))


def load(path: Path = PARAMS_FILE) -> Params:
    """Read and validate params.yaml, the sections of every paper under every profile included.

    Raises UserError with one line that names the first wrong key and what would be right.
    """
    try:
        record = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run from the top folder of the repository") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    params = _section(Params, record, "")
    if sorted(params.profiles) != sorted(PROFILES):
        raise UserError(f"profiles must be {', '.join(PROFILES)} ({path}), got {', '.join(params.profiles)}")
    for profile in PROFILES:
        chosen = params.model_copy(update={"profile": profile})
        known = {"training", "latency", "baselines", *papers()}
        for key in chosen.profiles[profile]:
            if key not in known:
                raise UserError(f"profiles.{profile}.{key} is not a parameter ({path}){_did_you_mean(key, known)}")
        for key in sorted(known - set(chosen.profiles[profile])):
            raise UserError(f"profiles.{profile}.{key} is missing ({path}): every parameter needs a value")
        _ = chosen.training, chosen.latency, chosen.baselines
        for paper in papers():
            chosen.paper(paper)
    return params


S = TypeVar("S", bound=BaseModel)


def _section(model: type[S], record: Any, prefix: str) -> S:
    try:
        return model.model_validate(record)
    except ValidationError as failure:
        raise UserError(_one_line(model, failure, prefix)) from None


def _one_line(model: type[BaseModel], failure: ValidationError, prefix: str) -> str:
    error = min(
        failure.errors(), key=lambda error: error["type"] != "extra_forbidden"
    )  # a misspelt key is also missing
    location, at = _located(model, error["loc"])
    key = ".".join([prefix, *location]).strip(".")
    more = f" (and {failure.error_count() - 1} more)" if failure.error_count() > 1 else ""
    if error["type"] == "extra_forbidden":
        known = set(getattr(at, "model_fields", {}))
        return f"{key} is not a parameter ({PARAMS_FILE}){_did_you_mean(location[-1], known)}{more}"
    if error["type"] == "missing":
        return f"{key} is missing ({PARAMS_FILE}): every parameter needs a value{more}"
    if error["type"] == "union_tag_invalid":
        context = error["ctx"]
        return f"{key}.name must be one of {context['expected_tags']} ({PARAMS_FILE}), got {context['tag']!r}{more}"
    wanted = error["msg"].removeprefix("Input should be ").replace("greater than or equal to", "≥")
    wanted = wanted.replace("less than or equal to", "≤").replace("greater than", ">").replace("less than", "<")
    return f"{key} must be {wanted} ({PARAMS_FILE}), got {error['input']!r}{more}"


def _located(model: type[BaseModel], location: tuple[int | str, ...]) -> tuple[list[str], Any]:
    """The keys of an error's place as they stand in the file, and the section that holds the last of them.

    Where a section's `name` chooses its model, the location holds that name as well, which is no key of the file. The
    section is None where the path leaves the models (a list, a mapping).
    """
    keys: list[str] = []
    holder: Any = model
    current: Any = model
    for step in location:
        chosen = [member for member in get_args(current) if _name_of(member) == step]
        if chosen:
            current = chosen[0]
            continue
        holder = current
        keys.append(str(step))
        field = getattr(current, "model_fields", {}).get(step)
        current = field.annotation if field else None
    return keys, holder


def _name_of(section: Any) -> str | None:
    field = getattr(section, "model_fields", {}).get("name")
    return get_args(field.annotation)[0] if field else None


def _did_you_mean(key: str, known: set[str]) -> str:
    close = difflib.get_close_matches(key, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; known here: {', '.join(sorted(known))}" if known else ""
