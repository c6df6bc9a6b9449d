"""The top of the report: what was run, what came out, and the published numbers at a glance."""

from collections import Counter
from typing import Any

import pandas as pd

from common.claims import verdict
from common.report.document import NONE, Banner, Block, Heading, Paragraph, Table
from common.report.material import Material
from common.report.names import name_of
from common.score.results import training_records
from common.store import read_json

WORDS = {"train": "training", "val": "validation", "pretrain": "pretraining"}
"""Parts of a split's name that are not words of their own."""
FIDELITY = (
    ("full", "the paper's data, noise, recipe, size and number of seeds."),
    ("reduced", "the paper's data; a shorter training, a smaller network or fewer seeds, as the ledger lists."),
    ("stand-in", "other images than the paper's, and what else the ledger lists."),
)
OUTCOMES = (
    (verdict.REPRODUCED, "at full fidelity, the whole 95 % interval of ours lies within what the paper claims."),
    (verdict.NOT_REPRODUCED, "at full fidelity, none of it does."),
    (verdict.HOLDS, "an order, margin, ratio or curve holds in this run, which is not the paper's."),
    (verdict.DOES_NOT_HOLD, "it does not hold in this run. That refutes no paper."),
    (verdict.OFF_PROTOCOL, "a number short of full fidelity, or other noise than the paper's: shown, not judged."),
    (verdict.INCONCLUSIVE, "the interval straddles the bound, or there are too few samples for an interval."),
    (verdict.UNTESTABLE, "the paper leaves open what would be tested, or what it takes cannot be had."),
    (verdict.NOT_RUN, "needs another profile; the ledger says which."),
)


def headline(material: Material) -> list[Block]:
    """What was run, what came out in a few sentences, and the published numbers at a glance."""
    blocks: list[Block] = []
    for paper in material.claims:
        blocks += [*off_protocol(material, paper), Paragraph(_what_was_run(material, paper))]
    blocks += _what_came_out(material)
    if any(row["fidelity"] in ("reduced", "stand-in") for row in material.ledger.values()):
        blocks.append(
            Paragraph(
                "This run is not the papers' own: where fidelity is below full, its images, its training or both "
                "differ from theirs. Another PSNR is then expected, and says nothing for or against the published one."
            )
        )
    for paper in material.claims:
        table = glance(material, paper)
        if table.rows:
            text = "In brackets the convention of PSNR: the claim's, and the suite's, under which all are compared."
            blocks += [Heading(f"{paper}: published and ours, PSNR in dB"), table, Paragraph(text)]
    return blocks


def off_protocol(material: Material, paper: str) -> list[Banner]:
    """A warning where the noise is not the paper's."""
    published, sigma = material.published_sigma(paper), material.sigma(paper)
    if published is None:
        return []
    return [Banner(f"{paper}: σ = {sigma:g} instead of the published {published:g}: off-protocol")]


def glance(material: Material, paper: str) -> Table:
    """Published PSNR beside ours, and below them what the filters and the input score on the same images.

    Ours is given under the claim's convention and under the suite's, which is the filters'.
    """
    published = [entry for entry in material.published(paper) if entry.claim.measure == "psnr_db"]
    experiments = {entry.claim.experiment for entry in published}
    scored = material.benchmark[material.benchmark["paper"] == paper]
    scored = scored[scored["experiment"].isin(experiments)]
    told = {(entry.claim.experiment, entry.network) for entry in published}
    suite = {(row["experiment"], row["network"]): row["psnr_db"] for row in scored.to_dict("records")}
    conventions = dict.fromkeys(entry.claim.convention for entry in published if entry.claim.convention != "suite")
    own = [f"ours ({', '.join(conventions)})"] if conventions else []
    rows = []
    snapshots = material.snapshots.values()
    for entry in published:
        earlier = [two_decimals(rows_of.get(entry.row["id"], {}).get("ours", "")) for rows_of in snapshots]
        ours = [two_decimals(entry.row["ours"])] if own else []
        ours.append(number(suite.get((entry.claim.experiment, entry.network)), ".2f"))
        judged = [entry.row["verdict"], entry.row["fidelity"] or NONE]
        where = f", {entry.claim.experiment}" if len(experiments) > 1 else ""
        name = name_of(paper, entry.network, entry.claim.experiment)
        rows.append([name + where, entry.row["published"], *earlier, *ours, *judged])
    others = scored[(scored["kind"] == "filter") | (scored["network"] == "noisy")]
    for other in others.sort_values("psnr_db", ascending=False).to_dict("records"):
        if (other["experiment"], other["network"]) in told:
            continue
        where = f", {other['experiment']}" if len(experiments) > 1 else ""
        kind = " (filter)" if other["kind"] == "filter" else ""
        name = f"{name_of(paper, other['network'], other['experiment'])}{kind}{where}"
        blank = [NONE] * (1 + len(material.snapshots) + len(own))
        rows.append([name, *blank, number(other["psnr_db"], ".2f"), NONE, NONE])
    header = ["", "published", *material.snapshots, *own, "ours (suite)", "verdict", "fidelity"]
    return Table(header, rows if published else [])


def number(value: Any, shape: str) -> str:
    """A number as `shape` formats it, or a dash where there is none."""
    return NONE if value is None or pd.isna(value) else format(value, shape)


def two_decimals(text: str) -> str:
    """A PSNR of the ledger."""
    return f"{float(text):.2f}" if text else NONE


def _what_was_run(material: Material, paper: str) -> str:
    data = read_json(material.results / paper / "data.json")
    splits = [
        f"{facts['images']} {' '.join(WORDS.get(word, word) for word in split.split('_'))} ({facts['dataset']})"
        for split, facts in data.items()
    ]
    trainings = training_records(paper, material.results).values()
    trained = sum(bool(record["seeds"]) for record in trainings)
    sigma = material.sigma(paper)
    noise = "" if sigma is None else f", Gaussian noise of σ = {sigma:g} on the 0–255 scale"
    return (
        f"{material.claims[paper].title} ({paper}). Profile {material.params.profile}, seed {material.params.seed}: "
        f"{trained} networks trained{noise}; images: {', '.join(splits)}."
    )


def _what_came_out(material: Material) -> list[Block]:
    rows = [row for paper in material.claims for row in material.rows(paper)]
    told = []
    for what, members in (
        ("facts", [row for row in rows if row["kind"] == "fact"]),
        ("other rows of claims", [row for row in rows if row["kind"] != "fact"]),
    ):
        counts = Counter(row["verdict"] for row in members)
        told.append(
            f"{len(members)} {what}: {', '.join(f'{counts[word]} {word}' for word, _ in OUTCOMES if counts[word])}."
        )
    leaders = []
    for (paper, experiment), table in material.benchmark.groupby(["paper", "experiment"], sort=False):
        noisy = table[table["network"] == "noisy"]["psnr_db"].mean()
        best = []
        for kind in ("filter", "network"):
            ranked = table[table["kind"] == kind].sort_values("psnr_db", ascending=False).to_dict("records")
            best.append(f"{name_of(str(paper), ranked[0]['network'])} {ranked[0]['psnr_db']:.2f}" if ranked else NONE)
        leaders.append([str(paper), str(experiment), number(noisy, ".2f"), *best])
    return [
        Paragraph(" ".join(told)),
        Heading("PSNR on the test images in dB, suite's convention"),
        Table(["paper", "experiment", "input", "best filter", "best network"], leaders),
    ]
