"""Posteriors as ArviZ netCDF files."""

import importlib
import os
from pathlib import Path
from typing import Any

from ..storage.files import atomic_path

__all__ = ["save_posterior", "load_posterior"]


def save_posterior(path: str | os.PathLike, data: Any) -> None:
    """Write an `arviz.InferenceData`, such as `Posterior.data`, as netCDF, in one step.

    Examples
    --------
    >>> co.io.save_posterior("posterior.nc", posterior.data)
    >>> co.io.load_posterior("posterior.nc").posterior["slope"].shape
    (2, 200)
    """
    with atomic_path(path) as scratch:
        data.to_netcdf(str(scratch), engine="h5netcdf", compress=False)


def load_posterior(path: str | os.PathLike) -> Any:
    """The `arviz.InferenceData` in a netCDF file.

    Raises
    ------
    ValueError
        There is no such file, or it holds no posterior.

    Examples
    --------
    >>> co.io.save_posterior("posterior.nc", posterior.data)
    >>> "posterior" in co.io.load_posterior("posterior.nc").groups()
    True
    """
    if not Path(path).is_file():
        raise ValueError(f"{path}: no such file")
    try:
        data = importlib.import_module("arviz").from_netcdf(str(path), engine="h5netcdf")
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{path}: is not a netCDF file of a posterior, or is damaged ({error})") from None
    if "posterior" not in data.groups():
        raise ValueError(f"{path}: holds no posterior; it has {', '.join(data.groups()) or 'nothing'}")
    return data
