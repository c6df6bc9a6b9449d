"""`python -m common.report`: the stage that writes results/report.html, report.md, README.md and the figures.

`--print` prints the published numbers, ours and the filters' of the report that is there, and where it lies.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from common import params
from common.command import run
from common.report.document import TONES, Table, render
from common.report.environment import environment
from common.report.material import existing, read
from common.store import read_json, write_json, write_text

if TYPE_CHECKING:
    from rich.table import Table as TerminalTable

RESULTS = Path("results")
TITLE = "Image-denoising papers, replicated"


def main() -> None:
    """Parse the command line; write or print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--print", action="store_true", dest="show", help="print the report's first table and its path")
    if parser.parse_args().show:
        show(RESULTS)
    else:
        write(RESULTS)


def write(results: Path) -> None:
    """Write the report, its figures and the record of the environment."""
    from common.report.overview import headline
    from common.report.sections import sections

    record = environment(params.shared(), results)
    material = read(results, record)
    content = {"title": TITLE, "lead": headline(material), "sections": sections(material)}
    write_json(results / "environment.json", record)
    write_text(results / "report.html", render("report.html.j2", results, **content))
    write_text(results / "report.md", render("report.md.j2", results, **content))
    facts = {"profile": material.params.profile, "papers": list(material.claims)}
    write_text(results / "README.md", render("readme.md.j2", results, **facts))


def show(results: Path) -> None:
    """Print each paper's published numbers beside ours and the filters', and the path of the report."""
    from rich.console import Console

    from common.report.overview import glance, off_protocol

    page = existing(results / "report.html")
    material = replace(read(results, read_json(results / "environment.json")), snapshots={})  # 80 columns hold no more
    console = Console()
    for paper in material.claims:
        console.print(
            _terminal_table(f"{paper}, PSNR in dB, profile {material.params.profile}", glance(material, paper))
        )
        for banner in off_protocol(material, paper):
            console.print(banner.text, style="bold yellow")
    console.print(f"report: {page.absolute().as_uri()}", soft_wrap=True)


def _terminal_table(title: str, table: Table) -> "TerminalTable":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as TerminalTable

    colours = {"good": "green", "bad": "red", "other": "yellow", "open": ""}
    drawn = TerminalTable(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        words = column in ("", "verdict", "fidelity")
        wraps = column == "verdict"  # the only column with room to give at 80 characters
        drawn.add_column(column.replace(" (", "\n("), justify="left" if words else "right", no_wrap=not wraps)
    for row in table.rows:
        drawn.add_row(*row, style=colours[TONES.get(row[-2], "open")])
    return drawn


if __name__ == "__main__":
    run(main)
