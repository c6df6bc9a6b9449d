"""The parameters as typed, validated objects: params.yaml, and replications/<paper>/params.yaml of each paper.

The files are the only place where a knob has a value: no field here has a default but a variant's departures from its
recipe and a paper's section `benchmark`, which it may leave out. A knob has one value, or one for each profile,
{smoke: …, quick: …, paper: …}. Each paper validates its own file by the models in `replications/<paper>/params.py`.
What a stage depends on is the outcome under the profile that runs, results/<paper>/settings.json
(`common.run.settings`).
"""

import difflib
import importlib
from collections.abc import Collection, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

from common.errors import UserError

PARAMS_FILE = Path("params.yaml")
BUDGET_FILE = Path("common/benchmark/budget.yaml")
PROFILES = ("smoke", "quick", "paper")

Sigma = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Standard deviation of Gaussian noise on the 0–255 scale."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


def _known_set(name: str, info: ValidationInfo) -> str:
    known = (info.context or {}).get("data_sets")
    if known is not None and name.partition(":")[0] not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise ValueError(f"a data set that `python -m common.datasets` lists{hint}")
    return name


DataSet = Annotated[str, AfterValidator(_known_set)]
"""A data set by its name, which is held against the `data_sets` that `load` is given."""


class Section(BaseModel):
    """A section of the parameters: every key required, unknown keys refused, values immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _folder(root: str | None) -> str | None:
    if root is not None and not root.strip():
        raise ValueError("a folder, or null")
    return root


class Data(Section):
    root: Annotated[str | None, AfterValidator(_folder)]
    """Folder with local copies of the data sets, or null: embedded photographs and downloads."""


class Noise(Section):
    sigma: Sigma | None
    """Gaussian noise level on the 0–255 scale of every pure-Gaussian experiment, or null: each its own."""


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
    """One trained network: its seeds, and where it departs from its recipe. In the file its seeds suffice."""

    seeds: list[Seed]
    steps: Count | None = None
    lr: Positive | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_seeds(cls, record: Any) -> Any:
        return {"seeds": record} if isinstance(record, list) else record


class Trainings(Section):
    """What every paper's section `train` has: variants by the group that a stage trains; a name is in one group."""

    variants: dict[str, dict[str, Variant]]

    @property
    def every(self) -> dict[str, Variant]:
        """The variants of all groups by name."""
        return {name: variant for members in self.variants.values() for name, variant in members.items()}

    @model_validator(mode="after")
    def _names_differ(self) -> "Trainings":
        names = [name for members in self.variants.values() for name in members]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"variants of different names: {min(twice)} is in two groups")
        return self


class Sharing(Section):
    """How trainings share a machine."""

    threads: Count | None
    """CPU threads of a training, as many trainings at a time as the cores bear; null: one after the other on all."""
    per_gpu: Count
    """Trainings at the same time on each GPU."""


class Latency(Section):
    size: Count
    warmup: Count
    repeats: Annotated[int, Field(ge=3)]
    dtypes: list[Literal["float32", "bfloat16"]]
    published_dtypes: list[Literal["float32", "bfloat16"]]


class Baselines(Section):
    filters: list[Literal["bm3d", "vst_bm3d", "nlm", "wavelet", "tv", "median"]]


class OwnDenoiser(Section):
    denoiser: Annotated[str, Field(pattern=r"^[\w.]+:\w+$")]
    weights: str | None
    name: str | None


class Benchmark(Section):
    sets: Annotated[list[DataSet], Field(min_length=1)]
    images: Annotated[int, Field(ge=2)] | None
    crop: Annotated[int, Field(ge=16)] | None
    denoisers: list[OwnDenoiser]


class Budget(Section):
    """On what, with what and for how long every network of the benchmark is trained; see budget.yaml."""

    train: DataSet
    validation_crop: Annotated[int, Field(ge=16)]
    sigma: Annotated[list[Sigma], Field(min_length=2, max_length=2)]
    steps: Count
    batch: Count
    crop: Annotated[int, Field(ge=8)]
    optimizer: Annotated[Adam | SGD, Field(discriminator="name")]
    schedule: Annotated[Constant | OneCycle | Steps, Field(discriminator="name")]
    precision: Literal["auto", "bf16", "fp32"]
    validate_every: Count

    @model_validator(mode="after")
    def _ordered(self) -> "Budget":
        if self.sigma[0] > self.sigma[1]:
            raise ValueError(f"a range of levels [lowest, highest], not {self.sigma}")
        return self

    def recipe(self, lr: float) -> Recipe:
        """The budget as a recipe, at a network's own learning rate."""
        own = self.model_dump(include=set(Recipe.model_fields))
        return Recipe.model_validate({**own, "lr": lr})


class Rates(Section):
    """Peak learning rates of a network in the benchmark, one for each of its trainings."""

    blind: Positive
    all: Positive


class Common(Section):
    """What every run shares, in the same words in params.yaml and in each paper's settings."""

    profile: Literal["smoke", "quick", "paper"]
    seed: Seed
    training: Sharing
    latency: Latency
    baselines: Baselines


class Shared(Common):
    """params.yaml under a profile."""

    data: Data
    noise: Noise
    benchmark: Benchmark


class Settings(Common):
    """A paper's settings under a profile: its own knobs, and what every run shares.

    `data.root` and, where the paper has an experiment of pure Gaussian noise, `noise.sigma` stand in the paper's
    sections of these names: the level is the one in effect, that of params.yaml where it is a number. Every other
    level of a paper's section `noise` stays as it is.
    benchmark: the paper's networks that enter the common benchmark; a paper may leave it out.
    """

    benchmark: dict[str, Rates] = {}


def papers() -> list[str]:
    """Names of the replicated papers: the folders of `replications/` that declare their parameters."""
    return sorted(path.parent.name for path in Path("replications").glob("*/params.py"))


def load(
    paper: str,
    profile: str | None = None,
    *,
    own_sigma: bool = False,
    data_sets: Collection[str] | None = None,
) -> Any:
    """The settings of a paper, as `replications.<paper>.params.Settings`, under a profile (None: that of params.yaml).

    own_sigma: the level of the paper's Gaussian experiment is its own, whatever `noise.sigma` is in params.yaml.
    data_sets: the names that there are, against which those of the settings are held; None: any name will do.
    Raises UserError with one line that names the first wrong key, its file, and what would be right.
    """
    common = shared(profile)
    file = Path("replications") / paper / PARAMS_FILE
    record = _read(file)
    own = _chosen(record, common.profile, file)
    everywhere = {name: getattr(common, name) for name in Common.model_fields}
    if taken := own.keys() & everywhere.keys():
        raise UserError(f"{min(taken)} is a parameter of all papers: set it in {PARAMS_FILE}, not in {file}")
    if isinstance(own.get("data"), dict):
        own["data"]["root"] = common.data.root
    replaced = common.noise.sigma is not None and not own_sigma
    if replaced and isinstance(own.get("noise"), dict) and "sigma" in own["noise"]:
        own["noise"]["sigma"] = common.noise.sigma
    model = importlib.import_module(f"replications.{paper}.params").Settings
    return _section(model, own | everywhere, file, record, data_sets)


def shared(profile: str | None = None, *, data_sets: Collection[str] | None = None) -> Shared:
    """params.yaml under a profile (None: its own). data_sets and UserError as of `load`."""
    record = _read(PARAMS_FILE)
    wanted = {} if profile is None else {"profile": profile}
    chosen = {**record, **wanted}
    if chosen.get("profile") in PROFILES:  # any other value is refused below
        chosen = _chosen(chosen, chosen["profile"], PARAMS_FILE)
    return _section(Shared, chosen, PARAMS_FILE, record, data_sets)


def budget(profile: str, *, data_sets: Collection[str] | None = None) -> Budget:
    """The benchmark's budget under a profile. data_sets and UserError as of `load`."""
    record = _read(BUDGET_FILE)
    return _section(Budget, _chosen(record, profile, BUDGET_FILE), BUDGET_FILE, record, data_sets)


class _Twice(yaml.YAMLError):
    """A key that a mapping has twice, of which YAML would take the last one without a word."""


class _UniqueKeysSafeLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As its parent's, of keys that differ."""
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.value in lines:
                raise _Twice(f"{key.value} stands twice, in lines {lines[key.value]} and {line}")
            lines[key.value] = line
        return super().construct_mapping(node, deep)


def _read(file: Path) -> dict[str, Any]:
    try:
        record = yaml.load(file.read_text(), _UniqueKeysSafeLoader)
    except FileNotFoundError:
        raise UserError(f"{file} is missing: run from the top folder of the repository") from None
    except UnicodeDecodeError:
        raise UserError(f"{file} is not text in UTF-8: save it as such") from None
    except _Twice as twice:
        raise UserError(f"{twice} ({file}): leave one of them") from None
    except yaml.YAMLError as error:
        raise UserError(f"{file} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(record, dict):
        raise UserError(f"{file} must hold parameters, key: value")
    return record


def _chosen(record: Any, profile: str, file: Path, key: str = "") -> Any:
    """The record with one profile's value wherever there is one for each."""
    if not isinstance(record, dict):
        return record
    if any(name in PROFILES for name in record):
        if sorted(map(str, record)) != sorted(PROFILES):
            raise UserError(f"{key} must have a value for each of {', '.join(PROFILES)}, and no other ({file})")
        return record[profile]
    return {name: _chosen(value, profile, file, f"{key}.{name}".strip(".")) for name, value in record.items()}


S = TypeVar("S", bound=BaseModel)


def _section(model: type[S], record: Any, file: Path, written: Any, data_sets: Collection[str] | None = None) -> S:
    """The validated section; `written` is what the file holds, in which a knob may have a value for each profile."""
    try:
        return model.model_validate(record, context={"data_sets": data_sets})
    except ValidationError as failure:
        raise UserError(_one_line(model, failure, file, written)) from None


def _one_line(model: type[BaseModel], failure: ValidationError, file: Path, written: Any) -> str:
    error = min(
        failure.errors(), key=lambda error: error["type"] != "extra_forbidden"
    )  # a misspelt key is also missing
    location, at = _located(model, error["loc"])
    key = ".".join(location)
    more = f" (and {failure.error_count() - 1} more)" if failure.error_count() > 1 else ""
    if error["type"] == "extra_forbidden":
        known = set(getattr(at, "model_fields", {}))
        return f"{key} is not a parameter ({file}){_did_you_mean(location[-1], known)}{more}"
    if error["type"] == "missing":
        return f"{key} is missing ({file}): every parameter needs a value{more}"
    if error["type"] == "union_tag_invalid":
        context = error["ctx"]
        return f"{key}.name must be one of {context['expected_tags']} ({file}), got {context['tag']!r}{more}"
    wanted = (
        error["msg"]
        .removeprefix("Input should be ")
        .removeprefix("Value error, ")
        .replace("greater than or equal to", "≥")
    )
    wanted = wanted.replace("less than or equal to", "≤").replace("greater than", ">").replace("less than", "<")
    row = " of this profile" if _is_row(written, location) else ""
    return f"{key}{row} must be {wanted} ({file}), got {error['input']!r}{_as_yaml_reads(error['input'])}{more}"


def _as_yaml_reads(value: object) -> str:
    """What to write in place of a number that YAML reads as text, such as 1e-3; empty for anything else."""
    try:
        number = Decimal(value.strip()) if isinstance(value, str) else None
    except ArithmeticError:
        number = None
    return f"; write {number:f}" if number is not None and number.is_finite() else ""


def _is_row(written: Any, keys: Sequence[str]) -> bool:
    """Whether the file has a value for each profile at this place."""
    for key in keys:
        if isinstance(written, dict) and any(name in PROFILES for name in written):
            return True
        written = written.get(key) if isinstance(written, dict) else None
    return isinstance(written, dict) and any(name in PROFILES for name in written)


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
