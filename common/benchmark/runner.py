"""Scores entrants image by image: one image is in memory at a time, and a broken run goes on where it stopped."""

import csv
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np

from common.benchmark.entrants import Entrant
from common.benchmark.protocol import CONVENTION, Case, images
from common.benchmark.table import COLUMNS, Row
from common.datasets.images import center_crop
from common.errors import UserError
from common.noise.sensor import corrupt
from common.progress import progress
from common.score.evaluation import Denoiser
from common.score.metrics import CONVENTIONS, score

SMALLEST = 11
"""Side of SSIM's window."""
KEY = 7
"""First columns, which tell rows apart."""


class Journal:
    """The rows known so far, in a file where one is named: a row is there as soon as it is measured."""

    def __init__(self, path: Path | None) -> None:
        self.rows: dict[tuple[str, ...], Row] = {}
        self.path = path
        if path and path.is_file():
            self._read(path)

    def _read(self, path: Path) -> None:
        with path.open(newline="") as file:
            header, *lines = list(csv.reader(file)) or [[]]
        if tuple(header) != COLUMNS:
            raise UserError(f"{path} is no file of scores: its columns are not {', '.join(COLUMNS)}")
        for line in lines:
            if len(line) == len(COLUMNS):  # a run that was killed may have left half a line
                name, kind, of, corruption, level, seed, image, *numbers = line
                row = Row(name, kind, of, corruption, float(level), int(seed), image, *map(float, numbers))
                self.rows[_key(row)] = row
        self._write(path)

    def _write(self, path: Path) -> None:
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *map(astuple, self.rows.values())])

    def add(self, row: Row) -> None:
        """Keep a row, in the file as well."""
        self.rows[_key(row)] = row
        if self.path:
            new = not self.path.is_file()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", newline="") as file:
                csv.writer(file).writerows([COLUMNS, astuple(row)] if new else [astuple(row)])


def _key(row: Row) -> tuple[str, ...]:
    return tuple(str(value) for value in astuple(row)[:KEY])


def score_set(
    name: str,
    root: str | None,
    limit: int | None,
    entrants: Sequence[Entrant],
    cases: Sequence[Case],
    journal: Journal,
    *,
    crop: int | None = None,
) -> tuple[list[Row], list[str]]:
    """Every entrant in every case on the images of a set; rows of the journal are not measured again.

    crop: side of the centre of each image that is used, in pixels; None: the whole image.
    Returns the rows, and a line for each picture that could not be used. UserError where none could.
    """
    ready = [(entrant, case, entrant.prepare(case)) for case in cases for entrant in entrants]
    tasks = [(entrant, case, denoise) for entrant, case, denoise in ready if denoise is not None]
    pictures = list(images(name, root, limit))
    rows, bad = [], []
    with progress(len(pictures), name) as advance:
        for image, read in pictures:
            keys = {
                (entrant.name, case): (
                    entrant.name,
                    entrant.kind,
                    name,
                    case.corruption,
                    str(case.level),
                    str(case.seed),
                )
                for entrant, case, _ in tasks
            }
            known = [journal.rows.get((*keys[entrant.name, case], image)) for entrant, case, _ in tasks]
            missing = [task for task, row in zip(tasks, known, strict=True) if row is None]
            try:
                fresh = list(_scored(name, image, _part(read(), crop, image) if missing else np.empty(0), missing))
            except UserError as error:
                if str(error).startswith("--"):  # the denoiser's fault, not the picture's
                    raise
                bad.append(str(error))
            else:
                for row in fresh:
                    journal.add(row)
                rows += [row for row in known if row is not None] + fresh
            advance()
    if not rows:
        raise UserError(f"no picture of {name} could be used: {bad[0] if bad else 'there are none'}")
    return rows, bad


def _part(picture: np.ndarray, crop: int | None, image: str) -> np.ndarray:
    return picture if crop is None else center_crop(picture, crop, image)


def _scored(name: str, image: str, clean: np.ndarray, tasks: Sequence[tuple[Entrant, Case, Denoiser]]) -> Iterator[Row]:
    if tasks and min(clean.shape[:2]) < SMALLEST:
        raise UserError(f"{image} of {name} is too small: a side of {SMALLEST} pixels is needed for SSIM")
    noisy: dict[Case, np.ndarray] = {}
    for entrant, case, denoise in tasks:
        if case not in noisy:
            noisy = {case: corrupt({image: clean}, case.make, seed=case.seed)[image]}
        started = time.perf_counter()
        estimate = denoise(noisy[case])
        seconds = time.perf_counter() - started
        result = score(estimate, clean.astype(np.float32), CONVENTIONS[CONVENTION])
        megapixels = clean.shape[0] * clean.shape[1] / 1e6
        yield Row(
            *(entrant.name, entrant.kind, name, case.corruption, case.level, case.seed, image),
            *(result.psnr_db, result.ssim, seconds / megapixels),
        )
