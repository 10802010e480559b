"""The merger-tree format of Galacticus (Benson 2012, New Astronomy 17, 175), which astrosylva also writes.

``/forestHalos`` (``/haloTrees`` in version 1 of the format) holds one dataset per column, and ``/forestIndex``
(``/treeIndex``) the first row of each forest.  Units are stated as factors to SI units with powers of h and of the
scale factor.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from ....storage.files import open_foreign_hdf5
from ....units import KPC_CM, MPC_PER_KPC, MSUN_G
from ..forests import Forest, check_scales, rows_of_ids
from .base import AbstractTreeFormat, Simulation, checked_mass, split_rows
from .hdf5 import has_members, read_columns

__all__ = ["GalacticusForests"]

_COLUMNS = {
    "id": "nodeIndex", "descendant": "descendantIndex", "host": "hostIndex", "mass": "nodeMass", "rs": "scaleRadius?",
    "scale": "expansionFactor?", "redshift": "redshift?", "position": "position?",
}  # fmt: skip
_GROUPS = ("forestHalos", "haloTrees")
_SI_UNITS = {"mass": MSUN_G * 1e-3, "length": KPC_CM * 1e-2}  # Msun in kg, kpc in m


class GalacticusForests(AbstractTreeFormat):
    """HDF5 files in the Galacticus format, versions 1 and 2.

    Parameters
    ----------
    definition : str
        Definition of ``nodeMass``, which the files do not state.

    Examples
    --------
    >>> import h5py
    >>> from pathlib import Path
    >>> with h5py.File("forests.hdf5", "w") as file:
    ...     file.create_group("units").attrs["massUnitsInSI"] = 1.98841e30
    ...     file.create_group("cosmology").attrs.update({"HubbleParam": 0.7, "OmegaMatter": 0.3})
    ...     _ = file.create_group("forestHalos")
    >>> simulation = co.halos.GalacticusForests(definition="200c").simulation(Path("forests.hdf5"))
    >>> simulation.h, simulation.omega_m, simulation.definition
    (0.7, 0.3, '200c')
    """

    definition: str = "vir"

    def recognises(self, path: Path) -> bool:
        files = self.files(path)
        return bool(files) and any(has_members(files[0], name) for name in _GROUPS)

    def files(self, path: Path) -> list[Path]:
        return sorted([*path.glob("*.hdf5"), *path.glob("*.h5")]) if path.is_dir() else [path]

    def simulation(self, path: Path) -> Simulation:
        with open_foreign_hdf5(path) as file:
            _unit(file, "mass", path)
            stated = file["cosmology"].attrs if "cosmology" in file else {}
            h, omega_m, omega_b = (
                _number(stated, *names) for names in (("HubbleParam",), ("OmegaMatter", "Omega0"), ("OmegaBaryon",))
            )
        description = (
            "mass = nodeMass, rs = scaleRadius, position in the units stated; most massive progenitors, centrals by "
            "hostIndex"
        )
        # A simulation of dark matter alone may state 0, which says nothing about the baryons of the universe.
        return Simulation(h, omega_m, self.definition, description, omega_b=omega_b or None)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        with open_foreign_hdf5(path) as file:
            halos = next(file[name] for name in _GROUPS if name in file)
            index = file["forestIndex" if "forestIndex" in file else "treeIndex"]
            starts, sizes = index["firstNode"][()], index["numberOfNodes"][()]
            units = {kind: _unit(file, kind, path) for kind in ("mass", "length") if kind == "mass" or "units" in file}
            for first, last in split_rows(sizes, chunk):
                rows = slice(int(starts[first]), int(starts[last - 1] + sizes[last - 1]))
                place = f"{path} (forests {first} to {last - 1})"
                yield _forest(read_columns(halos, _COLUMNS, rows, path), units, h, place)


class _Unit(NamedTuple):
    """A unit as `factor` * h^`h_power` * a^`a_power` of Msun or proper kpc."""

    factor: float
    h_power: float
    a_power: float


def _number(attributes, *names: str) -> float | None:
    """The first of these attributes that is present, as a number."""
    return next((float(attributes[name]) for name in names if name in attributes), None)


def _unit(file: h5py.File, kind: str, path: Path) -> _Unit:
    stated = file["units"].attrs if "units" in file else {}
    in_si = _number(stated, f"{kind}UnitsInSI")
    if in_si is None or not in_si > 0.0:
        raise ValueError(
            f"{path}: does not state the unit of {kind}; /units must have the attribute {kind}UnitsInSI, with "
            f"{kind}HubbleExponent and {kind}ScaleFactorExponent"
        )
    powers = (_number(stated, f"{kind}{name}Exponent") or 0.0 for name in ("Hubble", "ScaleFactor"))
    return _Unit(in_si / _SI_UNITS[kind], *powers)


def _forest(rows: dict[str, np.ndarray], units: dict[str, _Unit], h: float, place: str) -> Forest:
    if "scale" not in rows and "redshift" not in rows:
        raise ValueError(f"{place}: has neither expansionFactor nor redshift, so no halo has a time")
    scale = rows["scale"] if "scale" in rows else 1.0 / (1.0 + rows["redshift"])
    check_scales(scale, place)
    ids = rows["id"].astype(np.int64)
    mass_unit, length_unit = units["mass"], units.get("length")
    radii, position = {}, None
    if "rs" in rows and length_unit is not None:
        radius = rows["rs"] * length_unit.factor * h**length_unit.h_power * scale**length_unit.a_power
        radii = {"rs": np.where(rows["rs"] > 0.0, radius, np.nan)}
    if "position" in rows and length_unit is not None:
        comoving_mpc = length_unit.factor * h**length_unit.h_power * scale ** (length_unit.a_power - 1.0) * MPC_PER_KPC
        position = rows["position"] * comoving_mpc[:, None]
    mass = rows["mass"] * mass_unit.factor * h**mass_unit.h_power * scale**mass_unit.a_power
    return Forest(
        place=place,
        name=ids,
        descendant=rows_of_ids(ids, rows["descendant"].astype(np.int64), place, "descendant"),
        scale_factor=np.asarray(scale, float),
        mass=checked_mass(mass, place),
        central=rows["host"] == ids,
        preferred=np.zeros(len(ids), bool),
        columns=radii,
        position=position,
    )
