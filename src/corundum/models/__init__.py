"""Galaxy models: reservoirs, flows and the ledger that joins them."""

from .base import AbstractModel, Fluxes, derivative
from .ledger import Flow, Ledger, Rates
from .presets import PANDYA26_FREE, pandya26
from .thermal import Channels, ThermalCGM, ThermalForcing, ThermalState

__all__ = [
    "AbstractModel",
    "Channels",
    "Flow",
    "Fluxes",
    "Ledger",
    "PANDYA26_FREE",
    "Rates",
    "ThermalCGM",
    "ThermalForcing",
    "ThermalState",
    "derivative",
    "pandya26",
]
