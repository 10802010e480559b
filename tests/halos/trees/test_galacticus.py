"""Galacticus files in the layouts of public codes: the same forests give the same branches, every halo is in one
forest, and subhalos are added where masses leave them out."""

import h5py
import numpy as np
import pytest

from corundum import halos as H
from corundum.cosmology import Cosmology
from corundum.halos.trees.forests import main_branches
from galacticus_files import (
    HUBBLE,
    OMEGA_M,
    VARIANTS,
    Node,
    growing_forests,
    read_independently,
    write_forests,
    write_variant,
)

NODES = growing_forests()
COSMOLOGY = Cosmology(h=HUBBLE, omega_m=OMEGA_M)


def check(path, nodes=NODES, masses=None, **keywords):
    """Compare the branches of a file with an independent read; returns them."""
    branches = H.read_branches(path, **keywords)
    right = read_independently(nodes, masses)
    assert {branch.name for branch in branches.branches} == {str(name) for name in right}
    for branch in branches.branches:
        scale, mass = right[int(branch.name)]
        np.testing.assert_allclose(branch.time, np.asarray(COSMOLOGY.age(1.0 / np.array(scale) - 1.0)), rtol=1e-9)
        np.testing.assert_allclose(10.0**branch.log_mvir, np.array(mass) / HUBBLE, rtol=1e-5)
    left_out = sum(branches.counts[reason] for reason in ("that end in a satellite", "outside the range of mass"))
    assert branches.counts["trees"] == sum(node.descendant < 0 for node in nodes) == len(right) + left_out
    return branches


@pytest.mark.parametrize("chunk", [1, 10**6])
@pytest.mark.parametrize("name", VARIANTS)
def test_every_layout_gives_the_same_branches(name, chunk, tmp_path):
    check(write_variant(tmp_path / "forests.hdf5", NODES, name), chunk=chunk)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_layout_is_recognised(name, tmp_path):
    path = write_variant(tmp_path / "forests.hdf5", NODES, name)
    assert isinstance(H.read(path), H.HaloHistories)


def test_times_are_those_of_the_file(tmp_path):
    path = write_variant(tmp_path / "forests.hdf5", NODES, "only times")
    with h5py.File(path) as file:
        last = np.max(file["forestHalos/time"]) / HUBBLE * 1e-3
    assert float(H.read(path).time[-1]) == pytest.approx(last, rel=1e-10)


def test_the_provenance_says_what_the_file_leaves_open(tmp_path):
    for name, words in (
        ("lengths without a unit", "scaleRadius and position not used, as no unit of length is stated"),
        ("masses in 1e10 Msun", "mass = nodeMass [1e+10 Msun]"),
    ):
        path = write_variant(tmp_path / "forests.hdf5", NODES, name)
        assert words in H.read_branches(path).provenance["columns"]
    with h5py.File(path, "r+") as file:
        del file["forestHalos"].attrs["haloMassesIncludeSubhalos"]
    assert "taken to include their subhalos" in H.read_branches(path).provenance["columns"]


NESTED = [
    Node(0, 1, -1, 1, 1e12, 1.0), Node(0, 2, -1, 1, 1e11, 1.0), Node(0, 3, -1, 2, 1e10, 1.0),
    Node(0, 4, -1, 3, 1e9, 1.0),
    Node(0, 11, 1, 11, 5e11, 0.5), Node(0, 12, 2, 12, 9e10, 0.5), Node(0, 13, 3, 12, 8e9, 0.5),
    Node(0, 14, 4, 14, 7e9, 0.5),
]  # fmt: skip
"""A halo with a subhalo, which has one itself, and so on."""


@pytest.mark.parametrize("order", [1, -1])
def test_masses_of_subhalos_are_added_at_every_level(order, tmp_path):
    nodes = NESTED[::order]
    path = write_forests(tmp_path / "forests.hdf5", nodes, haloMassesIncludeSubhalos=0)
    branches = check(path, nodes, {(0, 1): 1.111e12, (0, 2): 1.11e11, (0, 3): 1.1e10, (0, 12): 9.8e10})
    assert "masses of subhalos added to those of their hosts" in branches.provenance["columns"]
    with h5py.File(path, "r+") as file:
        file["forestHalos"].attrs["haloMassesIncludeSubhalos"] = 1
    check(path, nodes)


def test_subhalos_without_a_mass_add_nothing(tmp_path):
    nodes = [*NESTED[:3], NESTED[3]._replace(mass=0.0), *NESTED[4:]]
    path = write_forests(tmp_path / "forests.hdf5", nodes, haloMassesIncludeSubhalos=0)
    check(path, nodes, {(0, 1): 1.11e12, (0, 2): 1.1e11, (0, 12): 9.8e10})


def test_files_may_have_no_hosts(tmp_path):
    nodes = [node._replace(host=node.id) for node in NESTED]
    path = write_forests(tmp_path / "forests.hdf5", nodes, haloMassesIncludeSubhalos=0, treesHaveSubhalos=0)
    with h5py.File(path, "r+") as file:
        del file["forestHalos/hostIndex"]
    columns = check(path, nodes).provenance["columns"]
    assert "masses without those of subhalos, which the file does not have" in columns
    assert "no hostIndex, so that all halos are centrals" in columns


@pytest.mark.parametrize("chunk", [1, 10**6])
def test_ids_may_repeat_in_other_forests(chunk, tmp_path):
    nodes = [
        Node(0, 1, -1, 1, 1e12, 1.0), Node(0, 2, 1, 2, 4e11, 0.5), Node(0, 3, 2, 3, 1e11, 0.25),
        Node(1, 3, -1, 3, 2e12, 1.0), Node(1, 1, 3, 1, 9e11, 0.5), Node(1, 2, 1, 2, 3e11, 0.25),
        Node(1, 7, -1, 3, 1e10, 1.0),
    ]  # fmt: skip
    path = write_forests(tmp_path / "forests.hdf5", nodes, haloMassesIncludeSubhalos=0)
    check(path, nodes, {(1, 3): 2.01e12}, chunk=chunk)
    with h5py.File(path, "r+") as file:
        file["forestHalos/descendantIndex"][2] = 7  # which is in the other forest
    words = "descendant 7 is not in the tree of its halo" if chunk > 1 else "descendant 7 is not in the file"
    with pytest.raises(ValueError, match=rf"forests.hdf5 \(forests 0 to .\): {words}"):
        H.read_branches(path, chunk=chunk)
    with h5py.File(path, "r+") as file:
        file["forestHalos/nodeIndex"][1] = 3
    with pytest.raises(ValueError, match="halo 3 appears twice; every halo"):
        H.read_branches(path, chunk=chunk)


def test_halos_may_move_to_another_forest(tmp_path):
    nodes = [
        Node(0, 1, -1, 1, 1e12, 1.0), Node(0, 2, 1, 2, 4e11, 0.5),
        Node(1, 3, -1, 3, 2e12, 1.0), Node(1, 4, 1, 4, 3e11, 0.5), Node(1, 5, 3, 2, 3e11, 0.5),
    ]  # fmt: skip
    path = write_forests(tmp_path / "forests.hdf5", nodes, forestsAreSelfContained=0)
    branches = H.read_branches(path, chunk=1)
    assert {branch.name: len(branch.time) for branch in branches.branches} == {"1": 2, "3": 2}
    (first,) = (branch for branch in branches.branches if branch.name == "1")
    np.testing.assert_allclose(first.mergers[1], [0.75])
    write_forests(path, nodes, forestsAreSelfContained=1)
    assert len(H.read_branches(path).branches) == 2  # no two halos share an id, and all are read together
    with pytest.raises(ValueError, match="descendant 1 is not in the file .* forestsAreSelfContained must be 0"):
        H.read_branches(path, chunk=1)


def test_ties_of_mass_go_to_centrals_and_then_to_larger_ids(tmp_path):
    """The cases of the test of ties in the public suite of Galacticus, with its layout."""
    cases = {
        12: [
            (10, 20, 10, 1.00e12, 1.0), (11, 21, 10, 5.00e10, 1.0), (12, 21, 10, 5.00e10, 1.0),
            (20, 30, 20, 1.05e12, 0.5), (21, 31, 21, 5.50e10, 0.5), (30, -1, 30, 1.10e12, 0.0),
            (31, -1, 31, 6.00e10, 0.0),
        ],
        42: [
            (40, 50, 40, 1.00e12, 1.0), (42, 51, 42, 5.00e10, 1.0), (41, 51, 40, 5.00e10, 1.0),
            (50, 60, 50, 1.05e12, 0.5), (51, 61, 51, 6.00e10, 0.5), (60, -1, 60, 1.10e12, 0.0),
            (61, -1, 61, 6.50e10, 0.0),
        ],
    }  # fmt: skip
    for main, rows in cases.items():
        for order in (1, -1):
            nodes = [Node(1, *row[:3], row[3] * HUBBLE, 1.0 / (1.0 + row[4])) for row in rows[::order]]
            path = write_forests(tmp_path / "forests.hdf5", nodes, haloMassesIncludeSubhalos=0)
            (forest,) = H.GalacticusForests().forests(path, HUBBLE, 100)
            progenitors = main_branches(forest)
            assert main in forest.name[progenitors.row]
            added = sum(row[3] for row in rows if row[2] != row[0]) * HUBBLE
            host = next(row for row in rows if row[4] == 1.0 and row[0] in (10, 40))
            check(path, nodes, {(1, host[0]): host[3] * HUBBLE + added})


def _written(name, values):
    return lambda file: file[f"forestHalos/{name}" if name in file["forestHalos"] else name].write_direct(
        np.asarray(values)
    )


def _attribute(group, name, value):
    return lambda file: file[group].attrs.__setitem__(name, value)


def _both_replaced(name, values):
    def change(file):
        del file[name]
        file[name] = values

    return change


DAMAGED = {
    "two forests in one place": (
        _written("forestIndex/firstNode", [0, 0, 27]), "forest 1 begins in row 0; every halo must be in one forest",
    ),
    "rows counted from 1": (
        _written("forestIndex/firstNode", [1, 10, 28]), "forest 0 begins in row 1; .* are counted from 0",
    ),
    "halos of no forest": (
        _written("forestIndex/numberOfNodes", [9, 18, 10]), "/forestIndex lists 37 halos where /forestHalos has 42",
    ),
    "fewer numbers than forests": (
        _both_replaced("forestIndex/numberOfNodes", [9, 33]), "has 3 first rows and 2 numbers of halos",
    ),
    "a group in the index": (
        lambda file: (file["forestIndex"].__delitem__("firstNode"), file["forestIndex"].create_group("firstNode")),
        "firstNode of the forests are not whole numbers",
    ),
    "text in the index": (_both_replaced("forestIndex/firstNode", [b"a"] * 3), "firstNode .* are not whole numbers"),
    "later version": (_attribute("/", "formatVersion", 3), r"is in version 3 of the Galacticus format .formatVersion."),
    "flag": (_attribute("forestHalos", "haloMassesIncludeSubhalos", 2), "is 2; allowed 0 for no, 1 for yes"),
    "text for a number": (_attribute("cosmology", "HubbleParam", "low"), "does not state h, on which its masses"),
    "two numbers": (_attribute("units", "massUnitsInSI", [1.0, 2.0]), "massUnitsInSI is '1.0 2.0', which is not one"),
    "negative unit": (_attribute("units", "massUnitsInSI", -1.0), "unit of mass; it must be a positive number"),
    "no times": (_both_replaced("forestHalos/expansionFactor", 1.0), "expansionFactor is no column of numbers"),
    "text ids": (_both_replaced("forestHalos/nodeIndex", [b"a"] * 42), "nodeIndex is no column of numbers"),
    "fractions as ids": (_both_replaced("forestHalos/nodeIndex", np.arange(42) + 0.5), "nodeIndex has 0.5"),
    "positions in one dimension": (
        lambda file: (
            file.__setitem__("forestHalos/position", np.ones(42)), file["units"].attrs.update({"lengthUnitsInSI": 1e22})
        ),
        r"forestHalos/position has the shape \(42,\), not 3 numbers a halo",
    ),
    "subhalos without hosts": (
        lambda file: file["forestHalos"].__delitem__("hostIndex"), "has subhalos .* but no dataset hostIndex",
    ),
    "a halo that becomes itself": (
        _written("descendantIndex", [1008] * 42), "becomes halo 1008 at 1, which is not later",
    ),
    "reference to nothing": (
        lambda file: (
            file["forestHalos"].__delitem__("nodeMass"),
            file["forestHalos"].create_dataset("nodeMass", (), h5py.regionref_dtype),
        ),
        "nodeMass is a reference that leads nowhere",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_files_that_cannot_be_right_are_refused_in_one_sentence(name, tmp_path):
    damage, words = DAMAGED[name]
    path = write_forests(tmp_path / "forests.hdf5", NODES)
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(ValueError, match=words) as caught:
        H.read_branches(path, format=H.GalacticusForests())
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


HOSTS = {
    "missing": ({2508: 9}, "host 9 is not in the file"),
    "of another time": (
        {2508: 2007},
        "halo 2508 at scale factor 1 has the host 2007 at .*; hosts must be",
    ),
    "in each other": ({2008: 2508, 2508: 2008}, "and its hosts lie in each other"),
}


@pytest.mark.parametrize("name", HOSTS)
def test_hosts_must_be_halos_where_masses_are_added(name, tmp_path):
    hosts, words = HOSTS[name]
    nodes = [node._replace(host=hosts.get(node.id, node.host)) for node in NODES]
    path = write_forests(tmp_path / "forests.hdf5", nodes, haloMassesIncludeSubhalos=0)
    with pytest.raises(ValueError, match=words):
        H.read_branches(path)


def test_a_box_counts_where_positions_are_said_to_be_periodic(tmp_path):
    path = write_variant(tmp_path / "forests.hdf5", NODES, "as astrosylva writes")
    assert H.GalacticusForests().simulation(path).box is None
    with h5py.File(path, "r+") as file:
        file["forestHalos"].attrs["positionsArePeriodic"] = 1
        file["simulation"].attrs["boxSize"] = 70.0
    assert H.GalacticusForests().simulation(path).box == pytest.approx(100.0, rel=1e-5)


def test_files_of_results_beside_trees_are_passed_over(tmp_path):
    write_forests(tmp_path / "trees_0.hdf5", NODES)
    with h5py.File(tmp_path / "trees_0_results.hdf5", "w") as file:
        file.create_group("Outputs")
    assert len(H.read_branches(tmp_path).branches) == 3
    (tmp_path / "trees_1.hdf5").write_bytes((tmp_path / "trees_0.hdf5").read_bytes()[:3000])
    with pytest.raises(ValueError, match="trees_1.hdf5"):
        H.read_branches(tmp_path)


def test_times_need_a_unit_and_a_cosmology(tmp_path):
    path = write_variant(tmp_path / "forests.hdf5", NODES, "only times")
    with h5py.File(path, "r+") as file:
        file["forestHalos/time"][3] = 1e20
    with pytest.raises(ValueError, match=r"times of halos run from .* to 1.42857e.17 Gyr, but must be .* 13.46 Gyr"):
        H.read_branches(path)
    with h5py.File(path, "r+") as file:
        del file["units"].attrs["timeUnitsInSI"]
    with pytest.raises(ValueError, match="has times of halos but no timeUnitsInSI of /units"):
        H.read_branches(path)
    with h5py.File(path, "r+") as file:
        del file["cosmology"].attrs["OmegaMatter"]
    with pytest.raises(ValueError, match="has times of halos but no OmegaMatter"):
        H.read_branches(path, cosmology=COSMOLOGY)
