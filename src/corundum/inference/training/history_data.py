"""Histories of single galaxies as data: what a model predicts for them, and the vector they are compared with."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import strategy
from ...halos import HaloHistories
from ...messages import did_you_mean
from ...models import AbstractModel
from ...models.checks.arguments import check_model_and_halos
from ...numerics.solvers.base import AbstractSolver
from ...numerics.solvers.lanes import LaneSolver
from ...plain_numbers import float64
from ...population import evolve
from ...sensitivity.parameter_space import with_vector
from ..data import Data
from ..free import free_parameters
from ..likelihoods.gaussian import Gaussian
from ..summaries import TOLERANCE, AbstractGalaxySummaries, Prediction
from .states import States

__all__ = ["HistorySummaries", "as_errors", "as_log_states", "history_fields"]

_MOST = 4000  # points of a target: its covariance has as many rows and columns


class HistorySummaries(AbstractGalaxySummaries):
    """log10 of quantities of each galaxy at several redshifts, one point for each.

    Parameters
    ----------
    model : AbstractModel
    halos : HaloHistories
        N of them.
    redshifts : tuple of K floats
    quantities : tuple of Q str
    solver : AbstractSolver

    Examples
    --------
    >>> from corundum.inference.training.history_data import HistorySummaries
    >>> summaries = HistorySummaries(model, halos, (2.0, 0.0), ("mstar",), co.numerics.LaneSolver())
    >>> summaries({}).mean.shape  # of 8 halos
    (16,)
    """

    model: AbstractModel
    halos: HaloHistories
    redshifts: tuple[float, ...] = eqx.field(static=True)
    quantities: tuple[str, ...] = eqx.field(static=True)
    solver: AbstractSolver

    def __call__(self, values: Mapping[str, Any]) -> Prediction:
        """Q N K points: the redshifts of the first galaxy, then those of the next; then the next quantity."""
        model = self.model
        if values:
            model, _ = with_vector(model, self.halos.cosmology, tuple(values), jnp.stack(list(values.values())))
        galaxies = evolve(model, self.halos, self.redshifts, keep=self.quantities, solver=self.solver)
        valid = galaxies.valid
        mean = jnp.concatenate(
            [jnp.ravel(jnp.log10(jnp.where(valid, _quantity(galaxies, name), 1.0))) for name in self.quantities]
        )
        nothing = jnp.zeros_like(mean)
        failed = jnp.mean(jnp.where(galaxies.status == 0, 0.0, 1.0))
        return Prediction(mean, nothing, nothing, jnp.tile(jnp.ravel(valid), len(self.quantities)), failed)


def _quantity(galaxies: Any, name: str) -> Any:
    """A quantity of galaxies, or the mass [Msun/yr] that a flow carries."""
    return galaxies[name] if name in galaxies else galaxies.flows[name].mass


def history_fields(
    model: AbstractModel,
    halos: HaloHistories,
    states: States,
    names: Sequence[str],
    priors: Mapping[str, Any] | None,
    errors: float | Mapping[str, float] | None,
    solver: AbstractSolver | None,
) -> dict[str, Any]:
    """The fields of a `Target` whose data are histories; see `Target.of_histories`.

    Raises
    ------
    ValueError
        As `Target.of_histories`.
    """
    check_model_and_halos(model, halos)
    redshifts = tuple(float(z) for z in np.atleast_1d(states.redshifts))
    log_states = as_log_states(model, states.values, (len(halos), len(redshifts)))
    quantities = tuple(log_states)
    errors = as_errors(states.errors if errors is None else errors, quantities)
    galaxies = len(halos) * len(redshifts)
    if galaxies * len(quantities) > _MOST:
        raise ValueError(
            f"states: {galaxies * len(quantities)} points, and the covariance of a target has a row for each; give at "
            f"most {_MOST}, or train on all of them with inference.HistoryObjective"
        )
    total = galaxies * len(quantities)
    variances = np.repeat([float(errors[name]) ** 2 for name in quantities], galaxies)
    data = Data(
        jnp.tile(jnp.repeat(jnp.asarray(halos.log_mvir)[:, -1], len(redshifts)), len(quantities)),
        jnp.concatenate([jnp.ravel(log_states[name]) for name in quantities]), jnp.asarray(np.diag(variances)),
        jnp.eye(total), jnp.eye(total), jnp.full(total, jnp.nan), quantities, (galaxies,) * len(quantities),
    )  # fmt: skip
    solver = strategy("solver", solver, LaneSolver(tolerance=TOLERANCE))
    return dict(
        summaries=HistorySummaries(
            model=model, halos=halos, redshifts=redshifts, quantities=quantities, solver=solver
        ),
        free=free_parameters(model, halos.cosmology, names, priors) if names else (), data=data,
        likelihood=Gaussian(), scatter=None, monte_carlo_error=1.0,
    )  # fmt: skip


def as_log_states(model: AbstractModel, states: Mapping[str, Any], shape: tuple[int, int]) -> dict[str, Any]:
    """log10 of quantities of the model, or mass flows [Msun/yr], by name, each of `shape` (halos, redshifts).

    They are NaN where nothing is known.

    Raises
    ------
    ValueError
        A quantity is none of the model, is not of that shape, or is not positive.
    """
    flows = (flow.name for flow in model.ledger.flows if flow.mass is not None)
    known = tuple(dict.fromkeys((*model.ledger.state._fields, *model.diagnostics, *flows)))
    if not states:
        raise ValueError(f"states: got none; give histories of some of {', '.join(known)}")
    log_states: dict[str, Float[Array, "n k"]] = {}
    for name, values in states.items():
        if name not in known:
            raise ValueError(
                f"states: {name!r} is no quantity of {type(model).__name__}; {did_you_mean(name, known)}there are "
                f"{', '.join(known)}"
            )
        values = np.asarray(float64(f"states {name}", values, "1"))
        if values.shape != shape:
            raise ValueError(f"states {name}: got shape {values.shape}; give {shape}, (halos, redshifts)")
        if np.any(values <= 0.0):
            raise ValueError(f"states {name}: got {values[values <= 0.0][0]:g}; give positive numbers, or NaN for none")
        if not np.any(np.isfinite(values)):
            raise ValueError(f"states {name}: holds no number; leave it out")
        log_states[name] = jnp.asarray(np.log10(values))
    return log_states


def as_errors(errors: float | Mapping[str, float] | None, names: Sequence[str]) -> dict[str, Any]:
    """A standard deviation [dex] for each of `names`.

    Raises
    ------
    ValueError
        There is none for one of them, one for something else, or one is not positive.
    """
    by_name: dict[str, Any] = dict(errors) if isinstance(errors, Mapping) else dict.fromkeys(names, errors)
    if set(by_name) != set(names):
        missing = ", ".join(sorted(set(names) ^ set(by_name)))
        raise ValueError(f"errors: those of {missing} do not fit; give one [dex] for each of {', '.join(names)}")
    for name, error in by_name.items():
        if error is None or not (np.isfinite(error) and error > 0.0):
            raise ValueError(f"errors {name}: got {error}; give a positive number [dex]")
    return {name: jnp.asarray(float(error)) for name, error in by_name.items()}
