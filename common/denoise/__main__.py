"""`python -m common.denoise IN OUT`: denoise a picture, or every picture of a folder, with a trained network.

PNG, JPEG and TIFF of 8 or 16 bits, colour or grey; transparency, EXIF data and colour profile are kept. A folder is
mirrored; what is in OUT already is left alone, so that a broken run goes on where it stopped. A picture that cannot be
denoised is named at the end, with exit status 2. Without --network each picture gets the best one for its colours and
noise; `--list` shows what there is. Without --sigma the noise is estimated, and said.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from common import command
from common.denoise.choice import best_network, estimated_sigma, fits, levels, seen_sigma
from common.denoise.pictures import FORMATS, Picture, read_picture, write_picture
from common.denoise.pretrained import Record, load_pretrained, pretrained, read_record
from common.denoise.tiles import denoise_levels, windows
from common.errors import UserError
from common.progress import progress
from common.score.evaluation import Denoiser, as_denoiser


def main() -> None:
    """Denoise what the command line names."""
    arguments = _parsed(sys.argv[1:])
    records = {name: read_record(path) for name, path in pretrained().items()}
    if arguments.list:
        _print(records)
        return
    if arguments.network is not None and arguments.network not in records:
        raise UserError(f"--network {arguments.network} is not here: known are {', '.join(records)}")
    source, target = arguments.source, arguments.target
    if source.is_dir():
        _folder(source, target, arguments, records)
    elif source.is_file():
        if target.is_dir():
            target = target / source.name
        if target.exists() and target.samefile(source):
            raise UserError(f"{target} is the picture itself: name another file")
        print(_one(source, target, arguments, records, bar=True))
    else:
        raise UserError(f"{source} is neither a picture nor a folder: check the path")


def _folder(source: Path, target: Path, arguments: argparse.Namespace, records: dict[str, Record]) -> None:
    if target.exists() and not target.is_dir():
        raise UserError(f"{target} is a file: name a folder for the pictures of {source}")
    if target.resolve().is_relative_to(source.resolve()):
        raise UserError(f"{target} lies in {source}: name a folder outside it")
    files = [path for path in sorted(source.rglob("*")) if path.suffix.lower() in FORMATS and path.name[0] != "."]
    files = [path for path in files if not path.is_dir()]
    if not files:
        raise UserError(f"{source} has no pictures: {', '.join(FORMATS)} files are read")
    done = [path for path in files if (target / path.relative_to(source)).is_file()]
    bad: list[str] = []
    with progress(len(files), "denoising", done=len(done)) as advance:
        if done:
            print(f"{len(done)} of {len(files)} pictures are in {target} already and stay as they are", flush=True)
        for path in files:
            goal = target / path.relative_to(source)
            if goal.is_file():
                continue
            try:
                print(_one(path, goal, arguments, records, bar=False), flush=True)
            except UserError as error:
                bad.append(str(error))
            advance()
    print(f"{len(files) - len(bad)} of {len(files)} pictures are in {target}")
    if bad:
        print("\n".join(bad), file=sys.stderr)
        raise UserError(f"{len(bad)} of {len(files)} pictures were not denoised: they are named above")


def _one(source: Path, target: Path, arguments: argparse.Namespace, records: dict[str, Record], bar: bool) -> str:
    """Denoise one picture; what was done, in a line."""
    if target.suffix.lower() not in FORMATS:
        raise UserError(f"{target} must end in {', '.join(FORMATS)}")
    picture = read_picture(source)
    pixels = picture.pixels
    given = arguments.sigma is not None
    sigma: float = arguments.sigma if given else estimated_sigma(pixels)
    name: str = arguments.network or best_network(records, pixels.shape[2], sigma)
    denoised = _denoised(picture, name, source.name if bar else None)
    write_picture(target, denoised)
    record = records[name]
    line = f"{source.name}: σ {'=' if given else '≈'} {sigma:.1f}, {name} ({levels(record)})"
    if pixels.shape[2] < record.trained_for.colours:
        line += f", a colour network, which meets grey noise as {seen_sigma(record, sigma, pixels.shape[2]):.1f}"
    if not fits(record, sigma, pixels.shape[2]):
        line += "; it was trained for other noise than this"
    return line


def _denoised(picture: Picture, name: str, label: str | None) -> Picture:
    """label: of a progress bar over the tiles, where there are several; None: no bar."""
    denoiser, record = _denoiser(name)
    pixels, colours = picture.pixels, record.trained_for.colours
    count = sum(1 for _ in windows(pixels.shape[:2], record.network))
    if label is None or count == 1:
        return replace(picture, pixels=denoise_levels(pixels, denoiser, record.network, colours, lambda: None))
    with progress(count, label) as advance:
        return replace(picture, pixels=denoise_levels(pixels, denoiser, record.network, colours, advance))


@cache
def _denoiser(name: str) -> tuple[Denoiser, Record]:
    import torch

    network, record = load_pretrained(name)
    return as_denoiser(network.to("cuda" if torch.cuda.is_available() else "cpu"), record.scale), record


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m common.denoise", description=__doc__)
    parser.add_argument("source", nargs="?", type=Path, metavar="IN", help="a picture or a folder of pictures")
    parser.add_argument("target", nargs="?", type=Path, metavar="OUT", help="the file or the folder to write")
    parser.add_argument("--list", action="store_true", help="show the networks that come with the suite, and end")
    parser.add_argument("--network", metavar="NAME", help="one of them; default: the best for each picture")
    level = parser.add_mutually_exclusive_group()
    level.add_argument("--sigma", type=_sigma, metavar="LEVEL", help="noise level of the pictures, 0–255 scale")
    level.add_argument("--estimate", action="store_true", help="estimate the noise level, which is the default")
    arguments = parser.parse_args(words)
    if not arguments.list and arguments.target is None:
        parser.error("IN and OUT are needed, or --list")
    return arguments


def _sigma(word: str) -> float:
    level = float(word)
    if not 0 <= level <= 255:
        raise argparse.ArgumentTypeError(f"must be a level from 0 to 255, got {word}")
    return level


def _print(records: dict[str, Record]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("network", "trained for", "trained on", "how good", show_lines=True)
    for name, record in records.items():
        training, colours = record.training, {1: "grey", 3: "colour"}[record.trained_for.colours]
        scores: list[Any] = [
            f"{result.psnr_db:.2f} dB, {result.test}" + (f", σ = {result.sigma:g}" if result.sigma is not None else "")
            for result in record.scores
        ]
        table.add_row(
            f"{name}\n{record.says}",
            f"{levels(record)}, {colours}",
            f"{training.data}: {training.images} images, {training.steps:,} steps\n{training.data_licence}",
            "\n".join(scores),
        )
    Console().print(table)


if __name__ == "__main__":
    command.run(main)
