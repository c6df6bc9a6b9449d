"""A section for each paper, and the benchmark that all of them share."""

from collections.abc import Iterator, Sequence
from typing import Any

from common.report.benchmark import networks_tables
from common.report.blocks import (
    Banner,
    Block,
    Comparison,
    Figure,
    Figures,
    Fold,
    Heading,
    Paragraph,
    Section,
    Table,
    comparison,
)
from common.report.figures import cost_figure, published_figure, training_figures
from common.report.front import glance, outline
from common.report.ledger import figure_file, run_name
from common.report.material import Material, Training
from common.report.names import experiment_name, name_of
from common.report.variance import variance_fold
from common.report.words import NONE

PANELS_NOTE = (
    "The enlarged part is the window in which the clean image varies most. PSNR is of the whole image, in the suite's "
    "convention."
)


def paper_section(material: Material, paper: str) -> Section:
    """Everything about one paper but its rows of the ledger."""
    told = outline(material, paper)
    blocks: list[Block] = [Paragraph(f"Claimed: {told.claims}"), Paragraph(f"Found: {told.found}")]
    header, rows = glance(material, paper)
    if rows:
        text = "In brackets the convention of PSNR: the claim's, and the suite's, under which all are compared."
        blocks += [Heading("Published and ours, PSNR in dB"), Table(header, rows), Paragraph(text)]
        apart = material.scale_departures(paper)
        if apart:
            blocks.append(Banner(f"At the published scale, what differs from the paper: {'; '.join(apart)}."))
    blocks += _tables(material, paper)
    charts = [*published_figure(material, paper), *cost_figure(material, paper), *_own_figures(material, paper)]
    if charts:
        blocks += [Heading("Figures"), Figures(charts)]
    blocks += _pictures(material, paper)
    blocks.append(Fold("Networks and filters on its experiments", networks_tables(material, paper)))
    blocks += variance_fold(material, paper)
    blocks.append(Fold("How training went", list(_training(material, paper))))
    choices = material.claims[paper].choices
    if choices:
        cells = [[choice.parameter, str(choice.value), choice.provenance, choice.note] for choice in choices]
        text = "What the paper leaves open, the value we took, and where it comes from."
        table = Table(["parameter", "value", "provenance", "note"], cells, cards=True)
        blocks.append(Fold("Open choices", [Paragraph(text), table]))
    counts = told.counts
    note = f"{counts['hold']} hold, {counts['do not']} do not, {counts['open']} open, of {told.total}"
    return Section(told.name, paper, blocks, note)


def _tables(material: Material, paper: str) -> Iterator[Block]:
    """The paper's published tables, ours beside each number."""
    names = dict.fromkeys(entry.claim.table for entry in material.published(paper) if entry.claim.table)
    for name in names:
        rows = material.published_table(str(name))
        columns = [_column(column) for column in rows[0]]
        cells = [[value or NONE for value in row.values()] for row in rows]
        for row in cells:
            row[0] = name_of(paper, row[0])
        yield Fold(f"The published table, number by number (tables/{name}.csv)", [Table(columns, cells)])


def _column(name: str) -> str:
    """A column of a published table as readers know it; one of a snapshot by what the snapshot is."""
    before, ours, snapshot = name.partition("ours, ")
    return f"ours, {run_name(snapshot)}" if ours and not before else name.replace("_", " ")


def _own_figures(material: Material, paper: str) -> Iterator[Figure]:
    """The figures that the paper's own stages draw."""
    for path, caption in material.captions(paper).items():
        yield Figure(path, caption, f"Chart. {caption}", figure_file(path))


def _pictures(material: Material, paper: str) -> Iterator[Block]:
    anchors: set[str] = set()
    for panel in material.panels(paper):
        if not anchors:
            yield Heading("Pictures")
            yield Paragraph(PANELS_NOTE)
        anchor = f"panel-{paper}-{panel.experiment}"
        yield comparison(panel, experiment_name(paper, panel.experiment), "" if anchor in anchors else anchor)
        anchors.add(anchor)


def _training(material: Material, paper: str) -> Iterator[Block]:
    """Validation over training, and how each training went."""
    yield Figures(list(training_figures(material, paper)))
    rows: list[list[str] | str] = []
    told = ""
    for training in material.trainings(paper):
        heading = _recipe(training)
        if heading != told:
            rows.append(heading)
            told = heading
        rows += _runs(paper, training)
    columns = ["network", "experiment", "seed", "steps", "learning rate", "seconds", "device and precision"]
    yield Table(columns, rows, cards=True)


def _recipe(training: Training) -> str:
    recipe = training.record["recipe"]
    crops = f"{recipe['batch']} crops of {recipe['crop']}² a step"
    return f"{crops}, {recipe['optimizer']['name']}, schedule {recipe['schedule']['name'].replace('_', ' ')}"


def _runs(paper: str, training: Training) -> Iterator[list[str]]:
    record = training.record
    for seed, facts in record["seeds"].items():
        where = f"{_device(facts)}, {facts['precision']}: {facts['precision_reason']}"
        experiment = experiment_name(paper, record["experiment"]) if record["experiment"] else NONE
        what = [name_of(paper, training.name), experiment]
        yield [*what, seed, str(facts["steps"]), f"{record['recipe']['lr']:g}", f"{facts['seconds']:.0f}", where]


def _device(facts: dict[str, Any]) -> str:
    """Where a training ran; on a CPU its threads, since others may have run beside it."""
    if facts["device"] != "cpu":
        return str(facts["device"])
    return f"cpu, {facts['threads']} thread{'s' if facts['threads'] > 1 else ''}"


def addresses(section: Section) -> dict[str, str]:
    """Every figure and picture of a section by its address in the page, with its caption."""
    return dict(_addresses(section.blocks))


def _addresses(blocks: Sequence[Block]) -> Iterator[tuple[str, str]]:
    for block in blocks:
        if isinstance(block, Fold):
            yield from _addresses(block.blocks)
        elif isinstance(block, Figures):
            yield from ((figure.anchor, figure.caption) for figure in block.figures if figure.anchor)
        elif isinstance(block, Comparison) and block.anchor:
            yield block.anchor, block.caption
