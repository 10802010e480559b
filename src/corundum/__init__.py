"""corundum: a modular, differentiable and fast semi-analytic model of galaxy formation.

Galaxies are reservoirs of mass, metals and energy joined by flows, inside growing dark-matter halos.  A model (in
`corundum.models`) computes the flows from laws (`corundum.physics`); halo histories come from `corundum.halos`;
`evolve` joins them into a `Population`; `corundum.observables` compares it with measurements; `corundum.plots` draws
it; `save` and `load` keep it; `configure` sets JAX up for a script as the command line does.  Everything from
parameters to observables is differentiable with JAX.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what the names below are, for editors and type checkers
    from . import (
        cosmology,
        halos,
        inference,
        io,
        models,
        numerics,
        observables,
        physics,
        plots,
        sensitivity,
        units,
    )
    from .configuration import configure
    from .io import load, save
    from .parameters import describe, get_values, replace
    from .population import Galaxies, Population, Sweep, evolve, sweep
    from .sensitivity import gradient

__version__ = "0.1.0"

_FAMILIES = (
    "cosmology",
    "halos",
    "inference",
    "io",
    "models",
    "numerics",
    "observables",
    "physics",
    "plots",
    "sensitivity",
    "units",
)
_MODULE_OF = {
    "Galaxies": "population",
    "Population": "population",
    "Sweep": "population",
    "configure": "configuration",
    "describe": "parameters",
    "evolve": "population",
    "get_values": "parameters",
    "gradient": "sensitivity",
    "load": "io",
    "replace": "parameters",
    "save": "io",
    "sweep": "population",
}

__all__ = [
    "Galaxies",
    "Population",
    "Sweep",
    "configure",
    "cosmology",
    "describe",
    "evolve",
    "get_values",
    "gradient",
    "halos",
    "inference",
    "io",
    "load",
    "models",
    "numerics",
    "observables",
    "physics",
    "plots",
    "replace",
    "save",
    "sensitivity",
    "sweep",
    "units",
]


def __getattr__(name: str):
    """Import a family on first use, so that `corundum --help` does not wait for JAX."""
    if name in _FAMILIES:
        return importlib.import_module(f".{name}", __name__)
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
    raise AttributeError(f"module 'corundum' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__():
    return sorted([*__all__, "__version__"])
