"""Histories with satellites: hosts, levels, whole trees, files, and what cannot be."""

import dataclasses

import jax
import numpy as np
import pytest

import corundum as co
from corundum import halos as H
from corundum.halos.satellites.links import levels_and_roots
from synthetic import histories

HOST = [-1, 0, 1, -1, 3, 0]
INFALL = [np.inf, 6.0, 4.0, np.inf, 8.0, 3.0]
RATIO = [np.nan, 0.1, 0.2, np.nan, 0.3, 0.05]


def trees(**changes):
    satellites = {name: changes.pop(name) for name in ("infall", "ratio", "latent") if name in changes}
    plain = dataclasses.replace(histories(6), start=np.full(6, 1.0))
    record = H.Satellites(**{"infall": INFALL, "ratio": RATIO} | satellites)
    return dataclasses.replace(plain, **{"host": HOST, "satellites": record} | changes)


def test_levels_and_roots():
    level, root = levels_and_roots(np.array(HOST))
    assert level.tolist() == [0, 1, 2, 0, 1, 1] and root.tolist() == [0, 0, 0, 3, 3, 0]


def test_whole_trees_are_chosen_and_hosts_renumbered():
    latent = np.random.default_rng(0).normal(size=(6, 2))
    halos = trees(latent=latent)
    second = H.select_trees(halos, 1)
    assert second.host.tolist() == [-1, 0]
    np.testing.assert_array_equal(second.satellites.latent, latent[[3, 4]])
    assert H.select_trees(halos, [True, False]).host.tolist() == [-1, 0, 1, 0]
    assert halos[[4, 3]].host.tolist() == [1, -1]
    joined = H.concatenate([second, halos])
    assert joined.host.tolist() == [-1, 0, -1, 2, 3, -1, 5, 2]
    np.testing.assert_array_equal(joined.satellites.infall[2:], INFALL)
    for rows in ([0], [1, 2], slice(1, None), np.arange(6) < 4, 5, [3, 4, 3, 4]):
        with pytest.raises(ValueError, match="choose whole trees with halos.select_trees|chosen twice"):
            halos[rows]
    traced = jax.jit(lambda halos: halos[np.array([4, 3])].host)(halos)
    assert traced.tolist() == [1, -1]


def test_satellites_come_back_from_files(tmp_path):
    for latent in (None, np.ones((6, 3))):
        halos = trees(latent=latent)
        H.save(tmp_path / "trees.h5", halos)
        back = H.read(tmp_path / "trees.h5")
        assert jax.tree.structure(back) == jax.tree.structure(halos)
        jax.tree.map(np.testing.assert_array_equal, back.satellites, halos.satellites)
        assert back.host.tolist() == HOST


def test_satellites_weigh_what_their_root_does():
    weights = np.asarray(H.abundance_weights(trees()).weights)
    roots = H.abundance_weights(histories(6)[[0, 3]])
    np.testing.assert_array_equal(weights, np.asarray(roots.weights)[[0, 0, 0, 1, 1, 0]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(host=[-1, 0, 1, -1, 3, 17]), "halo 5 has the host 17; allowed the row of another halo, 0 to 5"),
        (dict(host=[4, 0, 1, -1, 2, 0]), r"go round in a circle \(0 -> 4 -> 2 -> 1 -> 0\)|go round in a circle"),
        (dict(host=None), "satellites: got them without host"),
        (dict(host=[-1, -1, 1, -1, 3, 0]), "halo 1 has the host -1 and falls in at 6 Gyr"),
        (dict(infall=[np.inf, 6.0, 4.0, np.inf, np.inf, 3.0]), "halo 4 has the host 3 and falls in at inf Gyr"),
        (dict(end=[13.0, 5.0, 13.0, 13.0, 13.0, 13.0]), "halo 1 falls in at 6 Gyr, and is there from 1 to 5 Gyr"),
        (dict(start=[1.0, 1.0, 4.5, 1.0, 1.0, 1.0]), "halo 2 falls in at 4 Gyr, and is there from 4.5"),
        (dict(start=[3.5, 1.0, 1.0, 1.0, 1.0, 1.0]), "halo 5 falls in at 3 Gyr, before its host 0 starts"),
        (dict(ratio=[np.nan, 0.1, -0.2, np.nan, 0.3, 0.05]), "halo 2 has the mass ratio -0.2"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(changes, message):
    with pytest.raises(ValueError, match=message):
        trees(**changes)


def test_a_record_of_another_length_is_refused():
    with pytest.raises(ValueError, match="satellites: got 2 rows; expected one per halo, 6"):
        trees(infall=INFALL[:2], ratio=RATIO[:2])
    with pytest.raises(ValueError, match="Satellites: ratio has shape"):
        H.Satellites(INFALL, RATIO[:2])
    with pytest.raises(ValueError, match="select_trees: these halos have no satellites"):
        H.select_trees(histories(3), 0)
    assert co.halos.Satellites(INFALL, RATIO)[np.array([1, 2])].infall.tolist() == [6.0, 4.0]
