"""Formulas in text, such as ``"log10(vvir / 125)"``, read by a small grammar of their own and never by `eval`.

A formula holds numbers, names, the operators ``+ - * / **``, brackets, the constant ``pi`` and the functions listed
in `FUNCTIONS`.  Names stand for quantities of a halo and its galaxy, or for constants.  Anything else, such as an
attribute, an index, a text or a call of another function, is refused when the formula is made.
"""

import ast
import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...array_library import array_library
from ...messages import did_you_mean
from ...printing import Component
from ...units import LN10

__all__ = ["FUNCTIONS", "Formula"]

FUNCTIONS: dict[str, Callable] = {
    "exp": lambda x: array_library(x).exp(x),
    "ln": lambda x: array_library(x).log(x),
    "log10": lambda x: array_library(x).log(x) / LN10,
    "sqrt": lambda x: array_library(x).sqrt(x),
    "abs": lambda x: array_library(x).abs(x),
    "tanh": lambda x: array_library(x).tanh(x),
    "sigmoid": lambda x: 0.5 * (1.0 + array_library(x).tanh(0.5 * x)),
    "softplus": lambda x: array_library(x).logaddexp(x, 0.0),
    "minimum": lambda x, y: array_library(x, y).minimum(x, y),
    "maximum": lambda x, y: array_library(x, y).maximum(x, y),
}
"""Functions that a formula may call; ``minimum`` and ``maximum`` take two numbers, the others one."""

_TWO = ("minimum", "maximum")
_CONSTANTS = {"pi": math.pi}
_LONGEST = 2000  # letters
_WHOLE = range(2, 17)
_OPERATORS: dict[type, Callable] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}
_SIGNS: dict[type, Callable] = {ast.USub: lambda a: -a, ast.UAdd: lambda a: a}


class Formula(Component):
    """A formula that can be evaluated for the names in it.

    Parameters
    ----------
    text : str
        Such as ``"a * (vvir / 125) ** b"``.

    Raises
    ------
    ValueError
        The text is no formula, or holds something that formulas may not hold.

    Examples
    --------
    >>> formula = co.physics.Formula("a * (vvir / 125) ** 2")
    >>> formula.names
    ('a', 'vvir')
    >>> float(formula({"a": 3.0, "vvir": 250.0}))
    12.0
    """

    text: str = eqx.field(static=True)

    def __check_init__(self):
        try:
            _check(self.text, _tree(self.text))
        except RecursionError:
            raise ValueError(f"formula {self.text[:40]!r}... is nested too deeply; write it with fewer signs") from None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of quantities and constants in it, in the order of their first use."""
        nodes = [node for node in ast.walk(_tree(self.text)) if isinstance(node, ast.Name)]
        nodes.sort(key=lambda node: node.col_offset)
        known = (*FUNCTIONS, *_CONSTANTS)
        return tuple(dict.fromkeys(node.id for node in nodes if node.id not in known))

    @property
    def size(self) -> int:
        """How many numbers, names, operators and functions it has: its complexity."""
        nodes = [node for node in ast.walk(_tree(self.text)) if isinstance(node, ast.expr)]
        return len(nodes) - sum(isinstance(node, ast.Call) for node in nodes)

    def substituted(self, formulas: Mapping[str, str]) -> "Formula":
        """The same with formulas in place of some names."""
        return Formula(ast.unparse(_Substitution(formulas).visit(_tree(self.text))))

    def with_constants(self) -> tuple["Formula", dict[str, float]]:
        """The same with a name for each number, ``c0``, ``c1`` ..., and the numbers by name; whole powers stay."""
        naming = _Naming(self.names)
        return Formula(ast.unparse(naming.visit(_tree(self.text)))), naming.constants

    def __call__(self, values: Mapping[str, Any] | Callable[[str], Any]) -> Float[Array, "..."]:
        """Its value, where `values` gives the number of each name."""
        look_up = values if callable(values) else values.__getitem__
        with np.errstate(all="ignore"):  # what has no finite value is inf or NaN, as in JAX
            return _evaluate(_tree(self.text), look_up)


class _Substitution(ast.NodeTransformer):
    def __init__(self, formulas: Mapping[str, str]):
        self.formulas = formulas

    def visit_Name(self, node: ast.Name) -> Any:
        return _tree(self.formulas[node.id]) if node.id in self.formulas else node

    def visit_Call(self, node: ast.Call) -> Any:
        node.args = [self.visit(argument) for argument in node.args]
        return node


class _Naming(ast.NodeTransformer):
    def __init__(self, taken: tuple[str, ...]):
        self.taken = taken
        self.constants: dict[str, float] = {}

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        node.left = self.visit(node.left)
        whole = isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant) and node.right.value in _WHOLE
        node.right = node.right if whole else self.visit(node.right)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.operand, ast.Constant):
            return self._named(_evaluate(node, _nothing))
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> Any:
        return self._named(float(node.value))  # type: ignore[arg-type]

    def _named(self, value: float) -> ast.Name:
        free = (name for k in itertools.count() if (name := f"c{k}") not in (*self.taken, *self.constants))
        name = next(free)
        self.constants[name] = value
        return ast.Name(name, ast.Load())


def _tree(text: str) -> ast.expr:
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"formula: got {text!r}; give a text, such as 'a * (vvir / 125) ** b'")
    if len(text) > _LONGEST:
        raise ValueError(f"formula: got {len(text)} letters; give at most {_LONGEST}")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = f" ({error.msg})" if isinstance(error, SyntaxError) else ""
        raise ValueError(f"formula {text!r} cannot be read{reason}; write it as in 'a * (vvir / 125) ** b'") from None


def _check(text: str, node: ast.expr) -> None:
    """Refuse everything that is not in the grammar."""
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        _check(text, node.left)
        _check(text, node.right)
        _check_number(text, node)
    elif isinstance(node, ast.UnaryOp) and type(node.op) in _SIGNS:
        _check(text, node.operand)
    elif isinstance(node, ast.Call):
        _check_call(text, node)
    elif isinstance(node, ast.Name):
        if node.id in FUNCTIONS:
            raise ValueError(
                f"formula {text!r}: the function {node.id} stands without its argument; write {node.id}(x)"
            )
    elif not (isinstance(node, ast.Constant) and _is_finite(node.value)):
        raise ValueError(
            f"formula {text!r}: {ast.unparse(node)!r} is not allowed; use numbers, names, + - * / **, brackets and the "
            f"functions {', '.join(FUNCTIONS)}"
        )


def _is_finite(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _check_number(text: str, node: ast.BinOp) -> None:
    """Refuse numbers such as 1/0 and 9**9**9, which have no value or none that is finite."""
    if any(isinstance(part, ast.Name | ast.Call) for part in ast.walk(node)):
        return
    try:
        value = _evaluate(node, _nothing)
    except (OverflowError, ZeroDivisionError):
        value = math.nan
    if isinstance(value, complex) or not math.isfinite(value):
        raise ValueError(f"formula {text!r}: {ast.unparse(node)} is no finite number; write it in another way")


def _check_call(text: str, node: ast.Call) -> None:
    name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    if name not in FUNCTIONS:
        hint = "write ln or log10; " if name == "log" else did_you_mean(name, FUNCTIONS)
        raise ValueError(f"formula {text!r}: there is no function {name}; {hint}it can be {', '.join(FUNCTIONS)}")
    takes = 2 if name in _TWO else 1
    if len(node.args) != takes or node.keywords:
        raise ValueError(f"formula {text!r}: {name} takes {takes} number{'s' if takes > 1 else ''}")
    for argument in node.args:
        _check(text, argument)


def _nothing(name: str) -> Any:
    raise KeyError(name)


def _evaluate(node: Any, look_up: Callable[[str], Any]) -> Any:
    if isinstance(node, ast.BinOp):
        left = _evaluate(node.left, look_up)
        if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant) and node.right.value in _WHOLE:
            power: Any = node.right.value
            return left ** int(power)  # a product, which has a slope where its base is zero as well
        return _OPERATORS[type(node.op)](left, _evaluate(node.right, look_up))
    if isinstance(node, ast.UnaryOp):
        return _SIGNS[type(node.op)](_evaluate(node.operand, look_up))
    if isinstance(node, ast.Call):
        return FUNCTIONS[node.func.id](*(_evaluate(argument, look_up) for argument in node.args))  # type: ignore
    if isinstance(node, ast.Name):
        return _CONSTANTS[node.id] if node.id in _CONSTANTS else look_up(node.id)
    return float(node.value)
