"""Reader of the cooling tables of Wiersma, Schaye & Smith 2009 (HDF5 files), which are not shipped.

Download the tables from http://www.strw.leidenuniv.nl/WSS08, and cite MNRAS 393, 99.
"""

import re
from os import PathLike
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from .tabulated import TabulatedNetCooling

__all__ = ["read_wiersma09"]

_AXES = ("Temperature_bins", "Hydrogen_density_bins")
_NAME = re.compile(r"z_(\d+(?:\.\d+)?)\.hdf5")


def read_wiersma09(path: str | PathLike, helium_index: int = 1) -> TabulatedNetCooling:
    """Net cooling from a folder of files ``z_0.000.hdf5`` ... ``z_8.989.hdf5``.

    Files for collisional equilibrium, for gas before reionisation and without Compton cooling (``z_collis``,
    ``z_photodis``, ``z_8.989nocompton``) are not read.

    Parameters
    ----------
    path : str or path
        The folder.
    helium_index : int
        Which helium abundance to use; 1 is a mass fraction of 0.248.

    Raises
    ------
    ValueError
        There are fewer than two such files, or one lacks a table; the message says which.

    Examples
    --------
    Two files with the layout of the published ones, each with two helium abundances, temperatures and densities:

    >>> import h5py
    >>> for redshift in ("0.000", "1.000"):
    ...     with h5py.File(f"z_{redshift}.hdf5", "w") as file:
    ...         file["Metal_free/Temperature_bins"] = [1e4, 1e6]
    ...         file["Metal_free/Hydrogen_density_bins"] = [1e-6, 1.0]
    ...         file["Metal_free/Net_Cooling"] = np.full((2, 2, 2), 1e-23)
    ...         file["Total_Metals/Net_Cooling"] = np.full((2, 2), 5e-23)
    >>> cooling = co.physics.read_wiersma09(".")
    >>> print(f"{float(cooling.net(5.0, 0.0, -3.0, 0.5)):.1e}")
    6.0e-23
    """
    import h5py  # on first use: importing the laws must not wait for it

    folder = Path(path)
    files = sorted((float(m[1]), file) for file in folder.glob("z_*.hdf5") if (m := _NAME.fullmatch(file.name)))
    if len(files) < 2:
        raise ValueError(
            f"read_wiersma09: {folder} holds {len(files)} files called z_REDSHIFT.hdf5; at least two are needed (the "
            "published set has 49)"
        )
    primordial, metals, axes = [], [], []
    for _, file in files:
        try:
            with h5py.File(file) as table:
                metal_free = table["Metal_free"]
                axes.append([np.asarray(metal_free[name], float) for name in _AXES])
                primordial.append(np.asarray(metal_free["Net_Cooling"], float)[helium_index])
                metals.append(np.asarray(table["Total_Metals/Net_Cooling"], float))
        except (OSError, KeyError, IndexError) as error:
            raise ValueError(f"read_wiersma09: {file} is not a table of Wiersma et al. 2009 ({error})") from error
        if any(len(a) != len(b) or not np.allclose(a, b) for a, b in zip(axes[0], axes[-1], strict=True)):
            raise ValueError(f"read_wiersma09: {file} has other temperatures or densities than {files[0][1]}")
    redshift = jnp.asarray([z for z, _ in files])
    log_temperature, log_hydrogen = (jnp.asarray(np.log10(axis)) for axis in axes[0])
    tables = (jnp.asarray(np.stack(values)) for values in (primordial, metals))
    return TabulatedNetCooling(redshift, log_temperature, log_hydrogen, *tables)
