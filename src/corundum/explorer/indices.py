"""Prevention and ejection indices of the galaxies on screen, and their slopes, from one compiled program.

The running totals of all flows are integrated with each galaxy for them, which takes several times as long as the
galaxy alone.  They are therefore computed apart from the picture, after it, and only today.
"""

from typing import Any

import jax

from ..numerics.compiling import compiled
from ..numerics.solvers.forward_lanes import for_forward_mode
from ..parameters import set_values
from ..population import evolve
from ..sensitivity.accounts import Accounted
from ..sensitivity.budgets import Fractions
from .view import View

__all__ = ["has_indices", "indices_and_slopes"]


def has_indices(view: View) -> bool:
    """Whether the model of a view has the reservoirs that tell prevention from ejection."""
    return {("mass", "cgm"), ("mass", "ism")} <= set(view.model.ledger.contents)


@compiled
def indices_and_slopes(view: View, vector: Any, rows: Any) -> tuple[Any, Any]:
    """`corundum.sensitivity.INDICES` of every galaxy (I, N), and along each row of directions (R, I, N)."""
    solver = for_forward_mode(view.summaries.solver)

    def indices(at):
        accounted = Accounted(set_values(view.model, dict(zip(view.names, at, strict=True))))
        population = evolve(accounted, view.halos, view.redshifts[-1:], solver=solver)
        return Fractions(accounted)(population)["indices"][:, 0].T

    return jax.vmap(lambda row: jax.jvp(indices, (vector,), (row,)), out_axes=(None, 0))(rows)
