"""corundum: a modular, differentiable and fast semi-analytic model of galaxy formation.

Galaxies are reservoirs of mass, metals and energy joined by flows, inside growing dark-matter halos.  A model (in
`corundum.models`) computes the flows from laws (`corundum.physics`); halo histories come from `corundum.halos`;
`evolve` joins them into a `Population`; `corundum.observables` compares it with measurements; `corundum.plots` draws
it; `save` and `load` keep it; `configure` sets JAX up for a script as the command line does.  Everything from
parameters to observables is differentiable with JAX.
"""

import importlib

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
_VERBS = {
    "configure": "configuration",
    "Galaxies": "population",
    "Population": "population",
    "describe": "parameters",
    "evolve": "population",
    "get_values": "parameters",
    "load": "io",
    "replace": "parameters",
    "save": "io",
}

__all__ = [*_FAMILIES, *_VERBS]


def __getattr__(name: str):
    """Families load on first use, so that `corundum --help` does not wait for JAX."""
    if name in _FAMILIES:
        return importlib.import_module(f".{name}", __name__)
    if name in _VERBS:
        return getattr(importlib.import_module(f".{_VERBS[name]}", __name__), name)
    raise AttributeError(f"module 'corundum' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__():
    return sorted([*globals(), *__all__])
