"""Which fields of a class hold one row per halo: declared once, beside the field.

`per_halo_field` marks a field of an `equinox.Module` and says what it holds.  Slicing, joining, checking and saving
halos read this declaration, so that a new field of the histories needs no line anywhere else.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..numerics.rows import chosen
from ..units import Quantity

__all__ = ["PerHalo", "per_halo_field", "per_halo_fields", "per_halo_values", "take_rows", "renumbered", "join_rows"]


class PerHalo(NamedTuple):
    """What a field with one row per halo holds.

    Attributes
    ----------
    quantity : Quantity or None
        Unit and meaning of its array; None for a field of several arrays, such as mergers, which describe themselves.
    along_time : bool
        Whether a row is a curve over the times of the histories, shape (N, T), or one number, shape (N,).
    finite : bool
        Whether all of its values must be finite.
    """

    quantity: Quantity | None
    along_time: bool
    finite: bool


def per_halo_field(quantity: Quantity | None = None, *, along_time: bool = False, finite: bool = False) -> Any:
    """Declare a field of an `equinox.Module` whose arrays have halos on their first axis.

    Parameters
    ----------
    quantity : Quantity, optional
        Unit and meaning of the array; leave it out for a field of several arrays (mergers, a dict of curves).
    along_time : bool
        Each row is a curve, shape (N, T); otherwise a number, shape (N,).
    finite : bool
        All values must be finite; curves always must.

    Examples
    --------
    >>> import equinox as eqx
    >>> class Positions(eqx.Module):
    ...     x: jax.Array = per_halo_field(co.units.Quantity("Mpc", "comoving position", log=False))
    >>> list(per_halo_fields(Positions))
    ['x']
    >>> take_rows(Positions(jnp.arange(4.0)), slice(2))["x"].shape
    (2,)
    """
    return eqx.field(metadata={"per_halo": PerHalo(quantity, along_time, finite or along_time)})


def per_halo_fields(module: Any) -> dict[str, PerHalo]:
    """The fields declared with `per_halo_field`, of a module or of its class, in the order of declaration."""
    declared = {field.name: field.metadata.get("per_halo") for field in dataclasses.fields(module)}
    return {name: declaration for name, declaration in declared.items() if declaration is not None}


def per_halo_values(module: Any) -> dict[str, Any]:
    """The values of these fields by name; None where an optional field is not set."""
    return {name: getattr(module, name) for name in per_halo_fields(module)}


def take_rows(module: Any, rows: Any) -> dict[str, Any]:
    """The same with some of the rows: a slice, an index array or a boolean mask."""
    return chosen(per_halo_values(module), rows)


def renumbered(host: Any, rows: Any, number: int) -> Any:
    """Hosts as rows among the chosen halos `rows` of `number`; -1 for those whose host was not chosen."""
    place = np.full(number + 1, -1)
    place[rows[::-1]] = np.arange(len(rows))[::-1]  # a halo chosen twice counts as the first of the two
    return chosen(jax.device_put(place), host)  # -1 reads the last entry, which is -1


def join_rows(modules: Sequence[Any]) -> dict[str, Any]:
    """The values of several modules of one class, one after the other.

    Raises
    ------
    ValueError
        A field is set in some of them only, or holds other names in some.
    """
    values = [per_halo_values(module) for module in modules]
    for name, first in values[0].items():
        structure: Any = jax.tree.structure(first)
        if any(structure != jax.tree.structure(other[name]) for other in values[1:]):
            raise ValueError(
                f"{name}: it is set differently in the {type(modules[0]).__name__} to join (missing in one, or with "
                f"other names); give all of them the same, or set it to None with dataclasses.replace"
            )
    return jax.tree.map(lambda *arrays: jnp.concatenate(arrays), *values)
