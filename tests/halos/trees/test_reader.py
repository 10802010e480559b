"""Reading merger trees: chunks, several files, ranges of mass, cosmologies and mass definitions."""

import h5py
import numpy as np
import pytest

import corundum as co
from corundum import halos as H
from corundum.cosmology import Cosmology, planck18
from tree_files import (
    FORMATS,
    SCALES,
    known_forest,
    read_case,
    replaced,
    write_consistent_trees,
    write_galacticus,
    write_lhalotree,
    write_millennium,
    write_sublink,
)

ROWS = known_forest()


def test_small_chunks_and_many_files_give_the_same_branches(tmp_path):
    for part in range(2):
        rows = known_forest()
        write_consistent_trees(tmp_path / f"tree_0_0_{part}.dat", rows)
    whole = H.read_branches(tmp_path)
    small = H.read_branches(tmp_path, chunk=1)
    assert len(whole.branches) == len(small.branches) == 8
    for one, other in zip(whole.branches, small.branches, strict=True):
        np.testing.assert_array_equal(one.log_mvir, other.log_mvir)
        np.testing.assert_array_equal(one.mergers, other.mergers)
    for name in ("SubLink", "LHaloTree"):
        case = FORMATS[name]
        path = case.write(tmp_path, ROWS)
        chunks = (1, 10**6)
        few, all_at_once = (
            H.read_branches(path, format=case.format, chunk=n, **case.keywords).branches for n in chunks
        )
        assert [branch.name for branch in few] == [branch.name for branch in all_at_once]
        for one, other in zip(few, all_at_once, strict=True):
            np.testing.assert_array_equal(one.log_mvir, other.log_mvir)


def test_files_are_read_in_parallel(tmp_path):
    for part in range(2):
        write_consistent_trees(tmp_path / f"tree_0_0_{part}.dat", ROWS)
    done = []
    branches = H.read_branches(tmp_path, workers=2, progress=lambda now, total: done.append((now, total)))
    assert len(branches.branches) == 8 and done == [(1, 2), (2, 2)]
    for branch, other in zip(branches.branches, H.read_branches(tmp_path).branches, strict=True):
        np.testing.assert_array_equal(branch.time, other.time)
        np.testing.assert_array_equal(branch.log_mvir, other.log_mvir)


def test_a_range_of_masses_keeps_only_its_halos(tmp_path):
    path = write_consistent_trees(tmp_path / "tree_0.dat", ROWS)
    halos = co.halos.read(path, log_mvir=(11.5, 12.5))
    np.testing.assert_allclose(halos.log_mvir[:, -1], [12.0, 11.7], atol=1e-6)
    assert "2 outside the range of mass" in dict(halos.provenance)["trees"]
    with pytest.raises(ValueError, match="tree_0.dat.*no central halo is left .*widen the mass range"):
        co.halos.read(path, log_mvir=(14.0, 15.0))


def test_the_cosmology_is_that_of_the_files(tmp_path):
    path = write_consistent_trees(tmp_path / "tree_0.dat", ROWS)
    halos = co.halos.read(path)
    assert (float(halos.cosmology.h), float(halos.cosmology.omega_m)) == (0.7, 0.3)
    with pytest.raises(ValueError, match="cosmology: has h = 0.6766 but .*tree_0.dat states 0.7"):
        co.halos.read(path, cosmology=planck18())
    bare = write_lhalotree(tmp_path / "trees_024.0", ROWS)
    with pytest.raises(ValueError, match="trees_024.0: does not state h or omega_m, .*; give cosmology="):
        co.halos.read(bare, format=H.LHaloTree(scale_factors=SCALES.tolist()))


def test_masses_in_other_definitions_are_converted(tmp_path):
    path = write_consistent_trees(tmp_path / "tree_0.dat", ROWS)
    as_virial, as_200c = (co.halos.read(path, format=H.ConsistentTrees(definition=d)) for d in ("vir", "200c"))
    assert np.all(np.asarray(as_200c.log_mvir[:, -1] - as_virial.log_mvir[:, -1]) > 0.05)
    assert "200c, converted" in dict(as_200c.provenance)["mass definition"]


def test_simulations_are_not_mixed(tmp_path):
    write_consistent_trees(tmp_path / "tree_0_0_0.dat", ROWS)
    other = write_consistent_trees(tmp_path / "tree_0_0_1.dat", ROWS)
    replaced("h0 = 0.7", "h0 = 0.6")(other)
    with pytest.raises(ValueError, match="tree_0_0_1.dat: states h = 0.6.* different simulations"):
        co.halos.read(tmp_path)


def test_halos_that_cannot_be_are_refused_with_the_name_of_their_source(tmp_path):
    path = write_galacticus(tmp_path / "light.hdf5", ROWS)
    with h5py.File(path, "r+") as file:
        file["forestHalos/nodeMass"][...] *= 1e-8
        del file["forestHalos/scaleRadius"]
    branches = H.read_branches(path)
    with pytest.raises(ValueError, match=r"^GalacticusForests light.hdf5, 1 file: .*halos end at typically 3\.\d+"):
        H.smooth_trees(branches)
    with pytest.raises(
        ValueError, match=r"^GalacticusForests light.hdf5, 1 file: halo 1000 loses mass.*no halo is left"
    ):
        falling = [branch._replace(log_mvir=branch.log_mvir[::-1]) for branch in branches.branches]
        H.smooth_trees(branches._replace(branches=falling), mass_loss=H.RefuseMassLoss(), repairs=())


def test_zero_centrals(tmp_path):
    path = write_sublink(tmp_path / "tree_extended.0.hdf5", ROWS)
    with h5py.File(path, "r+") as file:
        file["FirstSubhaloInFOFGroupID"][...] = np.roll(file["SubhaloID"], 1)
    with pytest.raises(ValueError, match="no central halo is left .*satellite"):
        read_case(path, FORMATS["SubLink"])


@pytest.mark.parametrize(
    ("given", "omega_b", "words"),
    [
        (None, 0.04, "h = 0.7, omega_m = 0.3, omega_b = 0.04 as the files state"),
        (Cosmology(h=0.7, omega_m=0.3, omega_b=0.05), 0.05, "as given, with omega_b = 0.05 where the files state 0.04"),
        (Cosmology(h=0.7, omega_m=0.3, omega_b=0.04), 0.04, "as given"),
    ],
)
def test_baryon_density_is_that_of_the_files_unless_another_is_given(given, omega_b, words, tmp_path):
    path = write_galacticus(tmp_path / "t.hdf5", ROWS, cosmology={"OmegaBaryon": 0.04})
    branches = H.read_branches(path, cosmology=given)
    assert float(branches.cosmology.omega_b) == omega_b
    assert branches.provenance["cosmology"] == words


def test_files_with_different_baryon_densities_are_different_simulations(tmp_path):
    for name, value in (("a.hdf5", 0.04), ("b.hdf5", 0.05)):
        write_galacticus(tmp_path / name, ROWS, cosmology={"OmegaBaryon": value})
    with pytest.raises(ValueError, match=r"b.hdf5: states h = 0.7, omega_m = 0.3, omega_b = 0.05 .* different sim"):
        H.read_branches(tmp_path)


def test_density_of_baryons_of_simulations_without_baryons_is_none_that_is_stated(tmp_path):
    path = write_galacticus(tmp_path / "t.hdf5", ROWS, cosmology={"OmegaBaryon": 0.0})
    assert H.read_branches(path).provenance["cosmology"].endswith("omega_b = 0.0486 assumed")


def test_millennium_has_its_own_baryon_density(tmp_path):
    branches = H.read_branches(write_millennium(tmp_path / "query.csv", ROWS))
    assert float(branches.cosmology.omega_b) == 0.045  # Springel et al. 2005, Nature 435, 629
