"""Denoisers as points of a figure: PSNR over what they cost, with the names where they cover nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation, Text
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from common.report.plots import DPI, colours, figure

MARKERS = {"network": "o", "filter": "s", "trivial": "^", "shipped": "D", "own": "P", "all": "v"}
"""By kind; `all`: a network that was trained on all corruptions of the benchmark."""
PLACES = tuple(
    (dx, dy) for dy in (0, 8, -8, 13, -13, 18, -18, 24, -24, 30, -30, 42, -42) for dx in (7, -7, 0) if dx or dy
)
"""Where a point's name may stand, in points from it: beside it first, then farther off."""


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
                _logarithmic(axes)
            axes.set(title=title, xlabel=label, ylabel="PSNR, dB")
            filters = known[(known["panel"] == title) & (known["kind"] == "filter")]
            if "filter" not in set(points["kind"]) and not filters.empty:
                leader = filters.loc[filters["psnr_db"].idxmax()]
                axes.axhline(leader["psnr_db"], color=palette["filter"], linestyle="--", linewidth=1)
                _note(axes, (0.02, leader["psnr_db"]), f"{leader['network']} (best filter)")
            axes.margins(0.16, 0.18)
            room = axes.transData.inverted().transform(axes.transAxes.transform((1.3, 0)))
            axes.set_xlim(right=room[0])  # for the names, which stand to the right where they can
        drawn.draw_without_rendering()
        drawn.set_layout_engine("none")  # the panels stay where they are: the names move none of them
        for axes, (_, points) in zip(drawn.axes, groups, strict=True):
            named = pareto_front(points, x) if front else points
            drawn_at, named_at = (some[[x, "psnr_db"]].to_numpy() for some in (points, named))
            _name_points(axes, named_at, list(named["network"]), drawn_at)
    return True


def pareto_front(points: pd.DataFrame, x: str) -> pd.DataFrame:
    """The rows that no other row beats in psnr_db at the same `x` or less, cheapest first."""
    ordered = points.sort_values([x, "psnr_db"], ascending=[True, False])
    before = ordered["psnr_db"].cummax().shift(fill_value=-np.inf)
    return ordered[ordered["psnr_db"] > before]


def _logarithmic(axes: Axes) -> None:
    """A logarithmic x axis of what is drawn, with ticks at 1, 2 and 5, or at 1 alone where that is too many to read."""
    low, high = axes.dataLim.intervalx
    axes.set(xscale="log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 50 * low else (1,)))
    axes.xaxis.set_major_formatter(lambda value, position: f"{value:,.10g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _note(axes: Axes, at: tuple[float, float], text: str) -> None:
    """Text just above a height, from the left edge; x in shares of the width."""
    axes.annotate(text, at, (0, 2), xycoords=axes.get_yaxis_transform(), textcoords="offset points", va="bottom")


def _name_points(axes: Axes, points: np.ndarray, names: Sequence[str], drawn: np.ndarray) -> None:
    """Write each point's name at the first of `PLACES` where it covers nothing, else where it covers least.

    drawn: all points of the panel, of which these are some; for a panel that stands where it will be drawn.
    """
    frame = axes.get_window_extent().padded(-0.02 * DPI)
    taken = [_square(axes.transData.transform(point)) for point in drawn]
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
        path_effects=[withStroke(linewidth=2, foreground="white")],
    )
    text.set_in_layout(False)
    return text


def _text_box(text: Annotation) -> Bbox:
    text.get_window_extent()  # moves the text to its place; as an extent it would include the line to the point
    return Text.get_window_extent(text).padded(0.015 * DPI, 0)


def _square(centre: np.ndarray, half: float = 0.07 * DPI) -> Bbox:
    return Bbox([centre - half, centre + half])
