"""Counterfactual galaxies: a channel switched off or halved, compared with what the channel Jacobian predicts.

The prediction is linear in the multiplier, lg y + (m - 1) d lg y / d m.  Where the two agree, the channel acts as a
small perturbation.  Where they differ, other flows compensate, or the galaxies enter another regime.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..halos import HaloHistories
from ..messages import did_you_mean
from ..models import AbstractModel
from ..models.checks.arguments import check_model_and_halos
from ..numerics.solvers.base import AbstractSolver
from ..parameters import replace
from ..population import evolve
from .jacobians import Jacobian, LogQuantities, channel_jacobian
from .labelled import Labelled
from .parameter_space import channel_names

__all__ = ["counterfactual"]


def counterfactual(
    model: AbstractModel,
    halos: HaloHistories,
    multipliers: Mapping[str, float],
    redshifts: Sequence[float] | Float[Array, " k"] = (0.0,),
    *,
    jacobian: Jacobian | None = None,
    solver: AbstractSolver | None = None,
) -> Labelled:
    """Change of lg y when flows are multiplied, computed and predicted.

    Parameters
    ----------
    model : AbstractModel
    halos : HaloHistories
    multipliers : mapping of flow to number
        Such as ``{"wind_heating": 0.0}``; 1 leaves a flow as it is.
    redshifts : sequence of float
    jacobian : Jacobian, optional
        The `channel_jacobian` of the same model, halos and redshifts; it is computed if not given.
    solver : AbstractSolver, optional

    Returns
    -------
    Labelled, (kind, halo, redshift, quantity)
        ``kind`` is ``"computed"`` or ``"predicted"`` [dex]; NaN where either galaxy failed.

    Raises
    ------
    ValueError
        A flow does not exist, or a multiplier is negative or not finite.

    Examples
    --------
    >>> change = co.sensitivity.counterfactual(model, halos, {"wind_heating": 0.9})
    >>> mstar = change.sel(halo=0, redshift=0.0, quantity="mstar")
    >>> [bool(mstar.sel(kind=kind).values > 0.0) for kind in ("computed", "predicted")]  # less heating, more stars
    [True, True]
    """
    check_model_and_halos(model, halos)
    known = [name.removeprefix("channels.") for name in channel_names(model)]
    for flow, multiplier in multipliers.items():
        if flow not in known:
            raise ValueError(f"multipliers: no flow {flow!r}; {did_you_mean(flow, known)}there are {', '.join(known)}")
        if not (np.isfinite(multiplier) and multiplier >= 0):
            raise ValueError(f"multipliers: {flow} got {multiplier}; allowed 0 (switched off) or a positive number")
    if not multipliers:
        raise ValueError(f"multipliers: got none; give at least one of {', '.join(known)}")
    if jacobian is None:
        jacobian = channel_jacobian(model, halos, redshifts, solver=solver)
    names = tuple(jacobian.values.coords["quantity"])
    changed = replace(model, {f"channels.{flow}": m for flow, m in multipliers.items()})
    after = np.asarray(LogQuantities(names)(evolve(changed, halos, redshifts, solver=solver)))
    response = jacobian.derivative
    predicted = sum((m - 1.0) * response.sel(channel=flow).values for flow, m in multipliers.items())
    computed = after - jacobian.values.values
    predicted = np.where(np.isfinite(computed), predicted, np.nan)
    changes = ", ".join(f"{flow} x {m:g}" for flow, m in multipliers.items())
    return Labelled(
        np.stack([computed, predicted]),
        ("kind", *jacobian.values.dims),
        {"kind": ("computed", "predicted"), **jacobian.values.coords},
        "dex",
        f"change of each quantity with {changes}",
    )
