"""replications/<paper>/claims.yaml: what a paper claims, as data, validated before anything is measured.

A claim is a sentence about rows (networks, filters, `noisy`), of which `measure` tells the number:

    - id: U1                                     # as in the paper's list of claims; a row of results/claims.csv
      source: Table 1
      says: PSNR on BSDS300 at σ = 30
      experiment: table1                         # of `experiments`: its protocol, and that column of the score tables
      measure: psnr_db                           # psnr_db, ssim, mse; or complexity.{}.macs: results/<paper>/complexity.json,
                                                 #   {} is the row's name; settings.{} is a parameter of the paper
      convention: lineage                        # of the scores; suite where none is named
      test: dncnn == 28.9662 +- 0.15             # a published number: judged at full fidelity alone, else shown

Other sentences: the interval of the quantity must lie where the sentence says.

    dn_blind - dn_gaussian >= -0.3               # a difference; of scores, it is paired over the images
    1 <= dn_jpeg - noisy <= 2
    wgan - dcgan == 2.3809 +- 0.15
    wgan > dcgan                                 # the sign of a difference
    dudncnn > dncnn > udncnn                     # an order, best first; of losses: bilinear < shuffle < reshape
    clean == noisy +- 0.2                        # equal, by an equivalence test
    dsc / plain <= 0.6                           # a ratio
    critic_gap < 0                               # one row
    parameters == 28985088                       # exactly

The sign and the size of a margin are parts of their own. `parts` repeats a claim with other fields, under the ids
G3.sign and G3.size; a part that is a sentence has that test:

    - id: G3
      …
      parts: {sign: wgan > dcgan, size: wgan - dcgan == 2.3809 +- 0.15}

A self-check holds the paper's numbers against each other, `printed == computed +- tolerance`:

    test: 0.107 == 4 * 10**(-21.335 / 10) +- 0.001
"""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from common.claims.sentence import Sentence, parse_check
from common.claims.sentence import parse as parse_sentence
from common.errors import UserError
from common.score.metrics import CONVENTIONS

SCORES = ("psnr_db", "ssim", "mse")


class Strict(BaseModel):
    """A section of claims.yaml: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _known_measure(measure: str) -> str:
    if measure not in SCORES and not re.fullmatch(r"\w+(\.[\w-]+)*\.\{\}(\.[\w-]+)*", measure):
        raise ValueError(f"one of {', '.join(SCORES)} or <file>.<path in results/<paper>/<file>.json, {{}} for the row>")
    return measure


def _known_convention(convention: str) -> str:
    if convention not in CONVENTIONS:
        raise ValueError(f"one of {', '.join(CONVENTIONS)}")
    return convention


Text = Annotated[str, Field(min_length=1)]
Setting = bool | int | float | str | list[Any] | None
Settings = dict[str, Setting]


class Experiment(Strict):
    """A paper's protocol: dotted paths into its settings, and the published values; `*` in a path is every key.

    data: where ours differ, verdicts are on a stand-in. noise: … are off-protocol. recipe: … are reduced. seeds: the
    trainings of each network; fewer are named beside a verdict. always: differences that no setting holds, such as the
    paper's hardware.
    """

    data: Settings = {}
    noise: Settings = {}
    recipe: Settings = {}
    seeds: Annotated[int, Field(ge=1)] = 1
    always: dict[Literal["stand-in", "reduced"], Text] = {}


class Claim(Strict):
    """A claim, a row of the ledger.

    experiment: a fact, such as a count of parameters, does without. profiles: where it is tested. untestable: why
    nothing is judged. table: results/tables/<table>.csv shows it. note: what we settled where the paper is open.
    """

    id: Annotated[str, Field(pattern=r"^[NUDGE]\d+(\.[\w-]+)*$")]
    source: Text
    says: Text
    test: Annotated[Sentence, PlainValidator(parse_sentence)]
    measure: Annotated[str, AfterValidator(_known_measure)] | None = None
    experiment: Text | None = None
    convention: Annotated[str, AfterValidator(_known_convention)] = "suite"
    profiles: Annotated[list[Literal["smoke", "quick", "paper"]], Field(min_length=1)] = ["smoke", "quick", "paper"]
    untestable: Text | None = None
    table: Annotated[str, Field(pattern=r"^[\w.-]+$")] | None = None
    note: Text | None = None

    @property
    def kind(self) -> str:
        """fact, value, bound, margin, ratio or order."""
        if self.experiment is None:
            return "fact"
        if self.test.form == "row":
            return "bound" if self.test.published is None else "value"
        return "margin" if self.test.form == "difference" else self.test.form

    @model_validator(mode="after")
    def _complete(self) -> "Claim":
        if self.untestable:
            return self
        if self.measure is None:
            raise ValueError("measure is missing: a claim is tested by a measure, or untestable with its reason")
        if self.experiment is None and self.measure in SCORES:
            raise ValueError("experiment is missing: its protocol tells the fidelity")
        if not self.test.wanted:
            raise ValueError(f"test has nothing to compare with: {self.test.text}")
        if self.kind == "value" and not self.test.tolerance:
            raise ValueError(f"tolerance is missing: {self.test.text} +- …")
        return self


class SelfCheck(Strict):
    """A paper against itself: a printed number and what its others make of it; a contradiction in words has no test."""

    id: Annotated[str, Field(pattern=r"^[NUDGE]S\d+$")]
    source: Text
    says: Text
    test: Annotated[tuple[float, str, float], PlainValidator(parse_check)] | None = None


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

    @property
    def published(self) -> list[tuple[Claim, str, float]]:
        """The published numbers: each one's claim, row and value."""
        named = [(claim, claim.test.rows[0], claim.test.published) for claim in self.claims if claim.kind == "value"]
        return [(claim, row, value) for claim, row, value in named if value is not None]


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
    claims = [_validated(Claim, entry, path) for entry in entries]
    checks = [_validated(SelfCheck, entry, path) for entry in record.get("self_checks") or []]
    whole = _validated(Claims, {**record, "claims": claims, "self_checks": checks}, path)
    for claim in claims:
        if claim.experiment is not None and claim.experiment not in whole.experiments:
            known = ", ".join(whole.experiments) or "experiments, which is empty"
            raise UserError(f"{claim.id}: experiment must be one of {known} ({path}), got {claim.experiment!r}")
    ids = [claim.id for claim in claims] + [check.id for check in checks]
    for repeated in {name for name in ids if ids.count(name) > 1}:
        raise UserError(f"{repeated}: the id stands twice ({path}); fields of one claim go under its parts")
    return whole


def _unfold(claim: Any, path: str) -> Iterator[dict[str, Any]]:
    """A claim for each of its parts, whose fields come on top of the claim's own; parts may have parts."""
    if not isinstance(claim, dict):
        raise UserError(f"every claim must be a mapping ({path}), got {claim!r}")
    if "parts" not in claim:
        yield claim
        return
    whole = {key: value for key, value in claim.items() if key != "parts"}
    name = _name(claim)
    parts = claim["parts"]
    if isinstance(parts, list):
        parts = {re.split(r"\W", str(sentence))[0]: sentence for sentence in parts}
    if not isinstance(parts, dict) or not parts:
        raise UserError(f"{name}: parts must be sentences, or a mapping of names to sentences or fields ({path})")
    for part, fields in parts.items():
        own = {"test": fields} if isinstance(fields, str) else fields
        if not isinstance(own, dict):
            raise UserError(f"{name}.{part} must be a sentence or a mapping of fields ({path}), got {fields!r}")
        yield from _unfold({**whole, **own, "id": f"{name}.{part}"}, path)


def _name(entry: Any) -> str:
    return str(entry.get("id", "a claim without id")) if isinstance(entry, dict) else "claims"


M = TypeVar("M", bound=BaseModel)


def _validated(model: type[M], entry: Any, path: str) -> M:
    try:
        return model.model_validate(entry)
    except ValidationError as failure:
        error = failure.errors()[0]
    key = ".".join(map(str, error["loc"]))
    prefix = "" if model is Claims else f"{_name(entry)}: "
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(key, model.model_fields, n=1)
        hint = f"; did you mean {close[0]}?" if close else f"; known here: {', '.join(model.model_fields)}"
        raise UserError(f"{prefix}{key} is not a key of {model.__name__.lower()} ({path}){hint}")
    if error["type"] == "missing":
        raise UserError(f"{prefix}{key} is missing ({path})")
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if not key:
        raise UserError(f"{prefix}{message} ({path})")
    raise UserError(f"{prefix}{key} must be {message} ({path}), got {error['input']!r}")
