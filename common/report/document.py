"""A document as plain blocks, written as one self-contained HTML page and as Markdown."""

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from common.claims import verdict

TEMPLATES = Path(__file__).parent
TONES = {
    verdict.REPRODUCED: "good",
    verdict.HOLDS: "good",
    verdict.CONSISTENT: "good",
    verdict.NOT_REPRODUCED: "bad",
    verdict.CONTRADICTION: "bad",
    verdict.DOES_NOT_HOLD: "other",
    verdict.INCONCLUSIVE: "open",
    verdict.OFF_PROTOCOL: "open",
    verdict.UNTESTABLE: "open",
    verdict.NOT_RUN: "open",
}
"""Colour of a verdict. What does not hold short of full fidelity refutes no paper, and is not coloured as if it did."""
NONE = "–"
"""Stands in a cell for a number that there is not."""
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
    """A list; a term, if any, stands before each item. numbered: notes that a table refers to."""

    items: Sequence[tuple[str, str]]
    numbered: bool = False
    kind: ClassVar[str] = "items"


@dataclass(frozen=True)
class Table:
    """Cells are text; a cell that is a verdict is coloured. A row that is a text heads the rows after it.

    cards: on a phone every row becomes a card, for tables of sentences; others scroll sideways.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str] | str]
    cards: bool = False
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
    """A PNG. path: from the document's folder."""

    path: Path
    caption: str


@dataclass(frozen=True)
class Figures:
    """Figures side by side where there is room."""

    figures: Sequence[Figure]
    kind: ClassVar[str] = "figures"


Block = Heading | Paragraph | Banner | Items | Table | Figures


@dataclass(frozen=True)
class Section:
    """A titled part of the document."""

    title: str
    blocks: Sequence[Block]

    @property
    def anchor(self) -> str:
        """Its address inside the page, as GitHub makes it from the title."""
        return re.sub(r"[^\w -]", "", self.title.lower()).replace(" ", "-")


def render(template: str, folder: Path, **content: Any) -> str:
    """Fill a template of this package; `folder` is where the document will lie, for its figures."""

    def data_uri(path: Path) -> str:
        """The picture within the page, in a third of its file's bytes: photographs as WebP's best lossy quality."""
        with Image.open(folder / path) as picture:
            smaller = io.BytesIO()
            lossless = path.is_relative_to("figures") or path.parent.name == "figures"
            picture.convert("RGB").save(smaller, "WEBP", lossless=lossless, quality=80 if lossless else 90)
        return "data:image/webp;base64," + base64.b64encode(smaller.getvalue()).decode()

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=".html" in template,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(md=_markdown, data_uri=data_uri, link=lambda path: quote(path.as_posix()))
    style = (TEMPLATES / "style.css").read_text()
    return environment.get_template(template).render(**content, style=style, tones=TONES)


def _markdown(text: str) -> str:
    """Text as Markdown shows it literally, on one line."""
    return re.sub(r"([\\|*_<>`\[\]])", r"\\\1", " ".join(text.split()))
