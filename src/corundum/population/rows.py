"""What galaxies at one redshift and populations at several have in common: quantities by name, galaxies by row."""

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, overload

import equinox as eqx
import numpy as np

from ..annotations import Array
from ..halos.per_halo import renumbered, take_rows
from ..messages import did_you_mean
from ..numerics.rows import chosen
from ..units import Quantity
from . import tables

__all__ = ["AbstractGalaxies", "named", "row_numbers"]


class AbstractGalaxies(eqx.Module):
    """A mapping from names of quantities to arrays with one row per halo, of which rows can be chosen.

    ``galaxies["mstar"]`` is an array; ``galaxies[:10]``, ``galaxies[mask]`` and ``galaxies[[0, 3]]`` are the same
    object with some of its halos; ``len(galaxies)`` counts halos, and iteration goes over names.

    Examples
    --------
    >>> population["mstar"].shape, len(population[:3]), "mstar" in population
    ((8, 2), 3, True)
    >>> galaxies = population.at(0.0)
    >>> massive = galaxies[galaxies["mvir"] > 1e11]
    >>> bool(massive["mvir"].min() > 1e11), massive.keys() == galaxies.keys()
    (True, True)
    """

    if TYPE_CHECKING:  # what the classes have, as fields or properties in an order of their own

        @property
        def values(self) -> dict[str, Array]: ...
        @property
        def described(self) -> tuple[tuple[str, Quantity], ...]: ...
        @property
        def histories(self) -> Any: ...
        @property
        def weights(self) -> Array: ...
        @property
        def host(self) -> Array | None: ...

    def __len__(self) -> int:
        return self.weights.shape[0]

    @overload
    def __getitem__(self, key: str) -> Array: ...
    @overload
    def __getitem__(self, key: Any) -> Any: ...
    def __getitem__(self, key):
        if isinstance(key, str):
            return named(self.values, key)
        rows = row_numbers(key, len(self))
        arrays = take_rows(self, rows)
        if self.histories is not None:
            arrays["histories"] = self.histories._replace(values=chosen(self.histories.values, rows))
        if self.host is not None:
            arrays["host"] = renumbered(arrays["host"], np.arange(len(self))[rows], len(self))
        return dataclasses.replace(self, **arrays)

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def keys(self) -> Any:
        """Names of the quantities."""
        return self.values.keys()

    def items(self) -> Any:
        """Pairs of the name and the array of each quantity."""
        return self.values.items()

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.values)

    @property
    def quantities(self) -> dict[str, Quantity]:
        """Unit and meaning of every array of `values`, where known, and of those that only have a history."""
        return dict(self.described)

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` with a row for each halo (and redshift); units and meanings lie in its ``attrs``.

        Examples
        --------
        >>> frame = population.to_pandas()
        >>> frame["mstar"].shape, frame.attrs["units"]["mstar"]
        ((16,), 'Msun')
        """
        return tables.to_pandas(self)

    def to_xarray(self) -> Any:
        """An `xarray.Dataset` over ``halo`` (and ``redshift``); units and meanings are attributes of each array.

        Examples
        --------
        >>> dataset = population.to_xarray()
        >>> dataset["mstar"].dims, dataset["mstar"].attrs["units"]
        (('halo', 'redshift'), 'Msun')
        """
        return tables.to_xarray(self)

    def to_astropy(self) -> Any:
        """An `astropy.table.QTable` with a row for each halo (and redshift), whose columns carry their units.

        Examples
        --------
        >>> population.to_astropy()["mstar"].unit
        Unit("solMass")
        """
        return tables.to_astropy(self)


def row_numbers(index: Any, number: int) -> slice | np.ndarray:
    """The rows that an integer, a slice, a boolean mask or a list of numbers names, of `number` rows.

    Raises
    ------
    IndexError
        A row does not exist, a mask has another length, or the index is of another kind.

    Examples
    --------
    >>> row_numbers([True, False, True], 3), row_numbers(-1, 3)
    (array([0, 2]), array([2]))
    """
    if isinstance(index, slice):
        return index
    rows = np.asarray(index)
    if rows.dtype == bool:
        if rows.shape != (number,):
            raise IndexError(f"mask: got shape {rows.shape}; it must have one entry for each halo, ({number},)")
        return np.flatnonzero(rows)
    if rows.dtype.kind not in "iu" and rows.size or rows.ndim > 1:
        raise IndexError(
            f"galaxies: got an index of type {type(index).__name__}; give the name of a quantity, or halos as an "
            "integer, a slice, a boolean mask or a list of integers"
        )
    rows = np.atleast_1d(rows).astype(int)
    wrong = rows[(rows < -number) | (rows >= number)]
    if wrong.size:
        raise IndexError(f"halo {wrong[0]}: there are {number} halos")
    return np.where(rows < 0, rows + number, rows)


def named(values: Any, name: str, what: str = "quantity") -> Any:
    """The value of that name; the error for one that does not exist lists those that do."""
    if name not in values:
        raise KeyError(f"no {what} {name!r}: {did_you_mean(name, values)}there are {', '.join(values)}")
    return values[name]
