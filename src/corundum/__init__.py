"""corundum: a modular, differentiable and fast semi-analytic model of galaxy formation.

Galaxies are reservoirs of mass, metals and energy joined by flows, inside growing dark-matter halos.  A model (in
`corundum.models`) computes the flows from laws (`corundum.physics`); halo histories come from `corundum.halos`;
`evolve` joins them into a `Population`; `corundum.observables` compares it with measurements; `corundum.plots` draws
it; `save` and `load` keep it; `configure` sets JAX up for a script as the command line does.  Everything from
parameters to observables is differentiable with JAX.
"""

from typing import TYPE_CHECKING

from .lazy_names import lazy_names

if TYPE_CHECKING:  # imported when they are first used
    from . import (
        cosmology,
        explorer,
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
    from .explorer import explore
    from .io import load, save
    from .parameters import describe, get_values, replace
    from .population import Galaxies, Population, Sweep, evolve, sweep
    from .sensitivity import gradient

__version__ = "0.1.0"

__all__ = [
    "Galaxies",
    "Population",
    "Sweep",
    "configure",
    "cosmology",
    "describe",
    "evolve",
    "explore",
    "explorer",
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

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__)
