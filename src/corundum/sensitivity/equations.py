"""The equations of a model, flow by flow: how fast each flow alone would change each part of the state.

The derivative of the state is a sum over flows, because the ledger is linear in them, and so is every Jacobian of it.
The functions here return the terms of that sum one by one, so that a response can be traced to the flows that cause it.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array
from ..models import AbstractModel
from ..units import LN10

__all__ = ["flow_rates", "log_flow_rates"]


def flow_rates(model: AbstractModel, state: Any, forcing: Any) -> Float[Array, "flow state"]:
    """Rate of change of every state field by every flow alone, per Gyr; their sum is `corundum.models.derivative`."""
    flows = model.fluxes(state, forcing).flows
    zero = {name: jax.tree.map(lambda rate: 0.0, rates) for name, rates in flows.items()}
    rows = [model.ledger.derivative({**zero, name: flows[name]}) for name in model.ledger.names]
    return jnp.stack([jnp.stack([jnp.asarray(value, jnp.float64) for value in row]) for row in rows])


def log_flow_rates(model: AbstractModel, log_state: Float[Array, " state"], forcing: Any) -> Float[Array, "flow state"]:
    """The same in decades per Gyr, for a state given in log10."""
    values = jnp.exp(LN10 * log_state)
    return flow_rates(model, model.ledger.state(*values), forcing) / (values * LN10)[None, :]
