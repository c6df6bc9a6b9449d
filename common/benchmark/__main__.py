"""`python -m common.benchmark`: your own denoiser beside filters, the suite's networks and published scores.

--denoiser package.module:name is a function denoise(noisy, sigma) on float32 arrays (H, W, C) in [0, 1], sigma on the
0–255 scale, or a torch module (or a factory of one) on tensors (1, C, H, W) in [0, 1]. All see the same images with the
same noise, which is neither clipped nor rounded; scores are means over images of PSNR and SSIM after clipping.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from common import command, params
from common.benchmark.entrants import FILTER_NAMES, QUICK_FILTERS, Entrant, classical, shipped, trivial
from common.benchmark.protocol import CORRUPTIONS, GAUSSIAN, SIGMAS, cases
from common.benchmark.reference import published
from common.benchmark.runner import Journal, score_set
from common.benchmark.table import Row, summarised
from common.datasets import registry
from common.denoise.pretrained import pretrained
from common.errors import UserError
from common.store import write_csv

SUSPICIOUS_DB = 3.0
"""How far below its input a denoiser may score before that is said."""


def main() -> None:
    """Score what the command line names, print the table, save it where asked."""
    arguments = _parsed(sys.argv[1:])
    sets = list(arguments.sets or ([] if arguments.images else ["embedded", "embedded_grey"]))
    if arguments.images:
        sets.append(f"{'grey' if arguments.grey else 'folder'}:{arguments.images.resolve()}")
    for name in sets:
        registry.describe(name)  # a misspelt one fails before anything runs
    chosen = cases(arguments.corruptions, arguments.sigma, arguments.seed)
    entrants = _entrants(arguments)
    journal = Journal(arguments.scores)
    rows: list[Row] = []
    bad: list[str] = []
    for name in sets:
        scored, unusable = score_set(name, arguments.root, arguments.limit, entrants, chosen, journal)
        rows += scored
        bad += unusable
    levels = {(case.corruption, case.level) for case in chosen}
    # a published mean is over the whole set
    others = published([] if arguments.limit else sets, levels)
    table = pd.concat(
        [summarised(rows, {entrant.name: entrant.parameters for entrant in entrants}), others], ignore_index=True
    )
    table = table.sort_values(["set", "corruption", "level", "psnr_db"], ascending=[True, True, True, False])
    _print(table)
    _warn(table)
    if arguments.save:
        write_csv(arguments.save, table)
        print(f"saved as {arguments.save}")
    if bad:
        print("\n".join(bad), file=sys.stderr)
        raise UserError(f"{len(bad)} pictures could not be used: they are named above, and the means are without them")


def _entrants(arguments: argparse.Namespace) -> list[Entrant]:
    own: list[Entrant] = []
    if arguments.denoiser:
        from common.benchmark.door import own as through_the_door

        own = [through_the_door(arguments.denoiser, arguments.weights, arguments.name)]
    elif arguments.weights or arguments.name:
        raise UserError("--weights and --name go with --denoiser package.module:name")
    known = pretrained()
    for name in arguments.networks or ():
        if name not in known:
            raise UserError(f"--networks {name} is not here: known are {', '.join(known)}")
    entrants = [*own, *shipped(arguments.networks), *classical(arguments.filters), *trivial()]
    names = [entrant.name for entrant in entrants]
    if own and names.count(own[0].name) > 1:
        raise UserError(f"--name {own[0].name} is the name of another denoiser in the table: choose another")
    return entrants


def _print(table: pd.DataFrame) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    for (name, corruption, level), rows in table.groupby(["set", "corruption", "level"], sort=False):
        count = int(rows["images"].max())
        title = f"{name} ({count} images), {corruption} {level:g}: PSNR in dB and its 95 % interval"
        shown = Table(title=escape(title), title_justify="left", box=None, padding=(0, 1))
        shown.add_column("", justify="right")
        shown.add_column("denoiser", overflow="fold", min_width=12)
        shown.add_column("kind", no_wrap=True)
        for column in ("PSNR", "95 %", "SSIM", "parameters", "s/Mpixel"):
            shown.add_column(column, justify="right", no_wrap=True)
        for row in rows.to_dict("records"):
            style = "bold" if row["kind"] == "own" else "dim" if row["kind"] == "published" else None
            interval = "" if pd.isna(row["psnr_low"]) else f"{row['psnr_low']:.2f}–{row['psnr_high']:.2f}"
            seconds = row["ms_per_megapixel"] / 1000
            numbers = ((row["ssim"], ".4f"), (row["parameters"], ",d"), (seconds, ".2f"))
            cells = ["" if pd.isna(value) else format(value, form) for value, form in numbers]
            place = "" if pd.isna(row["rank"]) else f"{row['rank']}."
            shown.add_row(
                place, escape(row["denoiser"]), row["kind"], f"{row['psnr_db']:.2f}", interval, *cells, style=style
            )
        console.print(shown)
    if (table["kind"] == "published").any():
        print(
            "published: as their papers print them, on the same images with another draw of the noise (reference.csv)"
        )


def _warn(table: pd.DataFrame) -> None:
    keys = ["set", "corruption", "level"]
    inputs = table[table["denoiser"] == "noisy"].set_index(keys)["psnr_db"]
    for row in table[table["kind"] == "own"].to_dict("records"):
        least = inputs[row["set"], row["corruption"], row["level"]] - SUSPICIOUS_DB
        if row["psnr_db"] < least:
            print(
                f"{row['denoiser']} is {least + SUSPICIOUS_DB - row['psnr_db']:.1f} dB below its own input on "
                f"{row['set']}, {row['corruption']} {row['level']:g}: is its output the picture, in [0, 1]?"
            )


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m common.benchmark", description=__doc__)
    parser.add_argument("--denoiser", metavar="MODULE:NAME", help="your own: package.module:name")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="of a torch module: .safetensors or torch.save's")
    parser.add_argument("--name", help="what it is called in the table")
    parser.add_argument(
        "--sets", nargs="+", metavar="SET", help="of `python -m common.datasets`, folder: or grey:<path>"
    )
    parser.add_argument("--images", type=Path, metavar="FOLDER", help="pictures of your own, free of noise")
    parser.add_argument("--grey", action="store_true", help="take the pictures of --images in grey")
    parser.add_argument("--sigma", nargs="+", type=float, default=SIGMAS, metavar="LEVEL", help="Gaussian, 0–255 scale")
    parser.add_argument("--corruptions", nargs="+", default=[GAUSSIAN], metavar="NAME", help=", ".join(CORRUPTIONS))
    parser.add_argument("--filters", nargs="*", default=QUICK_FILTERS, choices=FILTER_NAMES, metavar="NAME")
    parser.add_argument("--networks", nargs="*", metavar="NAME", help="of the suite's networks; default: all")
    parser.add_argument("--limit", type=_count, metavar="N", help="only the first images of each set")
    parser.add_argument(
        "--scores",
        type=Path,
        metavar="CSV",
        help="every image's scores, from which a broken run goes on; another file for another denoiser",
    )
    parser.add_argument("--save", type=Path, metavar="CSV", help="the table, too, as a file")
    parser.add_argument("--root", help="folder with local copies of data sets; default: data.root of params.yaml")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    arguments = parser.parse_args(words)
    if arguments.root is None and params.PARAMS_FILE.is_file():
        arguments.root = params.shared().data.root
    return arguments


def _count(word: str) -> int:
    count = int(word)
    if count < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {word}")
    return count


if __name__ == "__main__":
    command.run(main)
