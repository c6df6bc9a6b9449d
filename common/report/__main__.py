"""`python -m common.report`: the stage that writes results/report.html, report.md, README.md and the figures.

`--print` prints what came out, in a few lines, of the report that is there, and where it lies.
"""

import argparse
from pathlib import Path

from common import params
from common.command import run
from common.report.environment import environment
from common.report.material import existing, read
from common.store import read_json, write_json, write_text

RESULTS = Path("results")
TITLE = "Image-denoising papers, replicated"


def main() -> None:
    """Parse the command line; write or print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--print", action="store_true", dest="show", help="print what came out, and the report's path")
    if parser.parse_args().show:
        show(RESULTS)
    else:
        write(RESULTS)


def write(results: Path) -> None:
    """Write the report, its figures and the record of the environment."""
    from common.report.appendix import appendix
    from common.report.benchmark import benchmark_section
    from common.report.document import render
    from common.report.front import front
    from common.report.ledger import ledger
    from common.report.papers import addresses, paper_section
    from common.report.picture import draw_front_picture

    record = environment(params.shared(), results)
    material = read(results, record)
    papers = [paper_section(material, paper) for paper in material.claims]
    first = front(material)
    content = {
        "title": TITLE,
        "front": first,
        "benchmark": benchmark_section(material),
        "papers": papers,
        "ledger": ledger(material, {section.anchor: addresses(section) for section in papers}),
        "rows": len(material.ledger),
        "scale": bool(material.published_scale),
        "appendix": appendix(material),
    }
    if first.picture is not None:
        draw_front_picture(first.picture, results)
    write_json(results / "environment.json", record)
    write_text(results / "report.html", render("report.html.j2", results, **content))
    write_text(results / "report.md", render("report.md.j2", results, **content))
    facts = {"profile": material.params.profile, "papers": list(material.claims)}
    write_text(results / "README.md", render("readme.md.j2", results, **facts))


def show(results: Path) -> None:
    """Print the published tables, what holds of each paper, and the path of the report."""
    from common.report.terminal import print_outcome

    page = existing(results / "report.html")
    print_outcome(read(results, read_json(results / "environment.json")), page.absolute().as_uri())


if __name__ == "__main__":
    run(main)
