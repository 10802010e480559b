"""Populations as tables of other packages, with units: pandas, xarray and astropy.

The packages are an optional extra; nothing else of corundum needs them.
"""

import contextlib
from typing import Any

import numpy as np

from ..models.currencies import rate_quantity
from ..units import Quantity

__all__ = ["to_astropy", "to_pandas", "to_xarray"]

_PER_HALO = {
    "status": Quantity("1", "how the solve ended, a key of corundum.population.STATUS", log=False),
    "weight": Quantity("1", "number, or number density, of halos this one stands for"),
}
_VALID = Quantity(
    "1", "false where the solve failed, or the halo had not started or had ended; other columns hold NaN", log=False
)


@contextlib.contextmanager
def _optional(package, method):
    """Around the import of an optional package: where it is missing, the error names the extra to install."""
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"{method} needs {package}, which is not installed; pip install 'corundum[tables]'"
        ) from error


def _columns(galaxies) -> dict[str, tuple[Any, Quantity]]:
    """Arrays of a Population, shape (N, K), or of Galaxies, shape (N,), each with its Quantity.

    The redshift is left out: it is the index of a Population and the same for all Galaxies.
    """
    unknown = Quantity("1", "")
    columns = {
        name: (array, galaxies.quantities.get(name, unknown))
        for name, array in galaxies.values.items()
        if name != "redshift"
    }
    for flow, rates in galaxies.flows.items():
        for currency, rate in rates._asdict().items():
            if rate is not None:
                columns[f"flow_{flow}_{currency}"] = (rate, rate_quantity(currency, flow))
    columns["valid"] = (galaxies.valid, _VALID)
    per_halo = {"status": getattr(galaxies, "status", None), "weight": galaxies.weights}
    shape = np.shape(galaxies.valid)
    for name, array in per_halo.items():
        if array is not None:
            rows = np.asarray(array).reshape(-1, *(1,) * (len(shape) - 1))
            columns[name] = (np.broadcast_to(rows, shape), _PER_HALO[name])
    return {name: (np.asarray(array), quantity) for name, (array, quantity) in columns.items()}


def _is_population(galaxies):
    return hasattr(galaxies, "redshifts")


def _keys(galaxies):
    """Halo number and, of a population, the redshift of each row of a long table."""
    shape = np.shape(galaxies.valid)
    halo = np.arange(shape[0])
    if not _is_population(galaxies):
        return {"halo": halo}
    redshifts = np.asarray(galaxies.redshifts)
    return {"halo": np.repeat(halo, shape[1]), "redshift": np.tile(redshifts, shape[0])}


def to_pandas(galaxies: Any) -> Any:
    """A `pandas.DataFrame`: a row for each halo (and redshift); units and meanings lie in its ``attrs``."""
    with _optional("pandas", "to_pandas"):
        import pandas
    columns, keys = _columns(galaxies), _keys(galaxies)
    index = (
        pandas.MultiIndex.from_arrays(list(keys.values()), names=list(keys))
        if len(keys) > 1
        else pandas.Index(keys["halo"], name="halo")
    )
    frame = pandas.DataFrame({name: array.ravel() for name, (array, _) in columns.items()}, index=index)
    frame.attrs["units"] = {name: quantity.unit for name, (_, quantity) in columns.items()}
    frame.attrs["meanings"] = {name: quantity.meaning for name, (_, quantity) in columns.items()}
    if not _is_population(galaxies):
        frame.attrs["redshift"] = float(galaxies.redshift)
    return frame


def to_xarray(galaxies: Any) -> Any:
    """An `xarray.Dataset` over halo (and redshift), with histories over ``history_time`` where they were kept."""
    with _optional("xarray", "to_xarray"):
        import xarray
    dims = ("halo", "redshift")[: np.ndim(galaxies.valid)]
    arrays = {
        name: (dims, array, {"units": quantity.unit, "long_name": quantity.meaning})
        for name, (array, quantity) in _columns(galaxies).items()
        if name not in _PER_HALO
    }
    for name, quantity in _PER_HALO.items():
        array = getattr(galaxies, {"weight": "weights"}.get(name, name), None)
        if array is not None:
            arrays[name] = (("halo",), np.asarray(array), {"units": quantity.unit, "long_name": quantity.meaning})
    coords: dict[str, Any] = {"halo": np.arange(len(galaxies))}
    if _is_population(galaxies):
        coords["redshift"] = np.asarray(galaxies.redshifts)
    else:
        coords["redshift"] = float(galaxies.redshift)
    if galaxies.histories is not None:
        times = galaxies.histories.times if _is_population(galaxies) else galaxies.history_times
        coords["history_time"] = ("history_time", np.asarray(times), {"units": "Gyr", "long_name": "cosmic age"})
        for name in galaxies.histories.values:
            quantity = galaxies.quantities.get(name, Quantity("1", ""))
            attrs = {"units": quantity.unit, "long_name": f"history of {quantity.meaning}"}
            arrays[f"{name}_history"] = (("halo", "history_time"), np.asarray(galaxies.history(name)), attrs)
    return xarray.Dataset(arrays, coords)


def to_astropy(galaxies: Any) -> Any:
    """An `astropy.table.QTable`: a row for each halo (and redshift), whose columns carry units and meanings."""
    with _optional("astropy", "to_astropy"):
        from astropy import table as tables
        from astropy import units
    table = tables.QTable()
    for name, key in _keys(galaxies).items():
        table[name] = key
    for name, (array, quantity) in _columns(galaxies).items():
        number = array.ravel()
        plain = quantity.unit in ("1", "none") or number.dtype.kind != "f"
        table[name] = number if plain else number * units.Unit(quantity.unit)
        table[name].info.description = quantity.meaning
    if not _is_population(galaxies):
        table.meta["redshift"] = float(galaxies.redshift)
    return table
