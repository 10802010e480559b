"""A galaxy model that processes can be added to: its own reservoirs and flows, plus those of each process.

A concrete model states its reservoirs and flows (`own_ledger`), its initial state (`own_initial`), what the halo
imposes (`forcing`) and the rates of its own flows (`own_fluxes`).  Adding the processes, one multiplier for each flow,
the times at which something jumps, and the checks of every law and process are done here once for all models.
"""

import abc
from typing import Any

import equinox as eqx

from ..annotations import Array
from ..cosmology import Cosmology
from ..halos import Halo
from ..parameters import warn_outside_bounds
from ..physics import Galaxy
from ..units import Quantity
from .base import AbstractModel, Fluxes
from .carrying import in_order, with_carried
from .checks.laws import check_laws
from .checks.processes import check_processes
from .checks.trial import check_by_trial
from .ledger import Ledger
from .process import AbstractProcess, ones_for, scaled, with_processes

__all__ = ["AbstractGalaxyModel"]


class AbstractGalaxyModel(AbstractModel):
    """A model with processes.

    Attributes
    ----------
    own_ledger : Ledger
        Of the model alone.
    own_diagnostics : dict of str to Quantity
        Of the model alone.
    processes : dict of str to AbstractProcess
        By a name of one's choice, in alphabetical order.
    channels : dict of str to array
        Multiplier of every flow, those of the processes included.

    Raises
    ------
    ValueError
        A law or a process does not fit; the message says where, what is known there, and what fits.

    Examples
    --------
    A model of one's own has these two fields, two class variables and three methods (see `docs/how_to/extend.md`):

    >>> from typing import ClassVar, NamedTuple
    >>> import equinox as eqx
    >>> from corundum.models import Flow, FlowRates, Fluxes
    >>> class Gas(NamedTuple):
    ...     mism: jax.Array
    >>> class Inflow(co.models.AbstractGalaxyModel):
    ...     own_ledger: ClassVar = co.models.Ledger(
    ...         Gas,
    ...         {("mass", "ism"): "mism"},
    ...         [Flow("inflow", "gas falling in", ("igm", "ism"))],
    ...         {"mism": co.units.Quantity("Msun", "gas mass")},
    ...     )
    ...     own_diagnostics: ClassVar = {}
    ...     processes: dict = eqx.field(default_factory=dict)
    ...     channels: dict = co.models.channel_multipliers()
    ...     def own_initial(self, halo, cosmology):
    ...         return Gas(1e-3 * halo.mvir)
    ...     def forcing(self, halo, cosmology):
    ...         return halo
    ...     def own_fluxes(self, state, halo):
    ...         flows = {"inflow": FlowRates(0.1 * halo.growth)}
    ...         return Fluxes(flows, {}), co.physics.Galaxy(state, halo, {}, flows)
    >>> halo = co.halos.Halo(13.8, 0.0, 1e12, 260.0, 130.0, 10.0, 30.0)
    >>> float(Inflow(channels={"inflow": 2.0}).fluxes(Gas(1e9), halo).flows["inflow"].mass)
    6.0
    """

    own_ledger: eqx.AbstractClassVar[Ledger]
    own_diagnostics: eqx.AbstractClassVar[dict[str, Quantity]]
    processes: eqx.AbstractVar[dict[str, AbstractProcess]]
    channels: eqx.AbstractVar[dict[str, Array]]

    def __post_init__(self):
        name = type(self).__name__
        check_laws(self, name)
        check_processes(name, self.own_ledger, self.own_diagnostics, self.processes)
        self.processes = {name: self.processes[name] for name in sorted(self.processes)}
        self.channels = ones_for(self.ledger.names, self.channels)
        warn_outside_bounds(self)

    def __check_init__(self):
        check_by_trial(self)

    @property
    def ledger(self) -> Ledger:
        """Reservoirs and flows, processes included."""
        return with_processes(self.own_ledger, self.processes)

    @property
    def diagnostics(self) -> dict[str, Quantity]:
        """Unit and meaning of every diagnostic, processes included."""
        return self.own_diagnostics | {k: v for p in self.processes.values() for k, v in p.diagnostics.items()}

    @abc.abstractmethod
    def own_initial(self, halo: Halo, cosmology: Cosmology) -> Any:
        """State of the model alone when `halo` starts."""

    @abc.abstractmethod
    def own_fluxes(self, state: Any, forcing: Any) -> tuple[Fluxes, Galaxy]:
        """The model's own flows, and the galaxy as processes see it."""

    def own_breaks(self, cosmology: Cosmology) -> tuple[Array, ...]:
        """Cosmic ages [Gyr] at which a law of the model jumps: the redshifts that its laws declare by ``breaks()``."""
        laws = (getattr(self, name) for name in self.__dataclass_fields__ if name != "processes")
        return tuple(cosmology.age(z) for law in laws if hasattr(law, "breaks") for z in law.breaks())

    def breaks(self, cosmology: Cosmology) -> tuple[Array, ...]:
        """Cosmic ages [Gyr] at which the rates jump: those of the model and of its processes."""
        added = (process.breaks(cosmology) for process in self.processes.values())
        return (*self.own_breaks(cosmology), *(age for ages in added for age in ages))

    def initial(self, halo: Halo, cosmology: Cosmology) -> Any:
        """State when `halo` starts."""
        state = self.own_initial(halo, cosmology)
        added: dict[str, Any] = {}
        for process in self.processes.values():
            added |= process.initial(state, halo, cosmology)
        return self.ledger.state(**state._asdict(), **added)

    def fluxes(self, state: Any, forcing: Any) -> Fluxes:
        """Rates of all flows, each times its multiplier, and diagnostics."""
        own, galaxy = self.own_fluxes(state, forcing)
        diagnostics = dict(own.diagnostics)
        galaxy = galaxy._replace(flows=scaled(own.flows, self.channels))
        for process in in_order(self.processes):
            added = process.own_fluxes(galaxy)
            diagnostics |= added.diagnostics
            flows = galaxy.flows | scaled(added.flows, self.channels)
            galaxy = galaxy._replace(flows=flows).knowing(**added.diagnostics)
        return Fluxes(with_carried(self.ledger, self.processes, galaxy), diagnostics)
