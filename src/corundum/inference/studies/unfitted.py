"""What a fit predicts beyond its data: other measurements, other quantities of galaxies, and feedback indices.

`predict_unfitted` checks measurements that were not fitted.  `unfitted_quantities` gives relations with halo mass of
quantities without data: temperature and mass of the circumgalactic medium, halo baryons, cooling over free-fall time,
loading factors.  `feedback_indices` gives the preventive and ejective indices with their posterior.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...numerics.compiling import compiled
from ...observables import HaloBaryonFraction, LocalLinear, Measurement
from ...parameters import describe, replace
from ...printing import in_short
from ...sensitivity import INDICES, budgets
from ..batches import in_batches, over_points
from ..data import data_of
from ..evaluate import uncorrected
from ..predictive import Predictive, predictive
from ..summaries import PopulationSummaries
from ..target import Target
from ..vectors import rows_of_vectors

__all__ = [
    "UnfittedQuantity",
    "UNFITTED_QUANTITIES",
    "unfitted_quantities",
    "predict_unfitted",
    "Indices",
    "feedback_indices",
]


class UnfittedQuantity(NamedTuple):
    """A quantity of galaxies that no data constrain directly, against lg Mvir.

    Attributes
    ----------
    label : str
        Of its axis.
    needs : tuple of str
        Quantities of galaxies that it is computed from.
    function : callable
        Maps galaxies to its value.

    Examples
    --------
    >>> quantity = co.inference.UNFITTED_QUANTITIES["cgm_mass"]
    >>> print(quantity.label)
    $\\log_{10}(M_{\\rm CGM}/M_{\\rm vir})$
    >>> quantity.function(population.at(0.0)).shape
    (8,)
    """

    label: str
    needs: tuple[str, ...]
    function: Any

    def __repr__(self) -> str:
        return in_short(self)


def _lg(name):
    return lambda g: jnp.log10(g[name])


UNFITTED_QUANTITIES = {
    "temperature": UnfittedQuantity(r"$\log_{10}(T_{\rm CGM}/{\rm K})$", ("temperature",), _lg("temperature")),
    "cgm_mass": UnfittedQuantity(
        r"$\log_{10}(M_{\rm CGM}/M_{\rm vir})$", ("mcgm", "mvir"), lambda g: jnp.log10(g["mcgm"] / g["mvir"])
    ),
    "baryon_fraction": UnfittedQuantity(
        HaloBaryonFraction.y_axis.meaning, ("mcgm", "mism", "mstar", "mvir"), lambda g: HaloBaryonFraction().y(g)
    ),
    "cooling_time": UnfittedQuantity(
        r"$\log_{10}(t_{\rm cool}/t_{\rm ff})$", ("t_cool", "t_ff"), lambda g: jnp.log10(g["t_cool"] / g["t_ff"])
    ),
    "mass_loading": UnfittedQuantity(r"$\log_{10}\eta_M$", ("mass_loading",), _lg("mass_loading")),
    "energy_loading": UnfittedQuantity(r"$\log_{10}\eta_E$", ("energy_loading",), _lg("energy_loading")),
    "metal_loading": UnfittedQuantity(r"$\log_{10}\eta_Z$", ("metal_loading",), _lg("metal_loading")),
    "depletion_time": UnfittedQuantity(
        r"$\log_{10}(t_{\rm dep}/{\rm Gyr})$", ("depletion_time",), _lg("depletion_time")
    ),
}
"""What `unfitted_quantities` computes, as far as a model has it."""


def unfitted_quantities(
    target: Target, u: Any, redshift: float = 0.0, *, nodes: Float[Array, " m"] | None = None
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Relations of unfitted quantities with halo mass.

    Parameters
    ----------
    target : Target
        Of a population.
    u : array, shape (S, P)
        Coordinates.
    redshift : float
    nodes : array, shape (m,), optional
        lg Mvir at which to evaluate; default 15 from the least massive halo to the most massive one.

    Returns
    -------
    dict of str to (array (m,), array (S, m))
        Nodes and means of each quantity of `UNFITTED_QUANTITIES` that the model has.

    Raises
    ------
    ValueError
        The target is of a plain function.

    Examples
    --------
    >>> target = co.inference.Target(model, halos, ["shmr_behroozi19_sf"], ["mass_loading.amplitude"])
    >>> relations = co.inference.unfitted_quantities(target, target.start())
    >>> relations["cgm_mass"][1].shape
    (1, 15)
    """
    summaries = _population_summaries(target)
    final = np.asarray(summaries.halos.log_mvir)[:, -1]
    nodes = np.linspace(final.min() + 0.1, final.max() - 0.1, 15) if nodes is None else np.asarray(nodes)
    model = summaries.model
    known = {"mvir", *model.ledger.quantities, *model.diagnostics}
    names = tuple(name for name, quantity in UNFITTED_QUANTITIES.items() if set(quantity.needs) <= known)
    u = rows_of_vectors("u", u, target.names, single=True)
    relations = in_batches(_UnfittedRelations(names, float(redshift), jnp.asarray(nodes)), target, u)
    return {name: (nodes, relations[name]) for name in names}


class _UnfittedRelations(eqx.Module):
    names: tuple[str, ...] = eqx.field(static=True)
    redshift: float = eqx.field(static=True)
    nodes: Float[Array, " m"]

    @compiled
    def __call__(self, target, u):
        def at_one_point(target, u):
            population = target.summaries.population(target.values(u), (self.redshift,))
            galaxies = population.at(self.redshift)
            x = jnp.log10(galaxies["mvir"])
            line = LocalLinear(0.2)
            return {name: line(x, UNFITTED_QUANTITIES[name].function(galaxies), self.nodes, valid=galaxies.valid).mean
                    for name in self.names}  # fmt: skip

        return over_points(at_one_point, target, u)


def predict_unfitted(target: Target, u: Any, measurements: Sequence[Measurement], *, key: int = 0) -> Predictive:
    """Predictive checks of measurements that were not fitted, at any redshift.

    Parameters
    ----------
    target : Target
        Of a population.
    u : array, shape (S, P)
        Coordinates.
    measurements : sequence of Measurement
    key : int

    Raises
    ------
    ValueError
        The target is of a plain function.

    Examples
    --------
    >>> target = co.inference.Target(model, halos, ["shmr_behroozi19_sf"], ["mass_loading.amplitude"])
    >>> gas = co.observables.load("coldgas_xgass")
    >>> checks = co.inference.predict_unfitted(target, target.start(), [gas])
    >>> checks.mean["coldgas_xgass"].shape == (1, len(gas))
    True
    """
    summaries = _population_summaries(target)
    redshifts = sorted({m.redshift for m in measurements})
    other = PopulationSummaries(
        summaries.model, summaries.halos, measurements, redshifts=redshifts, regression=summaries.regression,
        solver=summaries.solver,
    )  # fmt: skip
    unfitted = eqx.tree_at(lambda t: (t.summaries, t.data), uncorrected(target), (other, data_of(measurements)))
    return predictive(unfitted, u, key=key)


class Indices(NamedTuple):
    """Feedback indices of a few halos.

    Attributes
    ----------
    log_mvir : array, (halos,)
        Of their final masses [Msun].
    values : dict of str to array, (S, halos)
        Each index of `corundum.sensitivity.INDICES`.

    Examples
    --------
    >>> indices = co.inference.Indices(np.array([11.0, 12.0]), {"preventive_fraction": np.array([[0.9, 0.5]])})
    >>> indices.values["preventive_fraction"].shape
    (1, 2)
    """

    log_mvir: np.ndarray
    values: dict[str, np.ndarray]

    def __repr__(self) -> str:
        return in_short(self)


def feedback_indices(target: Target, u: Any, *, halos: int = 12, redshift: float = 0.0) -> Indices:
    """The indices of `corundum.sensitivity.budgets` for a few halos spread over mass.

    Parameters
    ----------
    target : Target
        Of a population.
    u : array, shape (S, P)
        Coordinates.
    halos : int
        How many.
    redshift : float

    Returns
    -------
    Indices

    Raises
    ------
    ValueError
        The target is of a plain function, or its model has no such indices.

    Examples
    --------
    >>> target = co.inference.Target(model, halos, ["shmr_behroozi19_sf"], ["mass_loading.amplitude"])
    >>> indices = co.inference.feedback_indices(target, target.start(), halos=2)
    >>> indices.values["preventive_fraction"].shape
    (1, 2)
    """
    summaries = _population_summaries(target)
    final = np.asarray(summaries.halos.log_mvir)[:, -1]
    masses = np.linspace(final.min(), final.max(), halos)
    rows = np.array(sorted({int(np.argmin(np.abs(final - mass))) for mass in masses}))
    sample = summaries.halos[rows]
    numbers, indices = describe(summaries.model), []
    for row in rows_of_vectors("u", u, target.names, single=True):
        values = {name: value for name, value in target.values(row).items() if name in numbers}
        budget = budgets(replace(summaries.model, values), sample, (redshift,), solver=summaries.solver)
        indices.append(budget.indices.values[:, 0])
    stacked = np.stack(indices)
    return Indices(final[rows], {name: stacked[..., i] for i, name in enumerate(INDICES)})


def _population_summaries(target):
    if not isinstance(target.summaries, PopulationSummaries):
        raise ValueError(
            "target: got one of a plain function, which has no galaxies; make it with Target(model, halos, ...)"
        )
    return target.summaries
