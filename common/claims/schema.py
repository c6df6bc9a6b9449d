"""replications/<paper>/claims.yaml: what a paper claims, as data, validated before anything is measured.

A claim names its measure: `psnr_db`, `ssim` or `mse` of the score tables, or `<file>.<path>` in
results/<paper>/<file>.json, where a number is exact and a list holds one sample per training seed; `settings.<path>`
is a parameter of the paper. `{}` in a path takes the row's name. `parts` repeats a claim with other fields:
{jpeg: {at_least: 1}} makes the rows U17.jpeg….
"""

import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from common.errors import UserError
from common.score.metrics import CONVENTIONS

SCORES = ("psnr_db", "ssim", "mse")
PSNR_TOLERANCE_DB = 0.15
"""Tolerance of a published PSNR where the claim states none."""


class Strict(BaseModel):
    """A section of claims.yaml: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _known_measure(measure: str) -> str:
    if measure not in SCORES and not re.fullmatch(r"\w+(\.[\w{}-]+)+", measure):
        raise ValueError(f"one of {', '.join(SCORES)} or <file>.<path in results/<paper>/<file>.json>")
    return measure


def _known_convention(convention: str) -> str:
    if convention not in CONVENTIONS:
        raise ValueError(f"one of {', '.join(CONVENTIONS)}")
    return convention


Text = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Above0 = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Profile = Literal["smoke", "quick", "paper"]
Name = Annotated[str, Field(pattern=r"^[\w.-]+$")]
Measure = Annotated[str, AfterValidator(_known_measure)]
Convention = Annotated[str, AfterValidator(_known_convention)]
Setting = bool | int | float | str | list[Any] | None
Settings = dict[str, Setting]


class Experiment(Strict):
    """A paper's protocol: dotted paths into its settings, and the published values.

    data: where ours differ, verdicts are on a stand-in. noise: … are off-protocol. recipe, and fewer training seeds
    than `seeds`: … are reduced. `*` in a path stands for every key. always: differences that no setting holds, such
    as the paper's hardware.
    """

    data: Settings = {}
    noise: Settings = {}
    recipe: Settings = {}
    seeds: Annotated[int, Field(ge=1)] = 1
    always: dict[Literal["stand-in", "reduced"], Text] = {}


class Claim(Strict):
    """What every kind of claim has.

    id: as in the paper's list of claims, set by `parts` to U17.jpeg. experiment: of `experiments`, and the experiment
    column of the score tables; only a fact may do without. convention: of the scores, fixed beforehand. profiles: where
    the claim is tested. untestable: why nothing is judged. note: what we settled where the paper is open.
    """

    id: Annotated[str, Field(pattern=r"^[NUDGE]\d+(\.[\w-]+)?$")]
    source: Text
    says: Text
    measure: Measure | None = None
    experiment: Name | None = None
    convention: Convention = "suite"
    profiles: Annotated[list[Profile], Field(min_length=1)] = ["smoke", "quick", "paper"]
    untestable: Text | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _complete(self) -> "Claim":
        if self.untestable:
            return self
        if self.measure is None:
            raise ValueError("measure is missing: a claim is tested by a measure, or untestable with its reason")
        if self.experiment is None and (not isinstance(self, Fact) or self.measure in SCORES):
            raise ValueError("experiment is missing: its protocol tells the fidelity")
        return self


class Bounds(Strict):
    """Where a measured quantity must lie.

    sign: above or below zero, a row of its own beside the size. published ± tolerance, or at_least and at_most: the
    size. within: equivalence test, |quantity| < within.
    """

    sign: Literal["positive", "negative"] | None = None
    published: Number | None = None
    tolerance: Above0 | None = None
    at_least: Number | None = None
    at_most: Number | None = None
    within: Above0 | None = None

    @property
    def bounded(self) -> bool:
        """Whether any bound is set."""
        return any(bound is not None for bound in (self.sign, self.published, self.at_least, self.at_most, self.within))

    @model_validator(mode="after")
    def _one_size(self) -> "Bounds":
        ranged = self.at_least is not None or self.at_most is not None
        if ranged + (self.published is not None) + (self.within is not None) > 1:
            raise ValueError("one size only: published ± tolerance, at_least / at_most, or within")
        if self.published is not None and self.tolerance is None:
            raise ValueError("tolerance is missing: published is judged within it")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least:g} is above at_most {self.at_most:g}")
        return self

    @model_validator(mode="after")
    def _some_bound(self) -> "Bounds":
        if bool(getattr(self, "values", {})) + self.bounded + bool(getattr(self, "untestable", None)) == 0:
            raise ValueError("a bound is missing: sign, published and tolerance, at_least, at_most or within")
        return self


class Value(Claim):
    """Published numbers, a row each: |ours - published| ≤ tolerance. table: results/tables/<table>.csv shows them."""

    kind: Literal["value"]
    values: Annotated[dict[Name, Number], Field(min_length=1)]
    tolerance: Above0 | None = None
    table: Name | None = None

    @model_validator(mode="after")
    def _tolerated(self) -> "Value":
        if self.tolerance is None and self.measure != "psnr_db" and not self.untestable:
            raise ValueError(f"tolerance is missing: only psnr_db has one of its own, {PSNR_TOLERANCE_DB} dB")
        return self


class Fact(Claim, Bounds):
    """What holds exactly: each of `values` (or within `tolerance` of it), or bounds, for each of `rows` if any."""

    kind: Literal["fact"]
    values: dict[Name, Number] = {}
    rows: list[Name] = []

    @model_validator(mode="after")
    def _one_way(self) -> "Fact":
        if self.values and (self.bounded or self.rows):
            raise ValueError("a fact has values, or bounds with their rows, not both")
        return self


class Order(Claim):
    """A ranking, best first; a row for each neighbouring pair and one for the whole. values: where published."""

    kind: Literal["order"]
    ranking: Annotated[list[Name], Field(min_length=2)]
    better: Literal["higher", "lower"] = "higher"
    values: dict[Name, Number] = {}

    @model_validator(mode="after")
    def _as_published(self) -> "Order":
        if len(set(self.ranking)) < len(self.ranking):
            raise ValueError("ranking names a row twice")
        published = sorted(self.values, key=self.values.__getitem__, reverse=self.better == "higher")
        if published and published != self.ranking:
            raise ValueError(f"ranking is not that of values, {self.better} being better")
        return self


class Margin(Claim, Bounds):
    """A difference, `of` - `minus`."""

    kind: Literal["margin"]
    of: Name
    minus: Name


class Ratio(Claim, Bounds):
    """A quotient, `of` / `over`, of positive quantities."""

    kind: Literal["ratio"]
    of: Name
    over: Name

    @model_validator(mode="after")
    def _no_zero(self) -> "Ratio":
        if self.sign or self.within:
            raise ValueError("a ratio is bounded by published and tolerance, at_least or at_most")
        return self


class Curve(Claim, Bounds):
    """The shape of a curve as one number, of one row or the difference `of` - `minus` of two."""

    kind: Literal["curve"]
    of: Name | None = None
    minus: Name | None = None

    @model_validator(mode="after")
    def _of_something(self) -> "Curve":
        if self.of is None and (self.minus or self.measure in SCORES or "{}" in (self.measure or "")):
            raise ValueError("of is missing: the row that is measured")
        return self


class Visual(Curve):
    """Image panels, judged by the measure named here. panels: files in results/<paper>/panels."""

    kind: Literal["visual"]  # type: ignore[assignment]
    panels: list[Text] = []


class SelfCheck(Strict):
    """A paper against itself: a published number and what its other numbers make of it.

    computed: arithmetic on published numbers (+ - * / **, log10, sqrt), or a measure. Without one, the contradiction
    stands in `says`.
    """

    id: Annotated[str, Field(pattern=r"^[NUDGE]S\d+$")]
    source: Text
    says: Text
    published: Number | None = None
    computed: str | int | float | None = None
    tolerance: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _computable(self) -> "SelfCheck":
        if (self.published is None) != (self.computed is None):
            raise ValueError("published and computed go together")
        return self


class Choice(Strict):
    """A choice that the paper leaves open, and where ours comes from."""

    parameter: Text
    value: Setting
    provenance: Literal["paper", "lineage", "ours"]
    note: Text


AnyClaim = Value | Fact | Order | Margin | Ratio | Curve | Visual
KINDS: dict[str, type[Claim]] = {model.__name__.lower(): model for model in get_args(AnyClaim)}


class Claims(Strict):
    """A paper's claims.yaml, its parts unfolded."""

    paper: Text
    title: Text
    citation: Text
    experiments: dict[Name, Experiment]
    claims: list[AnyClaim]
    self_checks: list[SelfCheck] = []
    choices: list[Choice] = []


def load(paper: str) -> Claims:
    """Read replications/<paper>/claims.yaml. Raises UserError: one line that names the claim, the key and the fix."""
    path = Path("replications") / paper / "claims.yaml"
    try:
        record = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise UserError(f"{path} is missing: a paper's claims are listed there") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    claims = parse(record, str(path))
    if claims.paper != paper:
        raise UserError(f"paper must be {paper}, the name of its folder ({path}), got {claims.paper!r}")
    return claims


def parse(record: Any, path: str) -> Claims:
    """Validate the contents of a claims.yaml; `path` is for the messages."""
    if not isinstance(record, dict) or not isinstance(record.get("claims"), list):
        raise UserError(f"claims must be a list ({path})")
    entries = [entry for claim in record["claims"] for entry in _unfold(claim, path)]
    claims = [_validated(_model_of(entry, path), entry, _id(entry), path) for entry in entries]
    checks = [_validated(SelfCheck, entry, _id(entry), path) for entry in record.get("self_checks") or []]
    whole = _validated(Claims, {**record, "claims": claims, "self_checks": checks}, "", path)
    for claim in claims:
        if claim.experiment is not None and claim.experiment not in whole.experiments:
            known = ", ".join(whole.experiments) or "experiments, which is empty"
            raise UserError(f"{claim.id}: experiment must be one of {known} ({path}), got {claim.experiment!r}")
    ids = [claim.id for claim in claims] + [check.id for check in checks]
    for repeated in {name for name in ids if ids.count(name) > 1}:
        raise UserError(f"{repeated}: the id stands twice ({path}); fields of one claim go under its parts")
    return whole


def _unfold(claim: Any, path: str) -> list[dict[str, Any]]:
    """A claim for each of its parts, whose fields come on top of the claim's own."""
    if not isinstance(claim, dict):
        raise UserError(f"every claim must be a mapping ({path}), got {claim!r}")
    if "parts" not in claim:
        return [claim]
    parts = claim["parts"]
    if not isinstance(parts, dict) or not all(isinstance(part, dict) for part in parts.values()):
        raise UserError(f"{_id(claim)}: parts must be a mapping of names to fields ({path})")
    whole = {key: value for key, value in claim.items() if key != "parts"}
    return [{**whole, **fields, "id": f"{_id(claim)}.{name}"} for name, fields in parts.items()]


def _id(entry: Any) -> str:
    return str(entry.get("id", "a claim without id")) if isinstance(entry, dict) else "claims"


def _model_of(entry: dict[str, Any], path: str) -> type[Claim]:
    kind = entry.get("kind")
    if kind not in KINDS:
        raise UserError(f"{_id(entry)}: kind must be one of {', '.join(KINDS)} ({path}), got {kind!r}")
    return KINDS[kind]


M = TypeVar("M", bound=BaseModel)


def _validated(model: type[M], entry: Any, name: str, path: str) -> M:
    try:
        return model.model_validate(entry)
    except ValidationError as failure:
        error = failure.errors()[0]
    key = ".".join(map(str, error["loc"]))
    prefix, place = (f"{name}: " if name else ""), f"({path})"
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(key, model.model_fields, n=1)
        hint = f"; did you mean {close[0]}?" if close else f"; known here: {', '.join(model.model_fields)}"
        raise UserError(f"{prefix}{key} is not a key of {model.__name__.lower()} {place}{hint}")
    if error["type"] == "missing":
        raise UserError(f"{prefix}{key} is missing {place}")
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if not key:
        raise UserError(f"{prefix}{message} {place}")
    raise UserError(f"{prefix}{key} must be {message} {place}, got {error['input']!r}")
