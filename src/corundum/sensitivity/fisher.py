r"""What data can constrain: expected Fisher information from exact Jacobians, and designs of data sets.

With J = d mu / d u the Jacobian of predicted summaries with respect to parameters and C the covariance of the data, the
expected Fisher matrix is F = J^T C^-1 J.  In coordinates where the prior is the unit cube, a uniform prior has the
information 1 / Var = 12 on each parameter, and F is measured against it:

- eigenvectors of F are the combinations of named parameters that the data constrain, from the best to the worst;
- the effective number of constrained combinations is tr[F (F + 12)^-1] = sum lambda / (lambda + 12);
- the information gained over the prior is 1/2 log2 det(1 + F / 12) bits.

`greedy_design` adds observables one at a time, each time the one with the largest gain.

References
----------
Tegmark, Taylor & Heavens 1997, ApJ 480, 22 (Fisher matrices); MacKay 2003, section 27 (well-determined parameters).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..printing import in_short
from .labelled import Labelled, labeller
from .summaries import Observable, SummaryJacobian, check_observables

__all__ = ["Fisher", "DesignTable", "expected_fisher", "fisher_of", "greedy_design", "PRIOR_INFORMATION"]

PRIOR_INFORMATION = 12.0
"""Inverse variance of a uniform prior of unit width."""


class Fisher(NamedTuple):
    """Expected information about parameters.

    Attributes
    ----------
    matrix : Labelled, (parameter, parameter_2)
    eigenvalues : array, shape (P,)
        Largest first.
    directions : Labelled, (combination, parameter)
        Unit eigenvectors in named parameters, in the order of `eigenvalues`.
    effective : float
        Number of combinations that are known better than from the prior.
    bits : float
        Information gained over the prior.

    Examples
    --------
    >>> fisher = co.sensitivity.fisher_of(np.diag([1200.0, 0.0]), ["loading", "time"], ["prior width"] * 2)
    >>> fisher.leading_terms(0, terms=1), round(fisher.effective, 2), round(fisher.bits, 2)
    ('+1.00 loading', 0.99, 3.33)
    """

    matrix: Labelled
    eigenvalues: np.ndarray
    directions: Labelled
    effective: float
    bits: float

    def __repr__(self) -> str:
        return (
            f"Fisher information on {len(self.eigenvalues)} parameters: {self.effective:.2f} combinations constrained, "
            f"{self.bits:.2f} bits gained over the prior"
        )

    def leading_terms(self, combination: int, terms: int = 3) -> str:
        """The leading terms of one combination as text: ``"+0.91 energy_loading.amplitude -0.35 ..."``."""
        row = self.directions.values[combination]
        names = self.directions.labels("parameter")
        leading = np.argsort(-np.abs(row))[:terms]
        return " ".join(f"{row[j]:+.2f} {names[j]}" for j in leading)


class DesignTable(NamedTuple):
    """What each observable adds.

    Attributes
    ----------
    alone : dict of str to (float, float)
        Bits and effective number of each observable by itself.
    order : list of (str, float, float, float)
        Greedy order: observable, bits it adds, bits so far, effective number so far.

    Examples
    --------
    >>> table = co.sensitivity.DesignTable({"smhm": (2.0, 0.9)}, [("smhm", 2.0, 2.0, 0.9)])
    >>> table.order[0][0]
    'smhm'
    """

    alone: dict[str, tuple[float, float]]
    order: list[tuple[str, float, float, float]]

    def __repr__(self) -> str:
        return in_short(self)


def expected_fisher(observables: Sequence[Observable], jacobian: SummaryJacobian) -> Fisher:
    """Information of all the observables together, taken as independent of each other.

    Parameters
    ----------
    observables : sequence of Observable
    jacobian : SummaryJacobian
        Of these observables, in prior widths.

    Raises
    ------
    ValueError
        A covariance does not fit its summary, or is not positive definite.

    Examples
    --------
    >>> observable = co.sensitivity.Observable("stars", lambda p: jnp.zeros(1), np.array([[0.01]]))
    >>> slope = co.sensitivity.Labelled(
    ...     np.array([[2.0]]), ("point", "parameter"), {"point": np.arange(1), "parameter": ("loading",)}, "1", "slope",
    ...     {"parameter": ("prior width",)},
    ... )
    >>> jacobian = co.sensitivity.SummaryJacobian({"stars": np.zeros(1)}, {"stars": slope}, failed=0)
    >>> round(float(co.sensitivity.expected_fisher([observable], jacobian).eigenvalues[0]), 1)  # 2^2 / 0.1^2
    400.0
    """
    first = jacobian.derivative[observables[0].name]
    matrix = sum(_information(observable, jacobian) for observable in observables)
    return fisher_of(matrix, first.coords["parameter"], first.label_units["parameter"])


def greedy_design(observables: Sequence[Observable], jacobian: SummaryJacobian) -> DesignTable:
    """The gain of each observable alone, and in the order in which each adds most to those before it.

    Parameters
    ----------
    observables : sequence of Observable
    jacobian : SummaryJacobian
        Of these observables, in prior widths.

    Raises
    ------
    ValueError
        There is no observable, two share a name, or a covariance is not right.

    Examples
    --------
    >>> names, label_units = {"point": np.arange(1), "parameter": ("loading",)}, {"parameter": ("prior width",)}
    >>> observables, slopes = [], {}
    >>> for name, slope in (("gas", 1.0), ("stars", 2.0)):
    ...     observables.append(co.sensitivity.Observable(name, lambda p: jnp.zeros(1), np.array([[0.01]])))
    ...     values = np.array([[slope]])
    ...     slopes[name] = co.sensitivity.Labelled(values, ("point", "parameter"), names, "1", "slope", label_units)
    >>> jacobian = co.sensitivity.SummaryJacobian({}, slopes, failed=0)
    >>> [row[0] for row in co.sensitivity.greedy_design(observables, jacobian).order]
    ['stars', 'gas']
    """
    check_observables(observables)
    matrices = {observable.name: _information(observable, jacobian) for observable in observables}
    alone = {name: (_bits(matrix), _effective(matrix)) for name, matrix in matrices.items()}
    total, remaining, order = np.zeros_like(next(iter(matrices.values()))), dict(matrices), []
    while remaining:
        best = max(remaining, key=lambda name: _bits(total + remaining[name]))
        before, total = _bits(total), total + remaining.pop(best)
        order.append((best, _bits(total) - before, _bits(total), _effective(total)))
    return DesignTable(alone, order)


def _information(observable, jacobian):
    slope = jacobian.derivative[observable.name].values
    covariance = np.asarray(observable.covariance, float)
    points = len(slope)
    if covariance.shape != (points, points):
        raise ValueError(
            f"observable {observable.name}: its covariance has the shape {covariance.shape}; expected "
            f"({points}, {points}), one row for each point of its summary"
        )
    used = np.ones(points, bool) if observable.used is None else np.asarray(observable.used, bool)
    used = used & np.isfinite(slope).all(axis=1)
    if not used.any():
        return np.zeros((slope.shape[1],) * 2)
    slope, covariance = slope[used], covariance[np.ix_(used, used)]
    try:
        whitened = np.linalg.solve(np.linalg.cholesky(covariance), slope)
    except np.linalg.LinAlgError:
        raise ValueError(f"observable {observable.name}: its covariance is not positive definite") from None
    return whitened.T @ whitened


def _bits(matrix, prior=PRIOR_INFORMATION):
    sign, logdet = np.linalg.slogdet(np.eye(len(matrix)) + matrix / prior)
    return float(0.5 * logdet / np.log(2.0))


def _effective(matrix, prior=PRIOR_INFORMATION):
    values = np.maximum(np.linalg.eigvalsh(matrix), 0.0)
    return float(np.sum(values / (values + prior)))


def fisher_of(
    matrix: np.ndarray, names: Sequence[str], units: Sequence[str], prior: float = PRIOR_INFORMATION
) -> Fisher:
    """An information matrix as a `Fisher`, measured against the information of the prior.

    Parameters
    ----------
    matrix : array, shape (P, P)
    names : sequence of str
        Names of the parameters.
    units : sequence of str
        Their units.
    prior : float
        Information of the prior on each parameter.

    Examples
    --------
    >>> co.sensitivity.fisher_of(12.0 * np.eye(2), ["loading", "time"], ["prior width"] * 2)
    Fisher information on 2 parameters: 1.00 combinations constrained, 1.00 bits gained over the prior
    """
    names, units = tuple(names), tuple(units)
    eigenvalues, vectors = np.linalg.eigh(matrix)
    eigenvalues, vectors = eigenvalues[::-1], vectors[:, ::-1].T
    # The sign of an eigenvector is free: the largest entry is made positive.
    largest = np.take_along_axis(vectors, np.argmax(np.abs(vectors), axis=1)[:, None], axis=1)
    vectors = vectors * np.sign(largest)
    coords = {"parameter": names, "parameter_2": names, "combination": np.arange(len(names))}
    label = labeller(coords, {"parameter": units, "parameter_2": units})
    return Fisher(
        label(matrix, ("parameter", "parameter_2"), "1 per parameter unit squared", "expected Fisher information"),
        eigenvalues,
        label(vectors, ("combination", "parameter"), "1", "eigenvectors of the Fisher matrix, best known first"),
        _effective(matrix, prior),
        _bits(matrix, prior),
    )
