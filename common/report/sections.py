"""What the report says, section by section. Every text is true of what was read; none judges beyond the ledger."""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from common.claims.schema import PSNR_TOLERANCE_DB
from common.datasets.registry import describe
from common.report.document import NONE, Block, Figure, Figures, Heading, Items, Paragraph, Section, Table, filled
from common.report.material import Material, Published, Row, text_rows
from common.report.names import name_of, named
from common.report.overview import FIDELITY, OUTCOMES, number
from common.report.plots import psnr_scatter, published_vs_ours, training_curves, watched
from common.score.metrics import CONVENTIONS
from common.score.results import history as read_history
from common.score.results import training_records
from common.store import read_json

FIGURES = Path("figures")


def how_to_read(material: Material) -> Iterator[Block]:
    """The words of the ledger."""
    yield Paragraph("Fidelity says how near an experiment is to the paper's:")
    yield Items(FIDELITY)
    yield Paragraph("The verdict says what was measured:")
    yield Items(OUTCOMES)
    yield Paragraph("Intervals are of 95 %; that of an equivalence test is of 90 %, which decides the same question.")


def claim_ledger(material: Material) -> Iterator[Block]:
    """Every claim of every paper, with the reasons of the verdicts as notes below."""
    columns = ["id", "published", "ours", "interval", "from", *material.snapshots, "verdict", "fidelity", "notes"]
    for paper, claims in material.claims.items():
        reasons = notes(row["reason"] for row in material.rows(paper))
        numbered = list(dict.fromkeys(note for row in material.rows(paper) for note in reasons[row["reason"]]))
        told = ""
        rows: list[list[str] | str] = []
        for row in material.rows(paper):
            claim = material.claim(row)
            settled = f" Settled here: {claim.note}." if claim is not None and claim.note else ""
            says = f"{row['says']} ({row['source']}; {row['kind']}).{settled}"
            if says != told:
                rows.append(says)
                told = says
            measured = [row["id"], thousands(row["published"]), shown(row["ours"]), _interval(row), _samples(row)]
            earlier = [_with_verdict(table.get(row["id"])) for table in material.snapshots.values()]
            why = ", ".join(str(numbered.index(note) + 1) for note in reasons[row["reason"]])
            rows.append([*measured, *earlier, row["verdict"], row["fidelity"], why])
        yield Heading(claims.title)
        yield filled(columns, rows, cards=True)
        if numbered:
            yield Paragraph("Notes:")
            yield Items([("", note) for note in numbered], numbered=True)


def against_published(material: Material) -> Iterator[Block]:
    """Published numbers and ours: a figure for each paper, and every published table."""
    entries = {paper: material.published(paper) for paper in material.claims}
    figures = []
    for paper, members in entries.items():
        markers = [marker for entry in members for marker in _markers(material, paper, entry)]
        if markers:
            caption = (
                f"{paper}: published values (diamonds) and ours. A bar is a 95 % interval over trainings, if several."
            )
            figures.append(Figure(FIGURES / f"published_vs_ours_{paper}.png", caption))
            published_vs_ours(pd.DataFrame(markers), material.results / figures[-1].path)
    yield Figures(figures)
    tables = [entry.claim.table for members in entries.values() for entry in members if entry.claim.table]
    for name in dict.fromkeys(tables):
        rows = text_rows(material.results / f"tables/{name}.csv")
        for snapshot in material.snapshots:
            path = material.results / f"reference/{snapshot}/tables/{name}.csv"
            earlier = {row["row"]: row["ours"] for row in text_rows(path)} if path.is_file() else {}
            rows = [{**row, f"ours, {snapshot}": earlier.get(row["row"], NONE)} for row in rows]
        yield Heading(f"tables/{name}.csv")
        yield filled([column.replace("_", " ") for column in rows[0]], [list(row.values()) for row in rows])


def _markers(material: Material, paper: str, entry: Published) -> Iterator[dict[str, Any]]:
    common = {
        "claim": f"{paper} {entry.claim.id}: {entry.claim.source}",
        "unit": entry.unit,
        "row": name_of(paper, entry.network, entry.claim.experiment),
    }
    nothing = {"value": float("nan"), "low": float("nan"), "high": float("nan")}
    yield {**common, **nothing, "series": "published", "value": float(entry.row["published"])}
    for series, table in {"ours": material.ledger, **material.snapshots}.items():
        row = table.get(entry.row["id"])
        if row and row["ours"]:
            bounds = {key: float(row[f"ci_{key}"]) for key in ("low", "high") if row[f"ci_{key}"]}
            yield {**common, **nothing, "series": series, "value": float(row["ours"]), **bounds}


COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "network": ("denoiser", str),
    "kind": ("kind", str),
    "psnr_db": ("PSNR, dB", lambda value: number(value, ".2f")),
    "psnr_std": ("± over images", lambda value: number(value, ".2f")),
    "ssim": ("SSIM", lambda value: number(value, ".4f")),
    "parameters": ("parameters", lambda value: number(value, ",.0f")),
    "macs_512": ("GMAC at 512²", lambda value: number(value / 1e9, ".2f")),
    "ms_per_megapixel": ("ms per megapixel", lambda value: number(value, ",.0f")),
    "latency_ms": ("ms, float32", lambda value: number(value, ",.1f")),
    "latency_ms_bf16": ("ms, bf16", lambda value: number(value, ",.1f")),
    "latency_size": ("timed at, pixels", lambda value: number(value, ".0f")),
    "peak_memory_mb": ("peak memory, MB", lambda value: number(value, ",.0f")),
    "training_seconds": ("training, s", lambda value: number(value, ",.0f")),
}
"""Columns of benchmark.csv as the report shows them; one that is empty throughout is not."""


def comparison(material: Material) -> Iterator[Block]:
    """Networks, filters and trivial predictors under one protocol, and what they cost."""
    yield Paragraph(
        "The suite's convention, mean over test images and seeds. Multiply-accumulates, parameters and times are of "
        "the networks as this profile sizes them. A time is the median for one image; a filter runs on one thread. "
        "Seconds of training are one network's, while others may have trained beside it."
    )
    compared = material.benchmark.assign(
        network=[
            name_of(*ids) for ids in material.benchmark[["paper", "network", "experiment"]].itertuples(index=False)
        ]
    )
    for (paper, experiment), members in compared.groupby(["paper", "experiment"], sort=False):
        table = members.sort_values("psnr_db", ascending=False)
        shown = {key: column for key, column in COLUMNS.items() if table[key].notna().any()}
        rows = [[shape(row[key]) for key, (_, shape) in shown.items()] for row in table.to_dict("records")]
        yield Heading(f"{paper}, {experiment}")
        yield Table([title for title, _ in shown.values()], rows)
    costs = (
        ("psnr_macs", "macs_512", 1e9, "multiply-accumulates for 512×512, 10⁹", "PSNR over multiply-accumulates."),
        ("psnr_latency", "ms_per_megapixel", 1, "time per megapixel, ms", "PSNR over time; networks in float32."),
    )
    figures = []
    for paper, members in compared.groupby("paper", sort=False):
        for name, column, unit, label, caption in costs:
            file = FIGURES / f"{name}_{paper!s}.png"
            scaled = members.assign(**{column: members[column] / unit})
            if psnr_scatter(scaled, column, label, material.results / file):
                figures.append(Figure(file, f"{paper!s}: {caption} Circles: networks; squares: filters."))
    yield Figures(figures)


def training(material: Material) -> Iterator[Block]:
    """What was watched on validation images, and the loss, over training; and how each training went."""
    figures: list[Figure] = []
    rows: list[list[str] | str] = []
    told = ""
    for paper in material.claims:
        records = training_records(paper, material.results)
        figures += _training_figures(material, paper, records)
        for name, record in records.items():
            if not record["seeds"]:  # not run in this profile
                continue
            recipe = record["recipe"]
            crops = f"{recipe['batch']} crops of {recipe['crop']}² a step"
            heading = f"{paper}: {crops}, {recipe['optimizer']['name']}, schedule {recipe['schedule']['name']}"
            if heading != told:
                rows.append(heading)
                told = heading
            for seed, facts in record["seeds"].items():
                where = f"{_device(facts)}, {facts['precision']}: {facts['precision_reason']}"
                what = [name_of(paper, name), record["experiment"] or NONE]
                rows.append([*what, seed, str(facts["steps"]), f"{recipe['lr']:g}", f"{facts['seconds']:.0f}", where])
    yield Figures(figures)
    yield Heading("How training went")
    yield Table(
        ["network", "experiment", "seed", "steps", "learning rate", "seconds", "device and precision"], rows, cards=True
    )


def _device(facts: dict[str, Any]) -> str:
    """Where a training ran; on a CPU its threads, since others may have run beside it."""
    if facts["device"] != "cpu":
        return str(facts["device"])
    return f"cpu, {facts['threads']} thread{'s' if facts['threads'] > 1 else ''}"


def _training_figures(material: Material, paper: str, records: dict[str, dict[str, Any]]) -> Iterator[Figure]:
    """One for each experiment; a second one where some of its networks are watched by another measure."""
    groups: dict[tuple[str, str], dict[str, pd.DataFrame]] = {}
    for name, record in records.items():
        if record["seeds"]:
            history = read_history(paper, name, material.results)
            groups.setdefault((record["experiment"] or NONE, watched(history)), {})[name] = history
    for (experiment, measure), histories in groups.items():
        file = FIGURES / f"training_{paper}_{experiment}_{measure}.png"
        training_curves(named(paper, histories), material.results / file)
        yield Figure(file, f"{paper}, {experiment}: validation and training loss.")


def papers_figures(material: Material) -> Iterator[Block]:
    """The figures that a paper's own stages draw, with their captions."""
    for paper in material.claims:
        folder = material.results / paper / "figures"
        captions = read_json(folder / "captions.json") if folder.is_dir() else {}
        yield Figures(
            [
                Figure((folder / f"{name}.png").relative_to(material.results), f"{paper}: {caption}")
                for name, caption in captions.items()
            ]
        )


def panels(material: Material) -> Iterator[Block]:
    """Noisy, denoised and clean photographs."""
    yield Paragraph(
        "The lower picture of each pair is the outlined part of the upper one, enlarged: the window in which the clean "
        "image varies most. PSNR is of the whole image, in the suite's convention."
    )
    for paper in material.claims:
        folder = material.results / paper / "panels"
        yield Figures(
            [
                Figure(
                    path.relative_to(material.results),
                    f"{paper}, {', '.join(path.relative_to(folder).with_suffix('').parts)}",
                )
                for path in sorted(folder.rglob("*.png"))
            ]
        )


def conventions(material: Material) -> Iterator[Block]:
    """One prediction, many PSNRs."""
    yield Paragraph(
        "PSNR in dB of the same predictions under each convention. Where a value is published, the nearest convention "
        "is named: a description, which means little unless data and training are the paper's. The convention of a "
        "verdict is fixed with its claim, beforehand."
    )
    rows = []
    for row in material.conventions.to_dict("records"):
        scores = [number(row[name], ".2f") for name in CONVENTIONS]
        nearest = [number(row["published"], ".4f"), number(row["nearest"], "s"), number(row["difference"], "+.2f")]
        name = name_of(row["paper"], row["network"], row["experiment"])
        rows.append([row["paper"], row["experiment"], name, *scores, *nearest])
    yield Table(
        ["paper", "experiment", "denoiser", *CONVENTIONS, "published", "nearest", "nearest less published"], rows
    )
    yield Items([(f"{name}:", convention.note.replace("`", "")) for name, convention in CONVENTIONS.items()])


def sanity(material: Material) -> Iterator[Block]:
    """Predictors that know nothing, and published numbers held against each other."""
    trivial = material.benchmark[material.benchmark["kind"] == "trivial"].to_dict("records")
    yield Paragraph(
        "The input as it is, an all-black image and the input's mean colour, scored as every network is. A published "
        "number that one of them reaches would be a finding."
    )
    names = [name_of(row["paper"], row["network"], row["experiment"]) for row in trivial]
    rows = [[row["paper"], row["experiment"], name, *_scores(row)] for row, name in zip(trivial, names, strict=True)]
    yield Table(["paper", "experiment", "predictor", "PSNR, dB", "SSIM"], rows)
    near = []
    for predictor, name in zip(trivial, names, strict=True):
        found = f"{name} ({predictor['psnr_db']:.2f} dB)"
        for entry in material.published(str(predictor["paper"])):
            close = abs(float(entry.row["published"]) - predictor["psnr_db"]) <= PSNR_TOLERANCE_DB
            if entry.claim.measure == "psnr_db" and close:
                near.append(f"{entry.row['id']} ({entry.row['published']} dB) and {found}")
    yield Paragraph(f"Published PSNR within {PSNR_TOLERANCE_DB} dB of one on our images: {'; '.join(near) or 'none'}.")
    checks = [row for paper in material.claims for row in material.rows(paper, self_checks=True)]
    if checks:
        yield Heading("Published numbers against each other")
        columns = ["id", "what is checked", "printed", "computed", "tolerance", "finding", "how"]
        cells = []
        for row in checks:
            numbers = [thousands(row["published"]), thousands(row["ours"]), row["margin"]]
            cells.append([row["id"], f"{row['says']} ({row['source']})", *numbers, row["verdict"], row["reason"]])
        yield Table(columns, cells, cards=True)


def choices(material: Material) -> Iterator[Block]:
    """What the papers leave open."""
    yield Paragraph(
        "What a paper leaves open, the value we took, and where it comes from: the paper, public code of its lineage, "
        "or us."
    )
    rows = [
        [paper, choice.parameter, str(choice.value), choice.provenance, choice.note]
        for paper, claims in material.claims.items()
        for choice in claims.choices
    ]
    yield Table(["paper", "parameter", "value", "provenance", "note"], rows, cards=True)


def environment(material: Material) -> Iterator[Block]:
    """Versions, machine, seed, data and code."""
    record = material.environment
    for section in ("run", "machine", "versions"):
        yield Heading(section.capitalize())
        yield Items([(f"{key}:", str(value)) for key, value in record[section].items()])
    rows = [
        [paper, split, facts["dataset"], str(facts["images"]), facts["sha256"]]
        for paper, splits in record["data"].items()
        for split, facts in splits.items()
    ]
    yield Heading("Data")
    yield Table(["paper", "split", "data set", "images", "sha256 of the decoded images"], rows, cards=True)


def licences(material: Material) -> Iterator[Block]:
    """Terms and citations of the data that this run used, and of the papers."""
    used = (facts["dataset"] for splits in material.environment["data"].values() for facts in splits.values())
    names = {name for joined in used for name in joined.split(" + ")}
    for dataset in map(describe, sorted(names)):
        facts = {"licence": dataset.licence, "cite": dataset.citation, "from": dataset.url, "note": dataset.notes}
        yield Heading(f"Data set {dataset.name}")
        yield Items([(f"{term}:", text) for term, text in facts.items() if text])
    yield Heading("Software")
    yield Paragraph("The package bm3d may be used for non-commercial purposes only.")
    yield Heading("The replicated papers")
    yield Items([(f"{paper}:", claims.citation) for paper, claims in material.claims.items()])


SECTIONS: dict[str, Callable[[Material], Iterator[Block]]] = {
    "How to read verdicts": how_to_read,
    "Claim ledger": claim_ledger,
    "Published against ours": against_published,
    "Comparison": comparison,
    "Training": training,
    "Figures of the papers": papers_figures,
    "Panels": panels,
    "Conventions of PSNR": conventions,
    "Trivial predictors and self-checks": sanity,
    "Choices and their provenance": choices,
    "Environment": environment,
    "Licences and citations": licences,
}


def sections(material: Material) -> list[Section]:
    """All sections in order; their figures are drawn on the way."""
    return [Section(title, list(blocks(material))) for title, blocks in SECTIONS.items()]


def thousands(text: str) -> str:
    """A whole number of five digits or more with its thousands separated; other text as it is."""
    return f"{int(text):,}" if text.isdigit() and len(text) > 4 else text


def shown(text: str) -> str:
    """What was measured: whole numbers in full, the others in a text with four significant digits."""
    return re.sub(r"-?\d+\.\d+(e[+-]?\d+)?", lambda found: f"{float(found[0]):.4g}", thousands(text))


def notes(reasons: Iterable[str]) -> dict[str, list[str]]:
    """Each reason as notes to refer to: a reason that only adds to another one is that one and the additions."""
    found: dict[str, list[str]] = {"": []}
    for reason in sorted(set(reasons) - {""}, key=len):
        base = max((known for known in found if known and reason.startswith(f"{known}; ")), key=len, default="")
        own = reason.removeprefix(f"{base}; ")
        found[reason] = [*found[base], *(own.split("; ") if base else [own])]
    return found


def _scores(row: dict[Hashable, Any]) -> list[str]:
    return [COLUMNS[key][1](row[key]) for key in ("psnr_db", "ssim")]


def _interval(row: Row) -> str:
    return f"{float(row['ci_low']):.4g} to {float(row['ci_high']):.4g}" if row["ci_low"] and row["ci_high"] else ""


def _samples(row: Row) -> str:
    counted = {"images": row["n"], "seeds": row["seeds"]}
    return ", ".join(f"{count} {what if count != '1' else what[:-1]}" for what, count in counted.items() if count)


def _with_verdict(row: Row | None) -> str:
    return f"{shown(row['ours'])} ({row['verdict']})".strip() if row else ""
