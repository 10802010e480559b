"""Prior-wide measures of sensitivity: fractional column norms and their maps, derivative-based measures, Sobol
indices with bootstrap intervals, and Morris's elementary effects.

The first two use exact Jacobians and cost one solve a point.  The last two use values only and include all effects of
a parameter, interactions with others as well.  Every measure masks failed solves and reports how many it used.

References
----------
Pandya et al. 2026, arXiv:2604.06318 (phi_j); Sobol & Kucherenko 2009, Math. Comput. Simul. 79, 3009 (DGSM and its
bound on total indices); Saltelli et al. 2010; Morris 1991; Campolongo et al. 2007 (mu*).
"""

from typing import NamedTuple

import numpy as np
import scipy

from ...numerics.random_keys import seed
from ..labelled import overview
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

    Examples
    --------
    >>> rank = {"total": np.array([0.7, 0.2])}
    >>> measures = co.sensitivity.Measures(("loading", "time"), rank, rank, np.array(128), np.array(0))
    >>> measures.names[int(np.argmax(measures.values["total"]))]
    'loading'
    """

    names: tuple[str, ...]
    values: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]
    used: np.ndarray
    dropped: np.ndarray

    def __repr__(self) -> str:
        return overview(self)


class PriorMap(NamedTuple):
    """Mean fractional sensitivity over (halo mass, parameter value), one map for each parameter.

    Attributes
    ----------
    names : tuple of str
    mean : array, shape (P, bins, bins)
        Halo mass on the first of the two axes; NaN in empty cells.
    counts : array, shape (P, bins, bins)
    mass_edges : array, shape (bins + 1,)
        log10 of halo mass [Msun].
    parameter_edges : array, shape (P, bins + 1)
        In the natural scale of each parameter.

    Examples
    --------
    >>> box = co.sensitivity.prior_box(model, ["energy_loading.amplitude"])
    >>> design = co.sensitivity.latin_hypercube(box, 32)
    >>> log_mvir = np.tile(np.linspace(10.0, 12.0, 8), (32, 1))
    >>> prior_map = co.sensitivity.prior_map(design, log_mvir, np.ones((32, 8, 1)), bins=2)
    >>> prior_map.mean.shape, int(prior_map.counts.sum())
    ((1, 2, 2), 256)
    """

    names: tuple[str, ...]
    mean: np.ndarray
    counts: np.ndarray
    mass_edges: np.ndarray
    parameter_edges: np.ndarray

    def __repr__(self) -> str:
        return overview(self)


def fractional_norms(jacobian: np.ndarray) -> np.ndarray:
    """phi_j = ||J[:, j]||_2 / ||J||_F of matrices (..., quantity, parameter): shape (..., parameter), in [0, 1].

    NaN where the matrix is, or where all of it is zero.

    Parameters
    ----------
    jacobian : array, shape (..., quantity, parameter)

    References
    ----------
    Pandya et al. 2026, arXiv:2604.06318.

    Examples
    --------
    >>> co.sensitivity.fractional_norms(np.array([[3.0, 0.0], [0.0, 4.0]])).tolist()
    [0.6, 0.8]
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

    Raises
    ------
    ValueError
        The shapes do not agree, or no solve succeeded.

    Examples
    --------
    >>> box = co.sensitivity.prior_box(model, ["energy_loading.amplitude"])
    >>> design = co.sensitivity.latin_hypercube(box, 32)
    >>> log_mvir = np.tile(np.linspace(10.0, 12.0, 8), (32, 1))
    >>> co.sensitivity.prior_map(design, log_mvir, np.full((32, 8, 1), 0.5), bins=2).mean.tolist()
    [[[0.5, 0.5], [0.5, 0.5]]]
    """
    log_mvir, phi = np.asarray(log_mvir), np.asarray(phi)
    if log_mvir.shape != phi.shape[:2] or phi.shape[0] != len(design) or phi.shape[2] != len(design.box.names):
        raise ValueError(
            f"prior_map: got log_mvir {log_mvir.shape} and phi {phi.shape}; expected (sets, halos) and "
            f"(sets, halos, parameters) with {len(design)} sets and {len(design.box.names)} parameters"
        )
    solved = np.isfinite(log_mvir) & np.isfinite(phi).all(axis=-1)
    if not solved.any():
        raise ValueError("prior_map: no solve succeeded, so no mean can be taken; check the ranges of the design")
    mass_edges = np.linspace(log_mvir[solved].min(), log_mvir[solved].max() + 1e-9, bins + 1)
    edges = np.linspace(design.box.low, design.box.high, bins + 1).T
    means, counts = [], []
    for j in range(len(design.box.names)):
        theta = np.broadcast_to(design.natural[:, j, None], solved.shape)[solved]
        mass, bin_edges = log_mvir[solved], [mass_edges, edges[j]]
        values, mean_in = phi[..., j][solved], scipy.stats.binned_statistic_2d
        means.append(mean_in(mass, theta, values, statistic="mean", bins=bin_edges).statistic)
        counts.append(np.histogram2d(mass, theta, bins=bin_edges)[0].astype(int))
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

    References
    ----------
    Sobol & Kucherenko 2009, Math. Comput. Simul. 79, 3009.

    Examples
    --------
    >>> box = co.sensitivity.prior_box(model, ["energy_loading.amplitude", "mass_loading.amplitude"])
    >>> design = co.sensitivity.latin_hypercube(box, 64)
    >>> jacobian = np.tile([2.0, 1.0], (64, 1))  # of the function 2 u + v
    >>> co.sensitivity.dgsm(design, design.unit @ [2.0, 1.0], jacobian).values["nu"].tolist()
    [4.0, 1.0]
    """
    values, jacobian = np.asarray(values), np.asarray(jacobian)
    _check_sets(design, values)
    if jacobian.shape != (*values.shape, len(design.box.names)):
        raise ValueError(
            f"jacobian: got shape {jacobian.shape}; give {(*values.shape, len(design.box.names))}, one derivative of "
            f"each value with respect to each of {', '.join(design.box.names)}"
        )
    solved = np.isfinite(values) & np.isfinite(jacobian).all(axis=-1)
    flat, flat_solved = jacobian.reshape(len(design), -1, jacobian.shape[-1]), solved.reshape(len(design), -1)
    flat_values = np.where(flat_solved, values.reshape(len(design), -1), np.nan)
    flat = np.where(flat_solved[..., None], flat, np.nan)
    rng = np.random.default_rng(seed(key))

    def measure(rows):
        with np.errstate(invalid="ignore", divide="ignore"):
            count = np.maximum(flat_solved[rows].sum(axis=0), 1)[:, None]
            nu = np.nansum(flat[rows] ** 2, axis=0) / count
            mean_abs = np.nansum(np.abs(flat[rows]), axis=0) / count
            mean = np.nansum(flat_values[rows], axis=0) / count[:, 0]
            variance = np.nansum((flat_values[rows] - mean) ** 2, axis=0) / count[:, 0]
            return np.stack([nu, mean_abs, nu / (np.pi**2 * variance[:, None])])

    measures = measure(np.arange(len(design)))
    resampled = np.stack([measure(rng.integers(len(design), size=len(design))) for _ in range(resamples)])
    half_width = 0.5 * (np.quantile(resampled, 0.975, axis=0) - np.quantile(resampled, 0.025, axis=0))
    shape = (*values.shape[1:], jacobian.shape[-1])
    names = ("nu", "mean_abs", "total_bound")
    return Measures(
        design.box.names,
        {name: measures[k].reshape(shape) for k, name in enumerate(names)},
        {name: half_width[k].reshape(shape) for k, name in enumerate(names)},
        solved.sum(axis=0),
        (~solved).sum(axis=0),
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

    Raises
    ------
    ValueError
        The design was not made by `saltelli`, or its length is another than that of `values`.
    ImportError
        SALib is not installed.

    Examples
    --------
    >>> box = co.sensitivity.prior_box(model, ["energy_loading.amplitude", "mass_loading.amplitude"])
    >>> design = co.sensitivity.saltelli(box, 256)
    >>> indices = co.sensitivity.sobol_indices(design, design.unit @ [2.0, 1.0], resamples=10)
    >>> indices.values["total"].round(1).tolist()  # variances of 2 u and of v, 4 : 1
    [0.8, 0.2]
    """
    group_size = len(design.box.names) + 2
    flat, solved = _groups(design, values, "saltelli", group_size)
    analyse, definition = salib("analyze.sobol").analyze, problem(design.box)

    def estimate(column, rows):
        indices = analyse(definition, column, calc_second_order=False, num_resamples=resamples, seed=seed(key))
        return (indices["S1"], indices["ST"]), (indices["S1_conf"], indices["ST_conf"])

    return _estimated(design, values, flat, solved, group_size, estimate, ("first", "total"))


def morris_effects(design: Design, values: np.ndarray, *, resamples: int = 200, key: int = 0) -> Measures:
    """Elementary effects from a `morris` design: ``mu_star``, their mean size, and ``sigma``, their spread.

    mu_star ranks the parameters.  Where sigma is of the same size, the effect of a parameter depends on where in the
    prior it is measured.  The interval of ``sigma`` is not estimated (NaN).

    Parameters
    ----------
    design : Design
    values : array, shape (S, ...)
    resamples : int
        Of the bootstrap behind the 95% intervals.
    key : int

    Raises
    ------
    ValueError
        The design was not made by `morris`, or its length is another than that of `values`.
    ImportError
        SALib is not installed.

    Examples
    --------
    >>> box = co.sensitivity.prior_box(model, ["energy_loading.amplitude", "mass_loading.amplitude"])
    >>> design = co.sensitivity.morris(box, 8)
    >>> effects = co.sensitivity.morris_effects(design, design.unit @ [2.0, 1.0], resamples=10)
    >>> effects.values["mu_star"].round(6).tolist()
    [2.0, 1.0]
    """
    group_size = len(design.box.names) + 1
    flat, solved = _groups(design, values, "morris", group_size)
    analyse, definition = salib("analyze.morris").analyze, problem(design.box)

    def estimate(column, rows):
        effects = analyse(
            definition, design.unit[rows], column,
            num_resamples=resamples, num_levels=design.settings["levels"], seed=seed(key),
        )  # fmt: skip
        return (effects["mu_star"], effects["sigma"]), (effects["mu_star_conf"], np.full(group_size - 1, np.nan))

    return _estimated(design, values, flat, solved, group_size, estimate, ("mu_star", "sigma"))


def _check_sets(design, values):
    if len(values) != len(design):
        raise ValueError(f"values: got {len(values)} sets; the design has {len(design)}")


def _groups(design, values, kind, group_size):
    """Values with outputs flattened, and which groups of solves succeeded as a whole, (groups, outputs)."""
    if design.kind != kind:
        raise ValueError(f"design: got a {design.kind} design; this estimator needs one made by {kind}")
    values = np.asarray(values, float)
    _check_sets(design, values)
    flat = values.reshape(len(design), -1)
    return flat, np.isfinite(flat).reshape(-1, group_size, flat.shape[1]).all(axis=1)


def _estimated(design, values, flat, solved, group_size, estimate, names):
    parameters, outputs = len(design.box.names), flat.shape[1]
    estimates = np.full((2, len(names), outputs, parameters), np.nan)  # values and errors
    for k in range(outputs):
        rows = np.repeat(solved[:, k], group_size)
        column = flat[rows, k]
        if solved[:, k].sum() < 2 or np.ptp(column) <= 1e-13 * max(np.abs(column).max(), 1e-300):
            continue
        estimates[0, :, k], estimates[1, :, k] = estimate(column, rows)
    shape = np.shape(values)[1:]
    used, dropped = solved.sum(axis=0).reshape(shape), (~solved).sum(axis=0).reshape(shape)
    by_name = [{name: block[m].reshape(*shape, parameters) for m, name in enumerate(names)} for block in estimates]
    return Measures(design.box.names, *by_name, used, dropped)
