"""Readers of cooling tables that are not shipped: the HDF5 files of Wiersma, Schaye & Smith 2009.

The tables are at http://www.strw.leidenuniv.nl/WSS08; get them there, and cite MNRAS 393, 99.
"""

import re
from os import PathLike
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from .photoionised import TabulatedNetCooling

__all__ = ["read_wiersma09"]

_NAME = re.compile(r"z_(\d+(?:\.\d+)?)\.hdf5")


def read_wiersma09(path: str | PathLike, helium_index: int = 1) -> TabulatedNetCooling:
    """Net cooling from a folder of files ``z_0.000.hdf5`` ... ``z_8.989.hdf5``.

    Files for collisional equilibrium, for gas before reionisation and without Compton cooling (``z_collis``,
    ``z_photodis``, ``z_8.989nocompton``) are left alone.

    Parameters
    ----------
    path : path
        The folder.
    helium_index : int
        Which helium abundance to use; 1 is a mass fraction of 0.248.

    Raises
    ------
    ValueError
        There are fewer than two such files, or one lacks a table; the message says which.
    """
    import h5py  # on first use: importing the laws must not wait for it

    folder = Path(path)
    files = sorted((float(m[1]), file) for file in folder.glob("z_*.hdf5") if (m := _NAME.fullmatch(file.name)))
    if len(files) < 2:
        raise ValueError(
            f"read_wiersma09: {folder} holds {len(files)} files called z_REDSHIFT.hdf5; at least two are needed (the "
            "published set has 49)"
        )
    primordial, metals, axes = [], [], None
    for _, file in files:
        try:
            with h5py.File(file) as table:
                free = table["Metal_free"]
                here = [np.asarray(free[name], float) for name in ("Temperature_bins", "Hydrogen_density_bins")]
                primordial.append(np.asarray(free["Net_Cooling"], float)[helium_index])
                metals.append(np.asarray(table["Total_Metals/Net_Cooling"], float))
        except (OSError, KeyError, IndexError) as error:
            raise ValueError(f"read_wiersma09: {file} is not a table of Wiersma et al. 2009 ({error})") from error
        if axes is not None and any(len(a) != len(b) or not np.allclose(a, b) for a, b in zip(axes, here, strict=True)):
            raise ValueError(f"read_wiersma09: {file} has other temperatures or densities than {files[0][1]}")
        axes = here
    redshift = jnp.asarray([z for z, _ in files])
    logs = [jnp.asarray(np.log10(axis)) for axis in axes]
    return TabulatedNetCooling(redshift, *logs, jnp.asarray(np.stack(primordial)), jnp.asarray(np.stack(metals)))
