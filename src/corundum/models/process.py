"""Processes: physics added to a model as reservoirs and flows of its ledger, and how a model takes them in.

A process (black holes, gas recycled from outside the halo, dust) names its reservoirs, its flows and what it needs, and
computes the rates of its flows from the galaxy.  It edits no flow of the model.  A model holds its processes by name,
``ThermalCGM(processes={"hole": BlackHole()})``; their numbers are parameters (``processes.hole.seed_mass``),
their reservoirs are part of the state, their flows have multipliers (``channels.<flow>``) and are saved and plotted.
"""

import abc
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
from jaxtyping import Float

from ..annotations import Array
from ..cosmology import Cosmology
from ..halos import Halo
from ..messages import did_you_mean
from ..parameters import NOT_NEGATIVE, named_parameters
from ..physics import Galaxy
from ..plain_numbers import float64
from ..printing import Component, in_short
from ..units import Quantity
from .carrying import carrying_ledger
from .ledger import Flow, FlowRates, Ledger, extended_ledger

__all__ = ["AbstractProcess", "ProcessFluxes", "channel_multipliers", "ones_for", "scaled", "with_processes"]


class ProcessFluxes(NamedTuple):
    """What a process computes at one time.

    Attributes
    ----------
    flows : dict of str to FlowRates [Msun/yr, erg/s]
    diagnostics : dict of str to array

    Examples
    --------
    >>> rates = co.models.ProcessFluxes({"stripping": co.models.FlowRates(mass=2.0)}, {})
    >>> rates.flows["stripping"].mass
    2.0
    """

    flows: dict[str, FlowRates]
    diagnostics: dict[str, Array]

    def __repr__(self) -> str:
        return in_short(self)


class AbstractProcess(Component):
    """Reservoirs and flows added to a model.

    Attributes
    ----------
    reservoirs : dict
        (currency, reservoir) -> (field of the state, Quantity); may be empty.
    flows : tuple of Flow
    diagnostics : dict of str to Quantity
    needs : tuple of (currency, reservoir)
        What the model must hold.
    reads : tuple of str
        Diagnostics and flows of the model, or of other processes, that the process looks at.
    sees : tuple of str
        Diagnostics and flows of other processes that it looks at where they exist.
    follows : dict of str to str
        Currencies that flows of the whole model carry because of this process, and what each goes with:
        ``{"momentum": "mass"}`` lets flows of mass carry angular momentum, those out of a reservoir in proportion to
        what it holds, and those from elsewhere as `from_outside` says.
    outside : tuple of str
        Places outside the galaxy that its flows reach and that the model does not know, such as ``"radiated"``.

    Examples
    --------
    A flow that takes gas from the CGM, with the energy and metals it holds:

    >>> from corundum.models import Flow, FlowRates, ProcessFluxes
    >>> class Stripping(co.models.AbstractProcess):
    ...     reservoirs = {}
    ...     flows = (Flow("stripping", "CGM torn off", ("cgm", "igm"), ("cgm", "igm"), ("cgm", "igm")),)
    ...     needs = (("mass", "cgm"), ("metals", "cgm"), ("energy", "cgm"))
    ...     def initial(self, state, halo, cosmology):
    ...         return {}
    ...     def own_fluxes(self, galaxy):
    ...         state, per_year, per_second = galaxy.state, 1.0 / 20e9, 1.0 / (20e9 * 3.156e7)
    ...         rates = FlowRates(per_year * state.mcgm, per_year * state.mzcgm, per_second * state.eth)
    ...         return ProcessFluxes({"stripping": rates}, {})
    >>> co.models.ThermalCGM(processes={"environment": Stripping()}).ledger.names[-1]
    'stripping'
    """

    reservoirs: eqx.AbstractClassVar[dict[tuple[str, str], tuple[str, Quantity]]]
    flows: eqx.AbstractClassVar[tuple[Flow, ...]]
    diagnostics: ClassVar[dict[str, Quantity]] = {}
    needs: ClassVar[tuple[tuple[str, str], ...]] = ()
    reads: ClassVar[tuple[str, ...]] = ()
    sees: ClassVar[tuple[str, ...]] = ()
    follows: ClassVar[dict[str, str]] = {}
    outside: ClassVar[tuple[str, ...]] = ()

    @abc.abstractmethod
    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        """What its reservoirs hold at the start, by field; `state` is that of the model without processes."""

    @abc.abstractmethod
    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        """Rates of its flows, and its diagnostics."""

    def breaks(self, cosmology: Cosmology) -> tuple[Array, ...]:
        """Cosmic ages [Gyr] at which its rates jump; integration steps end there, so that a jump costs no accuracy."""
        return ()

    def from_outside(self, galaxy: Galaxy, currency: str, flow: Flow, rate: Any) -> Float[Array, "..."]:
        """What a flow brings of a currency that `follows` names, from a place that holds none of it.

        `rate` is what the flow carries of that which the currency goes with.  By default it brings nothing.
        """
        return 0.0 * rate


def channel_multipliers() -> Any:
    """A field holding one dimensionless multiplier for each flow: 1 leaves the flow as it is, 0 switches it off.

    Derivatives with respect to them say how much each channel matters.

    Examples
    --------
    A model declares the field as ``channels: dict = channel_multipliers()``.  Switch a flow off:

    >>> still = co.models.ThermalCGM(channels={"wind": 0.0})
    >>> float(still.channels["wind"]), float(still.channels["cooling"])
    (0.0, 1.0)
    """
    return named_parameters(
        unit="1", meaning="multiplier of the {name} flow", source="control", bounds=(0.0, 10.0), allowed=NOT_NEGATIVE
    )


def with_processes(own_ledger: Ledger, processes: Mapping[str, Any]) -> Ledger:
    """The ledger of a model together with its processes."""
    reservoirs = [
        (key, field, quantity)
        for process in processes.values()
        for key, (field, quantity) in process.reservoirs.items()
    ]
    ledger = extended_ledger(own_ledger, tuple(reservoirs), tuple(f for p in processes.values() for f in p.flows))
    return carrying_ledger(ledger, tuple(tuple(p.follows.items()) for p in processes.values() if p.follows))


def ones_for(names: tuple[str, ...], multipliers: Mapping[str, Any]) -> dict[str, Array]:
    """One multiplier for each flow: those in `multipliers`, and 1 for the others.

    Raises
    ------
    ValueError
        A name is no flow.
    """
    unknown = [name for name in multipliers if name not in names]
    if unknown:
        raise ValueError(
            f"channels: there is no flow {', '.join(unknown)}; {did_you_mean(unknown[0], names)}"
            f"the flows are {', '.join(names)}"
        )
    return {name: float64(f"channels.{name}", multipliers.get(name, 1.0)) for name in sorted(names)}


def scaled(flows: dict[str, FlowRates], multipliers: Mapping[str, Array]) -> dict[str, FlowRates]:
    """Every flow times its multiplier."""
    return {
        name: FlowRates(*(None if rate is None else multipliers[name] * rate for rate in rates))
        for name, rates in flows.items()
    }
