"""Satellites of merger trees: the same known ones in every format, and what codes of merger trees get wrong."""

import numpy as np
import pytest

import corundum as co
from corundum import halos as H
from corundum.cosmology import circular_velocity
from corundum.halos.trees.satellites.systems import find_infalls
from corundum.units import KPC_PER_KMS_GYR
from forest_files import KNOWN, Line, forest_of, satellite_rows
from tree_files import COSMOLOGY, FORMATS, SCALES, main_mass, write_consistent_trees

ORDER = ["A", "merges at once", "falls in", "leaves and returns", "falls in before, with a satellite", "is lost", "G",
         "is promoted"]  # fmt: skip
ENTERS = {"merges at once": 18, "falls in": 16, "leaves and returns": 14, "falls in before, with a satellite": 13,
          "is lost": 11}  # fmt: skip
SPEED = np.array([0.9, 0.6, 0.0])  # radial and tangential, over V of the host
DISTANCE = 0.8  # over Rvir


def motion():
    """Where one satellite is, and how fast, when it is first seen as one."""
    scale = SCALES[16]
    mass = main_mass(0, scale)
    radius = float(COSMOLOGY.virial_radius(mass, 1.0 / scale - 1.0))
    speed = float(circular_velocity(mass, radius))
    offset = np.array([DISTANCE * radius, 0.0, 0.0])
    expansion = float(COSMOLOGY.hubble_rate(1.0 / scale - 1.0)) * KPC_PER_KMS_GYR * offset
    return {("falls in", 16): (tuple(offset / scale / 1e3), tuple(SPEED * speed - expansion))}


@pytest.fixture(scope="module")
def rows():
    return satellite_rows(motion=motion())


@pytest.mark.parametrize("name", FORMATS)
def test_known_satellites_have_the_known_hosts_in_every_format(name, tmp_path, rows):
    case = FORMATS[name]
    path = case.write(tmp_path, rows)
    if name == "hlist":
        assert not case.format.every_halo
    halos = H.read_forest(path, format=case.format, smallest_log_mvir=9.0, **case.keywords)
    place = [ORDER.index(line) for line in ("A", "A", "A", "A", "falls in", "A")]
    assert halos.host.tolist() == [-1, *place[1:], -1, -1], dict(halos.provenance)
    ages = np.asarray(halos.cosmology.age(1.0 / SCALES - 1.0))
    infall = [np.sqrt(ages[ENTERS[line] - 1] * ages[ENTERS[line]]) if line in ENTERS else np.inf for line in ORDER]
    np.testing.assert_allclose(halos.satellites.infall, infall, rtol=1e-4)
    mass = np.array([KNOWN[line].mass for line in ORDER])
    over_host = np.where(np.arange(len(ORDER)) == 4, mass / 0.1, mass)  # one fell into a tenth of the mass of A
    satellite = np.isfinite(infall)
    np.testing.assert_allclose(np.asarray(halos.satellites.ratio)[satellite], over_host[satellite], rtol=1e-4)
    # After infall, mass, radius and concentration stay.
    late = np.asarray(halos.time) > 1.3 * np.where(satellite, infall, 0.0)[:, None]
    for curves in (halos.log_mvir, halos.log_rvir, halos.log_concentration):
        assert np.all(np.ptp(np.where(late, curves, np.nan)[satellite][:, -10:], axis=1) < 2e-3)
    provenance = dict(halos.provenance)
    assert provenance["satellites"].startswith("5 followed: 3 to the end by the simulation, 2 that it lost before")
    assert "1 centrals that were inside another halo before" in provenance["trees"]
    known = ~np.isnan(np.asarray(halos.satellites.radius))
    if name in ("Galacticus", "Galacticus version 1"):  # without velocities
        assert not known.any()
        return
    assert known.tolist() == [line == "falls in" for line in ORDER]
    if name == "Millennium":
        return
    radius = DISTANCE * np.exp(0.5 * (np.sum(SPEED**2) - 1.0))
    np.testing.assert_allclose(np.asarray(halos.satellites.radius)[2], radius, rtol=2e-3)
    np.testing.assert_allclose(np.asarray(halos.satellites.circularity)[2], DISTANCE * SPEED[1] / radius, rtol=2e-3)


def test_centrals_are_those_of_main_branches(tmp_path, rows):
    """The same halos, whether their satellites are followed or not."""
    path = write_consistent_trees(tmp_path / "tree_0_0_0.dat", rows)
    forest, alone = H.read_forest(path, smallest_log_mvir=9.0), H.read_trees(path)
    centrals = H.select_centrals(forest)
    assert len(centrals) == len(alone) == 3
    for name in ("time", "log_mvir", "log_concentration", "log_rvir", "start"):
        np.testing.assert_allclose(getattr(centrals, name), getattr(alone, name), rtol=1e-6)


def test_light_satellites_are_left_out_and_theirs_handed_on(tmp_path, rows):
    path = write_consistent_trees(tmp_path / "tree_0_0_0.dat", rows)
    halos = H.read_forest(path, smallest=0.015, smallest_log_mvir=9.0)
    provenance = dict(halos.provenance)
    assert len(halos) == 3 + 5 - 3 and "below the least mass" in provenance["satellites left out"]
    # What fell into a satellite that is too light, or too young, belongs to the halo around it.
    lines = {
        **{name: KNOWN[name] for name in ("A", "falls in before, with a satellite")},
        "falls in": Line(12, 24, 0.1, {15: "A"}),
    }
    path = write_consistent_trees(tmp_path / "tree_1_0_0.dat", satellite_rows(lines))
    halos = H.read_forest(path, smallest_log_mvir=9.0, latent=2)
    assert halos.host.tolist() == [-1, 0] and halos.satellites.latent.shape == (2, 2)
    assert "1 halos of their own in fewer than 4 snapshots" in dict(halos.provenance)["trees"]


@pytest.mark.slow
def test_galaxies_of_a_simulation_are_followed_with_their_satellites(tmp_path, rows):
    from bathtub import with_satellites

    path = write_consistent_trees(tmp_path / "tree_0_0_0.dat", rows)
    halos = H.read_forest(path, smallest_log_mvir=9.0)
    population = co.evolve(with_satellites(), halos, [0.0])
    assert population.status_counts() == {"solved": len(halos)}
    assert np.all(np.asarray(population.at(0.0)["merged"])[[1, 2, 5]] > 0.0)


# ---- what codes of merger trees get wrong


def fallen(lines, **changes):
    """{branch: (host, snapshot of the first halo inside)} of the satellites of a forest, and what was counted."""
    forest, place = forest_of(lines, **changes)
    infalls = find_infalls(forest)
    name_of = {row: name for name, row in place.items()}
    branch = {number: name_of[row][0] for number, row in enumerate(infalls.last)}
    satellites = np.flatnonzero(infalls.host >= 0)
    fell_in = {branch[b]: (branch[infalls.host[b]], name_of[infalls.after[b]][1]) for b in satellites}
    return fell_in, {reason: count for reason, count in infalls.counts.items() if count}


def test_a_subhalo_that_is_the_most_massive_progenitor_is_not_the_main_one():
    """Without a preferred progenitor the heaviest one is taken, and of a simulation of groups subhalos have no mass."""
    lines = {"A": Line(0, 24, 1.0), "B": Line(4, 14, 3.0, {12: "A"}, into="A")}
    forest, place = forest_of(lines, by_mass=True)
    heavy = forest.mass.copy()
    heavy[[place["B", 12], place["B", 13], place["B", 14]]] = np.nan
    assert fallen(lines, by_mass=True, mass=heavy)[0] == {"B": ("A", 12)}
    # Where it has a mass and nothing is preferred, the branch goes on through it, and the old A merges with it.
    satellites, counts = fallen(lines, by_mass=True)
    assert satellites == {"A": ("A", 15)} and counts["centrals that were inside another halo before"] == 1


def test_without_a_primary_progenitor_the_most_massive_one_goes_on():
    lines = {"A": Line(0, 24, 1.0), "B": Line(4, 17, 0.2, {12: "A"}, into="A"), "C": Line(4, 24, 0.1, {20: "A"})}
    forest, place = forest_of(lines)
    preferred = forest.preferred.copy()
    preferred[[place["A", 17], place["C", 9]]] = False
    expected = {"B": ("A", 12), "C": ("A", 20)}
    assert fallen(lines, preferred=preferred) == fallen(lines) and fallen(lines)[0] == expected


def test_a_central_and_its_satellite_that_change_places_for_a_while_keep_their_roles():
    lines = {"A": Line(0, 24, 1.0, {18: "B", 20: None}), "B": Line(4, 24, 0.2, {14: "A", 18: None, 20: "A"})}
    satellites, counts = fallen(lines)
    assert satellites == {"B": ("A", 14)} and counts == {"centrals that were inside another halo before": 1}


def test_satellites_that_fall_into_each_other_both_reach_the_centre():
    lines = {
        "A": Line(0, 24, 1.0),
        "B": Line(2, 24, 0.3, {16: "C", 20: "A"}),
        "C": Line(2, 24, 0.2, {12: "B", 16: None, 20: "A"}),
    }
    satellites, counts = fallen(lines)
    assert satellites == {"C": ("B", 12), "B": ("A", 16)}
    assert counts == {"satellites that changed places with their host": 1}


def test_a_promoted_satellite_is_a_central_and_its_old_host_may_fall_into_it():
    lines = {"A": Line(0, 15, 0.5, into="B"), "B": Line(2, 24, 1.0, {8: "A", 11: None})}
    satellites, counts = fallen(lines)
    assert satellites == {"A": ("B", 16)} and counts == {"centrals that were inside another halo before": 1}


def test_a_flyby_belongs_to_where_it_ends():
    lines = {
        "A": Line(0, 24, 1.0),
        "B": Line(0, 24, 1.0, tree=1),
        "C": Line(2, 24, 0.1, {8: "A", 10: None, 15: "B"}, tree=1),
        "D": Line(2, 24, 0.1, {8: "A", 10: None, 15: "A"}),
    }
    satellites, counts = fallen(lines)
    assert satellites == {"C": ("B", 15), "D": ("A", 8)}
    assert counts == {"satellites that passed through another halo before": 1}


def test_halos_that_lie_in_each_other_are_sorted_by_mass():
    lines = {"A": Line(0, 24, 1.0, {24: "B"}), "B": Line(2, 24, 0.3, {20: "A"}), "C": Line(2, 24, 0.1, {22: "B"})}
    satellites, counts = fallen(lines)
    assert satellites == {"B": ("A", 20), "C": ("B", 22)}
    assert counts == {"loops of halos that lie in each other": 1}


def test_hosts_that_are_not_there_are_counted():
    lines = {"A": Line(0, 24, 1.0), "B": Line(2, 24, 0.3, {20: "A"}), "C": Line(2, 24, 0.1, {15: "A"})}
    forest, place = forest_of(lines)
    host = forest.host.copy()
    host[[place["C", snapshot] for snapshot in range(15, 25)]] = -1
    host[place["B", 22]] = place["A", 3]  # of another time
    satellites, counts = fallen(lines, host=host)
    assert satellites == {"B": ("A", 20)} and counts == {"subhalos whose host is not there": 11}
    with pytest.raises(ValueError, match="does not say which halo each subhalo lies in"):
        fallen(lines, host=None)


def test_links_in_a_loop_are_refused():
    lines = {"A": Line(0, 24, 1.0)}
    forest, place = forest_of(lines)
    descendant = forest.descendant.copy()
    descendant[place["A", 20]] = place["A", 3]
    with pytest.raises(ValueError, match="do not form a tree"):
        find_infalls(forest._replace(descendant=descendant))


def test_a_file_without_what_satellites_need_is_refused_in_one_sentence(tmp_path, rows):
    path = write_consistent_trees(tmp_path / "tree_0_0_0.dat", rows)
    with pytest.raises(ValueError, match="tree_0_0_0.dat, 1 file: no central halo is left .*widen the mass range"):
        H.read_forest(path, log_mvir=(14.0, 15.0))
