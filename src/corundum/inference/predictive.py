"""What priors and posteriors predict: of the data that were fitted, and of everything else a galaxy has.

`predictive` gives every measurement of a target the model's relation and replicated data; `extras` looks at what was
not fitted: circumgalactic temperature and mass, halo baryons, cooling over free-fall time, loading factors, relations
at higher redshift; `feedback_indices` gives the preventive and ejective indices with their posterior.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..numerics.linear_algebra import cholesky
from ..observables import HaloBaryonFraction, LocalLinear, Measurement
from ..parameters import describe, replace
from ..sensitivity import INDICES, budgets
from .batches import in_batches, over_points
from .likelihood import data_of
from .posterior import Posterior, arviz, coordinates, dimensions
from .summaries import PopulationSummaries
from .target import Target

__all__ = [
    "Predictive",
    "predictive",
    "add_predictive",
    "Extra",
    "EXTRAS",
    "extras",
    "unfitted",
    "Indices",
    "feedback_indices",
]


class Predictive(NamedTuple):
    """Predictions of S parameter draws for every measurement of a target.

    Attributes
    ----------
    x : dict of str to array, (n,)
    mean : dict of str to array, (S, n)
        The model's relation, calibration offsets included.
    replicated : dict of str to array, (S, n)
        Data that such a model would give, errors included.
    log_likelihood : dict of str to array, (S, n)
        Of each point given all others.
    p_value : dict of str to float
        Share of draws whose replicated data are further from the model than the data are.
    failed : int
        Draws at which the model could not be solved.
    """

    x: dict[str, np.ndarray]
    mean: dict[str, np.ndarray]
    replicated: dict[str, np.ndarray]
    log_likelihood: dict[str, np.ndarray]
    p_value: dict[str, float]
    failed: int


@eqx.filter_jit
def _told(target, u, white):
    def one(target, u, white):
        values = target.values(u)
        prediction = target.predict(u)
        centre = prediction.mean + target.data.shift(values)
        lower = cholesky(target.data.total_covariance(prediction, values))
        return (
            centre,
            centre + lower @ white,
            lower,
            target.point_log_likelihoods(prediction, values),
            prediction.failed,
        )

    return over_points(one, target, u, white)


def predictive(target: Target, u: Any, *, key: int = 0) -> Predictive:
    """Predictions at coordinates u, (S, P): of the posterior or, with `Target.prior_draws`, of the prior."""
    u = np.atleast_2d(np.asarray(u, float))
    white = np.random.default_rng(key).normal(size=(len(u), len(target.data)))
    mean, fake, lower, log_likelihood, failed = in_batches(_told, target, u, white)
    good = failed <= 0.1
    y = np.asarray(target.data.y)
    x, parts = np.asarray(target.data.x), {name: target.data.places(name) for name in target.data.names}

    def split(array):
        return {name: np.where(good[:, None], array[:, at], np.nan) for name, at in parts.items()}

    def distance(data):
        found = {}
        for name, places in parts.items():
            at = places[np.isfinite(y[places])]
            root = np.linalg.cholesky((lower @ np.swapaxes(lower, 1, 2))[:, at][:, :, at])
            found[name] = np.sum(np.linalg.solve(root, (data - mean)[:, at, None])[..., 0] ** 2, axis=1)
        return found

    seen, made = distance(np.broadcast_to(y, mean.shape)), distance(fake)
    p_value = {name: float(np.mean(made[name][good] > seen[name][good])) if good.any() else np.nan for name in parts}
    used = {name: np.isfinite(y[at]).any() for name, at in parts.items()}
    p_value = {name: value if used[name] else np.nan for name, value in p_value.items()}
    return Predictive(
        {name: x[at] for name, at in parts.items()}, split(mean), split(fake), split(log_likelihood), p_value,
        int(np.sum(~good)),
    )  # fmt: skip


def add_predictive(target: Target, posterior: Posterior, number: int = 200, *, key: int = 0) -> Posterior:
    """The posterior with the groups posterior_predictive, log_likelihood and prior_predictive in its data."""
    az = arviz()
    after = predictive(target, posterior.thinned(number, key=key), key=key)
    before = predictive(target, target.prior_draws(number, key=key), key=key)
    groups = az.from_dict(
        posterior_predictive={name: each[None] for name, each in after.replicated.items()},
        log_likelihood={name: each[None] for name, each in after.log_likelihood.items()},
        prior_predictive={name: each[None] for name, each in before.replicated.items()},
        coords=coordinates(target),
        dims=dimensions(target),
    )
    data = posterior.data.copy()
    data.extend(groups)
    return posterior._replace(data=data)


class Extra(NamedTuple):
    """A quantity that a fit does not see, against lg Mvir.

    Attributes
    ----------
    label : str
        Of its axis.
    needs : tuple of str
        Quantities of galaxies that it is made of.
    function : callable
        Maps galaxies to its value.
    """

    label: str
    needs: tuple[str, ...]
    function: Any


def _lg(name):
    return lambda g: jnp.log10(g[name])


EXTRAS = {
    "temperature": Extra("lg CGM temperature [K]", ("temperature",), _lg("temperature")),
    "cgm_mass": Extra("lg CGM mass / halo mass", ("mcgm", "mvir"), lambda g: jnp.log10(g["mcgm"] / g["mvir"])),
    "baryon_fraction": Extra(
        "lg halo baryon fraction / cosmic", ("mcgm", "mism", "mstar", "mvir"), lambda g: HaloBaryonFraction().y(g)
    ),
    "cooling_time": Extra("lg t_cool / t_ff", ("t_cool", "t_ff"), lambda g: jnp.log10(g["t_cool"] / g["t_ff"])),
    "mass_loading": Extra("lg eta_M", ("mass_loading",), _lg("mass_loading")),
    "energy_loading": Extra("lg eta_E", ("energy_loading",), _lg("energy_loading")),
    "metal_loading": Extra("lg eta_Z", ("metal_loading",), _lg("metal_loading")),
    "depletion_time": Extra("lg t_dep [Gyr]", ("depletion_time",), _lg("depletion_time")),
}
"""What `extras` looks at, where a model has it."""


def extras(
    target: Target, u: Any, redshift: float = 0.0, *, nodes: Float[Array, " m"] | None = None
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Relations of unfitted quantities with halo mass at coordinates u, (S, P): nodes in lg Mvir and means (S, m)."""
    summaries = _population_summaries(target)
    final = np.asarray(summaries.halos.log_mvir)[:, -1]
    nodes = np.linspace(final.min() + 0.1, final.max() - 0.1, 15) if nodes is None else np.asarray(nodes)
    model = summaries.model
    known = {"mvir", *model.ledger.quantities, *model.diagnostics}
    wanted = tuple(name for name, extra in EXTRAS.items() if set(extra.needs) <= known)
    told = in_batches(_Extras(wanted, float(redshift), jnp.asarray(nodes)), target, np.atleast_2d(u))
    return {name: (nodes, told[name]) for name in wanted}


class _Extras(eqx.Module):
    names: tuple[str, ...] = eqx.field(static=True)
    redshift: float = eqx.field(static=True)
    nodes: Float[Array, " m"]

    @eqx.filter_jit
    def __call__(self, target, u):
        def one(target, u):
            population = target.summaries.population(target.values(u), (self.redshift,))
            galaxies = population.at(self.redshift)
            x = jnp.log10(galaxies["mvir"])
            line = LocalLinear(0.2)
            return {name: line(x, EXTRAS[name].function(galaxies), self.nodes, valid=galaxies.valid).mean
                    for name in self.names}  # fmt: skip

        return over_points(one, target, u)


def unfitted(target: Target, u: Any, measurements: Sequence[Measurement], *, key: int = 0) -> Predictive:
    """Predictive checks of measurements that were not fitted, of any redshift."""
    summaries = _population_summaries(target)
    redshifts = sorted({m.redshift for m in measurements})
    other = PopulationSummaries(
        summaries.model, summaries.halos, measurements, redshifts=redshifts, regression=summaries.regression,
        solver=summaries.solver,
    )  # fmt: skip
    told = eqx.tree_at(lambda t: (t.summaries, t.data), target, (other, data_of(measurements)))
    return predictive(told, u, key=key)


class Indices(NamedTuple):
    """Feedback indices of a few halos: `log_mvir` (halos,) and `values` by name, (S, halos)."""

    log_mvir: np.ndarray
    values: dict[str, np.ndarray]


def feedback_indices(target: Target, u: Any, *, halos: int = 12, redshift: float = 0.0) -> Indices:
    """The indices of `corundum.sensitivity.budgets` of a few halos spread over mass, at coordinates u, (S, P).

    Returns
    -------
    log_mvir : array, (halos,)
    values : dict of str to array, (S, halos)
    """
    summaries = _population_summaries(target)
    final = np.asarray(summaries.halos.log_mvir)[:, -1]
    wanted = np.linspace(final.min(), final.max(), halos)
    rows = np.array(sorted({int(np.argmin(np.abs(final - each))) for each in wanted}))
    some = summaries.halos[rows]
    numbers, found = describe(summaries.model), []
    for row in np.atleast_2d(np.asarray(u, float)):
        values = {name: value for name, value in target.values(jnp.asarray(row)).items() if name in numbers}
        told = budgets(replace(summaries.model, values), some, (redshift,), solver=summaries.solver)
        found.append(told.indices.values[:, 0])
    stacked = np.stack(found)
    return Indices(final[rows], {name: stacked[..., i] for i, name in enumerate(INDICES)})


def _population_summaries(target):
    if not isinstance(target.summaries, PopulationSummaries):
        raise ValueError("this target is of a plain function: it has no galaxies to look at beyond its predictions")
    return target.summaries
