"""From a function to a formula: short expressions for a law of evolved galaxies, error against complexity."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy

from ...arguments import instance, strategy
from ...messages import did_you_mean
from ...physics import ExpressionLaw, Formula, LogitLink, LogLink
from ...physics.learned.features import Feature, as_features
from ...physics.learned.links import AbstractLink
from ...population import Population
from ...printing import in_short
from .formulas import AbstractFormulaSearch, SparseSearch

__all__ = ["Distillation", "ShortFormula", "distil"]

_EVALUATIONS = 200  # of each formula, when its constants are fitted


class ShortFormula(NamedTuple):
    """One formula for the logarithm, or log odds, of a law.

    Attributes
    ----------
    text : str
        Of the features, with constants by name.
    constants : dict of str to float
    size : int
        How many numbers, names, operators and functions it has.
    error : float
        Root mean square residual [dex].

    Examples
    --------
    >>> co.inference.ShortFormula("c0 + c1 * log_vvir", {"c0": 2.0, "c1": -1.0}, 5, 0.03).written()
    '2 - 1 * log_vvir'
    """

    text: str
    constants: dict[str, float]
    size: int
    error: float

    def __repr__(self) -> str:
        return in_short(self)

    def written(self) -> str:
        """The formula with its numbers."""
        numbers = {name: f"{value:.4g}" for name, value in self.constants.items()}
        return Formula(self.text).substituted(numbers).text.replace("+ -", "- ").replace("- -", "+ ")


class Distillation(NamedTuple):
    """Formulas for one law, from the shortest to the most exact; `print` shows them with their errors.

    Attributes
    ----------
    quantity : str
    features : tuple of Feature
    link : AbstractLink
    formulas : tuple of ShortFormula
        Each one more exact than all that are shorter.

    Examples
    --------
    >>> short = co.inference.ShortFormula("c0 + c1 * log_vvir", {"c0": 2.097, "c1": -1.0}, 5, 0.0)
    >>> features = (co.physics.FEATURES["log_vvir"],)
    >>> distillation = co.inference.Distillation("mass_loading", features, co.physics.LogLink(), (short,))
    >>> law = distillation.law()
    >>> law.formula.text
    '10 ** (c0 + c1 * log10(vvir))'
    """

    quantity: str
    features: tuple[Feature, ...]
    link: AbstractLink
    formulas: tuple[ShortFormula, ...]

    def __repr__(self) -> str:
        return self.table()

    def table(self) -> str:
        """The formulas as a Markdown table."""
        what = "log10" if isinstance(self.link, LogLink) else "log10 odds of"
        lines = [f"| size | rms error [dex] | {what} {self.quantity} |", "|---|---|---|"]
        lines += [f"| {one.size} | {one.error:.3g} | {one.written()} |" for one in self.formulas]
        return "\n".join(lines)

    def best(self, error: float = 0.02) -> ShortFormula:
        """The shortest formula whose error is at most `error` [dex]; the most exact one where none is."""
        return next((one for one in self.formulas if one.error <= error), self.formulas[-1])

    def law(self, formula: ShortFormula | None = None) -> ExpressionLaw:
        """A law of a formula, by default `best()`, whose constants are parameters."""
        formula = self.best() if formula is None else formula
        inputs = {feature.name: _text(feature) for feature in self.features}
        inside = Formula(formula.text).substituted(inputs).text
        whole = f"10 ** ({inside})" if isinstance(self.link, LogLink) else f"1 / (1 + 10 ** (-({inside})))"
        return ExpressionLaw(whole, formula.constants)


def distil(
    population: Population,
    quantity: str,
    features: Sequence[Feature | str] | Feature | str,
    *,
    link: AbstractLink | None = None,
    search: AbstractFormulaSearch | None = None,
) -> Distillation:
    """Short formulas for a law, or any other quantity, of evolved galaxies.

    The constants of every formula are fitted to the galaxies by least squares.

    Parameters
    ----------
    population : Population
        Galaxies of a model with the law, at the redshifts and masses where the formula is to hold.
    quantity : str
        Name of a quantity of galaxies, such as ``"mass_loading"``.
    features : sequence of Feature or str
        What the formula is a function of.
    link : AbstractLink, optional
        `physics.LogLink()`, the default, for formulas of the logarithm of the quantity, and `physics.LogitLink()` for
        those of the log odds of a fraction.
    search : AbstractFormulaSearch, optional
        Default `SparseSearch()`.

    Returns
    -------
    Distillation

    Raises
    ------
    ValueError
        The galaxies have no such quantity or feature, or too few of them have numbers of which the link can be taken.

    Examples
    --------
    >>> formulas = co.inference.distil(population, "mass_loading", ["log_vvir"])
    >>> formulas.formulas[-1].written(), formulas.formulas[-1].error < 1e-9
    ('2.097 - 1 * log_vvir', True)
    """
    instance("population", population, Population, expected="galaxies, such as those of evolve(model, halos, [0.0])")
    inputs = as_features(features)
    link, search = strategy("link", link, LogLink()), strategy("search", search, SparseSearch())
    if not isinstance(link, LogLink | LogitLink):
        raise ValueError(f"link: got {type(link).__name__}; give physics.LogLink() or physics.LogitLink()")
    x = np.stack([_feature(population, feature) for feature in inputs], axis=-1)
    value = _column(population, quantity, "quantity")
    with np.errstate(all="ignore"):
        y = np.log10(value) if isinstance(link, LogLink) else np.log10(value) - np.log10(1.0 - value)
    good = np.isfinite(y) & np.all(np.isfinite(x), axis=-1)
    if good.sum() < 10:
        raise ValueError(
            f"distil: {good.sum()} galaxies have numbers of {quantity} and of all features; give at least 10, and "
            "physics.LogitLink() for fractions only"
        )
    names = [feature.name for feature in inputs]
    columns = dict(zip(names, x[good].T, strict=True))
    candidates = [_with_fitted_constants(text, columns, y[good]) for text in search(x[good], y[good], names)]
    return Distillation(quantity, inputs, link, _most_exact(candidates))


def _column(population: Population, name: str, argument: str) -> np.ndarray:
    values = population.values
    if name not in values:
        hint = did_you_mean(name, values)
        raise ValueError(f"{argument}: galaxies have no {name}; {hint}they have {', '.join(sorted(values))}")
    return np.where(np.asarray(population.valid), np.asarray(values[name]), np.nan).ravel()


def _feature(population: Population, feature: Feature) -> np.ndarray:
    formula = Formula(_text(feature))
    value = formula(lambda name: _column(population, name, f"feature {feature.name}"))
    return np.broadcast_to(value, population.valid.shape).ravel() if np.ndim(value) == 0 else np.asarray(value)


def _text(feature: Feature) -> str:
    formula: Any = feature.formula
    return formula.text


def _with_fitted_constants(text: str, columns: dict[str, np.ndarray], y: np.ndarray) -> ShortFormula:
    formula, constants = Formula(text).with_constants()

    def residual(values):
        return formula(columns | dict(zip(constants, values, strict=True))) - y

    start = np.array(list(constants.values()))
    best = start
    if len(start) and np.all(np.isfinite(residual(start))):
        fit = scipy.optimize.least_squares(
            lambda values: np.nan_to_num(residual(values), nan=1e6, posinf=1e6, neginf=-1e6),
            start, x_scale=np.maximum(np.abs(start), 1e-3), max_nfev=_EVALUATIONS,
        )  # fmt: skip
        best = fit.x if np.mean(fit.fun**2) < np.mean(residual(start) ** 2) else start
    error = float(np.sqrt(np.mean(residual(best) ** 2)))
    return ShortFormula(formula.text, dict(zip(constants, best.tolist(), strict=True)), formula.size, error)


def _most_exact(candidates: list[ShortFormula]) -> tuple[ShortFormula, ...]:
    """Those that no shorter one is as exact as."""
    kept: list[ShortFormula] = []
    for one in sorted((c for c in candidates if np.isfinite(c.error)), key=lambda c: (c.size, c.error)):
        if not kept or one.error < 0.999 * kept[-1].error:
            kept.append(one)
    return tuple(kept)
