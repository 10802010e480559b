"""What a model is: initial state, halo-driven quantities, and the rate of every flow.

`AbstractModel` is all that the solver, the sensitivities and the files know of a model.  The derivative of the state is
the ledger applied to `fluxes`, the same fluxes that are saved and plotted.
"""

import abc
from typing import Any, NamedTuple

import equinox as eqx
from jaxtyping import Array

from ..cosmology import Cosmology
from ..halos import Halo
from ..units import Quantity
from .ledger import FlowRates, Ledger

__all__ = ["AbstractModel", "Fluxes", "derivative"]


class Fluxes(NamedTuple):
    """Everything a model computes at one time.

    Attributes
    ----------
    flows : dict of str to FlowRates
        By name of the flow.
    diagnostics : dict of str to array
        Other quantities of interest, by name (see `AbstractModel.diagnostics`).
    """

    flows: dict[str, FlowRates]
    diagnostics: dict[str, Array]


class AbstractModel(eqx.Module):
    """A galaxy model: reservoirs joined by flows."""

    ledger: eqx.AbstractClassVar[Ledger]
    diagnostics: eqx.AbstractClassVar[dict[str, Quantity]]

    @abc.abstractmethod
    def initial(self, halo: Halo, cosmology: Cosmology) -> Any:
        """State of a galaxy when its halo starts."""

    @abc.abstractmethod
    def forcing(self, halo: Halo, cosmology: Cosmology) -> Any:
        """Everything that depends on the halo and the parameters but not on the state of the galaxy."""

    @abc.abstractmethod
    def fluxes(self, state: Any, forcing: Any) -> Fluxes:
        """Rates of all flows [Msun/yr, erg/s], and diagnostics."""

    def breaks(self, cosmology: Cosmology) -> tuple[Array, ...]:
        """Cosmic ages [Gyr] at which the forcing is not smooth in time; integration steps end there."""
        return ()


def derivative(model: AbstractModel, state: Any, forcing: Any) -> Any:
    """Rate of change of `state`, per Gyr: the ledger applied to the fluxes."""
    return model.ledger.derivative(model.fluxes(state, forcing).flows)
