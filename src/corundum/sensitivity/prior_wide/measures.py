"""Prior-wide measures of sensitivity: fractional column norms and their maps, derivative-based measures, Sobol
indices with bootstrap intervals, and Morris's elementary effects.

The first two use exact Jacobians and cost one solve a point; the last two use values only and see everything a
parameter does, interactions included.  Each masks what failed and says how much it used.

References
----------
Pandya et al. 2026, arXiv:2604.06318 (phi_j); Sobol & Kucherenko 2009, Math. Comput. Simul. 79, 3009 (DGSM and its
bound on total indices); Saltelli et al. 2010; Morris 1991; Campolongo et al. 2007 (mu*).
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import binned_statistic_2d

from .designs import Design, problem, salib

__all__ = [
    "Measures",
    "PriorMap",
    "fractional_norms",
    "prior_map",
    "dgsm",
    "sobol_indices",
    "morris_effects",
]


class Measures(NamedTuple):
    """Measures of each parameter for each output.

    Attributes
    ----------
    names : tuple of str
        The parameters.
    values : dict of str to array, shape (..., P)
        By name of the measure.
    errors : dict of str to array, shape (..., P)
        Half width of the 95% bootstrap interval of each.
    used, dropped : integer arrays, shape (...)
        Samples that counted, and those left out because a solve failed.
    """

    names: tuple[str, ...]
    values: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]
    used: np.ndarray
    dropped: np.ndarray


class PriorMap(NamedTuple):
    """Mean fractional sensitivity over (halo mass, parameter value), one map for each parameter.

    Attributes
    ----------
    names : tuple of str
    mean : array, shape (P, bins, bins)
        Halo mass on the first of the two axes; NaN in empty cells.
    count : array, shape (P, bins, bins)
    mass_edges : array, shape (bins + 1,)
        log10 of halo mass [Msun].
    parameter_edges : array, shape (P, bins + 1)
        In the natural scale of each parameter.
    """

    names: tuple[str, ...]
    mean: np.ndarray
    count: np.ndarray
    mass_edges: np.ndarray
    parameter_edges: np.ndarray


def fractional_norms(jacobian: np.ndarray) -> np.ndarray:
    """phi_j = ||J[:, j]||_2 / ||J||_F of matrices (..., quantity, parameter): shape (..., parameter), in [0, 1].

    NaN where the matrix is, or where all of it is zero.
    """
    column = np.linalg.norm(jacobian, axis=-2)
    whole = np.linalg.norm(column, axis=-1, keepdims=True)
    return np.where(whole > 0, column / np.where(whole > 0, whole, 1.0), np.nan)


def prior_map(design: Design, log_mvir: np.ndarray, phi: np.ndarray, *, bins: int = 15) -> PriorMap:
    """Mean of phi_j in bins of halo mass and parameter value.

    Parameters
    ----------
    design : Design
    log_mvir : array, shape (S, N) [dex(Msun)]
    phi : array, shape (S, N, P)
    bins : int
        Along each axis; 15 in Pandya et al. 2026.
    """
    log_mvir, phi = np.asarray(log_mvir), np.asarray(phi)
    if log_mvir.shape != phi.shape[:2] or phi.shape[0] != len(design) or phi.shape[2] != len(design.box.names):
        raise ValueError(
            f"prior_map: got log_mvir {log_mvir.shape} and phi {phi.shape}; expected (sets, halos) and "
            f"(sets, halos, parameters) with {len(design)} sets and {len(design.box.names)} parameters"
        )
    there = np.isfinite(log_mvir) & np.isfinite(phi).all(axis=-1)
    if not there.any():
        raise ValueError("prior_map: no solve succeeded; there is nothing to average")
    mass_edges = np.linspace(log_mvir[there].min(), log_mvir[there].max() + 1e-9, bins + 1)
    edges = np.linspace(design.box.low, design.box.high, bins + 1).T
    means, counts = [], []
    for j in range(len(design.box.names)):
        theta = np.broadcast_to(design.natural[:, j, None], there.shape)[there]
        where = (log_mvir[there], theta, phi[..., j][there])
        means.append(binned_statistic_2d(*where, statistic="mean", bins=[mass_edges, edges[j]]).statistic)
        counts.append(np.histogram2d(*where[:2], bins=[mass_edges, edges[j]])[0].astype(int))
    return PriorMap(design.box.names, np.array(means), np.array(counts), mass_edges, edges)


def dgsm(design: Design, values: np.ndarray, jacobian: np.ndarray, *, resamples: int = 200, key: int = 0) -> Measures:
    """Derivative-based global sensitivity measures from exact Jacobians.

    ``nu`` = E[(df/du)^2] and ``mean_abs`` = E|df/du| over the prior, u the position in each parameter's range; and
    ``total_bound`` = nu / (pi^2 Var f), which no total Sobol index exceeds.

    Parameters
    ----------
    design : Design
        Points that fill the prior evenly.
    values : array, shape (S, ...)
    jacobian : array, shape (S, ..., P)
        With respect to the coordinates ``design.box.coordinates``.
    resamples : int
        Of the bootstrap.
    key : int
    """
    values, jacobian = np.asarray(values), np.asarray(jacobian)
    _check_sets(design, values)
    there = np.isfinite(values) & np.isfinite(jacobian).all(axis=-1)
    flat, flat_there = jacobian.reshape(len(design), -1, jacobian.shape[-1]), there.reshape(len(design), -1)
    flat_values = np.where(flat_there, values.reshape(len(design), -1), np.nan)
    flat = np.where(flat_there[..., None], flat, np.nan)
    rng = np.random.default_rng(key)

    def measure(rows):
        with np.errstate(invalid="ignore", divide="ignore"):
            count = np.maximum(flat_there[rows].sum(axis=0), 1)[:, None]
            nu = np.nansum(flat[rows] ** 2, axis=0) / count
            mean_abs = np.nansum(np.abs(flat[rows]), axis=0) / count
            mean = np.nansum(flat_values[rows], axis=0) / count[:, 0]
            variance = np.nansum((flat_values[rows] - mean) ** 2, axis=0) / count[:, 0]
            return np.stack([nu, mean_abs, nu / (np.pi**2 * variance[:, None])])

    found = measure(np.arange(len(design)))
    drawn = np.stack([measure(rng.integers(len(design), size=len(design))) for _ in range(resamples)])
    half = 0.5 * (np.quantile(drawn, 0.975, axis=0) - np.quantile(drawn, 0.025, axis=0))
    shape = (*values.shape[1:], jacobian.shape[-1])
    names = ("nu", "mean_abs", "total_bound")
    return Measures(
        design.box.names,
        {name: found[k].reshape(shape) for k, name in enumerate(names)},
        {name: half[k].reshape(shape) for k, name in enumerate(names)},
        there.sum(axis=0),
        (~there).sum(axis=0),
    )


def sobol_indices(design: Design, values: np.ndarray, *, resamples: int = 200, key: int = 0) -> Measures:
    """First-order and total Sobol indices, ``first`` and ``total``, from a `saltelli` design.

    A base point counts only if all its P + 2 solves succeeded; the others are dropped and counted.  An output that
    does not vary has no indices (NaN).

    Parameters
    ----------
    design : Design
    values : array, shape (S, ...)
    resamples : int
        Of the bootstrap behind the 95% intervals.
    key : int
    """
    per = len(design.box.names) + 2
    flat, there = _groups(design, values, "saltelli", per)
    analyse, about = salib("analyze.sobol").analyze, problem(design.box)

    def estimate(column):
        found = analyse(about, column, calc_second_order=False, num_resamples=resamples, seed=key)
        return (found["S1"], found["ST"]), (found["S1_conf"], found["ST_conf"])

    return _estimated(design, values, flat, there, per, estimate, ("first", "total"))


def morris_effects(design: Design, values: np.ndarray, *, resamples: int = 200, key: int = 0) -> Measures:
    """Elementary effects from a `morris` design: ``mu_star``, their mean size, and ``sigma``, their spread.

    mu_star ranks the parameters; sigma of the same size says that a parameter acts differently in different places.
    The interval of ``sigma`` is not estimated (NaN).

    Parameters
    ----------
    design : Design
    values : array, shape (S, ...)
    resamples : int
    key : int
    """
    per = len(design.box.names) + 1
    flat, there = _groups(design, values, "morris", per)
    analyse, about = salib("analyze.morris").analyze, problem(design.box)

    def estimate(column, rows):
        found = analyse(
            about, design.unit[rows], column, num_resamples=resamples, num_levels=design.settings["levels"], seed=key
        )
        unknown = np.full(per - 1, np.nan)
        return (found["mu_star"], found["sigma"]), (found["mu_star_conf"], unknown)

    return _estimated(design, values, flat, there, per, estimate, ("mu_star", "sigma"), pass_rows=True)


def _check_sets(design, values):
    if len(values) != len(design):
        raise ValueError(f"values: got {len(values)} sets; the design has {len(design)}")


def _groups(design, values, kind, per):
    """Values with outputs flattened, and which whole groups of solves succeeded, (groups, outputs)."""
    if design.kind != kind:
        raise ValueError(f"design: got a {design.kind} design; this estimator needs one made by {kind}")
    values = np.asarray(values, float)
    _check_sets(design, values)
    flat = values.reshape(len(design), -1)
    return flat, np.isfinite(flat).reshape(-1, per, flat.shape[1]).all(axis=1)


def _estimated(design, values, flat, there, per, estimate, names, *, pass_rows=False):
    parameters, outputs = len(design.box.names), flat.shape[1]
    found = np.full((2, len(names), outputs, parameters), np.nan)
    for k in range(outputs):
        rows = np.repeat(there[:, k], per)
        column = flat[rows, k]
        if there[:, k].sum() < 2 or np.ptp(column) <= 1e-13 * max(np.abs(column).max(), 1e-300):
            continue
        found[0, :, k], found[1, :, k] = estimate(column, rows) if pass_rows else estimate(column)
    shape = np.shape(values)[1:]
    used, dropped = there.sum(axis=0).reshape(shape), (~there).sum(axis=0).reshape(shape)
    made = [{n: found[part, m].reshape(*shape, parameters) for m, n in enumerate(names)} for part in (0, 1)]
    return Measures(design.box.names, *made, used, dropped)
