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
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib.transforms import Bbox
from PIL import Image

from common.store import write_bytes

WIDTH_INCHES = 3.75
"""360 CSS pixels: the text keeps its 9 points on a phone."""
DPI = 200
FONT_POINTS = 9
LINE_STYLES = ("-", "--", ":", "-.")
MARKERS = {"network": "o", "filter": "s", "trivial": "^", "shipped": "D", "own": "P"}
PLACES = tuple((dx, dy) for dy in (0, 8, -8, 18, -18, 30, -30, 42, -42) for dx in (7, -7, 0) if dx or dy)
"""Where a point's name may stand, in points from it: beside it first, then farther off."""
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


def psnr_scatter(benchmark: pd.DataFrame, x: str, label: str, path: Path, *, front: bool = False) -> bool:
    """PSNR over a cost, a panel for each title; False, and no figure, where all cost the same.

    benchmark: columns panel (its title), network (a name), kind (of `MARKERS`), psnr_db and `x`. Trivial predictors are
    left out. Where the filters have no such cost, the best of them is a line. front: draw the line of those that
    nothing is better than at their cost or less, and name them alone.
    """
    import seaborn as sns  # two seconds, which the papers' own figures need not wait for

    known = benchmark[np.isfinite(benchmark["psnr_db"]) & (benchmark["kind"] != "trivial")]
    costed = known[np.isfinite(known[x])]
    groups = [(str(title), points) for title, points in costed.groupby("panel", sort=False) if points[x].nunique() > 1]
    if not groups:
        return False
    with figure(3.2 * len(groups) + 0.3, path) as drawn:
        panels = drawn.subplots(len(groups), squeeze=False).flat
        for axes, (title, points) in zip(panels, groups, strict=True):
            palette = dict(zip(MARKERS, colours(len(MARKERS)), strict=True))
            style: dict[str, Any] = {"hue": "kind", "style": "kind", "palette": palette, "markers": MARKERS}
            sns.scatterplot(points, x=x, y="psnr_db", s=45, ax=axes, legend=False, zorder=3, **style)
            if front:
                best = pareto_front(points, x)
                axes.plot(best[x], best["psnr_db"], drawstyle="steps-post", color="0.6", linewidth=1, zorder=1)
            if points[x].min() > 0 and points[x].max() > 8 * points[x].min():
                _logarithmic(axes, "x")
            axes.set(title=title, xlabel=label, ylabel="PSNR, dB")
            filters = known[(known["panel"] == title) & (known["kind"] == "filter")]
            if "filter" not in set(points["kind"]) and not filters.empty:
                leader = filters.loc[filters["psnr_db"].idxmax()]
                axes.axhline(leader["psnr_db"], color=palette["filter"], linestyle="--", linewidth=1)
                _note(axes, (0.02, leader["psnr_db"]), f"{leader['network']} (best filter)")
            axes.margins(0.12, 0.18)
            room = axes.transData.inverted().transform(axes.transAxes.transform((1.3, 0)))
            axes.set_xlim(right=room[0])  # for the names, which stand to the right where they can
        drawn.draw_without_rendering()
        drawn.set_layout_engine("none")  # the panels stay where they are: the names move none of them
        for axes, (_, points) in zip(drawn.axes, groups, strict=True):
            points = pareto_front(points, x) if front else points
            _name_points(axes, points[[x, "psnr_db"]].to_numpy(), list(points["network"]))
    return True


def pareto_front(points: pd.DataFrame, x: str) -> pd.DataFrame:
    """The rows that no other row beats in psnr_db at the same `x` or less, cheapest first."""
    ordered = points.sort_values([x, "psnr_db"], ascending=[True, False])
    before = ordered["psnr_db"].cummax().shift(fill_value=-np.inf)
    return ordered[ordered["psnr_db"] > before]


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


def _logarithmic(axes: Axes, which: Literal["x", "y"]) -> None:
    """A logarithmic axis of what is drawn, with ticks at 1, 2 and 5, or at 1 alone where that is too many to read."""
    low, high = getattr(axes.dataLim, f"interval{which}")
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 50 * low else (1,)))
    axis.set_major_formatter(lambda value, position: f"{value:,.10g}")
    axis.set_minor_formatter(NullFormatter())


def _note(axes: Axes, at: tuple[float, float], text: str) -> None:
    """Text just above a height, from the left edge; x in shares of the width."""
    axes.annotate(text, at, (0, 2), xycoords=axes.get_yaxis_transform(), textcoords="offset points", va="bottom")


def _name_points(axes: Axes, points: np.ndarray, names: Sequence[str]) -> None:
    """Write each point's name at the first of `PLACES` where it covers nothing, else where it covers least.

    For a panel that stands where it will be drawn.
    """
    frame = axes.get_window_extent().padded(-0.02 * DPI)
    taken = [_square(axes.transData.transform(point)) for point in points]
    taken += [text.get_window_extent() for text in axes.texts]
    for point, name in zip(points, names, strict=True):
        covering: dict[tuple[int, int], float] = {}
        for place in PLACES:
            text = _beside(axes, point, place, name)
            box = _text_box(text)
            covering[place] = box.width * box.height - _shared(box, frame) + sum(_shared(box, other) for other in taken)
            if covering[place] <= 0:
                break
            text.remove()
        else:
            box = _text_box(_beside(axes, point, min(covering, key=lambda place: covering[place]), name))
        taken.append(box)


def _shared(box: Bbox, other: Bbox) -> float:
    """Area that two boxes have in common, in square pixels."""
    common = Bbox.intersection(box, other)
    return 0.0 if common is None else common.width * common.height


def _beside(axes: Axes, point: np.ndarray, place: tuple[int, int], name: str) -> Annotation:
    """The name, with a thin line to its point where it is far; it does not move the axes."""
    side = {1: "left", -1: "right", 0: "center"}[int(np.sign(place[0]))]
    line = {"arrowstyle": "-", "linewidth": 0.6, "color": "0.5", "shrinkA": 0, "shrinkB": 3}
    far = line if abs(place[1]) > 10 else None
    text = axes.annotate(
        name,
        tuple(point),
        place,
        textcoords="offset points",
        ha=side,
        va="center",
        arrowprops=far,
    )
    text.set_in_layout(False)
    return text


def _text_box(text: Annotation) -> Bbox:
    text.get_window_extent()  # moves the text to its place; as an extent it would include the line to the point
    return Text.get_window_extent(text)


def _square(centre: np.ndarray, half: float = 0.07 * DPI) -> Bbox:
    return Bbox([centre - half, centre + half])
