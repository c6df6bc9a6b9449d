"""The comparisons: all denoisers under one protocol, and each paper's networks on its own experiments."""

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from common.benchmark.table import TRAININGS
from common.report.blocks import Block, Figures, Fold, Heading, Paragraph, Section, Table
from common.report.denoisers import denoiser_name, set_name, table_name
from common.report.figures import protocol_figures
from common.report.front import number
from common.report.material import Material
from common.report.names import experiment_name, name_of

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
"""Columns of the papers' own table as the report shows them; one that is empty throughout is not."""
COSTS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "parameters": ("parameters", lambda value: number(value, ",.0f")),
    "macs": ("GMAC", lambda value: number(value / 1e9, ".2f")),
    "latency_ms": ("latency, ms", lambda value: number(value, ",.1f")),
    "peak_mb": ("peak memory, MB", lambda value: number(value, ",.0f")),
    "train_seconds": ("training, s", lambda value: number(value, ",.0f")),
    "images_seen": ("crops seen", lambda value: number(value, ",.0f")),
}
"""The same of the common benchmark, once for each denoiser."""
PROTOCOL = "The suite's convention, mean over test images and seeds."
TRAINING_WORDS = ("Gaussian noise whose level they are not told", "all corruptions of the protocol together")
GREY = (
    "On grey images (Set12 and BSD68, too) a network for colour sees three equal channels, whose noise is the same in "
    "all three. It learnt noise that is not, and does worse there than its score in colour lets expect. A network for "
    "grey sees the channels of a colour image one by one, and its costs here are those of all three."
)
CORRUPTION_NAMES = {
    "gaussian": "Gaussian",
    "poisson": "Poisson",
    "impulse": "impulses",
    "gaussian_salt_and_pepper": "salt & pepper, Gaussian",
    "jpeg": "JPEG",
}
"""What readers call a corruption; its id where it has no other."""
FIRST = "*"
"""After the scores that share the first place of their column."""


def benchmark_section(material: Material) -> Section:
    """All denoisers under one protocol: its fronts, the first set's table, and folded what else there is."""
    text = (
        f"Every denoiser on the same clean images, with the same noise. {PROTOCOL} The best of what it was tested on "
        f"comes first. {FIRST} marks the first place of a column and what shares it: the 95 % interval of their paired "
        "difference over the images holds 0."
    )
    first, *others = _tables(material, material.protocol)
    blocks: list[Block] = [Paragraph(text), *_trained(material), Figures(list(protocol_figures(material)))]
    blocks += [Heading(first[0]), first[1], Paragraph(GREY)]
    blocks += [Fold(title, [table]) for title, table in others]
    blocks += [*_equal_seconds(material), *_standard(material)]
    return Section("The benchmark: one protocol for all", "benchmark", blocks, "PSNR in dB", folded=False)


def _standard(material: Material) -> Iterator[Block]:
    """The same on the sets of the literature, beside published scores, where that run has been made."""
    if not material.standard.empty:
        yield Heading("On the test sets of the literature")
        yield Paragraph(
            "The networks that come with the suite, filters, and what others published of theirs on the same images "
            "with another draw of the noise: there tenths of a decibel compare, hundredths do not (sources: "
            "common/benchmark/reference.csv). With your copies of the sets: "
            "python -m common.benchmark --sets set12 bsd68 cbsd68."
        )
        yield from (Fold(title, [table]) for title, table in _tables(material, material.standard))


def _tables(material: Material, table: pd.DataFrame) -> Iterator[tuple[str, Table]]:
    """A title and a table for each set: a row a denoiser, a column a corruption and level, the costs once."""
    for name, members in table.groupby("set", sort=False):
        own = members.assign(
            cell=[_corruption(*one) for one in members[["corruption", "level"]].itertuples(index=False)]
        )
        wide = own.pivot_table(index="denoiser", columns="cell", values="psnr_db", sort=False)
        place = own.pivot_table(index="denoiser", columns="cell", values="rank", sort=False)
        costs = own.groupby("denoiser").first()
        used = {key: column for key, column in COSTS.items() if key in costs and costs[key].notna().any()}
        wide = wide.loc[(wide.max() - wide).mean(axis=1).sort_values(kind="stable").index]
        first = place.reindex(index=wide.index, columns=wide.columns) == 1
        rows = [
            [table_name(material.claims, str(denoiser), costs.loc[denoiser, "kind"])]
            + [f"{number(value, '.2f')}{FIRST if best else ''}" for value, best in zip(scores, leading, strict=True)]
            + [shape(costs.loc[denoiser, key]) for key, (_, shape) in used.items()]
            for denoiser, scores, leading in zip(wide.index, wide.to_numpy(), first.to_numpy(), strict=True)
        ]
        title = set_name(str(name))
        columns = ["denoiser", *map(str, wide.columns), *(told for told, _ in used.values())]
        yield f"{title[:1].upper()}{title[1:]}, PSNR in dB", Table(columns, rows)


def _trained(material: Material) -> Iterator[Block]:
    """On what the networks of the benchmark were trained, where there are any."""
    own = material.protocol[material.protocol["kind"] == "trained"]
    if not own.empty:
        seen = " or ".join(f"{count:,}" for count in sorted(own["images_seen"].dropna().astype(int).unique()))
        trainings = " and once on ".join(TRAINING_WORDS)
        yield Paragraph(
            f"The networks were trained here on one budget: the same {seen} crops with the same noise, each at its own "
            f"searched learning rate, once on {trainings}. What comes with the suite was trained by a published "
            "recipe, ours where its paper prints none, on other images and for longer."
        )


def _equal_seconds(material: Material) -> Iterator[Block]:
    """The trainings once more: what each had reached when the same number of seconds had gone by."""
    for training, members in material.seconds.groupby("training", sort=False):
        seconds = members["seconds"].iloc[0]
        text = (
            f"What each network had reached after {seconds:.1f} s, when the fastest was at its end, and at its own "
            "end. The others were then at a learning rate that was still high: a lower bound of what a training "
            "planned for so many seconds comes to."
        )
        rows = [
            [
                denoiser_name(material.claims, str(row["network"])),
                number(row["psnr_db"], ".2f"),
                number(row["images_seen"], ",.0f"),
                number(row["end_psnr_db"], ".2f"),
                number(row["end_seconds"], ".1f"),
            ]
            for row in members.to_dict("records")
        ]
        table = Table(["network", f"after {seconds:.1f} s", "crops seen", "at the end", "after, s"], rows)
        title = f"Equal seconds: {TRAININGS[str(training)]}, validation PSNR in dB"
        yield Fold(title, [Paragraph(text), table])


def _corruption(corruption: str, level: float) -> str:
    return f"{CORRUPTION_NAMES.get(corruption, corruption)} {level:g}"


def networks_tables(material: Material, paper: str) -> list[Block]:
    """A paper's networks, the filters and the trivial predictors on each of its experiments, and what they cost."""
    text = (
        f"{PROTOCOL} Multiply-accumulates, parameters and times are of the networks as this profile sizes them. A time "
        "is the median for one image; a filter runs on one thread. Seconds of training are one network's, while others "
        "may have trained beside it."
    )
    blocks: list[Block] = [Paragraph(text)]
    own = material.networks[material.networks["paper"] == paper]
    for experiment, members in own.groupby("experiment", sort=False):
        table = members.sort_values("psnr_db", ascending=False)
        names = [name_of(paper, network, str(experiment)) for network in table["network"]]
        told = [
            f"{name}, published recipe" if kind == "shipped" else name
            for name, kind in zip(names, table["kind"], strict=True)
        ]
        table = table.assign(network=told)
        used = {key: column for key, column in COLUMNS.items() if table[key].notna().any()}
        rows = [[shape(row[key]) for key, (_, shape) in used.items()] for row in table.to_dict("records")]
        blocks += [Heading(experiment_name(paper, str(experiment))), Table([title for title, _ in used.values()], rows)]
    return blocks
