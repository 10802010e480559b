"""Galaxy models: reservoirs, flows and the ledger that joins them."""

from .base import AbstractModel, Fluxes, derivative
from .galaxy import AbstractGalaxyModel
from .ledger import Flow, Ledger, Rates
from .presets import PANDYA26_FREE, pandya26
from .process import AbstractProcess, Added, channel_multipliers
from .thermal import ThermalCGM, ThermalForcing, ThermalState

__all__ = [
    "AbstractGalaxyModel",
    "AbstractModel",
    "AbstractProcess",
    "Added",
    "Flow",
    "Fluxes",
    "Ledger",
    "PANDYA26_FREE",
    "Rates",
    "ThermalCGM",
    "ThermalForcing",
    "ThermalState",
    "channel_multipliers",
    "derivative",
    "pandya26",
]
