"""Posteriors as ArviZ netCDF files."""

import importlib
import os
from pathlib import Path
from typing import Any

from ..storage.files import atomic_path, missing_file_message, open_foreign_hdf5

__all__ = ["save_posterior", "load_posterior"]


def save_posterior(path: str | os.PathLike, data: Any) -> None:
    """Write an `arviz.InferenceData`, such as `Posterior.data`, as netCDF, in one step.

    Examples
    --------
    >>> co.io.save_posterior("posterior.nc", posterior.data)
    >>> co.io.load_posterior("posterior.nc").posterior["slope"].shape
    (2, 200)
    """
    # Built in memory, as `corundum.storage.files.create_hdf5` does and for the same reason.
    image = data.to_datatree().to_netcdf(None, engine="h5netcdf")
    with atomic_path(path) as scratch:
        scratch.write_bytes(image)


def load_posterior(path: str | os.PathLike) -> Any:
    """The `arviz.InferenceData` in a netCDF file.

    Raises
    ------
    OSError
        The file is in use by another process, or must not be read.
    ValueError
        There is no such file, or it holds no posterior.

    Examples
    --------
    >>> co.io.save_posterior("posterior.nc", posterior.data)
    >>> "posterior" in co.io.load_posterior("posterior.nc").groups()
    True
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(missing_file_message(path))
    with open_foreign_hdf5(path):  # tells why a file cannot be read
        pass
    try:
        data = importlib.import_module("arviz").from_netcdf(str(path), engine="h5netcdf")
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{path}: is not a netCDF file of a posterior, or is damaged ({error})") from None
    if "posterior" not in data.groups():
        raise ValueError(f"{path}: holds no posterior; it has {', '.join(data.groups()) or 'nothing'}")
    return data
