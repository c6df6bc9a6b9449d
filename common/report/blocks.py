"""What the report is made of: plain blocks that the templates write as HTML and as Markdown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from common.report.material import Panel
from common.report.words import NONE

NUMBER = re.compile(r"[+-]?\d[\d,.]*(e[+-]?\d+)?")
SHORT = 20
"""Characters up to which a cell is kept on one line."""


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    text: str
    kind: ClassVar[str] = "heading"


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True)
class Banner:
    """What a reader must not miss."""

    text: str
    kind: ClassVar[str] = "banner"


@dataclass(frozen=True)
class Items:
    """A list; a term, if any, stands before each item."""

    items: Sequence[tuple[str, str]]
    kind: ClassVar[str] = "items"


@dataclass(frozen=True)
class Table:
    """Cells are text; a cell that is a verdict is coloured and explained. A row that is a text heads those after it.

    cards: on a phone every row becomes a card, for tables of sentences; others scroll sideways. links: addresses in
    the page by the texts of the first column.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str] | str]
    cards: bool = False
    links: dict[str, str] = field(default_factory=dict)
    kind: ClassVar[str] = "table"

    def style(self, column: int, cell: str) -> str:
        """`number`: set to the right, as the whole column holds numbers. `short`: not to be broken."""
        return "number" if column in self._of_numbers else "short" if len(cell) < SHORT else ""

    @cached_property
    def _of_numbers(self) -> set[int]:
        """The columns that hold nothing but numbers."""
        rows = [row for row in self.rows if not isinstance(row, str)]
        columns = ([row[index] for row in rows if row[index] not in ("", NONE)] for index in range(len(self.columns)))
        return {index for index, cells in enumerate(columns) if cells and all(map(NUMBER.fullmatch, cells))}


def filled(columns: Sequence[str], rows: Sequence[Sequence[str] | str], *, cards: bool = False) -> Table:
    """A table without the columns that are empty throughout."""
    full = [row for row in rows if not isinstance(row, str)]
    used = [index for index in range(len(columns)) if any(row[index] for row in full)]
    kept = [row if isinstance(row, str) else [row[index] for index in used] for row in rows]
    return Table([columns[index] for index in used], kept, cards)


@dataclass(frozen=True)
class Figure:
    """A chart. path: from the document's folder. alt: what is to be seen in it. anchor: its address in the page."""

    path: Path
    caption: str
    alt: str
    anchor: str = ""


@dataclass(frozen=True)
class Figures:
    """Charts side by side where there is room."""

    figures: Sequence[Figure]
    kind: ClassVar[str] = "figures"


@dataclass(frozen=True)
class Picture:
    """A photograph of a panel. path: from the document's folder. psnr_db: None of the clean one."""

    path: Path
    name: str
    psnr_db: float | None
    alt: str


@dataclass(frozen=True)
class Comparison:
    """One image as given, restored and clean: a slider where scripts run, else the pictures side by side.

    inset: (top, left, side) in pixels of the part that is enlarged. best: index of the picture shown against the
    first. anchor: its address in the page.
    """

    pictures: Sequence[Picture]
    caption: str
    size: tuple[int, int]
    inset: tuple[int, int, int]
    best: int
    anchor: str = ""
    kind: ClassVar[str] = "comparison"


@dataclass(frozen=True)
class Fold:
    """Blocks that are folded away until they are wanted."""

    title: str
    blocks: Sequence["Block"]
    anchor: str = ""
    kind: ClassVar[str] = "fold"


Block = Heading | Paragraph | Banner | Items | Table | Figures | Comparison | Fold


@dataclass(frozen=True)
class Section:
    """A titled part of the document, with its address in the page. note: a few words beside the title."""

    title: str
    anchor: str
    blocks: Sequence[Block]
    note: str = ""
    folded: bool = True


def comparison(panel: Panel, name: str, anchor: str = "") -> Comparison:
    """A panel as a block; `name` says what has been done to the image. The best restored picture comes forward."""
    record = panel.record
    pictures = [_picture(panel, entry, name) for entry in record["pictures"]]
    scored = {index: one.psnr_db for index, one in enumerate(pictures) if index and one.psnr_db is not None}
    best = max(scored, key=lambda index: scored[index]) if scored else len(pictures) - 1
    top, left, side = record["inset"]
    told = [f"{one.name} {one.psnr_db:.2f} dB" for one in (pictures[0], pictures[best]) if one.psnr_db is not None]
    caption = f"{name}, {record['image']}: {', '.join(told)}"
    return Comparison(pictures, caption, (record["width"], record["height"]), (top, left, side), best, anchor)


def _picture(panel: Panel, entry: dict[str, str | float | None], name: str) -> Picture:
    psnr_db = entry["psnr_db"]
    assert psnr_db is None or isinstance(psnr_db, float)
    told = "" if psnr_db is None else f", PSNR {psnr_db:.2f} dB"
    alt = f"Photograph {panel.record['image']} ({name}): {entry['name']}{told}"
    return Picture(panel.folder / str(entry["file"]), str(entry["name"]), psnr_db, alt)
