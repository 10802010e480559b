"""Merger-tree files in the layouts of the Galacticus format that public codes write, and an independent read of them.

A file is described by its nodes; `write_forests` stores them plainly and `VARIANTS` changes that file into each other
layout without changing what it means.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from corundum.units import GYR_S

HUBBLE, OMEGA_M = 0.7, 0.3


class Node(NamedTuple):
    """A halo at one snapshot: `descendant` and `host` are ids, -1 for none; the mass is in Msun/h."""

    forest: int
    id: int
    descendant: int
    host: int
    mass: float
    scale: float


def growing_forests(masses: Sequence[float] = (2e12, 6e11, 4e11), snapshots: int = 9) -> list[Node]:
    """Forests of one tree each, whose masses [Msun/h] grow as a power of the scale factor.

    The second has a satellite with a tenth of the mass to the end, the third a merger of a quarter of the mass.
    """
    scales = np.round(np.geomspace(0.2, 1.0, snapshots), 6)
    nodes = []
    for forest, mass in enumerate(masses):
        first = 1000 * (forest + 1)
        for k in range(snapshots - 1, -1, -1):
            later = first + k + 1 if k < snapshots - 1 else -1
            nodes.append(Node(forest, first + k, later, first + k, mass * scales[k] ** 1.5, scales[k]))
            if forest == 1:
                later = first + 500 + k + 1 if k < snapshots - 1 else -1
                nodes.append(Node(forest, first + 500 + k, later, first + k, 0.1 * mass * scales[k] ** 1.5, scales[k]))
            if forest == 2 and k < snapshots - 3:
                later = first + 500 + k + 1 if k < snapshots - 4 else first + k + 1
                nodes.append(
                    Node(forest, first + 500 + k, later, first + 500 + k, 0.25 * mass * scales[k] ** 1.5, scales[k])
                )
    return nodes


def write_forests(path: Path, nodes: Sequence[Node], **attributes: Any) -> Path:
    """A plain file of version 2, with masses in Msun/h and no lengths; `attributes` are those of ``forestHalos``."""
    with h5py.File(path, "w") as file:
        file.attrs["formatVersion"] = 2
        halos = file.create_group("forestHalos")
        halos.attrs.update({"haloMassesIncludeSubhalos": 1, "forestsAreSelfContained": 1, "treesHaveSubhalos": 1})
        halos.attrs.update(attributes)
        halos["nodeIndex"], halos["descendantIndex"] = [n.id for n in nodes], [n.descendant for n in nodes]
        halos["hostIndex"], halos["nodeMass"] = [n.host for n in nodes], [n.mass for n in nodes]
        halos["expansionFactor"] = [n.scale for n in nodes]
        number, first, size = np.unique([n.forest for n in nodes], return_index=True, return_counts=True)
        index = file.create_group("forestIndex")
        index["forestIndex"], index["firstNode"], index["numberOfNodes"] = number, first, size
        file.create_group("cosmology").attrs.update({"HubbleParam": HUBBLE, "OmegaMatter": OMEGA_M, "OmegaLambda": 0.7})
        units = {"massUnitsInSI": 1.98841e30, "massHubbleExponent": -1, "massScaleFactorExponent": 0}
        file.create_group("units").attrs.update(units)
    return path


class Branch(NamedTuple):
    """What an independent read gives of one tree: scale factors and masses [Msun/h] of its main branch."""

    scale: list[float]
    mass: list[float]


def read_independently(nodes: Sequence[Node], masses: dict[tuple[int, int], float] | None = None) -> dict[int, Branch]:
    """Main branches by most massive progenitors, by the id of their last halo, one halo at a time.

    `masses` by forest and id replaces those of the nodes.
    """
    by_id = {(n.forest, n.id): n for n in nodes}
    mass = {key: node.mass for key, node in by_id.items()} | (masses or {})
    branches = {}
    for node in nodes:
        if node.descendant >= 0 or node.host != node.id:
            continue
        line = [node]
        while True:
            earlier = [n for n in nodes if n.forest == line[-1].forest and n.descendant == line[-1].id]
            if not earlier:
                break
            line.append(max(earlier, key=lambda n: (mass[n.forest, n.id], n.host == n.id, n.id)))
        line.reverse()
        branches[node.id] = Branch([n.scale for n in line], [mass[n.forest, n.id] for n in line])
    return branches


def _rename(group: h5py.Group, old: str, new: str) -> None:
    group[new] = group[old][()]
    del group[old]


def _replace(group: h5py.Group, name: str, values: Any, **options: Any) -> None:
    del group[name]
    group.create_dataset(name, data=values, **options)


def _version_1(file: h5py.File) -> None:
    file.move("forestHalos", "haloTrees")
    file.move("forestIndex", "treeIndex")
    file.move("treeIndex/forestIndex", "treeIndex/treeIndex")
    _rename(file["haloTrees"], "descendantIndex", "descendentIndex")
    file["haloTrees"].attrs["treesAreSelfContained"] = file["haloTrees"].attrs.pop("forestsAreSelfContained")
    del file.attrs["formatVersion"]
    file["cosmology"].attrs["Omega0"] = file["cosmology"].attrs.pop("OmegaMatter")


def _region_reference(file: h5py.File) -> None:
    halos = file["forestHalos"]
    _rename(halos, "descendantIndex", "descendentIndex")
    halos.create_dataset("descendantIndex", data=halos["descendentIndex"].regionref[:], dtype=h5py.regionref_dtype)


def _only_references(file: h5py.File) -> None:
    """One region reference for each forest, to a dataset that also holds what belongs to no forest."""
    halos, index = file["forestHalos"], file["forestIndex"]
    for name in ("nodeIndex", "descendantIndex", "nodeMass"):
        values = halos[name][()]
        target = file.create_dataset(f"stored/{name}", data=np.concatenate([values[:2], values]))
        first, size = index["firstNode"][()] + 2, index["numberOfNodes"][()]
        regions = [target.regionref[start : start + count] for start, count in zip(first, size, strict=True)]
        _replace(halos, name, np.array(regions, dtype=h5py.regionref_dtype), dtype=h5py.regionref_dtype)


def _object_reference(file: h5py.File) -> None:
    halos = file["forestHalos"]
    file["stored"] = halos["nodeMass"][()]
    _replace(halos, "nodeMass", file["stored"].ref, dtype=h5py.ref_dtype)


def _groups_of_forests(file: h5py.File) -> None:
    """The optional group with references to the part of each forest."""
    halos, index = file["forestHalos"], file["forestIndex"]
    for number, first, size in zip(*(index[k] for k in ("forestIndex", "firstNode", "numberOfNodes")), strict=True):
        for name in halos:
            region = halos[name].regionref[first : first + size]
            file.create_dataset(f"forests/forest{number}/{name}", data=region, dtype=h5py.regionref_dtype)


def _arrays_of_one(file: h5py.File) -> None:
    for group in (file, *(file[name] for name in ("forestHalos", "cosmology", "units"))):
        for name, value in list(group.attrs.items()):
            group.attrs[name] = np.array([value])


def _text_attributes(file: h5py.File) -> None:
    for group in (file["cosmology"], file["units"]):
        for name, value in list(group.attrs.items()):
            group.attrs[name] = np.bytes_(str(value))


def _other_letters(file: h5py.File) -> None:
    for group in (file["cosmology"], file["units"]):
        for name in list(group.attrs):
            group.attrs[name.lower()] = group.attrs.pop(name)


def _reversed_index(file: h5py.File) -> None:
    for name in file["forestIndex"]:
        _replace(file["forestIndex"], name, file["forestIndex"][name][()][::-1])


def _empty_forests(file: h5py.File) -> None:
    index = file["forestIndex"]
    _replace(index, "firstNode", np.concatenate([[0], index["firstNode"][()], [0]]))
    _replace(index, "numberOfNodes", np.concatenate([[0], index["numberOfNodes"][()], [0]]))
    _replace(index, "forestIndex", np.concatenate([[77], index["forestIndex"][()], [99]]))


def _only_times(file: h5py.File) -> None:
    from corundum.cosmology import Cosmology

    scale = file["forestHalos/expansionFactor"][()]
    age = np.asarray(Cosmology(h=HUBBLE, omega_m=OMEGA_M).age(1.0 / scale - 1.0))  # Gyr
    file["forestHalos/time"] = age * HUBBLE * 1e3
    del file["forestHalos/expansionFactor"]
    file["units"].attrs.update({"timeUnitsInSI": GYR_S * 1e-3, "timeHubbleExponent": -1, "timeScaleFactorExponent": 0})


def _only_redshifts(file: h5py.File) -> None:
    file["forestHalos/redshift"] = 1.0 / file["forestHalos/expansionFactor"][()] - 1.0
    del file["forestHalos/expansionFactor"]


def _ids_as(kind: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        halos = file["forestHalos"]
        for name in ("nodeIndex", "descendantIndex", "hostIndex"):
            with np.errstate(over="ignore"):
                _replace(halos, name, halos[name][()].astype(kind))

    return change


def _no_hosts_of_centrals(file: h5py.File) -> None:
    halos = file["forestHalos"]
    _replace(halos, "hostIndex", np.where(halos["hostIndex"][()] == halos["nodeIndex"][()], -1, halos["hostIndex"][()]))


def _resizable(file: h5py.File) -> None:
    """As astrosylva writes, with all of its columns."""
    halos = file["forestHalos"]
    count = len(halos["nodeIndex"])
    for name in list(halos):
        _replace(halos, name, halos[name][()], maxshape=(None,), chunks=(7,))
    for name in ("halfMassRadius", "spin", "scaleRadius"):
        halos.create_dataset(name, data=np.zeros(count), maxshape=(None,), chunks=(7,))
    for name in ("position", "velocity", "angularMomentum"):
        halos.create_dataset(name, data=np.zeros((count, 3)), maxshape=(None, 3), chunks=(7, 3))
    for name in list(file["forestIndex"]):
        _replace(file["forestIndex"], name, file["forestIndex"][name][()], maxshape=(None,), chunks=(2,))
    file["forestIndex/forestWeight"] = np.ones(len(file["forestIndex/firstNode"]))
    file["units"].attrs.update({"lengthUnitsInSI": 3.08568e22, "lengthHubbleExponent": -1})
    file["units"].attrs["lengthScaleFactorExponent"] = 1
    file.create_group("groupFinder").attrs["groupFinderCode"] = "rockstar"
    file.create_group("simulation").attrs["boxSize"] = 75000.0


def _deleted(*names: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        for name in names:
            del file[name]

    return change


def _lengths_without_unit(file: h5py.File) -> None:
    count = len(file["forestHalos/nodeIndex"])
    file["forestHalos/position"], file["forestHalos/scaleRadius"] = np.ones((count, 3)), np.full(count, 1e9)


def _mass_in(factor: float, h_power: int, a_power: int) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        halos = file["forestHalos"]
        msun = halos["nodeMass"][()] / HUBBLE
        _replace(halos, "nodeMass", msun / (factor * HUBBLE**h_power * halos["expansionFactor"][()] ** a_power))
        file["units"].attrs.update({"massUnitsInSI": 1.98841e30 * factor, "massHubbleExponent": h_power})
        file["units"].attrs["massScaleFactorExponent"] = a_power

    return change


VARIANTS: dict[str, Callable[[h5py.File], None]] = {
    "plain": lambda file: None,
    "version 1": _version_1,
    "scalar region reference beside the old spelling": _region_reference,
    "region references, one for each forest": _only_references,
    "object reference": _object_reference,
    "group of forests": _groups_of_forests,
    "attributes are arrays of one": _arrays_of_one,
    "attributes are text": _text_attributes,
    "attributes in small letters": _other_letters,
    "forests in another order": _reversed_index,
    "forests without halos": _empty_forests,
    "only numbers of halos": _deleted("forestIndex/firstNode", "forestIndex/forestIndex"),
    "only first rows": _deleted("forestIndex/numberOfNodes"),
    "no index": _deleted("forestIndex"),
    "only times": _only_times,
    "only redshifts": _only_redshifts,
    "ids of 32 bits": _ids_as("i4"),
    "ids without sign": _ids_as("u8"),
    "ids as floats": _ids_as("f8"),
    "ids in the other byte order": _ids_as(">i8"),
    "no hosts of centrals": _no_hosts_of_centrals,
    "as astrosylva writes": _resizable,
    "lengths without a unit": _lengths_without_unit,
    "masses in 1e10 Msun": _mass_in(1e10, 0, 0),
    "masses in Msun h^-2 a": _mass_in(1.0, -2, 1),
}
"""Changes of a plain file that leave its meaning as it is."""


def write_variant(path: Path, nodes: Sequence[Node], name: str) -> Path:
    with h5py.File(write_forests(path, nodes), "r+") as file:
        VARIANTS[name](file)
    return path
