"""Small merger-tree files of every format, written from one forest whose main branches are known.

`known_forest` returns trees with mergers, a satellite and halos that start late.  Each writer stores them in the layout
of the code of that name, and `FORMATS` lists all writers with the format that reads their files.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from corundum import halos as H
from corundum.cosmology import Cosmology, circular_velocity
from corundum.halos.nfw import enclosed_mass
from corundum.halos.trees.formats.lhalotree import RECORD
from corundum.units import KPC_CM, MSUN_G

HUBBLE, OMEGA_M = 0.7, 0.3
COSMOLOGY = Cosmology(h=HUBBLE, omega_m=OMEGA_M)
SCALES = np.round(np.geomspace(0.1, 1.0, 25), 5)  # of snapshots 0 to 24
PEAK_RADIUS = 2.1625815870646097  # of the circular velocity of an NFW profile, in scale radii


class Halo(NamedTuple):
    """A node of a tree: its links are rows of the same list."""

    tree: int
    snapshot: int
    mass: float
    descendant: int
    first: int
    host: int
    concentration: float
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)  # from the place of its tree [comoving Mpc]
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)  # [km/s]


def main_mass(tree: int, scale):
    """Mass [Msun] of the main branch of a tree: a power law of the scale factor."""
    return 10.0 ** (12.0 - 0.3 * tree) * np.asarray(scale) ** (1.0 + 0.5 * tree)


def concentration(tree: int, scale):
    return (6.0 + tree) * np.asarray(scale) ** 0.5 + 3.0


def known_forest(trees: int = 4) -> list[Halo]:
    """Trees with main branches from snapshot `tree` on; tree 0 has two mergers, tree 1 a satellite to the end.

    The first merger of tree 0 is last seen as a halo of its own at snapshot 9 with 0.25 of the mass, the second at 17
    with 0.1.
    """
    rows: list[Halo] = []

    def add_branch(tree, first, last, mass, into=-1, host=None):
        """Add one line of halos, latest first; `host` is the row of the host at the last snapshot."""
        descendant = into
        for snapshot in range(last, first - 1, -1):
            row = len(rows)
            scale = SCALES[snapshot]
            host_row = row if host is None else host + (last - snapshot)
            rows.append(
                Halo(tree, snapshot, float(mass(scale)), descendant, -1, host_row, float(concentration(tree, scale)))
            )
            if descendant >= 0 and rows[descendant].first < 0:
                rows[descendant] = rows[descendant]._replace(first=row)
            descendant = row

    for tree in range(trees):
        root = len(rows)
        add_branch(tree, tree, 24, lambda a, tree=tree: main_mass(tree, a))
        if tree == 0:
            add_branch(0, 5, 9, lambda a: 0.25 * main_mass(0, a), into=root + 24 - 10)
            add_branch(0, 8, 17, lambda a: 0.1 * main_mass(0, a), into=root + 24 - 18)
        if tree == 1:
            add_branch(1, 6, 24, lambda a: 0.05 * main_mass(1, a), host=root)
    return rows


def columns(rows: list[Halo]) -> dict[str, np.ndarray]:
    """The forest as columns: mass [Msun], radius and scale radius [proper kpc], peak velocity [km/s]."""
    data = {name: np.array([getattr(row, name) for row in rows]) for name in Halo._fields}
    data["scale"] = SCALES[data["snapshot"]]
    redshift = 1.0 / data["scale"] - 1.0
    data["rvir"] = np.asarray(COSMOLOGY.virial_radius(data["mass"], redshift))
    data["rs"] = data["rvir"] / data["concentration"]
    c = data["concentration"]
    peak = np.sqrt(np.asarray(enclosed_mass(PEAK_RADIUS)) / PEAK_RADIUS * c / np.asarray(enclosed_mass(c)))
    data["vmax"] = peak * np.asarray(circular_velocity(data["mass"], data["rvir"]))
    # No tree moves; tree 1 ends two virial radii of tree 0 from it, the others far away.
    x = np.array([0.0, 2.0 * _final_radius(0), 30.0, 60.0])  # comoving Mpc
    place = np.stack([x[np.minimum(data["tree"], 3)], *np.full((2, len(rows)), 10.0)], axis=1)
    data["position"] = place + data["offset"]
    data["id"] = 1000 + np.arange(len(rows))
    return data


def _final_radius(tree: int) -> float:
    """Virial radius of a tree at the end [comoving Mpc]."""
    return float(COSMOLOGY.virial_radius(main_mass(tree, 1.0), 0.0)) * 1e-3


def _group(data):
    """Row of the central of the group of each halo."""
    host = data["host"]
    while np.any(host[host] != host):
        host = host[host]
    return host


def _ids(links, ids):
    return np.where(links >= 0, ids[links], -1)


def consistent_columns(rows: list[Halo]) -> dict[str, np.ndarray]:
    data = columns(rows)
    ids, scale = data["id"], data["scale"]
    preferred = np.zeros(len(rows), int)
    preferred[data["first"][data["first"] >= 0]] = 1
    central = data["host"] == np.arange(len(rows))
    later = np.where(data["descendant"] >= 0, scale[data["descendant"]], 0.0)
    return {
        "scale": scale, "id": ids, "desc_scale": later, "desc_id": _ids(data["descendant"], ids),
        "num_prog": np.zeros(len(rows), int), "pid": np.where(central, -1, ids[data["host"]]),
        "Mvir": data["mass"] * HUBBLE, "Rvir": data["rvir"] * HUBBLE / scale, "rs": 2.0 * data["rs"] * HUBBLE / scale,
        "mmp?": preferred, "vmax": data["vmax"], "Rs_Klypin": data["rs"] * HUBBLE / scale,
        **{axis: data["position"][:, k] * HUBBLE for k, axis in enumerate("xyz")},
        **{f"v{axis}": data["velocity"][:, k] for k, axis in enumerate("xyz")}, "tree": data["tree"],
    }  # fmt: skip


def write_consistent_trees(path, rows, *, old=False, unit="Msun / h", trees=None, drop=()):
    data = consistent_columns(rows)
    owner = data.pop("tree")
    names = [name for name in data if name not in drop]
    header = " ".join(name if old else f"{name}({k})" for k, name in enumerate(names))
    lines = [f"#{header}", f"#Omega_M = {OMEGA_M}; Omega_L = 0.7; h0 = {HUBBLE}", f"#Units: Masses in {unit}"]
    lines += ["#Units: Positions in Mpc / h (comoving)", "#Full box size = 100.000000 Mpc/h"]
    lines += [
        "#Mvir: Halo mass (Msun/h).",
        "#Rvir: Halo radius (kpc/h comoving).",
        "#rs: Scale radius (kpc/h comoving).",
    ]
    lines += ["#x/y/z: Halo position (Mpc/h comoving).", "#Consistent Trees Version 1.0"]
    lines.append(str(len(set(owner)) if trees is None else trees))
    for tree in dict.fromkeys(owner):
        rows_of = np.flatnonzero(owner == tree)
        lines.append(f"#tree {data['id'][rows_of[0]]}")
        lines += [" ".join(repr(data[name][row].item()) for name in names) for row in rows_of]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_hlists(folder, rows):
    data = consistent_columns(rows)
    data.pop("tree")
    for snapshot, scale in enumerate(SCALES):
        rows_of = [k for k, row in enumerate(rows) if row.snapshot == snapshot]
        if rows_of:
            header = " ".join(f"{name}({k})" for k, name in enumerate(data))
            lines = [f"#{header}", f"#Omega_M = {OMEGA_M}; Omega_L = 0.7; h0 = {HUBBLE}", "#Units: Masses in Msun / h"]
            lines += [" ".join(repr(values[row].item()) for values in data.values()) for row in rows_of]
            (folder / f"hlist_{scale:.5f}.list").write_text("\n".join(lines) + "\n")
    return folder


def write_consistent_trees_hdf5(path, rows, *, table=False):
    data = consistent_columns(rows)
    owner = data.pop("tree")
    with h5py.File(path, "w") as file:
        file.attrs["Consistent Trees_metadata"] = np.array(
            [f"#Omega_M = {OMEGA_M}; Omega_L = 0.7; h0 = {HUBBLE}", "#Units: Masses in Msun / h"], dtype="S60"
        )
        forests = file.create_group("Forests")
        if table:
            kinds = [(name, values.dtype) for name, values in data.items()]
            halos = np.empty(len(rows), kinds)
            for name, values in data.items():
                halos[name] = values
            forests["halos"] = halos
        else:
            for name, values in data.items():
                forests[name] = values
        _, offsets, sizes = np.unique(owner, return_index=True, return_counts=True)
        info = file.create_group("ForestInfo")
        info["ForestHalosOffset"], info["ForestNhalos"] = offsets, sizes
    return path


def write_public_forests(folder, rows, *, table=False, metadata=True):
    """The files that the public converter of Consistent-Trees writes: two of them, and the one that links to them.

    Names have lost their special characters, ``/ForestInfo`` is one table, and halos are columns or one table (user
    documentation of uchuutools, "HDF5 output data format").
    """
    columns_of_all = consistent_columns(rows)
    owner = columns_of_all.pop("tree")
    columns_of_all = {name.replace("?", ""): values for name, values in columns_of_all.items()}
    parts = (owner < 2, owner >= 2)
    lines = [f"#Omega_M = {OMEGA_M}; Omega_L = 0.7; h0 = {HUBBLE}", "#Full box size = 100.000000 Mpc/h"]
    kinds = ("ForestID", "ForestHalosOffset", "ForestNhalos", "ForestNtrees")
    for number, part in enumerate(parts):
        ids, offsets, sizes = np.unique(owner[part], return_index=True, return_counts=True)
        info = list(zip(ids, offsets, sizes, np.ones(len(ids), int), strict=True))
        with h5py.File(folder / f"forest_{number}.h5", "w") as file:
            file.attrs.update({"Nforests": len(ids), "Ntrees": len(ids), "Nhalos": int(part.sum())})
            if metadata:
                file.attrs["Consistent Trees_metadata"] = np.array([line.encode() for line in lines])
            parameters = {"Omega_M": OMEGA_M, "Omega_L": 0.7, "hubble": HUBBLE, "Boxsize": 100.0}
            file.create_group("simulation_params").attrs.update(parameters)
            file["ForestInfo"] = np.array(info, dtype=[(name, "i8") for name in kinds])
            halos = {name: values[part] for name, values in columns_of_all.items()}
            forests = file.create_group("Forests")
            if table:
                forests["halos"] = np.rec.fromarrays(list(halos.values()), names=list(halos))
            else:
                for name, values in halos.items():
                    forests[name] = values
    with h5py.File(folder / "forest.h5", "w") as file:
        file.attrs.update({"Nfiles": len(parts), "TotNforests": len(np.unique(owner)), "TotNhalos": len(rows)})
        for number in range(len(parts)):
            file[f"File{number}"] = h5py.ExternalLink(f"forest_{number}.h5", "/")
    return folder


def write_lhalotree(path, rows, *, order="<"):
    data = columns(rows)
    trees, offsets, sizes = np.unique(data["tree"], return_index=True, return_counts=True)
    start = offsets[data["tree"]]
    halos = np.zeros(len(rows), np.dtype([(name, order + kind, *shape) for name, kind, *shape in RECORD]))
    halos["Descendant"] = np.where(data["descendant"] >= 0, data["descendant"] - start, -1)
    halos["FirstProgenitor"] = np.where(data["first"] >= 0, data["first"] - start, -1)
    halos["NextProgenitor"] = halos["NextHaloInFOFgroup"] = -1
    halos["FirstHaloInFOFgroup"] = _group(data) - start
    central = data["host"] == np.arange(len(rows))
    halos["M_TopHat"] = np.where(central, data["mass"] * HUBBLE / 1e10, 0.0)
    halos["Vmax"], halos["SnapNum"], halos["Pos"] = data["vmax"], data["snapshot"], data["position"] * HUBBLE
    halos["Vel"] = data["velocity"]
    with path.open("wb") as file:
        file.write(np.array([len(trees), len(rows), *sizes], order + "i4").tobytes() + halos.tobytes())
    return path


def write_lhalotree_hdf5(path, rows):
    data = columns(rows)
    trees, offsets = np.unique(data["tree"], return_index=True)
    central = data["host"] == np.arange(len(rows))
    with h5py.File(path, "w") as file:
        header = file.create_group("Header")
        header.attrs["NtreesPerFile"] = len(trees)
        header["Redshifts"] = 1.0 / SCALES - 1.0
        for tree, offset in zip(trees, offsets, strict=True):
            in_tree = data["tree"] == tree
            group = file.create_group(f"Tree{tree}")
            for name, link in (("Descendant", "descendant"), ("FirstProgenitor", "first")):
                group[name] = np.where(data[link] >= 0, data[link] - offset, -1)[in_tree].astype("i4")
            group["FirstHaloInFOFGroup"] = (_group(data) - offset)[in_tree].astype("i4")
            group["SnapNum"], group["SubhaloVMax"] = data["snapshot"][in_tree], data["vmax"][in_tree]
            group["SubhaloPos"] = data["position"][in_tree] * HUBBLE * 1e3
            group["SubhaloVel"] = data["velocity"][in_tree]
            group["Group_M_TopHat200"] = np.where(central, data["mass"] * HUBBLE / 1e10, 0.0)[in_tree]
    return path


def write_sublink(path, rows):
    data = columns(rows)
    ids = data["id"]
    with h5py.File(path, "w") as file:
        file["SubhaloID"], file["TreeID"], file["SnapNum"] = ids, data["tree"], data["snapshot"].astype("i2")
        file["DescendantID"], file["FirstProgenitorID"] = _ids(data["descendant"], ids), _ids(data["first"], ids)
        file["FirstSubhaloInFOFGroupID"] = ids[_group(data)]
        # The group of a satellite is that of its host.
        file["Group_M_TopHat200"] = data["mass"][_group(data)] * HUBBLE / 1e10
        file["SubhaloVel"] = data["velocity"]
        file["SubhaloVmax"], file["SubhaloPos"] = data["vmax"], data["position"] * HUBBLE * 1e3
    return path


def write_galacticus(path, rows, *, version=2, units=True, cosmology=None):
    data = columns(rows)
    ids = data["id"]
    halos, index = ("forestHalos", "forestIndex") if version == 2 else ("haloTrees", "treeIndex")
    with h5py.File(path, "w") as file:
        group = file.create_group(halos)
        group["nodeIndex"], group["descendantIndex"] = ids, _ids(data["descendant"], ids)
        group["hostIndex"], group["nodeMass"] = ids[data["host"]], data["mass"] * HUBBLE
        group["scaleRadius"] = data["rs"] * HUBBLE / data["scale"] / 1e3
        group["position"] = data["position"] * HUBBLE
        if version == 2:
            group["expansionFactor"] = data["scale"]
        else:
            group["redshift"] = 1.0 / data["scale"] - 1.0
        _, offsets, sizes = np.unique(data["tree"], return_index=True, return_counts=True)
        file[f"{index}/firstNode"], file[f"{index}/numberOfNodes"] = offsets, sizes
        stated = {"HubbleParam": HUBBLE, "OmegaMatter": OMEGA_M} | (cosmology or {})
        file.create_group("cosmology").attrs.update(stated)
        stated_units = file.create_group("units")
        if units:
            stated_units.attrs.update({"massUnitsInSI": MSUN_G * 1e-3, "massHubbleExponent": -1})
            stated_units.attrs.update({"lengthUnitsInSI": KPC_CM * 10.0, "lengthHubbleExponent": -1})
            stated_units.attrs["lengthScaleFactorExponent"] = 1
    return path


def write_millennium(path, rows):
    data = columns(rows)
    ids = data["id"]
    central = data["host"] == np.arange(len(rows))
    table = {
        "haloId": ids, "descendantId": _ids(data["descendant"], ids), "firstProgenitorId": _ids(data["first"], ids),
        "firstHaloInFOFgroupId": ids[_group(data)], "snapnum": data["snapshot"], "redshift": 1.0 / data["scale"] - 1.0,
        "m_tophat": np.where(central, data["mass"] * HUBBLE / 1e10, 0.0), "vMax": data["vmax"],
        **{axis: data["position"][:, k] * HUBBLE for k, axis in enumerate("xyz")},
        **{f"vel{axis}": data["velocity"][:, k] for k, axis in enumerate("XYZ")},
    }  # fmt: skip
    lines = ["#SQL= select haloId, descendantId, ... from MPAHaloTrees..MHalo", ",".join(table)]
    lines += [",".join(repr(value.item()) for value in row) for row in zip(*table.values(), strict=True)]
    path.write_text("\n".join(lines) + "\n#OK\n")
    return path


class FormatCase(NamedTuple):
    """A writer of tree files, the format that reads them, and what the reader needs beside them."""

    write: Callable[[Path, list[Halo]], Path]
    format: H.AbstractTreeFormat
    keywords: dict[str, Any]


_STATED = {"cosmology": COSMOLOGY}
_LISTED = SCALES.tolist()
FORMATS = {
    "Consistent-Trees": FormatCase(
        lambda folder, rows: write_consistent_trees(folder / "tree_0_0_0.dat", rows), H.ConsistentTrees(), {}
    ),
    "old header": FormatCase(
        lambda folder, rows: write_consistent_trees(folder / "tree_0.dat", rows, old=True), H.ConsistentTrees(), {}
    ),
    "isotrees": FormatCase(
        lambda folder, rows: write_consistent_trees(folder / "isotree_0_0_0.dat", rows), H.ConsistentTrees(), {}
    ),
    "hlist": FormatCase(write_hlists, H.HaloLists(), {}),
    "forests": FormatCase(
        lambda folder, rows: write_consistent_trees_hdf5(folder / "forest_0.h5", rows), H.ConsistentTreesHDF5(), {}
    ),
    "forest table": FormatCase(
        lambda folder, rows: write_consistent_trees_hdf5(folder / "forest_0.h5", rows, table=True),
        H.ConsistentTreesHDF5(), {},
    ),
    "LHaloTree": FormatCase(
        lambda folder, rows: write_lhalotree(folder / "trees_024.0", rows), H.LHaloTree(_LISTED), _STATED
    ),
    "big-endian": FormatCase(
        lambda folder, rows: write_lhalotree(folder / "trees_024.0", rows, order=">"), H.LHaloTree(_LISTED), _STATED
    ),
    "LHaloTree HDF5": FormatCase(
        lambda folder, rows: write_lhalotree_hdf5(folder / "trees_sf1_024.0.hdf5", rows), H.LHaloTreeHDF5(), _STATED
    ),
    "SubLink": FormatCase(
        lambda folder, rows: write_sublink(folder / "tree_extended.0.hdf5", rows), H.SubLink(_LISTED), _STATED
    ),
    "Galacticus": FormatCase(
        lambda folder, rows: write_galacticus(folder / "forests.hdf5", rows), H.GalacticusForests(), {}
    ),
    "Galacticus version 1": FormatCase(
        lambda folder, rows: write_galacticus(folder / "t.hdf5", rows, version=1), H.GalacticusForests(), {}
    ),
    "Millennium": FormatCase(
        lambda folder, rows: write_millennium(folder / "query.csv", rows), H.MillenniumCSV(),
        {"cosmology": Cosmology(h=0.73, omega_m=0.25)},  # the database is of one simulation, whose cosmology is known
    ),
}  # fmt: skip
"""Every layout that can be written here; a new format adds a writer above and a line here, and the suite tests it."""


def read_case(path: Path, case: FormatCase, **keywords) -> H.HaloHistories:
    """Histories that keep every snapshot of a file written by a case."""
    arguments = {"smoothing": H.GaussianInLogTime(0.0), **case.keywords, **keywords}
    return H.read(path, format=case.format, **arguments)


def cut(path: Path, fraction: float = 0.6) -> None:
    """Cut a file short, as an interrupted copy does."""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * fraction)])


def replaced(old: str, new: str) -> Callable[[Path], object]:
    """A function that replaces the first occurrence of a piece of text in a file."""
    return lambda path: path.write_text(path.read_text().replace(old, new, 1))
