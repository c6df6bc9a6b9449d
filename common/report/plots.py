"""Figures of the report, drawn at a phone's width: 9-point text, colours that colour-blind readers tell apart.

Every function writes one PNG whose bytes depend on its arguments alone. No figure is registered with pyplot.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib import color_sequences, rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from common.store import write_bytes

WIDTH_INCHES = 3.75
"""360 CSS pixels: the text keeps its 9 points on a phone."""
DPI = 200
FONT_POINTS = 9
LINE_STYLES = ("-", "--", ":", "-.")
STYLE: dict[Any, Any] = {
    "axes.titlelocation": "left",
    "axes.edgecolor": "0.3",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "0.9",
    "xtick.bottom": False,
    "ytick.left": False,
    "font.family": "DejaVu Sans",
    "lines.linewidth": 1.5,
}
WATCHED = {"val_psnr_db": "validation PSNR, dB"}
"""Names of axes that are not read off the column's."""
SERIES_MARKERS = ("o", "s", "^", "v", "P", "X")
"""Markers of ours and of the snapshots beside it; the published value is a diamond."""


def published_vs_ours(rows: pd.DataFrame, path: Path) -> None:
    """Published values beside ours and every snapshot's, a panel for each claim.

    rows: columns claim (a panel's title), unit (its axis), row, series ("published", "ours", a snapshot's name), value,
    low, high (interval, NaN where there is none); one row for each marker.
    """
    series = list(dict.fromkeys(["published", "ours", *rows["series"]]))
    palette = dict(zip(series, ["black", *colours(len(series))], strict=False))
    markers = dict(zip(series, ["D", *SERIES_MARKERS], strict=False))
    panels = [(str(claim), panel) for claim, panel in rows.groupby("claim", sort=False)]
    heights = [0.75 + 0.18 * len(series) * panel["row"].nunique() for _, panel in panels]
    with figure(sum(heights) + 0.45, path) as drawn:
        grid = drawn.subplots(len(panels), squeeze=False, height_ratios=heights)
        for axes, (claim, panel) in zip(grid.flat, panels, strict=True):
            names = list(dict.fromkeys(panel["row"]))
            for name, members in panel.groupby("series", sort=False):
                shift = 0.7 * ((series.index(str(name)) + 0.5) / len(series) - 0.5)
                heights_of = [names.index(row) + shift for row in members["row"]]
                bars = [members["value"] - members["low"], members["high"] - members["value"]]
                style: dict[str, Any] = {"color": palette[str(name)], "marker": markers[str(name)], "markersize": 5}
                style["markerfacecolor"] = "white" if name == "published" else style["color"]
                axes.errorbar(members["value"], heights_of, xerr=bars, linestyle="", capsize=2, label=name, **style)
            axes.set(title=claim, xlabel=panel["unit"].iloc[0], yticks=range(len(names)), yticklabels=names)
            axes.set_ylim(len(names) - 0.5, -0.5)
            axes.margins(x=0.1)
            axes.grid(axis="y", visible=False)
            for boundary in range(1, len(names)):
                axes.axhline(boundary - 0.5, color="0.8", linewidth=0.6)
        legend_below(drawn, grid.flat)


def training_curves(histories: dict[str, pd.DataFrame], path: Path) -> None:
    """What was watched on validation images over the images seen; a line per network.

    histories: network → columns seed, images_seen, one or more val_…, of which the first is drawn, the same for all.
    With several seeds the line is their mean and the band reaches from the lowest to the highest.
    """
    legend = 0.19 * -(-len(histories) // 2)
    height = 2.6 + legend
    with figure(height, path, layout=None) as drawn:  # fixed margins: a layout that measures takes as long as drawing
        sides = {"left": 0.6 / WIDTH_INCHES, "right": 1 - 0.12 / WIDTH_INCHES}
        axes = drawn.subplots(gridspec_kw={**sides, "bottom": (0.55 + legend) / height, "top": 1 - 0.1 / height})
        for name, style in line_styles(list(histories)).items():
            column = watched(histories[name])
            own = histories[name].dropna(subset=column)
            at = own.assign(images_seen=own["images_seen"] / 1000).groupby("images_seen")[column]
            axes.plot(at.mean(), label=name, **style)
            if own["seed"].nunique() > 1:
                axes.fill_between(at.min().index, at.min(), at.max(), color=style["color"], alpha=0.2)
        first = watched(next(iter(histories.values())))
        axes.set(ylabel=WATCHED.get(first, first.replace("val_", "validation ").replace("_", " ")))
        axes.set(xlabel="training images seen, thousands")
        drawn.legend(loc="lower center", ncols=2, frameon=False, borderpad=0.1, labelspacing=0.25)


def watched(history: pd.DataFrame) -> str:
    """The column of a history that validations are about: the first val_…."""
    return next(column for column in history.columns if column.startswith("val_"))


@contextmanager
def figure(height: float, path: Path, layout: Literal["constrained"] | None = "constrained") -> Iterator[Figure]:
    """A figure under the report's style, saved to `path` at the end."""
    texts: tuple[Any, ...] = (
        "font.size",
        "axes.titlesize",
        "axes.labelsize",
        "legend.fontsize",
        "xtick.labelsize",
        "ytick.labelsize",
    )
    with rc_context(STYLE | dict.fromkeys(texts, FONT_POINTS)):
        drawn = Figure((WIDTH_INCHES, height), dpi=DPI, layout=layout)
        canvas = FigureCanvasAgg(drawn)  # without one, every text that is measured makes a canvas anew
        yield drawn
        canvas.draw()
    # A palette of 256 colours is more than a figure has, anti-aliasing aside, and a third of the bytes.
    drawing = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    png = io.BytesIO()
    drawing.save(png, format="PNG", compress_level=8)  # 9 takes twice as long for 1 % fewer bytes
    write_bytes(path, png.getvalue())


def colours(count: int) -> list[Any]:
    """So many colours that colour-blind readers tell apart."""
    palette = color_sequences["petroff10"]
    return [palette[index % len(palette)] for index in range(count)]


def line_styles(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """A colour and a dash pattern for each name; beyond ten names the colours return with other dashes."""
    palette = colours(10)
    return {
        name: {"color": palette[index % 10], "linestyle": LINE_STYLES[(index + index // 10) % len(LINE_STYLES)]}
        for index, name in enumerate(names)
    }


def legend_below(figure: Figure, panels: Any) -> None:
    """One legend for all panels, in two columns below them."""
    entries: dict[str, Any] = {}
    for axes in panels:
        entries |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=2, frameon=False)
