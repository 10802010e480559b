"""Posteriors as ArviZ netCDF files."""

import os
from pathlib import Path
from typing import Any

from ..storage.arviz_data import netcdf_image, read_netcdf
from ..storage.files import atomic_path, missing_file_message, open_foreign_hdf5

__all__ = ["save_posterior", "load_posterior"]


def save_posterior(path: str | os.PathLike, data: Any) -> None:
    """Write an `arviz.InferenceData` or `xarray.DataTree`, such as `Posterior.data`, as netCDF, in one step.

    Examples
    --------
    >>> co.io.save_posterior("posterior.nc", posterior.data)
    >>> co.io.load_posterior("posterior.nc").posterior["slope"].shape
    (2, 200)
    """
    # Built in memory, as `corundum.storage.files.create_hdf5` does and for the same reason.
    image = netcdf_image(data)
    with atomic_path(path) as scratch:
        scratch.write_bytes(image)


def load_posterior(path: str | os.PathLike) -> Any:
    """The posterior in a netCDF file, as what the installed ArviZ keeps it in: `InferenceData` or `xarray.DataTree`.

    Files written with ArviZ 0.23 are read with 1.0 and later, and the other way round.

    Raises
    ------
    OSError
        The file is in use by another process, or must not be read.
    ValueError
        There is no such file, or it holds no posterior.

    Examples
    --------
    >>> co.io.save_posterior("posterior.nc", posterior.data)
    >>> "posterior" in co.io.load_posterior("posterior.nc")
    True
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(missing_file_message(path))
    with open_foreign_hdf5(path):  # tells why a file cannot be read
        pass
    try:
        data = read_netcdf(path)
    # Damage to names and lists of dimensions shows in the code that reads them, in any of these ways.
    except (OSError, KeyError, ValueError, AttributeError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path}: is not a netCDF file of a posterior, or is damaged ({error})") from None
    if "posterior" not in data or not hasattr(data["posterior"], "data_vars"):  # an array of that name is no group
        raise ValueError(f"{path}: holds no posterior; it has {', '.join(data) or 'nothing'}")
    return data
