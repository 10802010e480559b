"""A galaxy model that processes can be added to: its own reservoirs and flows, plus those of each process.

A concrete model states its reservoirs and flows (`own_ledger`), its initial state (`own_initial`), what the halo
imposes (`forcing`) and the rates of its own flows (`own_fluxes`).  Adding the processes, and one multiplier for each
flow, is done here once for all models.
"""

import abc
from typing import Any

import equinox as eqx
from jaxtyping import Array

from ..cosmology import Cosmology
from ..halos import Halo
from ..physics import Galaxy
from ..units import Quantity
from .base import AbstractModel, Fluxes
from .ledger import Ledger
from .process import AbstractProcess, check_processes, ones_for, scaled, with_processes

__all__ = ["AbstractGalaxyModel"]


class AbstractGalaxyModel(AbstractModel):
    """A model with processes.

    Attributes
    ----------
    own_ledger : Ledger
        Of the model alone.
    own_diagnostics : dict of str to Quantity
    processes : dict of str to AbstractProcess
        By a name of one's choice, in alphabetical order.
    channels : dict of str to array
        Multiplier of every flow, those of the processes included.
    """

    own_ledger: eqx.AbstractClassVar[Ledger]
    own_diagnostics: eqx.AbstractClassVar[dict[str, Quantity]]
    processes: eqx.AbstractVar[dict[str, AbstractProcess]]
    channels: eqx.AbstractVar[dict[str, Array]]

    def __post_init__(self):
        self.processes = {name: self.processes[name] for name in sorted(self.processes)}
        check_processes(type(self).__name__, self.own_ledger, self.own_diagnostics, self.processes)
        self.channels = ones_for(self.ledger.names, self.channels)

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
        flows, diagnostics = scaled(own.flows, self.channels), dict(own.diagnostics)
        galaxy = galaxy._replace(flows=flows)
        for process in self.processes.values():
            added = process.own_fluxes(galaxy)
            flows = flows | scaled(added.flows, self.channels)
            diagnostics |= added.diagnostics
        return Fluxes(flows, diagnostics)
