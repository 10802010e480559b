"""The laws that can stand in the places of a model, and a model with other ones."""

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

from .. import physics
from ..models import AbstractModel
from ..models.checks.laws import places_for

__all__ = ["choices", "with_laws"]

_MEANT_FOR = {
    "mass_loading": ("MassLoading", "Fire2MassLoading", "Muratov15Velocity", "Muratov15StellarMass", "ConstantLoading"),
    "energy_loading": ("EnergyLoading", "ConstantLoading"),
    "metal_loading": ("MetalLoading", "ConstantLoading"),
    "depletion_time": ("DepletionTime", "Fire2DepletionTime", "DynamicalDepletion", "MolecularDepletion"),
    "inflow_metallicity": ("InflowMetallicity", "Fire2InflowMetallicity", "ConstantLoading"),
    "prevention": ("LogisticPrevention", "EnergyDrivenPrevention"),
    "thermal_accretion": ("Fire2ThermalAccretion", "ConstantLoading"),
    "thermal_wind": ("Fire2ThermalWind", "ConstantLoading"),
    "wind_velocity": ("Fire2WindVelocity",),
}
"""Laws of halo and galaxy give one number, and any could stand for any other; these are meant for their places."""


def choices(model: AbstractModel) -> dict[str, dict[str, Any]]:
    """For each place of a model in which another law can stand: its law now, and those that need no argument.

    Examples
    --------
    >>> choices(co.models.MinimalRegulator())["energy_loading"]
    {'law': 'EnergyLoading', 'laws': ['EnergyLoading', 'ConstantLoading']}
    """
    places: dict[str, dict[str, Any]] = {}
    for family in _families():
        laws = _laws(family)
        for place in places_for(model, family):
            entry = places.setdefault(place, {"law": type(getattr(model, place)).__name__, "laws": []})
            meant = [law for law in laws if law in _MEANT_FOR.get(place, laws)]
            entry["laws"] = list(dict.fromkeys([entry["law"], *entry["laws"], *meant]))
    fields = [field.name for field in dataclasses.fields(model)]
    return {place: places[place] for place in fields if len(places.get(place, {"laws": ()})["laws"]) > 1}


def with_laws(model: AbstractModel, laws: Mapping[str, str]) -> AbstractModel:
    """`model` with the named laws in the named places; a place whose law is named as it is keeps its numbers.

    Raises
    ------
    ValueError
        A place or a law is unknown, or the model refuses the law.
    """
    known = choices(model)
    changes = {}
    for place, name in laws.items():
        allowed = known[place]["laws"] if place in known else []
        if name not in allowed:
            raise ValueError(f"{place}: got {name!r}; allowed {', '.join(allowed) or 'no other law'}")
        if name != known[place]["law"]:
            changes[place] = getattr(physics, name)()
    return dataclasses.replace(model, **changes) if changes else model


def _families() -> list[type]:
    members = (getattr(physics, name) for name in physics.__all__ if name.startswith("Abstract"))
    return [member for member in members if isinstance(member, type)]


def _laws(family: type) -> list[str]:
    names = []
    for name in physics.__all__:
        law = getattr(physics, name)
        if isinstance(law, type) and issubclass(law, family) and not inspect.isabstract(law) and _needs_nothing(law):
            names.append(name)
    return [name for name in names if not name.startswith("Abstract")]


def _needs_nothing(law: type) -> bool:
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    arguments = [argument for argument in inspect.signature(law).parameters.values() if argument.kind in named]
    return all(argument.default is not inspect.Parameter.empty for argument in arguments)
