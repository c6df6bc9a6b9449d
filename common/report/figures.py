"""The report's charts, drawn from what was read: each with its caption, what is to be seen in it, and its address."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from common.report.blocks import Figure
from common.report.denoisers import denoiser_name, set_name, table_name, trained
from common.report.material import Material, Published, Training
from common.report.names import experiment_name, name_of, named
from common.report.plots import WATCHED, published_vs_ours, training_curves, watched
from common.report.scatter import pareto_front, psnr_scatter

FIGURES = Path("figures")
COSTS = {
    "macs": (1e9, "multiply-accumulates, 10⁹"),
    "latency_ms": (1, "time per image, ms"),
    "ms_per_megapixel": (1, "time per megapixel, ms"),
    "train_seconds": (1, "training time, s"),
}
"""Columns of the benchmark that PSNR is drawn over: what they are divided by, and their axis."""
KINDS = {"trained": "network", "network": "shipped"}
"""What the figures call the kinds of the benchmark; the others keep their names."""
TOLD = (
    "Trained here on one budget, on Gaussian noise (round) or on all corruptions (triangles); diamonds: published "
    "recipes; squares: filters. On the front, cheapest first."
)


def published_figure(material: Material, paper: str) -> Iterator[Figure]:
    """Published numbers and ours; none where a paper publishes none."""
    markers = [marker for entry in material.published(paper) for marker in _markers(material, paper, entry)]
    if markers:
        file = FIGURES / f"published_vs_ours_{paper}.png"
        published_vs_ours(pd.DataFrame(markers), material.results / file)
        pairs = [f"{one['row']} {one['value']:.4g}" for one in markers if one["series"] == "ours"]
        yield Figure(
            file,
            "Published values (diamonds) and ours. A bar is a 95 % interval over trainings; of a single one, over "
            "noise, crops and images.",
            f"Published values beside ours. Ours: {', '.join(pairs)}." if pairs else "Published values.",
            f"figure-{paper}-published",
        )


def _markers(material: Material, paper: str, entry: Published) -> Iterator[dict[str, Any]]:
    common = {
        "claim": f"{entry.family}: {entry.claim.source}",
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


def cost_figure(material: Material, paper: str) -> Iterator[Figure]:
    """PSNR over multiply-accumulates on a paper's own experiments; none where all networks cost the same."""
    own = material.networks[material.networks["paper"] == paper]
    titles = [experiment_name(paper, str(experiment)) for experiment in own["experiment"]]
    labels = [name_of(paper, *ids) for ids in own[["network", "experiment"]].itertuples(index=False)]
    points = own.assign(panel=titles, network=labels, gmac=own["macs_512"] / 1e9)
    file = FIGURES / f"psnr_macs_{paper}.png"
    if psnr_scatter(points, "gmac", "multiply-accumulates for 512×512, 10⁹", material.results / file):
        caption = "PSNR over multiply-accumulates. The dashed line is the best classical filter."
        yield Figure(file, caption, f"{caption} {_seen(points, 'gmac', '10⁹ MAC')}", f"figure-{paper}-cost")


def _seen(points: pd.DataFrame, x: str, unit: str) -> str:
    """The best network of each panel in words."""
    told = []
    for title, members in points[points["kind"] == "network"].dropna(subset=[x]).groupby("panel", sort=False):
        best = members.sort_values("psnr_db").iloc[-1]
        told.append(f"{title}: {best['network']} is highest, {best['psnr_db']:.2f} dB at {best[x]:.3g} {unit}")
    return f"{'; '.join(told)}."


def training_figures(material: Material, paper: str) -> Iterator[Figure]:
    """Validation over training; one for each experiment, a second where some are watched by another measure."""
    groups: dict[tuple[str, str], dict[str, pd.DataFrame]] = {}
    for training in material.trainings(paper):
        measure = watched(training.history)
        groups.setdefault((_experiment(training), measure), {})[training.name] = training.history
    for (experiment, measure), histories in groups.items():
        file = FIGURES / f"training_{paper}_{experiment}_{measure}.png"
        curves = named(paper, histories)
        training_curves(curves, material.results / file)
        what = WATCHED.get(measure, measure.replace("val_", "validation ").replace("_", " "))
        ends = [f"{name} {history[measure].dropna().iloc[-1]:.4g}" for name, history in curves.items()]
        caption = f"{experiment_name(paper, experiment)}: {what} over training."
        yield Figure(file, caption, f"{caption} At the end: {', '.join(ends)}.", f"figure-{paper}-{experiment}")


def _experiment(training: Training) -> str:
    return str(training.record["experiment"] or "other")


def protocol_figures(material: Material) -> Iterator[Figure]:
    """PSNR of the common benchmark over each cost: on Gaussian noise and on all corruptions, of who was tested on all.

    On the first set alone: networks for colour do badly on grey images, which a mean over both would hide.
    """
    table = material.protocol
    first = str(table["set"].iloc[0])
    table = table[table["set"] == first]
    panels = {"Gaussian noise, mean over levels": complete(table[table["corruption"] == "gaussian"])}
    if table["corruption"].nunique() > 1:
        panels["mean over all corruptions"] = complete(table)
    for column, (unit, label) in COSTS.items():
        if column not in table:
            continue
        points = pd.concat([_means(material, part, column, title) for title, part in panels.items()])
        points[column] /= unit
        file = FIGURES / f"benchmark_{column}.png"
        if psnr_scatter(points, column, label, material.results / file, front=True):
            what = f"PSNR over {label.split(',')[0]}, {set_name(first)}"
            caption = f"{what}. {TOLD} {_fronts(points, column)}"
            yield Figure(file, caption, f"Scatter plot. {caption}", f"figure-benchmark-{column}")


def complete(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the denoisers that were tested at each corruption and level of these rows."""
    cells = rows.groupby("denoiser").size()
    return rows[rows["denoiser"].isin(cells[cells == cells.max()].index)]


def _means(material: Material, rows: pd.DataFrame, column: str, title: str) -> pd.DataFrame:
    """Each denoiser's mean PSNR over the rows, and its cost."""
    means = rows.groupby(["denoiser", "kind"], sort=False)[["psnr_db", column]].mean().reset_index()
    names = [table_name(material.claims, *ids) for ids in means[["denoiser", "kind"]].itertuples(index=False)]
    networks, trainings = zip(*map(trained, means["denoiser"]), strict=True)
    short = [denoiser_name(material.claims, network) for network in networks]  # the marker says the rest
    kinds = means["kind"].map(lambda kind: KINDS.get(kind, kind)).mask(pd.Series(trainings) == "all", "all")
    return means.assign(panel=title, network=short, name=names, kind=kinds)


def _fronts(points: pd.DataFrame, column: str) -> str:
    """Who is on the front of each panel, in words."""
    costed = points[(points["kind"] != "trivial") & points[column].notna()]
    fronts = {
        str(title): ", ".join(pareto_front(one, column)["name"]) for title, one in costed.groupby("panel", sort=False)
    }
    return " ".join(f"{title[:1].upper()}{title[1:]}: {names}." for title, names in fronts.items())
