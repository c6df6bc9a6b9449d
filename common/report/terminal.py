"""What `make repro` ends with: the published table, what holds of each paper, and where the report lies."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from common.report.front import Outline, Scale, off_protocol, outline, scales
from common.report.material import Material
from common.report.words import GROUPS, NONE, TONES

COLOURS = {"good": "green", "bad": "red", "other": "yellow", "open": ""}


def print_outcome(material: Material, address: str) -> None:
    """Print it to the terminal; within 80 characters."""
    console = Console()
    for scale in scales(material):
        console.print(_scale_table(scale))
    console.print(_papers_table([outline(material, paper) for paper in material.claims], material.params.profile))
    for paper in material.claims:
        for banner in off_protocol(material, paper):
            console.print(banner.text, style="bold yellow")
    console.print(f"report: {address}", soft_wrap=True)


def _scale_table(scale: Scale) -> Table:
    """Published, ours at the published scale where it has been run, and this run's."""
    drawn = Table(title=f"{scale.what}, PSNR in dB", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    drawn.add_column("")
    for column in ("published", *(("published scale",) if scale.run else ())):
        drawn.add_column(column, justify="right", no_wrap=True)
    if scale.run:
        drawn.add_column("its verdict", no_wrap=True)
    drawn.add_column("this run", justify="right", max_width=12)
    for row in scale.rows:
        at_scale = [row.ours] if scale.run else []
        judged = [row.verdict] if scale.run else []
        tone = TONES.get(row.verdict if scale.run else row.this_run, "open")
        drawn.add_row(row.name, row.published or NONE, *at_scale, *judged, row.this_run, style=COLOURS[tone])
    return drawn


def _papers_table(outlines: list[Outline], profile: str) -> Table:
    drawn = Table(title=f"claims, profile {profile}", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    drawn.add_column("paper")
    for group in GROUPS:
        drawn.add_column(group, justify="right", no_wrap=True)
    for one in outlines:
        drawn.add_row(one.name, *map(str, one.counts.values()))
    return drawn
