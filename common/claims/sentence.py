"""The sentences that claims are tested by (`schema` shows every form), and arithmetic; nothing is executed."""

import ast
import itertools
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
FUNCTIONS: dict[str, Callable[[float], float]] = {"log10": math.log10, "sqrt": math.sqrt}
FORMS = "a == 28.97 +- 0.15, a - b >= -0.3, 1 <= a - b <= 2, a / b <= 0.1, a > b > c, a < 0 or a == b +- 0.2"
TINY = math.nextafter(0, 1)
"""The number next to zero: a sign holds where an interval excludes zero itself."""


@dataclass(frozen=True)
class Sentence:
    """A quantity of rows that must lie in [low, high]; in an order, the difference of each two neighbours must.

    published: the number it is compared with, ± tolerance. equivalence: decided by two one-sided tests.
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
        """What an order says of each two neighbours."""
        neighbours = itertools.pairwise(self.rows)
        return [Sentence(" - ".join(pair), "difference", pair, self.low, self.high) for pair in neighbours]

    @property
    def wanted(self) -> str:
        """Where the quantity must lie, as the ledger prints it."""
        if self.form == "order":
            return self.text
        if self.published is not None:
            return number(self.published) + (f" ± {number(self.tolerance)}" if self.tolerance else "")
        if self.equivalence:
            return f"within ±{number(self.high)}"
        signs = {TINY: "> 0", -TINY: "< 0"}
        ends = ((self.low, "≥"), (self.high, "≤"))
        return ", ".join(signs.get(end, f"{sign} {number(end)}") for end, sign in ends if math.isfinite(end))


def parse(text: object) -> Sentence:
    """Understand a sentence. Raises ValueError, with the forms there are, for anything else."""
    try:
        tree = ast.parse(str(text), mode="eval").body
        sentence = _compared(tree, str(text)) if isinstance(tree, ast.Compare) else _quantity(tree, str(text))
    except (SyntaxError, ValueError):
        raise ValueError(f"a sentence such as {FORMS}") from None
    if len(set(sentence.rows)) < len(sentence.rows):
        raise ValueError("a sentence that names no row twice")
    return sentence


def parse_check(text: object) -> tuple[float, str, float]:
    """Understand `printed == computed +- tolerance`: the number, the arithmetic and the tolerance."""
    try:
        match ast.parse(str(text), mode="eval").body:
            case ast.Compare(left=printed, ops=[ast.Eq()], comparators=[right]):
                computed, tolerance = _tolerated(right)
                _value(computed, lambda measure: 1.0)  # what is no arithmetic is refused before anything is measured
                return _value(printed), ast.unparse(computed), tolerance
    except (SyntaxError, ValueError):
        pass
    raise ValueError("printed == computed +- tolerance, such as 4 == 600 / 150 +- 0.5")


def evaluate(expression: str, measured: Callable[[str], float]) -> float:
    """Value of numbers, + - * / **, log10(), sqrt() and measures such as `complexity.dncnn.macs`, told by `measured`."""
    return _value(ast.parse(expression, mode="eval").body, measured)


def number(value: float | None) -> str:
    """A number as the ledger prints it: whole numbers in full, others with six significant digits."""
    if value is None or math.isnan(value):
        return ""
    return str(int(value)) if math.isfinite(value) and value == int(value) else f"{value:.6g}"


def _compared(tree: ast.Compare, text: str) -> Sentence:
    terms, signs = [tree.left, *tree.comparators], [type(sign) for sign in tree.ops]
    names = tuple(term.id for term in terms if isinstance(term, ast.Name))
    if len(names) == len(terms) and set(signs) in ({ast.Gt}, {ast.Lt}):
        low, high = (TINY, math.inf) if signs[0] is ast.Gt else (-math.inf, -TINY)
        return Sentence(text, "order" if len(names) > 2 else "difference", names, low, high)
    if signs == [ast.LtE, ast.LtE] and _value(terms[0]) <= _value(terms[2]):
        return replace(_quantity(terms[1], text), low=_value(terms[0]), high=_value(terms[2]))
    if len(terms) > 2:
        raise ValueError(text)
    right, tolerance = _tolerated(terms[1])
    if signs == [ast.Eq] and isinstance(terms[0], ast.Name) and isinstance(right, ast.Name) and tolerance > 0:
        rows = terms[0].id, right.id
        return Sentence(text, "difference", rows, -tolerance, tolerance, equivalence=True)
    quantity, bound = _quantity(terms[0], text), _value(right if signs == [ast.Eq] else terms[1])
    if signs == [ast.Eq]:
        low, high = bound - tolerance, bound + tolerance
        return replace(quantity, low=low, high=high, published=bound, tolerance=tolerance)
    ends = {
        ast.Gt: (math.nextafter(bound, math.inf), math.inf),
        ast.GtE: (bound, math.inf),
        ast.Lt: (-math.inf, math.nextafter(bound, -math.inf)),
        ast.LtE: (-math.inf, bound),
    }
    if signs[0] not in ends:
        raise ValueError(text)
    low, high = ends[signs[0]]
    return replace(quantity, low=low, high=high)


def _quantity(tree: ast.expr, text: str) -> Sentence:
    match tree:
        case ast.Name(id=row):
            return Sentence(text, "row", (row,))
        case ast.BinOp(left=ast.Name(id=left), op=ast.Sub(), right=ast.Name(id=right)):
            return Sentence(text, "difference", (left, right))
        case ast.BinOp(left=ast.Name(id=left), op=ast.Div(), right=ast.Name(id=right)):
            return Sentence(text, "ratio", (left, right))
    raise ValueError(text)


def _tolerated(tree: ast.expr) -> tuple[ast.expr, float]:
    match tree:
        case ast.BinOp(left=left, op=ast.Add(), right=ast.UnaryOp(op=ast.USub(), operand=tolerance)):
            return left, _value(tolerance)
    return tree, 0.0


def _value(node: ast.AST, measured: Callable[[str], float] | None = None) -> float:
    match node:
        case ast.Constant(value=int() | float() as constant) if not isinstance(constant, bool):
            return float(constant)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, measured)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](_value(left, measured), _value(right, measured))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](_value(argument, measured))
        case ast.Attribute() if measured:
            return measured(ast.unparse(node))
    raise ValueError(f"{ast.unparse(node)!r} is neither a number, a measure nor arithmetic")
