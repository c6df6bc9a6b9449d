"""The first screen: what was run, what the papers claim and what was found, the published-scale table, one picture."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from common.claims import verdict
from common.report.blocks import Banner, Comparison, comparison
from common.report.denoisers import set_name
from common.report.ledger import interval, run_name, shown
from common.report.material import Material, Row
from common.report.names import experiment_name, name_of
from common.report.summaries import PublishedScale, say
from common.report.words import GROUPS, NONE

WHAT = "{count} rebuilt from their text. Every number they print is tested; every test says what differs from theirs."
NUMBERS = {1: "One paper", 2: "Two papers", 3: "Three papers", 4: "Four papers", 5: "Five papers", 6: "Six papers"}
CAVEAT = (
    "Where fidelity is below full, images, training or both differ from the paper's: another PSNR is then expected, "
    "and says nothing for or against the published one."
)


@dataclass(frozen=True)
class ScaleRow:
    """A published number, that of the run at the published scale, by how much it is above it, and this run's."""

    name: str
    anchor: str
    published: str
    ours: str
    interval: str
    verdict: str
    above: str
    this_run: str


@dataclass(frozen=True)
class Scale:
    """A published table. found: what the run at the published scale says, or None where it has not been made."""

    paper: str
    what: str
    rows: Sequence[ScaleRow]
    found: str | None
    where: str

    @property
    def run(self) -> bool:
        """Whether the run at the published scale is there."""
        return any(row.ours not in ("", NONE) for row in self.rows)

    @property
    def intervals(self) -> bool:
        """Whether any of its numbers has an interval: one training has none."""
        return any(row.interval not in ("", NONE) for row in self.rows)


@dataclass(frozen=True)
class Outline:
    """A paper on the first screen. counts: rows of its ledger by group; contradictions: of the paper with itself."""

    paper: str
    name: str
    claims: str
    found: str
    counts: dict[str, int]
    contradictions: int

    @property
    def total(self) -> int:
        """Rows of its ledger."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Front:
    """The first screen. what: this is, and run: what was run, a line each."""

    what: str
    run: str
    banners: Sequence[Banner]
    scales: Sequence[Scale]
    outlines: Sequence[Outline]
    picture: Comparison | None
    caveat: str


def front(material: Material) -> Front:
    """All of the first screen."""
    short = any(row["fidelity"] in ("reduced", "stand-in") for row in material.ledger.values())
    return Front(
        what=WHAT.format(count=NUMBERS.get(len(material.claims), str(len(material.claims)))),
        run=run_line(material.environment),
        banners=[banner for paper in material.claims for banner in off_protocol(material, paper)],
        scales=list(scales(material)),
        outlines=[outline(material, paper) for paper in _by_scale(material)],
        picture=front_picture(material),
        caveat=CAVEAT if short else "",
    )


def run_line(record: dict[str, Any], paper: str | None = None) -> str:
    """Profile, data (of one paper, or of all), machine, day and code on one line; less where a record holds less."""
    run, machine = record.get("run", {}), record.get("machine", {})
    data = {name: splits for name, splits in record.get("data", {}).items() if paper in (None, name)}
    tests = {name for splits in data.values() for name in splits["test"]["dataset"].split(" + ")}
    device = machine.get("cpu", "") if machine.get("gpu", "none") == "none" else machine["gpu"]
    parts = [
        f"profile {run['profile']}, seed {run['seed']}" if "profile" in run else "",
        f"tested on {', '.join(map(set_name, sorted(tests)))}" if tests else "",
        f"{device}, {machine['cores']} cores" if "cores" in machine else device,
        str(run.get("date", "")),
        _code(str(run.get("code", ""))),
    ]
    return " · ".join(part for part in parts if part)


def _code(state: str) -> str:
    """A revision in seven digits; what is said where there is none stays as it is."""
    revision, _, modified = state.partition(", ")
    short = f"code {revision[:7]}" if re.fullmatch(r"[0-9a-f]{40}", revision) else revision
    return f"{short}, {modified}" if modified else short


def off_protocol(material: Material, paper: str) -> list[Banner]:
    """A warning where the noise is not the paper's."""
    published, sigma = material.published_sigma(paper), material.sigma(paper)
    if published is None:
        return []
    return [Banner(f"{paper}: σ = {sigma:g} instead of the published {published:g}: off-protocol")]


def scales(material: Material) -> Iterator[Scale]:
    """The published tables that a run at the published scale stands beside."""
    for paper, summary in material.summaries.items():
        if summary.published_scale is not None:
            yield _scale(material, paper, summary.published_scale)


def _scale(material: Material, paper: str, told: PublishedScale) -> Scale:
    at_scale = material.published_scale
    rows = []
    for entry in material.published(paper):
        if entry.family != told.claim:
            continue
        name = name_of(paper, entry.network, entry.claim.experiment)
        rows.append(_scale_row(name, entry.row, at_scale.get(entry.row["id"])))
    for identifier in told.orders:
        if identifier in material.ledger:
            rows.append(_order_row(material.ledger[identifier], at_scale.get(identifier)))
    found = say(told.found, at_scale, {}) if at_scale else None
    return Scale(paper, told.what, rows, found, run_line(material.published_environment, paper))


def _scale_row(name: str, row: Row, scale: Row | None) -> ScaleRow:
    published, here = two_decimals(row["published"]), two_decimals(row["ours"])
    if scale is None or not scale["ours"]:
        return ScaleRow(name, row["id"], published, NONE, NONE, NONE, "", here)
    above = f"{float(scale['ours']) - float(row['published']):+.2f} dB".replace("-", "−") if row["published"] else ""
    ours, within = two_decimals(scale["ours"]), interval(scale) or NONE
    return ScaleRow(name, row["id"], published, ours, within, scale["verdict"], above, here)


def _order_row(row: Row, scale: Row | None) -> ScaleRow:
    """A ranking has words, not numbers: its verdicts stand in the numbers' places."""
    judged = scale["verdict"] if scale else NONE
    return ScaleRow(row["says"], row["id"], "", "", "", judged, "", row["verdict"])


def outline(material: Material, paper: str) -> Outline:
    """What a paper claims, what was found, and how its rows came out."""
    summary = material.summaries[paper]
    verdicts = Counter(row["verdict"] for row in material.rows(paper))
    counts = {group: sum(verdicts[word] for word in words) for group, words in GROUPS.items()}
    checks = [row["verdict"] for row in material.rows(paper, self_checks=True)]
    psnr = material.psnr.get(paper, {})
    claims = say(summary.claims, material.ledger, psnr) or material.claims[paper].title
    found = (say(summary.found, material.ledger, psnr) if summary.found else None) or (
        "This run measured too little to say it in a sentence; the ledger has each claim."
    )
    return Outline(paper, summary.name, claims, found, counts, checks.count(verdict.CONTRADICTION))


def front_picture(material: Material) -> Comparison | None:
    """The first showcase; else the panel that stands for a paper, that with a published-scale table first."""
    for paper, summary in material.summaries.items():
        panel = material.showcase(paper)
        if panel is not None and summary.showcase is not None:
            return comparison(panel, summary.showcase.what)
    for paper in _by_scale(material):
        wanted = material.summaries[paper].picture
        panels = list(material.panels(paper)) if wanted else []
        for panel in panels:
            if f"{panel.experiment}/{panel.record['image']}".startswith(str(wanted)):
                return comparison(panel, experiment_name(paper, panel.experiment))
    return None


def _by_scale(material: Material) -> list[str]:
    """The papers, those with a published-scale table first."""
    return sorted(material.summaries, key=lambda paper: material.summaries[paper].published_scale is None)


def glance(material: Material, paper: str) -> tuple[list[str], list[list[str]]]:
    """Published PSNR beside ours, and below them what the filters and the input score on the same images: header, rows.

    Ours is given under the claim's convention and under the suite's, which is the filters'.
    """
    published = [entry for entry in material.published(paper) if entry.claim.measure == "psnr_db"]
    experiments = {entry.claim.experiment for entry in published}
    scored = material.networks[material.networks["paper"] == paper]
    scored = scored[scored["experiment"].isin(experiments)]
    told = {(entry.claim.experiment, entry.network) for entry in published}
    suite = {(row["experiment"], row["network"]): row["psnr_db"] for row in scored.to_dict("records")}
    conventions = dict.fromkeys(entry.claim.convention for entry in published if entry.claim.convention != "suite")
    own = [f"ours ({', '.join(conventions)})"] if conventions else []
    rows = []
    for entry in published:
        where = f", {experiment_name(paper, str(entry.claim.experiment))}" if len(experiments) > 1 else ""
        earlier = [two_decimals(one.get(entry.row["id"], {}).get("ours", "")) for one in material.snapshots.values()]
        ours = [two_decimals(entry.row["ours"])] if own else []
        ours.append(number(suite.get((entry.claim.experiment, entry.network)), ".2f"))
        judged = [entry.row["verdict"], entry.row["fidelity"] or NONE]
        name = name_of(paper, entry.network, entry.claim.experiment)
        rows.append([name + where, shown(entry.row["published"]), *earlier, *ours, *judged])
    others = scored[(scored["kind"] == "filter") | (scored["network"] == "noisy")]
    for other in others.sort_values("psnr_db", ascending=False).to_dict("records"):
        if (other["experiment"], other["network"]) not in told:
            where = f", {experiment_name(paper, other['experiment'])}" if len(experiments) > 1 else ""
            kind = " (filter)" if other["kind"] == "filter" else ""
            name = f"{name_of(paper, other['network'], other['experiment'])}{kind}{where}"
            blank = [NONE] * (1 + len(material.snapshots) + len(own))
            rows.append([name, *blank, number(other["psnr_db"], ".2f"), NONE, NONE])
    header = ["", "published", *map(run_name, material.snapshots), *own, "ours (suite)", "verdict", "fidelity"]
    used = [index for index in range(len(header)) if any(row[index] != NONE for row in rows)]
    return [header[index] for index in used], [[row[index] for index in used] for row in rows] if published else []


def number(value: Any, shape: str) -> str:
    """A number as `shape` formats it, or a dash where there is none."""
    return NONE if value is None or pd.isna(value) else format(value, shape)


def two_decimals(text: str) -> str:
    """A PSNR of the ledger."""
    return f"{float(text):.2f}" if text else NONE
