"""Halo histories on disk.

Only what a source made is stored (mass, concentration, start, end, weight, mergers, and what else the histories hold),
with the cosmology, the interpolation rule and the provenance; everything else follows on reading.
docs/reference/halos.md describes the layout.
"""

import os

import h5py

from ..arguments import instance
from ..storage.arrays import read_array, read_values, write_array, write_values
from ..storage.components import read_component, write_component
from ..storage.files import create_hdf5, has_hdf5_signature, open_foreign_hdf5, open_hdf5
from ..units import Quantity
from .extras import ExtraCurve
from .histories import HaloHistories
from .mergers import Mergers
from .per_halo import per_halo_fields
from .satellites.record import Satellites

__all__ = ["save", "load", "write_halos", "read_halos", "is_halo_file"]

_TIME = Quantity("Gyr", "cosmic age of each grid point", log=False)
_ARRAYS, _OF_SATELLITES = (
    {name: declared.quantity for name, declared in per_halo_fields(kind).items() if declared.quantity}
    for kind in (HaloHistories, Satellites)
)

_MERGERS = {
    "halo": Quantity("1", "row of the halo that the progenitor merged with", log=False),
    "time": Quantity("Gyr", "cosmic age at which it was last seen as a halo of its own", log=False),
    "ratio": Quantity("1", "largest mass it had over the largest mass of the main progenitor, until then", log=True),
}


def is_halo_file(path: str | os.PathLike) -> bool:
    """Whether a file was written by this package.

    Raises
    ------
    OSError
        It is in use by another process, or must not be read, so that the question has no answer.
    """
    if not has_hdf5_signature(path):
        return False
    try:
        with open_foreign_hdf5(path) as file:
            return "corundum_version" in file.attrs
    except ValueError:
        return False


def save(path: str | os.PathLike, halos: HaloHistories) -> None:
    """Write halo histories to an HDF5 file that `read` gives back; see docs/reference/halos.md for its layout.

    Raises
    ------
    OSError
        The folder is missing or not writable, or the disk is full.

    Examples
    --------
    >>> co.halos.save("halos.h5", halos)
    >>> len(co.halos.read("halos.h5"))
    8
    """
    instance("path", path, (str, os.PathLike), expected="the path of a file first, then the halos")
    instance("halos", halos, HaloHistories, expected="halos, such as those of halos.monte_carlo_trees(100)")
    with create_hdf5(path, "halos") as file:
        write_halos(file.create_group("halos"), halos)


def load(path: str | os.PathLike) -> HaloHistories:
    """Halo histories written by `save`.

    Raises
    ------
    FileNotFoundError, ValueError
        There is no such file, or it cannot be read; the sentence says why.
    """
    with open_hdf5(path, "halos") as file:
        return read_halos(file["halos"])


def write_halos(group: h5py.Group, halos: HaloHistories) -> None:
    """Store halo histories in a group."""
    write_array(group, "time", halos.time, _TIME)
    _write_fields(group, halos, _ARRAYS)
    if halos.satellites is not None:
        _write_fields(group.create_group("satellites"), halos.satellites, _OF_SATELLITES)
    if halos.mergers is not None:
        mergers = group.create_group("mergers")
        for (name, quantity), values in zip(_MERGERS.items(), halos.mergers.to_list(), strict=True):
            write_array(mergers, name, values, quantity)
    if halos.extras:
        extras = group.create_group("extras")
        for name, curve in halos.extras.items():
            write_array(extras, name, curve.values, curve.quantity)
        for name, curve in halos.extras.items():
            if curve.slopes is not None:
                write_array(group.require_group("slopes_of_extras"), name, curve.slopes, curve.quantity)
    write_component(group.create_group("cosmology"), halos.cosmology)
    write_component(group.create_group("interpolation"), halos.interpolation)
    write_values(group.create_group("provenance", track_order=True), dict(halos.provenance), "halo provenance")


def _write_fields(group, record, quantities):
    for name, quantity in quantities.items():
        value = getattr(record, name)
        if value is not None:
            write_array(group, name, value, quantity)


def read_halos(group: h5py.Group) -> HaloHistories:
    """The histories stored by `write_halos`.

    Raises
    ------
    ValueError
        The class of the interpolation rule is not imported.
    """
    interpolation = read_component(group["interpolation"])
    if interpolation is None:
        raise ValueError(
            f"halos: their interpolation rule is {group['interpolation'].attrs['kind']}, which is not "
            "imported; import its module and load again"
        )
    arrays = _read_fields(group, ("time", *_ARRAYS))
    satellites = Satellites(**_read_fields(group["satellites"], _OF_SATELLITES)) if "satellites" in group else None
    mergers = None
    if "mergers" in group:
        halo, time, ratio = (read_array(group["mergers"], name)[0] for name in _MERGERS)
        mergers = Mergers.from_list(halo, time, ratio, len(arrays["log_mvir"]))
    return HaloHistories(
        **arrays,
        mergers=mergers,
        satellites=satellites,
        extras={name: _curve(group, name) for name in group.get("extras", ())},
        cosmology=read_component(group["cosmology"]),
        interpolation=interpolation,
        provenance=read_values(group["provenance"]),
    )


def _read_fields(group, names):
    return {name: read_array(group, name)[0] for name in names if name in group}


def _curve(group, name):
    """An extra curve, with its slopes where it is a running total."""
    slopes = group.get("slopes_of_extras", {})
    return ExtraCurve(*read_array(group["extras"], name), read_array(slopes, name)[0] if name in slopes else None)
