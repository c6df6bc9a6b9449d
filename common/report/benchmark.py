"""The comparisons: all denoisers under one protocol, and each paper's networks on its own experiments."""

from collections.abc import Callable, Iterator
from typing import Any

from common.report.blocks import Block, Figures, Heading, Paragraph, Section, Table
from common.report.figures import protocol_figures
from common.report.front import number
from common.report.material import Material
from common.report.names import denoiser_name, experiment_name, name_of
from common.report.words import NONE

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
    "ms_per_megapixel": ("ms per megapixel", lambda value: number(value, ",.0f")),
    "peak_mb": ("peak memory, MB", lambda value: number(value, ",.0f")),
    "train_seconds": ("training, s", lambda value: number(value, ",.0f")),
}
"""The same of the common benchmark, once for each denoiser."""
PROTOCOL = "The suite's convention, mean over test images and seeds."


def benchmark_section(material: Material) -> Section:
    """All denoisers under one protocol."""
    text = f"Every denoiser on the same clean images, with the same noise. {PROTOCOL} The best on average comes first."
    blocks: list[Block] = [Paragraph(text), *_protocol(material), Figures(list(protocol_figures(material)))]
    return Section("The benchmark: one protocol for all", "benchmark", blocks, "PSNR in dB", folded=False)


def _protocol(material: Material) -> Iterator[Block]:
    """A table for each set: a row a denoiser, a column a corruption and level, the costs once."""
    for name, members in material.protocol.groupby("set", sort=False):
        own = members.assign(
            cell=[_corruption(*one) for one in members[["corruption", "level"]].itertuples(index=False)]
        )
        wide = own.pivot_table(index="denoiser", columns="cell", values="psnr_db", sort=False)
        costs = own.groupby("denoiser").first()
        used = {key: column for key, column in COSTS.items() if key in costs and costs[key].notna().any()}
        wide = wide.loc[wide.mean(axis=1).sort_values(ascending=False).index]
        rows = [
            [denoiser_name(material.claims, str(denoiser)), *(number(value, ".2f") for value in scores)]
            + [shape(costs.loc[denoiser, key]) for key, (_, shape) in used.items()]
            for denoiser, scores in zip(wide.index, wide.to_numpy(), strict=True)
        ]
        yield Heading(f"{name}, PSNR in dB")
        yield Table(["denoiser", *map(str, wide.columns), *(title for title, _ in used.values())], rows)


def _corruption(corruption: str, level: Any) -> str:
    told = str(corruption).replace("_", " ")
    return (
        told
        if number(level, "") == NONE
        else f"{told} {level:g}"
        if isinstance(level, int | float)
        else f"{told} {level}"
    )


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
