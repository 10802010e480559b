"""What a model is: initial state, halo-driven quantities, and the rate of every flow.

`AbstractModel` is all that the solver, the sensitivities and the files know of a model.  The derivative of the state is
the ledger applied to `fluxes`, the same fluxes that are saved and plotted.
"""

import abc
from typing import Any, NamedTuple

import equinox as eqx

from ..annotations import Array
from ..cosmology import Cosmology
from ..halos import Halo
from ..printing import in_short
from ..units import Quantity
from .ledger import FlowRates, Ledger
from .printing import as_html, as_line, as_lines

__all__ = ["AbstractModel", "Fluxes", "derivative"]


class Fluxes(NamedTuple):
    """Everything a model computes at one time.

    Attributes
    ----------
    flows : dict of str to FlowRates
        By name of the flow.
    diagnostics : dict of str to array
        Other quantities of interest, by name (see `AbstractModel.diagnostics`).

    Examples
    --------
    >>> fluxes = co.models.Fluxes({"wind": co.models.FlowRates(mass=2.0)}, {"sfr": 1.0})
    >>> fluxes.flows["wind"].mass, fluxes.diagnostics["sfr"]
    (2.0, 1.0)
    """

    flows: dict[str, FlowRates]
    diagnostics: dict[str, Array]

    def __repr__(self) -> str:
        return in_short(self)


class AbstractModel(eqx.Module):
    """A galaxy model: reservoirs joined by flows.

    Most models derive from `AbstractGalaxyModel`, which takes processes and multipliers of flows.

    Attributes
    ----------
    ledger : Ledger
        Reservoirs, flows, and the fields of the state.
    diagnostics : dict of str to Quantity
        Unit and meaning of the other quantities that `fluxes` computes.

    Examples
    --------
    A closed box with one reservoir, which gas enters at a constant rate [Msun/yr]:

    >>> from typing import ClassVar, NamedTuple
    >>> from corundum.models import Flow, FlowRates, Fluxes
    >>> class Gas(NamedTuple):
    ...     mism: jax.Array
    >>> class Box(co.models.AbstractModel):
    ...     ledger: ClassVar = co.models.Ledger(
    ...         Gas,
    ...         {("mass", "ism"): "mism"},
    ...         [Flow("inflow", "gas falling in", ("igm", "ism"))],
    ...         {"mism": co.units.Quantity("Msun", "gas mass")},
    ...     )
    ...     diagnostics: ClassVar = {}
    ...     def initial(self, halo, cosmology):
    ...         return Gas(1e-3 * halo.mvir)
    ...     def forcing(self, halo, cosmology):
    ...         return 2.0
    ...     def fluxes(self, state, forcing):
    ...         return Fluxes({"inflow": FlowRates(forcing)}, {})
    >>> co.models.derivative(Box(), Gas(1e9), 2.0)
    Gas(mism=2000000000.0)
    """

    @property
    @abc.abstractmethod
    def ledger(self) -> Ledger:
        """Reservoirs and flows; usually a class variable."""

    @property
    @abc.abstractmethod
    def diagnostics(self) -> dict[str, Quantity]:
        """Unit and meaning of every diagnostic; usually a class variable."""

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

    def __repr__(self) -> str:
        return as_line(self)

    def __str__(self) -> str:
        return as_lines(self)

    def _repr_html_(self) -> str:
        return as_html(self)


def derivative(model: AbstractModel, state: Any, forcing: Any) -> Any:
    """Rate of change of `state`, per Gyr: the ledger applied to the fluxes.

    Parameters
    ----------
    model : AbstractModel
    state
        What the reservoirs hold [Msun, erg].
    forcing
        What the halo imposes, as ``model.forcing(halo, cosmology)`` gives it.

    Returns
    -------
    the model's state
        Rates of change [Msun/Gyr, erg/Gyr].

    Examples
    --------
    >>> halo = co.halos.Halo(*map(jnp.asarray, (13.8, 0.0, 1e12, 260.0, 130.0, 10.0, 30.0)))
    >>> cosmology = co.cosmology.Cosmology()
    >>> state = model.initial(halo, cosmology)
    >>> rate = co.models.derivative(model, state, model.forcing(halo, cosmology))
    >>> bool(rate.mstar > 0.0), bool(rate.mcgm < 0.0)
    (True, True)
    """
    return model.ledger.derivative(model.fluxes(state, forcing).flows)
