"""A claim as conditions of one form: a quantity lies between two bounds.

The quantity is a row's measure, or the difference or ratio of two rows; a published value, an order's pair, a margin's
sign and its size each become one condition, and each condition one row of the ledger.
"""

import itertools
import math
from dataclasses import dataclass, replace
from typing import Literal

from common.claims.schema import PSNR_TOLERANCE_DB, AnyClaim, Bounds, Curve, Fact, Margin, Order, Ratio, Value

ABOVE_ZERO = math.ulp(0.0)
"""The smallest number above zero: a sign holds where an interval excludes zero itself."""


@dataclass(frozen=True)
class Quantity:
    """The measure of row `of` (None: the measure names all of it), or two rows' difference or ratio."""

    of: str | None = None
    other: str | None = None
    how: Literal["value", "difference", "ratio"] = "value"


@dataclass(frozen=True)
class Condition:
    """`quantity` lies in [low, high].

    suffix: of the row's id. published, margin: number and bounds as the ledger prints them. equivalence: decided by
    two one-sided tests instead of a 95 % interval.
    """

    quantity: Quantity
    suffix: str = ""
    published: str = ""
    low: float = -math.inf
    high: float = math.inf
    margin: str = ""
    equivalence: bool = False


def conditions(claim: AnyClaim) -> list[Condition]:
    """What a claim says; one condition without bounds where it only reports."""
    if isinstance(claim, Order):
        return [_pair(first, second, claim.better) for first, second in itertools.pairwise(claim.ranking)]
    if isinstance(claim, Value | Fact) and claim.values:
        tolerance = claim.tolerance or (PSNR_TOLERANCE_DB if isinstance(claim, Value) else 0.0)
        return [_near(published, tolerance, Quantity(name), name) for name, published in claim.values.items()]
    if isinstance(claim, Fact) and claim.rows:
        named = [(row, found) for row in claim.rows for found in _bounded(claim, Quantity(row))]
        return [replace(found, suffix=".".join(filter(None, (row, found.suffix)))) for row, found in named]
    if isinstance(claim, Bounds):
        return _bounded(claim, _quantity(claim))
    return [Condition(Quantity())]


def number(value: float | None) -> str:
    """A number as the ledger prints it: whole numbers in full, others with six significant digits."""
    if value is None or math.isnan(value):
        return ""
    return str(int(value)) if math.isfinite(value) and value == int(value) else f"{value:.6g}"


def _pair(first: str, second: str, better: str) -> Condition:
    sign = ">" if better == "higher" else "<"
    low, high = (ABOVE_ZERO, math.inf) if better == "higher" else (-math.inf, -ABOVE_ZERO)
    name = f"{first}{sign}{second}"
    return Condition(Quantity(first, second, "difference"), name, f"{first} {sign} {second}", low, high, f"{sign} 0")


def _near(published: float, tolerance: float, quantity: Quantity, suffix: str) -> Condition:
    margin = f"±{number(tolerance)}" if tolerance else "exact"
    return Condition(quantity, suffix, number(published), published - tolerance, published + tolerance, margin)


def _quantity(claim: AnyClaim) -> Quantity:
    if isinstance(claim, Ratio):
        return Quantity(claim.of, claim.over, "ratio")
    if isinstance(claim, Margin | Curve):
        return Quantity(claim.of, claim.minus, "difference" if claim.minus else "value")
    return Quantity()


def _bounded(claim: Bounds, quantity: Quantity) -> list[Condition]:
    found = []
    if claim.sign:
        low, high = (ABOVE_ZERO, math.inf) if claim.sign == "positive" else (-math.inf, -ABOVE_ZERO)
        text = "> 0" if claim.sign == "positive" else "< 0"
        found.append(Condition(quantity, "sign", text, low, high, text))
    if claim.published is not None and claim.tolerance is not None:
        found.append(_near(claim.published, claim.tolerance, quantity, "size"))
    if claim.within is not None:
        text = f"within ±{number(claim.within)}"
        found.append(Condition(quantity, "size", text, -claim.within, claim.within, text, equivalence=True))
    if claim.at_least is not None or claim.at_most is not None:
        low = -math.inf if claim.at_least is None else claim.at_least
        high = math.inf if claim.at_most is None else claim.at_most
        ends = [f"≥ {number(low)}" if low > -math.inf else "", f"≤ {number(high)}" if high < math.inf else ""]
        text = ", ".join(filter(None, ends))
        found.append(Condition(quantity, "size", text, low, high, text))
    if len(found) > 1:
        return found
    return [replace(found[0], suffix="")] if found else [Condition(quantity)]
