"""Arithmetic of a paper's own numbers, for the checks of a paper against itself."""

import ast
import math
import operator
from collections.abc import Callable

OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
FUNCTIONS: dict[str, Callable[[float], float]] = {"log10": math.log10, "sqrt": math.sqrt}


def evaluate(expression: str, measured: Callable[[str], float]) -> float:
    """Value of an expression of numbers, + - * / **, log10(), sqrt() and measures such as `complexity.dncnn.macs`.

    `measured` gives the value of a measure. Raises ValueError for anything else: nothing is executed.
    """

    def value(node: ast.AST) -> float:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -value(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return OPERATORS[type(op)](value(left), value(right))
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
                return FUNCTIONS[name](value(argument))
            case ast.Attribute():
                return measured(ast.unparse(node))
        raise ValueError(f"{ast.unparse(node)!r} is neither a number, a measure nor arithmetic")

    try:
        return value(ast.parse(expression, mode="eval").body)
    except SyntaxError:
        raise ValueError(f"{expression!r} is not an expression") from None
