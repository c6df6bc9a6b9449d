"""replications/<paper>/summary.yaml: what the report's first screen says of a paper, in sentences that cannot go stale.

`claims` and `found` are Jinja templates, so that every number in them is the ledger's. They know:
`ours["U6.psnr"]` and `published[…]`, numbers of rows of results/claims.csv; `psnr.<experiment>.<network>` in dB under
the suite's convention; `holds("U2")` and `fails("U2")`, by the row's verdict; `same(a, b, within)`; and the filters
`db` (two decimals), `apart` ("0.37 dB above"), `digits(n)` (n significant ones). A sentence that speaks of what this
run did not measure is not said at all.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined, TemplateError, UndefinedError
from pydantic import BaseModel, ConfigDict, ValidationError

from common.claims import verdict
from common.errors import UserError

Row = Mapping[str, str]
"""A row of results/claims.csv as it stands there; an empty cell is an empty text."""
Psnr = Mapping[str, Mapping[str, float]]
"""Experiment → network → mean PSNR in dB, suite's convention."""
HELD = (verdict.REPRODUCED, verdict.HOLDS)
FAILED = (verdict.NOT_REPRODUCED, verdict.DOES_NOT_HOLD)


class Strict(BaseModel):
    """Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PublishedScale(Strict):
    """A published table that a run at the published scale stands beside.

    claim: the claim whose numbers are the table. what: its caption. orders: claims shown below it. found: a template
    over that run's ledger.
    """

    claim: str
    what: str
    orders: list[str] = []
    found: str


class Showcase(Strict):
    """A photograph of a data set, restored by networks that come with the suite (`common.report.showcase`).

    crop: top, left, height and width in pixels. sigma: of its Gaussian noise, 0–255 scale. what: in words.
    """

    what: str
    dataset: str
    split: str
    image: str
    crop: tuple[int, int, int, int]
    sigma: float
    networks: list[str]


class Summary(Strict):
    """name: of the paper, short. picture: <experiment>/<beginning of an image's id>, the panel that stands for it where
    there is no showcase.
    """

    name: str
    claims: str
    found: str
    picture: str | None = None
    showcase: Showcase | None = None
    published_scale: PublishedScale | None = None


def load(paper: str, title: str) -> Summary:
    """Read summary.yaml; a paper without one is known by its title. UserError: one line that names file and key."""
    path = Path("replications", paper, "summary.yaml")
    if not path.is_file():
        return Summary(name=title, claims=title, found="")
    try:
        return Summary.model_validate(yaml.safe_load(path.read_text()))
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    except ValidationError as failure:
        first = failure.errors()[0]
        raise UserError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg'].lower()}") from None


def say(template: str, rows: Mapping[str, Row], psnr: Psnr) -> str | None:
    """The sentence on one line, or None where it needs what was not measured. UserError for a broken template."""
    environment = Environment(undefined=StrictUndefined)
    environment.filters.update(db=_db, apart=_apart, digits=_digits)
    context: dict[str, Any] = {
        "ours": _Numbers(rows, "ours"),
        "published": _Numbers(rows, "published"),
        "psnr": psnr,
        "holds": lambda identifier: _verdict(rows, identifier) in HELD,
        "fails": lambda identifier: _verdict(rows, identifier) in FAILED,
        "same": lambda one, other, within: abs(one - other) <= within,
    }
    try:
        return " ".join(environment.from_string(template).render(context).split())
    except UndefinedError:
        return None
    except TemplateError as error:
        raise UserError(
            f"a sentence of a summary.yaml is no template: {error} in {' '.join(template.split())}"
        ) from None


class _Numbers(dict[str, float]):
    """A column of the ledger where it holds numbers; what it does not hold is undefined in a template."""

    def __init__(self, rows: Mapping[str, Row], column: str) -> None:
        super().__init__()
        for identifier, row in rows.items():
            try:
                self[identifier] = float(row[column])
            except ValueError:  # an order, a bound, or nothing measured
                continue


def _verdict(rows: Mapping[str, Row], identifier: str) -> str:
    if identifier not in rows:
        raise UndefinedError(f"{identifier} is no row of the ledger")
    found = rows[identifier]["verdict"]
    if found == verdict.NOT_RUN:
        raise UndefinedError(f"{identifier} was not run")
    return found


def _db(value: float) -> str:
    return f"{float(value):.2f}"  # float() of what is undefined raises UndefinedError, formatting it does not


def _apart(difference: float) -> str:
    return f"{abs(float(difference)):.2f} dB {'above' if difference >= 0 else 'below'}"


def _digits(value: float, count: int) -> str:
    return f"{float(value):.{count}g}"
