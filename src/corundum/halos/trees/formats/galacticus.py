"""The merger-tree format of Galacticus (Benson 2012, New Astronomy 17, 175), which astrosylva also writes.

``/forestHalos`` (``/haloTrees`` in version 1 of the format) holds one dataset per column, and ``/forestIndex``
(``/treeIndex``) the first row of each forest.  Units are stated as factors to SI units with powers of h and of the
scale factor.  `corundum.halos.trees.formats.galacticus_layout` says what is where.
"""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Float, Int

from ....cosmology import Cosmology
from ....storage.files import open_foreign_hdf5
from ....units import MPC_PER_KPC
from ...cosmic_times import redshifts
from ..file_sets import files_in
from ..forests import NONE, Forest, check_scales, host_rows, rows_of_ids
from ..stated_cosmology import StatedCosmology, cosmology_in_attributes
from .base import AbstractTreeFormat, Simulation, checked_mass, simulation, split_rows
from .galacticus_layout import (
    GROUPS,
    Unit,
    column_names,
    forest_rows,
    halo_group,
    read_flag,
    read_number,
    read_unit,
)
from .hdf5 import as_ids, has_members, open_columns

__all__ = ["GalacticusForests"]

_WITH_SUBHALOS = ("haloMassesIncludeSubhalos",)
_SELF_CONTAINED = ("forestsAreSelfContained", "treesAreSelfContained")
_SAME_TIME = 1e-6  # largest relative difference between the scale factors of a halo and of its host
_OLDEST = 1.02  # largest age of a halo over that of the universe; other cosmologies have no radiation


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
        return bool(files) and any(has_members(files[0], name) for name in GROUPS)

    def files(self, path: Path) -> list[Path]:
        if not path.is_dir():
            return [path]
        # Results of Galacticus are often kept beside its trees; what cannot be read as HDF5 stays and is refused later.
        return [file for file in files_in(path, "*.hdf5", "*.h5") if not _holds_no_trees(file)]

    def simulation(self, path: Path) -> Simulation:
        with open_foreign_hdf5(path) as file:
            halos = halo_group(file, path)
            stated = _stated_cosmology(file)
            description, box = _description(file, halos, path), _box(file, halos, stated.h, path)
            in_units_of_h = any(unit.h_power != 0.0 for unit in _units(file, path).values())
        return simulation(stated, self.definition, description, box)._replace(in_units_of_h=in_units_of_h)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        with open_foreign_hdf5(path) as file:
            halos = halo_group(file, path)
            units = _units(file, path)
            datasets = open_columns(halos, column_names(halos, "length" in units, path), path)
            _check_shapes(datasets, path)
            if "host" not in datasets and read_flag(halos, ("treesHaveSubhalos",), path):
                raise ValueError(
                    f"{path}: has subhalos (treesHaveSubhalos = 1) but no dataset hostIndex, which says where they are"
                )
            stored = len(datasets["id"])
            starts, sizes, number = forest_rows(file, halos, stored, path)
            if read_flag(halos, _SELF_CONTAINED, path) is False:
                chunk = max(stored, 1)  # halos move from forest to forest, so that all must be read together
            cosmology = _cosmology_of_times(file, h, path) if "time" in datasets else None
            lacks_subhalos = read_flag(halos, _WITH_SUBHALOS, path) is False
            for first, last in split_rows(sizes, chunk):
                rows = slice(int(starts[first]), int(starts[last - 1] + sizes[last - 1]))
                columns = {quantity: np.asarray(dataset[rows]) for quantity, dataset in datasets.items()}
                columns["forest"] = np.repeat(number[first:last], sizes[first:last])
                place = f"{path} (forests {first} to {last - 1})"
                yield _forest(columns, units, h, cosmology, lacks_subhalos, place)


def _holds_no_trees(path: Path) -> bool:
    """Whether a file is HDF5 without a group of halos."""
    try:
        with open_foreign_hdf5(path) as file:
            return not any(name in file for name in GROUPS)
    except ValueError:
        return False


def _check_shapes(datasets: dict[str, h5py.Dataset | np.ndarray], path: Path) -> None:
    for quantity, dataset in datasets.items():
        numbers = 3 if quantity == "position" else 1
        if dataset.shape[1:] != ((3,) if quantity == "position" else ()):
            raise ValueError(
                f"{path}: the column of {quantity} has shape {dataset.shape}; it must have {numbers} for every halo"
            )


def _units(file: h5py.File, path: Path) -> dict[str, Unit]:
    """The units that the file states; that of masses it must state."""
    units = {kind: read_unit(file, kind, path) for kind in ("mass", "length", "time")}
    if units["mass"] is None:
        raise ValueError(
            f"{path}: does not state the unit of mass; /units must have the attribute massUnitsInSI, with "
            "massHubbleExponent and massScaleFactorExponent"
        )
    return {kind: unit for kind, unit in units.items() if unit is not None}


def _stated_cosmology(file: h5py.File) -> StatedCosmology:
    return cosmology_in_attributes(dict(file["cosmology"].attrs) if "cosmology" in file else {})


def _cosmology_of_times(file: h5py.File, h: float, path: Path) -> Cosmology:
    """The cosmology that makes scale factors of the cosmic times of halos."""
    omega_m = _stated_cosmology(file).omega_m
    unit = read_unit(file, "time", path)
    if unit is not None and unit.a_power != 0.0:
        raise ValueError(f"{path}: timeScaleFactorExponent is {unit.a_power:g}; times need a unit without a")
    if omega_m is None or unit is None:
        lacking = "OmegaMatter of /cosmology" if omega_m is None else "timeUnitsInSI of /units"
        raise ValueError(
            f"{path}: has times of halos but no {lacking}, which they need; add it to the file, or the dataset "
            "expansionFactor or redshift"
        )
    return Cosmology(h=h, omega_m=omega_m)


def _description(file: h5py.File, halos: h5py.Group, path: Path) -> str:
    """What is read of a file and how, for the provenance."""
    units = _units(file, path)
    mass = units["mass"]
    of_h = f" h^{mass.h_power:g}" if mass.h_power else ""
    parts = [f"mass = nodeMass [{mass.factor:.6g} Msun{of_h}]"]
    included = read_flag(halos, _WITH_SUBHALOS, path)
    if included is False and "hostIndex" not in halos:
        parts.append("masses without those of subhalos, which the file does not have (haloMassesIncludeSubhalos = 0)")
    elif included is False:
        parts.append("masses of subhalos added to those of their hosts (haloMassesIncludeSubhalos = 0)")
    elif included is None:
        parts.append("masses of halos taken to include their subhalos (haloMassesIncludeSubhalos is not stated)")
    lengths = [name for name in ("scaleRadius", "position") if name in halos]
    if lengths and "length" in units:
        parts.append(f"{' and '.join(lengths)} in the unit stated")
    elif lengths:
        parts.append(f"{' and '.join(lengths)} not used, as no unit of length is stated")
    parts.append("most massive progenitors")
    parts.append("centrals by hostIndex" if "hostIndex" in halos else "no hostIndex, so that all halos are centrals")
    return ", ".join(parts)


def _box(file: h5py.File, halos: h5py.Group, h: float | None, path: Path) -> float | None:
    """Side of the box [comoving Mpc], where positions are said to be periodic."""
    unit = read_unit(file, "length", path)
    side = read_number(file["simulation"].attrs, ("boxSize",), path) if "simulation" in file else None
    if not read_flag(halos, ("positionsArePeriodic",), path) or unit is None or side is None:
        return None
    if unit.h_power != 0.0 and h is None:
        return None
    return float(unit.values(side, h or 1.0, 1.0)) * MPC_PER_KPC


def _forest(
    columns: dict[str, np.ndarray],
    units: dict[str, Unit],
    h: float,
    cosmology: Cosmology | None,
    lacks_subhalos: bool,
    place: str,
) -> Forest:
    scale = _scale_factors(columns, units, h, cosmology, place)
    ids = as_ids(columns["id"], "nodeIndex", place)
    hosts = as_ids(columns["host"], "hostIndex", place) if "host" in columns else ids
    descendant = as_ids(columns["descendant"], "descendantIndex", place)
    mass = units["mass"].values(columns["mass"].astype(float), h, scale)
    if lacks_subhalos:
        hosted = _linked_rows(ids, hosts, columns["forest"], place, "host")
        mass = _masses_with_subhalos(mass, scale, ids, hosted, place)
    radii, position = {}, None
    if "rs" in columns:
        radius = units["length"].values(columns["rs"].astype(float), h, scale)
        radii = {"rs": np.where(columns["rs"] > 0.0, radius, np.nan)}
    if "position" in columns:
        proper = units["length"].values(columns["position"].astype(float), h, scale[:, None])
        position = proper * (MPC_PER_KPC / scale[:, None])
    central = (hosts == ids) | (hosts < 0)
    tree = columns["forest"] if len(np.unique(ids)) < len(ids) else None
    return Forest(
        place=place,
        name=ids,
        descendant=_linked_rows(ids, descendant, columns["forest"], place, "descendant"),
        scale_factor=scale,
        mass=checked_mass(mass, place),
        central=central,
        preferred=np.zeros(len(ids), bool),
        columns=radii,
        position=position,
        host=host_rows(ids, hosts, central, tree=tree) if "host" in columns else None,
    )


def _linked_rows(
    ids: Int[np.ndarray, " n"],
    linked_ids: Int[np.ndarray, " n"],
    forest: Int[np.ndarray, " n"],
    place: str,
    link: str,
) -> Int[np.ndarray, " n"]:
    """Rows of halos that links name: in any forest where no two halos share an id, else in the forest of the halo."""
    tree = forest if len(np.unique(ids)) < len(ids) else None
    try:
        return rows_of_ids(ids, linked_ids, place, link, tree=tree)
    except ValueError as error:
        raise ValueError(
            f"{error}; if halos move from one forest to another, forestsAreSelfContained must be 0 and ids unique"
        ) from None


def _scale_factors(
    columns: dict[str, np.ndarray], units: dict[str, Unit], h: float, cosmology: Cosmology | None, place: str
) -> Float[np.ndarray, " n"]:
    if "scale" in columns:
        scale = columns["scale"].astype(float)
    elif "redshift" in columns:
        scale = 1.0 / (1.0 + columns["redshift"].astype(float))
    else:
        assert cosmology is not None
        age = units["time"].values(columns["time"].astype(float), h, 1.0)
        today = float(cosmology.age(0.0))
        if not np.all((age > 0.0) & (age < _OLDEST * today)):
            raise ValueError(
                f"{place}: times of halos run from {np.min(age):g} to {np.max(age):g} Gyr, but must be above 0 and at "
                f"most the age of the universe, {today:.4g} Gyr; the unit of time or the cosmology is not theirs"
            )
        scale = 1.0 / (1.0 + redshifts(cosmology, age))
    check_scales(scale, place)
    return scale


def _masses_with_subhalos(
    mass: Float[np.ndarray, " n"],
    scale: Float[np.ndarray, " n"],
    ids: Int[np.ndarray, " n"],
    host: Int[np.ndarray, " n"],
    place: str,
) -> Float[np.ndarray, " n"]:
    """Masses to which those of all subhalos are added, and of the subhalos of these, at every level.

    Raises
    ------
    ValueError
        Hosts lie in each other, or a halo and its host are of different times.
    """
    own = np.where(np.isfinite(mass) & (mass > 0.0), mass, 0.0)
    total = mass.copy()
    halo = np.flatnonzero((host != NONE) & (host != np.arange(len(host))))
    apart = halo[np.abs(scale[host[halo]] / scale[halo] - 1.0) > _SAME_TIME]
    if len(apart):
        row = apart[0]
        raise ValueError(
            f"{place}: halo {ids[row]} at scale factor {scale[row]:.5g} has the host {ids[host[row]]} at "
            f"{scale[host[row]]:.5g}; hosts must be halos of the same time"
        )
    ancestor = host[halo]
    for _ in range(len(halo) + 1):
        if not len(halo):
            return total
        np.add.at(total, ancestor, own[halo])
        has_host = (host[ancestor] != NONE) & (host[ancestor] != ancestor)
        halo, ancestor = halo[has_host], host[ancestor[has_host]]
    raise ValueError(f"{place}: halo {ids[halo[0]]} and its hosts lie in each other; the links to hosts are damaged")
