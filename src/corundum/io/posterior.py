"""Posteriors as ArviZ netCDF, and the state of samplers that are not done yet."""

import importlib
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..storage.files import atomic_path

__all__ = ["save_posterior", "load_posterior", "StateFile", "StateFolder"]


def save_posterior(path: str | os.PathLike, data: Any) -> None:
    """Write an `arviz.InferenceData` as netCDF, in one step."""
    with atomic_path(path) as scratch:
        data.to_netcdf(str(scratch), engine="h5netcdf", compress=False)


def load_posterior(path: str | os.PathLike) -> Any:
    """The `arviz.InferenceData` in a netCDF file.

    Raises
    ------
    ValueError
        There is no such file, or it is no posterior.
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


class StateFile:
    """An unfinished run in one file, replaced in one step.

    Parameters
    ----------
    path : path
        Its folder must be there.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)

    def load(self) -> dict[str, np.ndarray] | None:
        """What was kept, or None if there is nothing.

        Raises
        ------
        ValueError
            The file is damaged.
        """
        if not self.path.exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as kept:
                arrays = {name: kept[name] for name in kept.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            arrays = {}
        if "identity" not in arrays:
            raise ValueError(f"checkpoint {self.path}: is damaged; remove it to start this part again")
        return arrays

    def save(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep this in place of what was there."""
        with atomic_path(self.path) as scratch, open(scratch, "wb") as file:
            np.savez(file, **arrays)


class StateFolder:
    """Unfinished runs by name, one `StateFile` each.

    Parameters
    ----------
    folder : path
        Must be there.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)

    def __call__(self, name: str) -> StateFile:
        """The file of the run `name`."""
        return StateFile(self.folder / f"chains-{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}.npz")
