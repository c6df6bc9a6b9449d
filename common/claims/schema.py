"""claims.yaml: what a paper claims, as data, validated before anything is measured (CONTRIBUTING.md shows it all)."""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from common.claims import sentence
from common.claims.sentence import Sentence
from common.errors import UserError
from common.score.metrics import CONVENTIONS

SCORES = ("psnr_db", "ssim", "mse")
Text = Annotated[str, Field(min_length=1)]
Setting = bool | int | float | str | list[Any] | None


class Strict(BaseModel):
    """A section of claims.yaml: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Experiment(Strict):
    """A paper's protocol: dotted paths into its settings, and the published values; `*` in a path is any key.

    data: where ours differ, verdicts are on a stand-in. noise: … are off-protocol. recipe: … are reduced.
    seeds: a network's trainings; fewer are named beside a verdict. always: differences that no setting holds.
    """

    data: dict[str, Setting] = {}
    noise: dict[str, Setting] = {}
    recipe: dict[str, Setting] = {}
    seeds: Annotated[int, Field(ge=1)] = 1
    always: dict[Literal["stand-in", "reduced"], Text] = {}


class Claim(Strict):
    """A claim: a row of the ledger, a sentence about rows of which `measure` tells the number.

    experiment: whose protocol and scores; a fact, such as a count of parameters, does without. profiles: where it is
    tested. untestable: why it is not judged. table: results/tables/<table>.csv shows it. note: what we settled.
    """

    id: Annotated[str, Field(pattern=r"^[A-Z]\d+(\.[\w-]+)*$")]
    source: Text
    says: Text
    test: Annotated[Sentence, PlainValidator(sentence.parse)]
    measure: str | None = None
    experiment: str | None = None
    convention: str = "suite"
    profiles: Annotated[list[Literal["smoke", "quick", "paper"]], Field(min_length=1)] = ["smoke", "quick", "paper"]
    untestable: Text | None = None
    table: Annotated[str, Field(pattern=r"^[\w.-]+$")] | None = None
    note: Text | None = None

    @property
    def kind(self) -> str:
        """fact, value, bound, margin, ratio or order."""
        forms = {"row": "bound" if self.test.published is None else "value", "difference": "margin"}
        return "fact" if self.experiment is None else forms.get(self.test.form, self.test.form)

    @model_validator(mode="after")
    def _complete(self) -> "Claim":
        measure, test = self.measure, self.test
        if measure and measure not in SCORES and not re.fullmatch(r"\w+(\.[\w-]+)*\.\{\}(\.[\w-]+)*", measure):
            known = f"{', '.join(SCORES)} or <file>.<path in results/<paper>/<file>.json, {{}} for the row's name>"
            raise ValueError(f"measure must be one of {known}, got {measure!r}")
        if self.untestable:
            return self
        if measure is None:
            raise ValueError("measure is missing: a claim is tested by a measure, or untestable with its reason")
        if self.experiment is None and measure in SCORES:
            raise ValueError("experiment is missing: its protocol tells the fidelity")
        if not test.wanted or (self.kind == "value" and not test.tolerance):
            raise ValueError(f"test must say what is within the claim, as in {test.text.split('==')[0]}== 29 +- 0.15")
        return self


class SelfCheck(Strict):
    """A paper against itself: a printed number and what its others make of it; a contradiction in words has no test."""

    id: Annotated[str, Field(pattern=r"^[A-Z]S\d+$")]
    source: Text
    says: Text
    test: Annotated[tuple[str, float, float, float], PlainValidator(sentence.parse_check)] | None = None


class Choice(Strict):
    """A choice that the paper leaves open, and where ours comes from."""

    parameter: Text
    value: Setting
    provenance: Literal["paper", "lineage", "ours"]
    note: Text


class Claims(Strict):
    """A paper's claims.yaml, its parts unfolded."""

    paper: Text
    title: Text
    citation: Text
    experiments: dict[str, Experiment]
    claims: list[Claim]
    self_checks: list[SelfCheck] = []
    choices: list[Choice] = []


def load(paper: str) -> Claims:
    """Read replications/<paper>/claims.yaml. Raises UserError: one line that names the claim, the key and the fix."""
    path = Path("replications") / paper / "claims.yaml"
    try:
        claims = parse(yaml.safe_load(path.read_text()), str(path))
    except (FileNotFoundError, yaml.YAMLError) as error:
        raise UserError(f"{path} must be a YAML file of claims: {' '.join(str(error).split())}") from None
    if claims.paper != paper:
        raise UserError(f"paper must be {paper}, the name of its folder ({path}), got {claims.paper!r}")
    return claims


def parse(record: Any, path: str) -> Claims:
    """Validate the contents of a claims.yaml; `path` is for the messages."""
    if not isinstance(record, dict) or not isinstance(record.get("claims"), list):
        raise UserError(f"claims must be a list ({path})")
    entries = [entry for claim in record["claims"] for entry in _unfold(claim, path)]
    claims = [_validated(Claim, entry, path) for entry in entries]
    checks = [_validated(SelfCheck, entry, path) for entry in record.get("self_checks") or []]
    whole: Claims = _validated(Claims, {**record, "claims": claims, "self_checks": checks}, path)
    for claim in claims:
        for key, known in (("experiment", whole.experiments), ("convention", CONVENTIONS)):
            if getattr(claim, key) is not None and getattr(claim, key) not in known:
                raise UserError(f"{claim.id}: {key} must be one of {', '.join(known)} ({path})")
    ids = [claim.id for claim in claims] + [check.id for check in checks]
    if repeated := sorted({name for name in ids if ids.count(name) > 1}):
        raise UserError(f"{repeated[0]}: the id stands twice ({path}); fields of one claim go under its parts")
    return whole


def _unfold(claim: Any, path: str) -> Iterator[dict[str, Any]]:
    """A claim for each of its parts, whose fields come on top of the claim's own; parts may have parts."""
    if not isinstance(claim, dict):
        raise UserError(f"every claim must be a mapping, every part one or a sentence ({path}), got {claim!r}")
    rest = {key: value for key, value in claim.items() if key != "parts"}
    if (parts := claim.get("parts")) is None:
        yield rest
        return
    if not isinstance(parts, dict | list):
        raise UserError(f"{_name(claim)}: parts must be sentences, or a mapping of names to them ({path})")
    named = parts.items() if isinstance(parts, dict) else [(re.split(r"\W", str(part))[0], part) for part in parts]
    for name, part in named:  # a sentence without a name has that of its first row
        fields = {"test": part} if isinstance(part, str) else part
        whole = {**rest, **fields, "id": f"{_name(claim)}.{name}"} if isinstance(fields, dict) else part
        yield from _unfold(whole, path)


def _name(entry: Any) -> str:
    return str(entry.get("id", "a claim without id")) if isinstance(entry, dict) else "claims"


def _validated(model: type[BaseModel], entry: Any, path: str) -> Any:
    try:
        return model.model_validate(entry)
    except ArithmeticError as wrong:  # 1 / 0
        raise UserError(f"{_name(entry)}: test: {wrong} ({path})") from None
    except ValidationError as failure:
        error = failure.errors()[0]
    key, fields = ".".join(map(str, error["loc"])), list(model.model_fields)
    problem = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(key, fields, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(fields)}"
        problem = f"{key} is not a key of {model.__name__.lower()}; {hint}"
    elif error["type"] == "missing":
        problem = f"{key} is missing"
    elif key:
        problem = f"{key} must be {problem}, got {error['input']!r}"
    raise UserError(("" if model is Claims else f"{_name(entry)}: ") + f"{problem} ({path})")
