"""What ArviZ keeps posteriors in, whichever of its two interfaces is installed.

Up to version 0.23, the last for Python 3.11, that is a class of its own, `arviz.InferenceData`; since version 1.0 it is
`xarray.DataTree`.  Both are mappings of groups by name, so that ``data["posterior"]["slope"]``, ``data.posterior``,
``list(data)`` and ``"prior" in data`` mean the same.  What they do not share, to be made, joined and written, is done
by the functions of this module, and nothing else in the package asks which of them it has.
"""

import importlib
import os
from collections.abc import Mapping
from typing import Any

__all__ = ["arviz", "arviz_data", "netcdf_image", "read_netcdf", "with_groups"]

_ENGINE = "h5netcdf"


def arviz() -> Any:
    """The module ArviZ, imported when it is first needed because it takes a second.

    Raises
    ------
    ImportError
        It is not installed; the message says how to install it.
    """
    try:
        return importlib.import_module("arviz")
    except ModuleNotFoundError as error:
        if error.name != "arviz":
            raise
        raise ImportError("posteriors need arviz, which is not installed: pip install 'corundum[inference]'") from None


def arviz_data(
    groups: Mapping[str, Mapping[str, Any]],
    *,
    coords: Mapping[str, Any] | None = None,
    dims: Mapping[str, list[str]] | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> Any:
    """An `arviz.InferenceData` or, since ArviZ 1.0, an `xarray.DataTree`.

    Parameters
    ----------
    groups : dict of str to dict of str to array
        Variables of each group, by its name among those of ArviZ.  Arrays of draws begin with the axes chain and draw,
        and those of groups with ``data`` in their names do not.  Groups without variables are left out.
    coords : dict of str to array, optional
        Values along dimensions.
    dims : dict of str to list of str, optional
        Dimensions of variables, after chain and draw.
    attrs : dict, optional
        Of the whole.

    Examples
    --------
    >>> from corundum.storage.arviz_data import arviz_data
    >>> data = arviz_data({"posterior": {"slope": np.zeros((4, 100))}, "prior": {}}, attrs={"sampler": "none"})
    >>> list(data), data["posterior"]["slope"].dims, data.attrs["sampler"]
    (['posterior'], ('chain', 'draw'), 'none')
    """
    az = arviz()
    shared = {"coords": coords, "dims": dims}
    filled = {name: dict(variables) for name, variables in groups.items() if variables}
    if _has_trees(az):
        return az.from_dict(filled, attrs={"/": dict(attrs or {})}, **shared)
    return az.from_dict(**filled, attrs=dict(attrs or {}), **shared)


def with_groups(data: Any, others: Any) -> Any:
    """A copy of `data` with the groups of `others`, which take the places of its own of the same names.

    Examples
    --------
    >>> from corundum.storage.arviz_data import arviz_data, with_groups
    >>> draws = arviz_data({"posterior": {"slope": np.zeros((4, 100))}})
    >>> list(with_groups(draws, arviz_data({"prior": {"slope": np.zeros((1, 50))}})))
    ['posterior', 'prior']
    """
    joined = data.copy()
    if _has_trees(arviz()):
        joined.update(dict(others.children))
    else:
        joined.extend(others, join="right")
    return joined


def netcdf_image(data: Any) -> Any:
    """The bytes of the netCDF file of `data`."""
    tree = data.to_datatree() if hasattr(data, "to_datatree") else data
    return tree.to_netcdf(None, engine=_ENGINE)


def read_netcdf(path: str | os.PathLike) -> Any:
    """All of a netCDF file, in memory, so that the file can be replaced or removed afterwards."""
    data = arviz().from_netcdf(os.fspath(path), engine=_ENGINE)
    try:
        return data.load()
    finally:
        data.close()


def _has_trees(az):
    return hasattr(az, "convert_to_datatree")
