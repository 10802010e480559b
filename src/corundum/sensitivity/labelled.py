"""Arrays that say what their axes are: dimension names, labels along each, units and a meaning.

`Labelled` is the form in which every sensitivity comes back.  It is a NumPy array with names and needs no further
dependency; `Labelled.to_xarray` converts it where xarray is installed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..messages import did_you_mean
from ..plain_numbers import nearest

__all__ = ["Labelled", "labeller", "overview"]

_MOST_LABELS = 60  # listed in an error message
_MOST_NUMBERS = 8  # printed of an array


class Labelled(NamedTuple):
    """An array with named dimensions.

    Attributes
    ----------
    values : array, one axis for each entry of `dims`
    dims : tuple of str
        Names of the axes, such as ``("halo", "redshift", "quantity", "parameter")``.
    coords : dict of str to tuple or array
        The labels along each axis: names for quantities and parameters, numbers for halos and redshifts.
    unit : str
        Unit of the values.
    meaning : str
        One clause that says what they are.
    label_units : dict of str to tuple of str
        For an axis whose entries have different units, the unit of each; the unit of a value is `unit` per that.

    Examples
    --------
    >>> table = co.sensitivity.Labelled(
    ...     np.array([[0.9, 0.1], [0.2, -0.8]]),
    ...     ("quantity", "parameter"),
    ...     {"quantity": ("mstar", "mism"), "parameter": ("mass_loading.amplitude", "energy_loading.amplitude")},
    ...     unit="dex per dex",
    ...     meaning="response of each quantity to each parameter",
    ... )
    >>> float(table.sel(quantity="mism", parameter="energy_loading.amplitude").values)
    -0.8
    >>> table
    quantity 2 x parameter 2 [dex per dex]: response of each quantity to each parameter
    """

    values: np.ndarray
    dims: tuple[str, ...]
    coords: dict[str, Any]
    unit: str
    meaning: str
    label_units: dict[str, tuple[str, ...]] = {}

    def __repr__(self) -> str:
        axes = " x ".join(f"{dim} {length}" for dim, length in zip(self.dims, np.shape(self.values), strict=False))
        return f"{axes or 'one number'} [{self.unit}]: {self.meaning}"

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.values.shape

    def labels(self, dim: str) -> list[Any]:
        """The labels along one axis, as plain Python values."""
        self._axis(dim)
        return [label.item() if isinstance(label, np.generic) else label for label in self.coords[dim]]

    def sel(self, **selection: Any) -> "Labelled":
        """The part with these labels: ``jacobian.sel(quantity="mstar", redshift=0.0)``.

        One label drops its axis; a list keeps it, in the order of the list.

        Raises
        ------
        ValueError
            There is no such dimension or label; the message lists those that exist.
        """
        values, dims, coords = self.values, list(self.dims), dict(self.coords)
        units = dict(self.label_units)
        for dim, label in selection.items():
            self._axis(dim)
            axis = dims.index(dim)
            if isinstance(label, list | tuple | np.ndarray):
                indices = [self._index(dim, one) for one in label]
                values = np.take(values, indices, axis=axis)
                coords[dim] = _take(coords[dim], indices)
                if dim in units:
                    units[dim] = _take(units[dim], indices)
            else:
                values = np.take(values, self._index(dim, label), axis=axis)
                dims.remove(dim)
                coords.pop(dim), units.pop(dim, None)
        return self._replace(values=values, dims=tuple(dims), coords=coords, label_units=units)

    def sum(self, dim: str) -> "Labelled":
        """Summed over one dimension."""
        values = self.values.sum(axis=self._axis(dim))
        remaining = tuple(name for name in self.dims if name != dim)
        return self._replace(
            values=values,
            dims=remaining,
            coords={name: self.coords[name] for name in remaining},
            label_units={name: units for name, units in self.label_units.items() if name != dim},
        )

    def to_xarray(self) -> Any:
        """The same as an `xarray.DataArray`.

        Raises
        ------
        ImportError
            xarray is not installed.
        """
        try:
            import xarray
        except ImportError:
            raise ImportError("to_xarray needs xarray, which is not installed; pip install xarray") from None
        coords = {dim: list(labels) for dim, labels in self.coords.items()}
        attributes = {"units": self.unit, "long_name": self.meaning}
        return xarray.DataArray(self.values, dims=self.dims, coords=coords, attrs=attributes)

    def _axis(self, dim):
        if dim not in self.dims:
            raise ValueError(f"no dimension {dim!r}: there are {', '.join(self.dims)}")
        return self.dims.index(dim)

    def _index(self, dim, label):
        labels = self.coords[dim]
        for index, known in enumerate(labels):
            if _same(known, label):
                return index
        names = [str(known) for known in labels]
        listed = ", ".join(names[:_MOST_LABELS]) + (", ..." if len(names) > _MOST_LABELS else "")
        hint = did_you_mean(label, names, number=2, cutoff=0.5)
        raise ValueError(f"no {dim} {label!r}: {hint}there are {listed}")


def labeller(
    coords: Mapping[str, Any], label_units: Mapping[str, tuple[str, ...]] | None = None
) -> Callable[..., Labelled]:
    """A function ``label(values, dims, unit, meaning)`` that makes `Labelled` arrays over the same axes.

    Parameters
    ----------
    coords : mapping of str to tuple or array
        Labels of every dimension that one of the arrays may have.
    label_units : mapping of str to tuple of str, optional
        Units of the entries of some of these dimensions; an array carries those of its own dimensions.

    Examples
    --------
    >>> label = labeller({"halo": np.arange(2), "redshift": np.array([0.0])})
    >>> label(np.ones((2, 1)), ("halo", "redshift"), "1", "ones").labels("halo")
    [0, 1]
    """
    units = {} if label_units is None else dict(label_units)

    def label(values: Any, dims: Sequence[str], unit: str, meaning: str) -> Labelled:
        dims = tuple(dims)
        own_units = {dim: entries for dim, entries in units.items() if dim in dims}
        return Labelled(np.asarray(values), dims, {dim: coords[dim] for dim in dims}, unit, meaning, own_units)

    return label


def overview(result: Any) -> str:
    """A few lines on a named tuple of arrays, one for each field: the `repr` of the results of this family.

    Examples
    --------
    >>> label = labeller({"halo": np.arange(2)})
    >>> print(overview(co.sensitivity.Routes(*(label(np.ones(2), ("halo",), "1", "ones") for _ in range(3)))))
    Routes
      derivative: halo 2 [1]: ones
      log_state: halo 2 [1]: ones
      status: halo 2 [1]: ones
    """
    lines = [type(result).__name__]
    for name, value in zip(result._fields, result, strict=True):
        if isinstance(value, dict):
            entries = (key if isinstance(entry, Labelled) else f"{key} {_brief(entry)}" for key, entry in value.items())
            value = ", ".join(entries) or "none"
        lines.append(f"  {name}: {_brief(value)}")
    return "\n".join(lines)


def _brief(value):
    if isinstance(value, np.ndarray):
        short = value.ndim < 2 and value.size <= _MOST_NUMBERS
        return np.array2string(value, precision=3) if short else f"array of shape {value.shape}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _same(known, label):
    if isinstance(known, str) or isinstance(label, str):
        return known == label
    return nearest(known, label) is not None


def _take(labels, indices):
    return labels[np.asarray(indices)] if isinstance(labels, np.ndarray) else tuple(labels[i] for i in indices)
