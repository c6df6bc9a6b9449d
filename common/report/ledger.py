"""The ledger as a reader sees it: each paper's claims, and behind each of their rows the evidence for its verdict."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from common.report.material import PUBLISHED_SCALE, Material, Row
from common.report.names import experiment_name, names_of
from common.report.words import FIDELITY, OUTCOMES, TONES
from common.score.metrics import CONVENTIONS

CLAIM_ID = re.compile(r"[A-Z]+\d+")
"""The beginning of a row's id: the claim's."""


@dataclass(frozen=True)
class Entry:
    """A row of the ledger. scale, scale_verdict: the published-scale run's. facts: terms and texts of the evidence.

    departures: what differs from the paper's protocol. links: texts and addresses in the page.
    """

    id: str
    label: str
    published: str
    ours: str
    scale: str
    scale_verdict: str
    verdict: str
    fidelity: str
    facts: Sequence[tuple[str, str]]
    departures: Sequence[str]
    links: Sequence[tuple[str, str]]

    @property
    def tone(self) -> str:
        """Colour of the verdict."""
        return TONES.get(self.verdict, "open")


@dataclass(frozen=True)
class Claim:
    """What a paper says, and the rows that test it. anchor: empty where an earlier one of the same id has it."""

    id: str
    says: str
    source: str
    anchor: str
    entries: Sequence[Entry]


@dataclass(frozen=True)
class PaperLedger:
    """A paper's claims, then its checks against itself."""

    paper: str
    name: str
    claims: Sequence[Claim]


def ledger(material: Material, figures: Mapping[str, Mapping[str, str]]) -> list[PaperLedger]:
    """Every row of every paper. figures: paper → address in the page → caption, of all that a row may refer to."""
    return [
        PaperLedger(paper, material.summaries[paper].name, _claims(material, paper, figures[paper]))
        for paper in material.claims
    ]


def _claims(material: Material, paper: str, figures: Mapping[str, str]) -> list[Claim]:
    rows = [*material.rows(paper), *material.rows(paper, self_checks=True)]
    taken = {row["id"] for row in rows}
    claims = []
    for (identifier, says, source), members in groupby(
        rows, lambda row: (claim_id(row["id"]), row["says"], row["source"])
    ):
        entries = [entry(material, row, figures) for row in members]
        anchor = "" if identifier in taken else identifier
        taken.add(identifier)
        claims.append(Claim(identifier, says, source, anchor, entries))
    return claims


def claim_id(identifier: str) -> str:
    """U1 of U1.dncnn."""
    found = CLAIM_ID.match(identifier)
    return found[0] if found else identifier


def entry(material: Material, row: Row, figures: Mapping[str, str]) -> Entry:
    """One row with its evidence."""
    scale = material.published_scale.get(row["id"], {})
    return Entry(
        id=row["id"],
        label=_label(row),
        published=by_name(row, row["published"]),
        ours=by_name(row, row["ours"]),
        scale=by_name(row, scale.get("ours", "")),
        scale_verdict=scale.get("verdict", ""),
        verdict=row["verdict"],
        fidelity=row["fidelity"],
        facts=[(term, text) for term, text in _facts(material, row) if text],
        departures=[part for part in row["reason"].split("; ") if part],
        links=_links(material, row, figures),
    )


def thousands(text: str) -> str:
    """A whole number of five digits or more with its thousands separated; other text as it is."""
    return f"{int(text):,}" if text.isdigit() and len(text) > 4 else text


def shown(text: str) -> str:
    """What was measured: whole numbers in full, the others in a text with four significant digits at most."""
    return re.sub(r"-?\d+\.\d+(e[+-]?\d+)?", lambda found: _four_digits(found[0]), thousands(text))


def _four_digits(number: str) -> str:
    """Shortened where it has more, its zeros kept: 29.10, not 29.1."""
    digits = number.partition("e")[0].lstrip("-0.").replace(".", "")
    if len(digits) <= 4:
        return number
    return f"{float(number):,.0f}" if abs(float(number)) >= 1000 else f"{float(number):#.4g}"


def interval(row: Row) -> str:
    """The 95 % interval of a row in words, or nothing."""
    return f"{float(row['ci_low']):.4g} to {float(row['ci_high']):.4g}" if row["ci_low"] and row["ci_high"] else ""


def _label(row: Row) -> str:
    """What distinguishes a row from the others of its claim."""
    own = row["id"].removeprefix(claim_id(row["id"])).strip(".")
    names = names_of(row["paper"])
    return (
        ", ".join(names.get(part, names.get(f"{part}/", part.replace("_", " "))) for part in own.split("."))
        if own
        else ""
    )


def by_name(row: Row, text: str) -> str:
    """A cell with its numbers shortened and its networks called by their names."""
    names = names_of(row["paper"]) if row["kind"] == "order" else {}
    return re.sub(r"[A-Za-z]\w*", lambda found: names.get(found[0], found[0]), shown(text))


def _facts(material: Material, row: Row) -> Iterable[tuple[str, str]]:
    claim = material.claim(row)
    settled = claim.note if claim is not None else None
    experiment = claim.experiment if claim is not None else None
    convention = row["convention"]
    yield "Verdict", f"{row['verdict']}: {OUTCOMES.get(row['verdict'], '')}"
    yield "Why", row["because"]
    yield "In the paper", f"{row['source']} ({row['kind']})"
    yield "Experiment", experiment_name(row["paper"], experiment) if experiment else ""
    yield "95 % interval", interval(row)
    yield "Measured on", samples(row)
    yield "Test", row["test"]
    yield (
        "Convention",
        f"{convention}: {CONVENTIONS[convention].note.replace('`', '')}" if convention in CONVENTIONS else "",
    )
    yield "Fidelity", f"{row['fidelity']}: {FIDELITY.get(row['fidelity'], '')}" if row["fidelity"] else ""
    for name, rows in material.snapshots.items():
        other = rows.get(row["id"])
        if other and other["ours"]:
            within = f", {interval(other)}" if interval(other) else ""
            apart = f" ({other['reason']})" if other["reason"] not in ("", row["reason"]) else ""
            yield run_name(name), f"{by_name(row, other['ours'])}{within}: {other['verdict']}{apart}"
    yield "Settled here", settled or ""


def run_name(snapshot: str) -> str:
    """What readers call a run in results/reference."""
    return "published scale" if snapshot == PUBLISHED_SCALE else f"run {snapshot}"


def samples(row: Row) -> str:
    """How many images and training seeds a row rests on."""
    counted = {"images": row["n"], "seeds": row["seeds"]}
    return ", ".join(f"{count} {what if count != '1' else what[:-1]}" for what, count in counted.items() if count)


def _links(material: Material, row: Row, figures: Mapping[str, str]) -> list[tuple[str, str]]:
    """Figures that name the claim, then pictures and curves of its experiment."""
    own, paper = claim_id(row["id"]), row["paper"]
    links = [("figure", anchor) for anchor, caption in figures.items() if re.search(rf"\b{own}\b", caption)]
    claim = material.claim(row)
    if claim is None or claim.experiment is None:
        return links
    shown_in = getattr(claim, "panels", None) or [claim.experiment]
    wanted = [("pictures", f"panel-{paper}-{name}") for name in shown_in]
    wanted += [("training", f"figure-{paper}-{claim.experiment}")]
    if row["kind"] == "value":
        wanted.append(("published and ours", f"figure-{paper}-published"))
    return links + [(text, anchor) for text, anchor in wanted if anchor in figures]


def figure_file(path: Path) -> str:
    """Address in the page of a figure that a paper's own stages draw."""
    return f"figure-{path.parts[0]}-own-{path.stem}"
