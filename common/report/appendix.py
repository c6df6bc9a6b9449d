"""The report's last sections: how to read it, what PSNR was meant, checks, the environment, data and licences."""

from collections.abc import Iterator

from common.datasets.registry import describe
from common.report.blocks import Block, Heading, Items, Paragraph, Section, Table
from common.report.front import number
from common.report.material import Material
from common.report.names import experiment_name, name_of
from common.report.words import FIDELITY, NONE, OUTCOMES
from common.score.metrics import CONVENTIONS

NEAR_DB = 0.15
"""A trivial predictor this near to a published PSNR would be a finding: the tolerance of most published PSNRs."""


def appendix(material: Material) -> list[Section]:
    """All of them, folded."""
    return [
        Section("How to read a verdict", "verdicts", list(_how_to_read())),
        Section("Conventions of PSNR", "conventions", list(_conventions(material))),
        Section("Predictors that know nothing", "trivial", list(_trivial(material))),
        Section("Environment and data", "environment", list(_environment(material))),
        Section("Licences and citations", "licences", list(_licences(material))),
    ]


def _how_to_read() -> Iterator[Block]:
    yield Paragraph("Fidelity says how near an experiment is to the paper's:")
    yield Items(list(FIDELITY.items()))
    yield Paragraph("The verdict says what was measured:")
    yield Items(list(OUTCOMES.items()))
    yield Paragraph("Intervals are of 95 %; that of an equivalence test is of 90 %, which decides the same question.")


def _conventions(material: Material) -> Iterator[Block]:
    """One prediction, many PSNRs."""
    yield Paragraph(
        "PSNR in dB of the same predictions under each convention. Where a value is published, the nearest convention "
        "is named: a description, which means little unless data and training are the paper's. The convention of a "
        "verdict is fixed with its claim, beforehand."
    )
    yield Items([(f"{name}:", convention.note.replace("`", "")) for name, convention in CONVENTIONS.items()])
    rows: list[list[str] | str] = []
    for (paper, experiment), members in material.conventions.groupby(["paper", "experiment"], sort=False):
        rows.append(f"{material.summaries[str(paper)].name}: {experiment_name(str(paper), str(experiment))}")
        for row in members.to_dict("records"):
            scores = [number(row[name], ".2f") for name in CONVENTIONS]
            nearest = [number(row["published"], ".4f"), number(row["nearest"], "s"), number(row["difference"], "+.2f")]
            rows.append([name_of(str(paper), row["network"], str(experiment)), *scores, *nearest])
    yield Table(["denoiser", *CONVENTIONS, "published", "nearest", "nearest less published"], rows)


def _trivial(material: Material) -> Iterator[Block]:
    """Predictors that know nothing, and the published numbers that one of them reaches."""
    trivial = material.networks[material.networks["kind"] == "trivial"].to_dict("records")
    yield Paragraph(
        "The input as it is, an all-black image and the input's mean colour, scored as every network is. A published "
        "number that one of them reaches would be a finding."
    )
    near, rows = [], []
    for predictor in trivial:
        paper, experiment = str(predictor["paper"]), str(predictor["experiment"])
        name = name_of(paper, predictor["network"], experiment)
        scores = [number(predictor["psnr_db"], ".2f"), number(predictor["ssim"], ".4f")]
        rows.append([material.summaries[paper].name, experiment_name(paper, experiment), name, *scores])
        for entry in material.published(paper):
            close = abs(float(entry.row["published"]) - predictor["psnr_db"]) <= NEAR_DB
            if entry.claim.measure == "psnr_db" and close:
                near.append(f"{entry.row['id']} ({entry.row['published']} dB) and {name} ({scores[0]} dB)")
    yield Paragraph(f"Published PSNR within {NEAR_DB} dB of one on our images: {'; '.join(near) or 'none'}.")
    yield Table(["paper", "experiment", "predictor", "PSNR, dB", "SSIM"], rows)


def _environment(material: Material) -> Iterator[Block]:
    """Versions, machine, seed, data and code."""
    record = material.environment
    for section in ("run", "machine", "versions"):
        yield Heading(section.capitalize())
        yield Items([(f"{key}:", str(value)) for key, value in record[section].items()])
    rows: list[list[str] | str] = []
    for paper, splits in record["data"].items():
        rows.append(material.summaries[paper].name)
        rows += [
            [split.replace("_", " "), facts["dataset"], str(facts["images"]), facts["sha256"] or NONE]
            for split, facts in splits.items()
        ]
    yield Heading("Data")
    yield Table(["split", "data set", "images", "sha256 of the decoded images"], rows, cards=True)


def _licences(material: Material) -> Iterator[Block]:
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
    yield Items([(f"{material.summaries[paper].name}:", claims.citation) for paper, claims in material.claims.items()])
