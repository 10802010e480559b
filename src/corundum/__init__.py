"""corundum: a modular, differentiable and fast semi-analytic model of galaxy formation.

Galaxies are reservoirs of mass, metals and energy joined by flows, inside growing dark-matter halos.  A model (in
`corundum.models`) computes the flows from laws (`corundum.physics`); halo histories come from `corundum.halos`;
`evolve` joins them into a `Population`; `corundum.observables` compares it with measurements; `corundum.plots` draws
it; `save` and `load` keep it.  Everything from parameters to observables is differentiable with JAX.
"""

import importlib

from . import cosmology, halos, models, numerics, observables, physics, units
from .parameters import describe, get_values, replace
from .population import Galaxies, Population, evolve

__version__ = "0.1.0"

__all__ = [
    "Galaxies",
    "Population",
    "cosmology",
    "describe",
    "evolve",
    "get_values",
    "halos",
    "io",
    "load",
    "models",
    "numerics",
    "observables",
    "physics",
    "plots",
    "replace",
    "save",
    "units",
]


def __getattr__(name: str):
    """`io` and `plots` load on first use: they bring HDF5 and matplotlib."""
    if name in ("io", "plots"):
        return importlib.import_module(f".{name}", __name__)
    if name in ("load", "save"):
        return getattr(importlib.import_module(".io", __name__), name)
    raise AttributeError(f"module 'corundum' has no attribute {name!r}")
