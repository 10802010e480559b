"""Searches for a formula: a function of a few numbers written with a few terms, at every length.

`SparseSearch` adds terms of a library one at a time and needs nothing beside this package; `OperonSearch` breeds
formulas by genetic programming with pyoperon.
"""

import abc
import importlib.util
import itertools
import re
from collections.abc import Sequence

import equinox as eqx
import numpy as np

from ...arguments import whole_number
from ...physics import Formula
from ...printing import Component

__all__ = ["AbstractFormulaSearch", "OperonSearch", "SparseSearch"]


_STEEPNESS = 20.0  # of a bend, over the range of the number


class AbstractFormulaSearch(Component):
    """How formulas are searched for.

    Examples
    --------
    >>> class OnlyMean(co.inference.AbstractFormulaSearch):
    ...     def __call__(self, x, y, names):
    ...         return [f"{y.mean():.4g}"]
    >>> OnlyMean()(np.zeros((2, 1)), np.array([1.0, 2.0]), ["x"])
    ['1.5']
    """

    @abc.abstractmethod
    def __call__(self, x: np.ndarray, y: np.ndarray, names: Sequence[str]) -> list[str]:
        """Formulas of `names` for numbers `y`, (n,), at `x`, (n, features), of several lengths."""


class SparseSearch(AbstractFormulaSearch):
    """Sums of few terms of a library: a constant, each number, products, and bends at several places.

    The term that reduces the residual most is added, each is exchanged for another where that is better, and all
    factors are fitted again.  A bend is ``softplus(s * (x - b))``: zero below b and a straight line above it, so that
    a broken power law has one bend.

    Parameters
    ----------
    terms : int
        Most terms beside the constant.
    bends : int
        Places of bends that are tried for each number.

    References
    ----------
    Brunton, Proctor & Kutz 2016, PNAS 113, 3932 (sparse regression on a library); Pati et al. 1993 (the greedy choice).

    Examples
    --------
    >>> x = np.linspace(1.0, 3.0, 40)[:, None]
    >>> co.inference.SparseSearch(terms=1)(x, 2.0 - 1.5 * x[:, 0], ["lv"])
    ['-1', '2 + -1.5 * lv']
    """

    terms: int = eqx.field(static=True, default=4)
    bends: int = eqx.field(static=True, default=7)

    def __check_init__(self):
        whole_number("terms", self.terms, least=0)
        whole_number("bends", self.bends, least=0)

    def __call__(self, x: np.ndarray, y: np.ndarray, names: Sequence[str]) -> list[str]:
        library = self._library(x, names)
        chosen: list[str] = []
        formulas = [self._written(_fitted(y, [])[0], [])]
        for _ in range(min(self.terms, len(library))):
            chosen = sorted(_exchanged(y, library, _extended(y, library, chosen)), key=list(library).index)
            formulas.append(self._written(_fitted(y, [library[term] for term in chosen])[0], chosen))
        return formulas

    def _library(self, x, names):
        """Terms by their text, evaluated at the data."""
        columns = dict(zip(names, x.T, strict=True))
        texts = list(names)
        for first, second in itertools.combinations_with_replacement(names, 2):
            texts.append(f"{first} ** 2" if first == second else f"{first} * {second}")
        for name, column in columns.items():
            low, high = column.min(), column.max()
            if high > low:
                steepness = _STEEPNESS / (high - low)
                for place in np.linspace(low, high, self.bends + 2)[1:-1]:
                    texts.append(f"softplus({steepness:.4g} * ({name} - {_bracketed(place)}))")
        return {text: Formula(text)(columns) for text in texts}

    def _written(self, factors, terms):
        first, *others = (f"{factor:.12g}" for factor in factors)
        return " + ".join([first, *(f"{factor} * {term}" for factor, term in zip(others, terms, strict=True))])


class OperonSearch(AbstractFormulaSearch):
    """Genetic programming with pyoperon, whose constants are fitted by least squares.

    Parameters
    ----------
    generations, population : int
    longest : int
        Most numbers, names and operators of a formula.
    symbols : str
        Operations that it may use, in pyoperon's words.
    seed : int

    Raises
    ------
    ImportError
        pyoperon or scikit-learn is missing; ``pip install 'corundum[formulas]'``.

    References
    ----------
    Burlacu, Kronberger & Kommenda 2020, GECCO companion, 1562.

    Examples
    --------
    >>> co.inference.OperonSearch(generations=50).longest
    20
    """

    generations: int = eqx.field(static=True, default=200)
    population: int = eqx.field(static=True, default=500)
    longest: int = eqx.field(static=True, default=20)
    symbols: str = eqx.field(static=True, default="add,sub,mul,div,constant,variable,exp,tanh")
    seed: int = eqx.field(static=True, default=0)

    def __call__(self, x: np.ndarray, y: np.ndarray, names: Sequence[str]) -> list[str]:
        missing = [name for name in ("pyoperon", "sklearn") if importlib.util.find_spec(name) is None]
        if missing:
            raise ImportError(
                f"OperonSearch needs {' and '.join(missing)}, which is not installed: "
                "pip install 'corundum[formulas]', or use SparseSearch"
            )
        from pyoperon.sklearn import SymbolicRegressor

        regressor = SymbolicRegressor(
            allowed_symbols=self.symbols,
            max_length=self.longest,
            generations=self.generations,
            population_size=self.population,
            optimizer_iterations=5,
            objectives=["r2", "length"],
            random_state=self.seed,
        )
        regressor.fit(np.ascontiguousarray(x), np.ascontiguousarray(y))
        return [from_operon(front["model"], names) for front in regressor.pareto_front_]


def from_operon(text: str, names: Sequence[str]) -> str:
    """A formula of pyoperon, whose numbers are X1, X2 ... and whose power is ``^``, with names in this package's words.

    Examples
    --------
    >>> from corundum.inference.learned.formulas import from_operon
    >>> from_operon("(0.5 + (2.0 * (X1 ^ X2)))", ["lv", "z"])
    '(0.5 + (2.0 * (lv ** z)))'
    """
    named = re.sub(r"\bX(\d+)\b", lambda match: names[int(match.group(1)) - 1], text)
    return re.sub(r"\blog\(", "ln(", named.replace("^", "**"))


def _extended(y, library, chosen):
    """The terms, and the one that reduces the residual most."""
    return min(
        ([*chosen, term] for term in library if term not in chosen),
        key=lambda terms: _fitted(y, [library[term] for term in terms])[1],
    )


def _exchanged(y, library, chosen):
    """The terms, each exchanged for another as long as that reduces the residual."""
    error, unchanged = _fitted(y, [library[term] for term in chosen])[1], 0
    while unchanged < len(chosen):
        better = _extended(y, library, chosen[1:])  # the others, and the best one beside them
        smaller = _fitted(y, [library[term] for term in better])[1]
        if smaller < (1.0 - 1e-9) * error:
            chosen, error, unchanged = better, smaller, 0
        else:
            chosen, unchanged = [*chosen[1:], chosen[0]], unchanged + 1
    return chosen


def _fitted(y, columns):
    """Factors of a constant and of `columns` that fit `y` best, and the mean square residual."""
    matrix = np.stack([np.ones_like(y), *columns], axis=-1)
    factors = np.linalg.lstsq(matrix, y, rcond=None)[0]
    return factors, float(np.mean((y - matrix @ factors) ** 2))


def _bracketed(number):
    return f"({number:.4g})" if number < 0 else f"{number:.4g}"
