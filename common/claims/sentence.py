"""The sentences that claims are tested by (CONTRIBUTING.md shows every form), and arithmetic; nothing is executed."""

import ast
import itertools
import math
import operator as op
from dataclasses import dataclass, replace
from typing import Literal

OPERATORS = {ast.Add: op.add, ast.Sub: op.sub, ast.Mult: op.mul, ast.Div: op.truediv, ast.Pow: op.pow}
FUNCTIONS = {"log10": math.log10, "sqrt": math.sqrt}
FORMS = "a sentence such as a - b >= -0.3, or of a self-check 4 == 600 / 150 +- 0.5 (CONTRIBUTING.md shows all)"
TINY = math.nextafter(0, 1)
"""The number next to zero: a sign holds where an interval excludes zero itself."""


@dataclass(frozen=True)
class Sentence:
    """A quantity of rows that must lie in [low, high]; in an order, the difference of each two neighbours must.

    published: the number it is compared with, ± tolerance. equivalence: decided by two one-sided tests of ± tolerance.
    """

    text: str
    form: Literal["row", "difference", "ratio", "order"]
    rows: tuple[str, ...]
    low: float = -math.inf
    high: float = math.inf
    published: float | None = None
    tolerance: float = 0.0
    equivalence: bool = False

    @property
    def pairs(self) -> "list[Sentence]":
        """What is measured: the quantity, or each two neighbours of an order."""
        if self.form != "order":
            return [self]
        pairs = itertools.pairwise(self.rows)
        return [Sentence(" - ".join(pair), "difference", pair, self.low, self.high) for pair in pairs]

    @property
    def wanted(self) -> str:
        """Where the quantity must lie, in words; nothing where the sentence compares nothing."""
        if self.form == "order":
            return self.text
        if self.published is not None:
            return number(self.published) + (f" ± {number(self.tolerance)}" if self.tolerance else "")
        if self.equivalence:
            return f"±{number(self.high)}"
        signs, ends = {TINY: "> 0", -TINY: "< 0"}, ((self.low, "≥"), (self.high, "≤"))
        return ", ".join(signs.get(end, f"{sign} {number(end)}") for end, sign in ends if math.isfinite(end))


def parse(text: object) -> Sentence:
    """Understand a sentence; ValueError where it is none."""
    tree, tolerance = _read(text)
    quantity = _compared(tree, tolerance) if isinstance(tree, ast.Compare) else _quantity(tree)
    sentence = replace(quantity, text=str(text))
    if len(set(sentence.rows)) < len(sentence.rows) or sentence.low > sentence.high or sentence.tolerance != tolerance:
        raise ValueError(FORMS)
    return sentence


def parse_check(text: object) -> tuple[str, float, float, float]:
    """Text and numbers of `printed == computed +- tolerance`, arithmetic with log10() and sqrt(); else ValueError."""
    match _read(text):
        case ast.Compare(left=printed, ops=[ast.Eq()], comparators=[computed]), tolerance:
            return str(text), _value(printed), _value(computed), tolerance
    raise ValueError(FORMS)


def number(value: float | None) -> str:
    """A number as the ledger prints it: whole numbers in full, others with six significant digits."""
    if value is None or math.isnan(value):
        return ""
    return str(int(value)) if math.isfinite(value) and value == int(value) else f"{value:.6g}"


def _read(text: object) -> tuple[ast.expr, float]:
    """What stands before `+-` as a tree, and the tolerance after it."""
    body, sign, tolerance = str(text).partition("+-")
    try:
        tree, allowed = (ast.parse(part.strip(), mode="eval").body for part in (body, tolerance if sign else "0"))
    except SyntaxError:
        raise ValueError(FORMS) from None
    return tree, _value(allowed)


def _compared(tree: ast.Compare, tolerance: float) -> Sentence:
    names = tuple(term.id for term in (tree.left, *tree.comparators) if isinstance(term, ast.Name))
    signs = {type(sign) for sign in tree.ops}
    if len(names) > len(tree.ops) and signs in ({ast.Gt}, {ast.Lt}):
        low, high = (TINY, math.inf) if signs == {ast.Gt} else (-math.inf, -TINY)
        return Sentence("", "order" if len(names) > 2 else "difference", names, low, high)
    match tree:
        case ast.Compare(left=least, ops=[ast.LtE(), ast.LtE()], comparators=[quantity, most]):
            return replace(_quantity(quantity), low=_value(least), high=_value(most))
        case ast.Compare(left=ast.Name(), ops=[ast.Eq()], comparators=[ast.Name()]) if tolerance:
            return Sentence("", "difference", names, -tolerance, tolerance, tolerance=tolerance, equivalence=True)
        case ast.Compare(left=quantity, ops=[ast.Eq()], comparators=[published]):
            value = _value(published)
            around = replace(_quantity(quantity), low=value - tolerance, high=value + tolerance)
            return replace(around, published=value, tolerance=tolerance)
        case ast.Compare(left=quantity, ops=[sign], comparators=[bound]):
            value = _value(bound)
            low = {ast.Gt: math.nextafter(value, math.inf), ast.GtE: value}.get(type(sign), -math.inf)
            high = {ast.Lt: math.nextafter(value, -math.inf), ast.LtE: value}.get(type(sign), math.inf)
            return replace(_quantity(quantity), low=low, high=high)
    raise ValueError(FORMS)


def _quantity(tree: ast.expr) -> Sentence:
    match tree:
        case ast.Name(id=row):
            return Sentence("", "row", (row,))
        case ast.BinOp(left=ast.Name(id=left), op=ast.Sub() | ast.Div() as sign, right=ast.Name(id=right)):
            return Sentence("", "difference" if isinstance(sign, ast.Sub) else "ratio", (left, right))
    raise ValueError(FORMS)


def _value(node: ast.AST) -> float:
    match node:
        case ast.Constant(value=int() | float() as constant) if not isinstance(constant, bool):
            return float(constant)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATORS:
            return float(OPERATORS[type(sign)](_value(left), _value(right)))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](_value(argument))
    raise ValueError(FORMS)
