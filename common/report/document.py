"""The report's content as one self-contained HTML page, which asks nothing of the network, and as Markdown."""

import base64
import hashlib
import io
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from common.report.words import GROUPS, NONE, TONES, explained

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, folder: Path, **content: Any) -> str:
    """Fill a template of this package; `folder` is where the document will lie, for its figures."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=".html" in template,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        md=_markdown,
        data_uri=lambda path: _data_uri(folder / path),
        link=lambda path: quote(path.as_posix()),
        explained=explained,
    )
    style, script = (_compact((TEMPLATES / name).read_text()) for name in ("style.css", "script.js"))
    words = {"tones": TONES, "groups": GROUPS, "nothing": NONE}
    policy = f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    return environment.get_template(template).render(**content, **words, style=style, script=script, policy=policy)


def _data_uri(path: Path) -> str:
    """The picture within the page: a photograph as it is, a chart as lossless WebP, half of its PNG's bytes."""
    if path.suffix == ".webp":
        content = path.read_bytes()
    else:
        smaller = io.BytesIO()
        with Image.open(path) as picture:
            picture.convert("RGB").save(smaller, "WEBP", lossless=True, quality=30, method=1)
        content = smaller.getvalue()
    return "data:image/webp;base64," + base64.b64encode(content).decode()


def _digest(text: str) -> str:
    """What a content security policy knows an inline style or script by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _compact(text: str) -> str:
    """Without indentation and empty lines."""
    return "\n".join(filter(None, map(str.strip, text.splitlines())))


def _markdown(text: str) -> str:
    """Text as Markdown shows it literally, on one line."""
    return re.sub(r"([\\|*_<>`\[\]])", r"\\\1", " ".join(text.split()))
