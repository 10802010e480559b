"""Regressed scaling relations on disk: ``/relations/<relation>/z=<redshift>`` or any nesting of names."""

from collections.abc import Mapping
from typing import Any

import h5py
import jax.numpy as jnp

from ..observables.regression import RegressedRelation
from ..storage.arrays import read_array, write_array
from ..units import Quantity

__all__ = ["write_relations", "read_relations"]

_LAYOUT = {
    "nodes": Quantity("dex", "where the relation is estimated, log10", log=False),
    "mean": Quantity("dex", "mean of the galaxies at each node, log10", log=False),
    "scatter": Quantity("dex", "standard deviation of the galaxies about the relation", log=False),
    "standard_error": Quantity("dex", "standard error of the mean", log=False),
    "effective_count": Quantity("1", "number of equally weighted galaxies that give a mean of this error"),
    "count": Quantity("1", "galaxies within the kernel"),
    "reached": Quantity(
        "none", "true where enough galaxies surround the node; elsewhere the numbers mean nothing", log=False
    ),
}


def write_relations(group: h5py.Group, relations: Mapping[str, Any]) -> None:
    """Store a mapping of names to `RegressedRelation`, nested to any depth."""
    for name, value in relations.items():
        if isinstance(value, Mapping):
            write_relations(group.create_group(name, track_order=True), value)
            continue
        if not isinstance(value, RegressedRelation):
            raise ValueError(f"relations: {name} is a {type(value).__name__}; give a RegressedRelation")
        estimate = group.create_group(name)
        for field, quantity in _LAYOUT.items():
            write_array(estimate, field, getattr(value, field), quantity)


def read_relations(group: h5py.Group) -> dict[str, Any]:
    """The mapping stored by `write_relations`."""
    relations: dict[str, Any] = {}
    for name, item in group.items():
        if "nodes" in item:
            relations[name] = RegressedRelation(**{field: jnp.asarray(read_array(item, field)[0]) for field in _LAYOUT})
        else:
            relations[name] = read_relations(item)
    return relations
