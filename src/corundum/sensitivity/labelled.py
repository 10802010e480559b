"""Arrays that say what their axes are: dimension names, labels along each, units and a meaning.

`Labelled` is the form in which every sensitivity comes back.  It is a NumPy array with names, small enough to need no
dependency; `Labelled.to_xarray` hands it on to xarray where that is installed.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Labelled"]


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
        One clause saying what they are.
    label_units : dict of str to tuple of str
        For an axis whose entries have different units, the unit of each; the unit of a value is `unit` per that.
    """

    values: np.ndarray
    dims: tuple[str, ...]
    coords: dict[str, Any]
    unit: str
    meaning: str
    label_units: dict[str, tuple[str, ...]] = {}

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.values.shape

    def labels(self, dim: str) -> list[Any]:
        """The labels along one axis, as plain Python values."""
        self._axis(dim)
        return [label.item() if isinstance(label, np.generic) else label for label in self.coords[dim]]

    def sel(self, **chosen: Any) -> "Labelled":
        """The part with these labels: ``jacobian.sel(quantity="mstar", redshift=0.0)``.

        One label drops its axis; a list keeps it, in the order of the list.

        Raises
        ------
        ValueError
            There is no such dimension or label; the message lists the right ones.
        """
        values, dims, coords = self.values, list(self.dims), dict(self.coords)
        units = dict(self.label_units)
        for dim, wanted in chosen.items():
            self._axis(dim)
            axis = dims.index(dim)
            several = isinstance(wanted, list | tuple | np.ndarray)
            places = [self._place(dim, label) for label in (wanted if several else [wanted])]
            if several:
                values = np.take(values, places, axis=axis)
                coords[dim] = _pick(coords[dim], places)
                if dim in units:
                    units[dim] = _pick(units[dim], places)
            else:
                values = np.take(values, places[0], axis=axis)
                dims.remove(dim)
                coords.pop(dim), units.pop(dim, None)
        return self._replace(values=values, dims=tuple(dims), coords=coords, label_units=units)

    def sum(self, dim: str) -> "Labelled":
        """Summed over one dimension."""
        values = self.values.sum(axis=self._axis(dim))
        left = tuple(name for name in self.dims if name != dim)
        return self._replace(
            values=values,
            dims=left,
            coords={name: self.coords[name] for name in left},
            label_units={name: u for name, u in self.label_units.items() if name != dim},
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
        about = {"units": self.unit, "long_name": self.meaning}
        return xarray.DataArray(self.values, dims=self.dims, coords=coords, attrs=about)

    def _axis(self, dim):
        if dim not in self.dims:
            raise ValueError(f"no dimension {dim!r}: there are {', '.join(self.dims)}")
        return self.dims.index(dim)

    def _place(self, dim, label):
        labels = self.coords[dim]
        for place, known in enumerate(labels):
            if _same(known, label):
                return place
        shown = [str(known) for known in labels]
        near = difflib.get_close_matches(str(label), shown, n=2, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        listed = ", ".join(shown[:60]) + (", ..." if len(shown) > 60 else "")
        raise ValueError(f"no {dim} {label!r}: {hint}there are {listed}")


def _same(known, label):
    if isinstance(known, str) or isinstance(label, str):
        return known == label
    return bool(np.isclose(known, label, rtol=1e-9, atol=1e-9))


def _pick(labels: Sequence | Mapping, places):
    return labels[np.asarray(places)] if isinstance(labels, np.ndarray) else tuple(labels[place] for place in places)
