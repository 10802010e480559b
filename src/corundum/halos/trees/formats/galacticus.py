"""The merger-tree format of Galacticus (Benson 2012, New Astronomy 17, 175), which astrosylva also writes.

``/forestHalos`` (``/haloTrees`` in the first version) holds one dataset per column, ``/forestIndex`` (``/treeIndex``)
where each forest begins; units are stated as factors to SI with powers of h and of the scale factor.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ....units import KPC_CM, MSUN_G
from ..forests import Forest, check_scales, rows_of_ids
from .base import AbstractTreeFormat, Simulation, checked_mass, split_rows
from .hdf5 import has_members, open_trees, read_columns

__all__ = ["GalacticusForests"]

_NAMES = {
    "id": "nodeIndex", "descendant": "descendantIndex", "host": "hostIndex", "mass": "nodeMass", "rs": "scaleRadius?",
    "scale": "expansionFactor?", "redshift": "redshift?", "position": "position?",
}  # fmt: skip
_GROUPS = ("forestHalos", "haloTrees")
_SI = {"mass": MSUN_G * 1e-3, "length": KPC_CM * 1e-2}


class GalacticusForests(AbstractTreeFormat):
    """HDF5 files in the Galacticus format, versions 1 and 2.

    Parameters
    ----------
    definition : str
        Definition of ``nodeMass``, which the files do not state.
    """

    definition: str = "vir"

    def recognises(self, path: Path) -> bool:
        files = self.files(path)
        return bool(files) and any(has_members(files[0], name) for name in _GROUPS)

    def files(self, path: Path) -> list[Path]:
        return sorted([*path.glob("*.hdf5"), *path.glob("*.h5")]) if path.is_dir() else [path]

    def simulation(self, path: Path) -> Simulation:
        with open_trees(path) as file:
            _unit(file, "mass", path)
            stated = file["cosmology"].attrs if "cosmology" in file else {}
            h, omega = (_number(stated, names) for names in (("HubbleParam",), ("OmegaMatter", "Omega0")))
        words = (
            "mass = nodeMass, rs = scaleRadius, position in the units stated; most massive progenitors, centrals by "
            "hostIndex"
        )
        return Simulation(h, omega, self.definition, words)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        with open_trees(path) as file:
            halos = file[_halos(file)]
            index = file["forestIndex" if "forestIndex" in file else "treeIndex"]
            firsts, sizes = index["firstNode"][()], index["numberOfNodes"][()]
            units = {kind: _unit(file, kind, path) for kind in ("mass", "length") if kind == "mass" or "units" in file}
            for first, last in split_rows(sizes, chunk):
                rows = slice(int(firsts[first]), int(firsts[last - 1] + sizes[last - 1]))
                place = f"{path} (forests {first} to {last - 1})"
                yield _forest(read_columns(halos, _NAMES, rows, path), units, h, place)


def _halos(file) -> str | None:
    return next((name for name in _GROUPS if name in file), None)


def _number(attributes, names) -> float | None:
    return next((float(attributes[name]) for name in names if name in attributes), None)


def _unit(file, kind: str, path: Path) -> tuple[float, float, float]:
    """Factor to Msun or kpc, power of h and power of the scale factor."""
    stated = file["units"].attrs if "units" in file else {}
    in_si = _number(stated, (f"{kind}UnitsInSI",))
    if in_si is None or not in_si > 0.0:
        raise ValueError(
            f"{path}: does not state the unit of {kind}; /units must have the attribute {kind}UnitsInSI, with "
            f"{kind}HubbleExponent and {kind}ScaleFactorExponent"
        )
    powers = (_number(stated, (f"{kind}{name}Exponent",)) or 0.0 for name in ("Hubble", "ScaleFactor"))
    return in_si / _SI[kind], *powers


def _forest(rows: dict[str, np.ndarray], units, h: float, place: str) -> Forest:
    if "scale" not in rows and "redshift" not in rows:
        raise ValueError(f"{place}: has neither expansionFactor nor redshift, so no halo has a time")
    scale = rows["scale"] if "scale" in rows else 1.0 / (1.0 + rows["redshift"])
    check_scales(scale, place)

    def in_unit(name, kind):
        factor, h_power, a_power = units[kind]
        return rows[name] * factor * h**h_power * scale**a_power

    radii = {}
    if "rs" in rows and "length" in units:
        radii = {"rs": np.where(rows["rs"] > 0.0, in_unit("rs", "length"), np.nan)}
    position = None
    if "position" in rows and "length" in units:
        factor, h_power, a_power = units["length"]
        position = rows["position"] * (factor * h**h_power * scale ** (a_power - 1.0) * 1e-3)[:, None]
    ids = rows["id"].astype(np.int64)
    return Forest(
        place=place,
        name=ids,
        descendant=rows_of_ids(ids, rows["descendant"].astype(np.int64), place, "descendant"),
        scale_factor=np.asarray(scale, float),
        mass=checked_mass(in_unit("mass", "mass"), place),
        central=rows["host"] == ids,
        preferred=np.zeros(len(ids), bool),
        columns=radii,
        position=position,
    )
