"""Small merger-tree files of every format, written from one forest whose main branches are known.

`known_forest` makes trees with mergers, a satellite and halos that start late; each writer lays them out as the
code of that name does.
"""

from typing import NamedTuple

import h5py
import numpy as np

from corundum.cosmology import Cosmology, circular_velocity
from corundum.halos.nfw import enclosed_mass
from corundum.halos.trees.formats.lhalotree import RECORD
from corundum.units import KPC_CM, MSUN_G

H, OMEGA_M = 0.7, 0.3
COSMOLOGY = Cosmology(h=H, omega_m=OMEGA_M)
SCALES = np.round(np.geomspace(0.1, 1.0, 25), 5)  # of snapshots 0 to 24
PEAK = 2.1625815870646097


class Halo(NamedTuple):
    """A node of a tree: its links are rows of the same list."""

    tree: int
    snapshot: int
    mass: float
    descendant: int
    first: int
    host: int
    concentration: float


def main_mass(tree: int, scale):
    """Mass [Msun] of the main branch of a tree: a power law of the scale factor."""
    return 10.0 ** (12.0 - 0.3 * tree) * np.asarray(scale) ** (1.0 + 0.5 * tree)


def concentration(tree: int, scale):
    return (6.0 + tree) * np.asarray(scale) ** 0.5 + 3.0


def known_forest(trees: int = 4) -> list[Halo]:
    """Trees with main branches from snapshot `tree` on; tree 0 has two mergers, tree 1 a satellite to the end.

    The first merger of tree 0 is last seen apart at snapshot 9 with 0.25 of the mass, the second at 17 with 0.1.
    """
    rows: list[Halo] = []

    def branch(tree, first, last, mass, into=-1, host=None):
        """One line of halos, latest first; `host` is the row of the host at the last snapshot."""
        before = into
        for snapshot in range(last, first - 1, -1):
            row = len(rows)
            scale = SCALES[snapshot]
            here = row if host is None else host - (last - snapshot) * -1
            rows.append(Halo(tree, snapshot, float(mass(scale)), before, -1, here, float(concentration(tree, scale))))
            if before >= 0 and rows[before].first < 0:
                rows[before] = rows[before]._replace(first=row)
            before = row

    for tree in range(trees):
        root = len(rows)
        branch(tree, tree, 24, lambda a, tree=tree: main_mass(tree, a))
        if tree == 0:
            branch(0, 5, 9, lambda a: 0.25 * main_mass(0, a), into=root + 24 - 10)
            branch(0, 8, 17, lambda a: 0.1 * main_mass(0, a), into=root + 24 - 18)
        if tree == 1:
            branch(1, 6, 24, lambda a: 0.05 * main_mass(1, a), host=root)
    return rows


def columns(rows: list[Halo]) -> dict[str, np.ndarray]:
    """The forest as columns: mass [Msun], radius and scale radius [proper kpc], peak velocity [km/s]."""
    found = {name: np.array([getattr(row, name) for row in rows]) for name in Halo._fields}
    found["scale"] = SCALES[found["snapshot"]]
    redshift = 1.0 / found["scale"] - 1.0
    found["rvir"] = np.asarray(COSMOLOGY.virial_radius(found["mass"], redshift))
    found["rs"] = found["rvir"] / found["concentration"]
    c = found["concentration"]
    peak = np.sqrt(np.asarray(enclosed_mass(PEAK)) / PEAK * c / np.asarray(enclosed_mass(c)))
    found["vmax"] = peak * np.asarray(circular_velocity(found["mass"], found["rvir"]))
    # Every tree stands still; tree 1 ends two virial radii of tree 0 from it, the others far away.
    far = np.array([0.0, 2.0 * _radius(0), 30.0, 60.0])  # comoving Mpc
    found["position"] = np.stack([far[np.minimum(found["tree"], 3)], *np.full((2, len(rows)), 10.0)], axis=1)
    found["id"] = 1000 + np.arange(len(rows))
    return found


def _radius(tree: int) -> float:
    """Virial radius of a tree at the end [comoving Mpc]."""
    return float(COSMOLOGY.virial_radius(main_mass(tree, 1.0), 0.0)) * 1e-3


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
        "Mvir": data["mass"] * H, "Rvir": data["rvir"] * H / scale, "rs": 2.0 * data["rs"] * H / scale,
        "mmp?": preferred, "vmax": data["vmax"], "Rs_Klypin": data["rs"] * H / scale,
        **{axis: data["position"][:, k] * H for k, axis in enumerate("xyz")}, "tree": data["tree"],
    }  # fmt: skip


def write_consistent_trees(path, rows, *, old=False, unit="Msun / h", trees=None, drop=()):
    data = consistent_columns(rows)
    owner = data.pop("tree")
    names = [name for name in data if name not in drop]
    header = " ".join(name if old else f"{name}({k})" for k, name in enumerate(names))
    lines = [f"#{header}", f"#Omega_M = {OMEGA_M}; Omega_L = 0.7; h0 = {H}", f"#Units: Masses in {unit}"]
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
            lines = [f"#{header}", f"#Omega_M = {OMEGA_M}; Omega_L = 0.7; h0 = {H}", "#Units: Masses in Msun / h"]
            lines += [" ".join(repr(values[row].item()) for values in data.values()) for row in rows_of]
            (folder / f"hlist_{scale:.5f}.list").write_text("\n".join(lines) + "\n")
    return folder


def write_consistent_trees_hdf5(path, rows, *, table=False):
    data = consistent_columns(rows)
    owner = data.pop("tree")
    with h5py.File(path, "w") as file:
        file.attrs["Consistent Trees_metadata"] = np.array(
            [f"#Omega_M = {OMEGA_M}; Omega_L = 0.7; h0 = {H}", "#Units: Masses in Msun / h"], dtype="S60"
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


def write_lhalotree(path, rows, *, order="<"):
    data = columns(rows)
    trees, offsets, sizes = np.unique(data["tree"], return_index=True, return_counts=True)
    start = offsets[data["tree"]]
    halos = np.zeros(len(rows), np.dtype([(name, order + kind, *shape) for name, kind, *shape in RECORD]))
    halos["Descendant"] = np.where(data["descendant"] >= 0, data["descendant"] - start, -1)
    halos["FirstProgenitor"] = np.where(data["first"] >= 0, data["first"] - start, -1)
    halos["NextProgenitor"] = halos["NextHaloInFOFgroup"] = -1
    halos["FirstHaloInFOFgroup"] = data["host"] - start
    central = data["host"] == np.arange(len(rows))
    halos["M_TopHat"] = np.where(central, data["mass"] * H / 1e10, 0.0)
    halos["Vmax"], halos["SnapNum"], halos["Pos"] = data["vmax"], data["snapshot"], data["position"] * H
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
            mine = data["tree"] == tree
            group = file.create_group(f"Tree{tree}")
            for name, link in (("Descendant", "descendant"), ("FirstProgenitor", "first")):
                group[name] = np.where(data[link] >= 0, data[link] - offset, -1)[mine].astype("i4")
            group["FirstHaloInFOFGroup"] = (data["host"] - offset)[mine].astype("i4")
            group["SnapNum"], group["SubhaloVMax"] = data["snapshot"][mine], data["vmax"][mine]
            group["SubhaloPos"] = data["position"][mine] * H * 1e3
            group["Group_M_TopHat200"] = np.where(central, data["mass"] * H / 1e10, 0.0)[mine]
    return path


def write_sublink(path, rows):
    data = columns(rows)
    ids = data["id"]
    with h5py.File(path, "w") as file:
        file["SubhaloID"], file["TreeID"], file["SnapNum"] = ids, data["tree"], data["snapshot"].astype("i2")
        file["DescendantID"], file["FirstProgenitorID"] = _ids(data["descendant"], ids), _ids(data["first"], ids)
        file["FirstSubhaloInFOFGroupID"] = ids[data["host"]]
        # The group of a satellite is that of its host.
        file["Group_M_TopHat200"] = data["mass"][data["host"]] * H / 1e10
        file["SubhaloVmax"], file["SubhaloPos"] = data["vmax"], data["position"] * H * 1e3
    return path


def write_galacticus(path, rows, *, version=2, units=True):
    data = columns(rows)
    ids = data["id"]
    halos, index = ("forestHalos", "forestIndex") if version == 2 else ("haloTrees", "treeIndex")
    with h5py.File(path, "w") as file:
        group = file.create_group(halos)
        group["nodeIndex"], group["descendantIndex"] = ids, _ids(data["descendant"], ids)
        group["hostIndex"], group["nodeMass"] = ids[data["host"]], data["mass"] * H
        group["scaleRadius"] = data["rs"] * H / data["scale"] / 1e3
        group["position"] = data["position"] * H
        if version == 2:
            group["expansionFactor"] = data["scale"]
        else:
            group["redshift"] = 1.0 / data["scale"] - 1.0
        _, offsets, sizes = np.unique(data["tree"], return_index=True, return_counts=True)
        file[f"{index}/firstNode"], file[f"{index}/numberOfNodes"] = offsets, sizes
        file.create_group("cosmology").attrs.update({"HubbleParam": H, "OmegaMatter": OMEGA_M})
        stated = file.create_group("units")
        if units:
            stated.attrs.update({"massUnitsInSI": MSUN_G * 1e-3, "massHubbleExponent": -1})
            stated.attrs.update({"lengthUnitsInSI": KPC_CM * 10.0, "lengthHubbleExponent": -1})
            stated.attrs["lengthScaleFactorExponent"] = 1
    return path


def write_millennium(path, rows):
    data = columns(rows)
    ids = data["id"]
    central = data["host"] == np.arange(len(rows))
    table = {
        "haloId": ids, "descendantId": _ids(data["descendant"], ids), "firstProgenitorId": _ids(data["first"], ids),
        "firstHaloInFOFgroupId": ids[data["host"]], "snapnum": data["snapshot"], "redshift": 1.0 / data["scale"] - 1.0,
        "m_tophat": np.where(central, data["mass"] * H / 1e10, 0.0), "vMax": data["vmax"],
        **{axis: data["position"][:, k] * H for k, axis in enumerate("xyz")},
    }  # fmt: skip
    lines = ["#SQL= select haloId, descendantId, ... from MPAHaloTrees..MHalo", ",".join(table)]
    lines += [",".join(repr(value.item()) for value in row) for row in zip(*table.values(), strict=True)]
    path.write_text("\n".join(lines) + "\n#OK\n")
    return path
