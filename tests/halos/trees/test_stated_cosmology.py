"""Cosmology in the headers of tree files: only words that mean a parameter state it, and none is taken by default."""

import h5py
import pytest

import corundum as co
from corundum import halos as H
from corundum.halos.trees.stated_cosmology import cosmology_in_attributes, cosmology_in_text
from tree_files import FORMATS, SCALES, known_forest, read_case, replaced, write_consistent_trees, write_millennium

ROWS = known_forest()
STATED = {
    "Omega_M = 0.27; Omega_L = 0.73; h0 = 0.70": (0.7, 0.27),  # Consistent-Trees
    "Om = 0.3089; Ol = 0.6911; h = 0.6774": (0.6774, 0.3089),  # Rockstar
    "H0 = 67.74 km/s/Mpc, Omega_m = 0.3089": (0.6774, 0.3089),
    "Hubble: 70.0\nOmega0: 0.3": (0.7, 0.3),
    "FOF linking length = 0.28; growth = 0.55; Om = 0.3; h = 0.7": (0.7, 0.3),
    "smoothing length h = 5 kpc\nOmega_M = 0.3; h0 = 0.7": (0.7, 0.3),
    "linking length = 0.28\nOmega_M = 0.3": (None, 0.3),
    "z_h = 0.7; half-h = 0.6; Omega_M = 0.3": (None, 0.3),
}


@pytest.mark.parametrize("text", STATED)
def test_words_that_mean_a_parameter(text):
    stated = cosmology_in_text(text)
    assert (stated.h, stated.omega_m) == STATED[text] and not stated.unclear and not stated.departure


def test_attributes_are_read_like_words():
    attributes = {"HubbleParam": [0.7], "Omega0": b"0.3", "OmegaBaryon": 0.04, "BoxSize": 75000.0, "N_eff": 3.2}
    assert cosmology_in_attributes(attributes)[:4] == (0.7, 0.3, 0.04, 3.2)
    assert cosmology_in_attributes({"OmegaBaryon": 0.0}).omega_b is None  # a simulation of dark matter


UNCLEAR = {
    "h0 = 5": "states h = 5; allowed 0.3 to 1.2",
    "h0 = 0": "states h = 0; allowed",
    "h0 = nan": "states h = nan; allowed",
    "h0 = 0.7; H0 = 65": "states h = 0.7 and 0.65",
    "h0 = 0.7; Om = 30": "states Omega_m = 30; allowed",
    "linking length = 0.28": "does not state h, on which its masses .in Msun/h. and times depend",
}


@pytest.mark.parametrize("words", UNCLEAR)
def test_what_is_unclear_is_asked_for(words, tmp_path):
    path = write_consistent_trees(tmp_path / "tree_0_0_0.dat", ROWS)
    replaced("h0 = 0.7", words)(path)
    if "Om" in words:
        replaced("Omega_M = 0.3; ", "")(path)
    with pytest.raises(ValueError, match=f"tree_0_0_0.dat: {UNCLEAR[words]}.*; give cosmology="):
        co.halos.read(path)
    halos = co.halos.read(path, cosmology=co.cosmology.Cosmology(h=0.7, omega_m=0.3))
    assert float(halos.cosmology.h) == 0.7 and abs(float(halos.log_mvir[0, -1]) - 12.0) < 1e-5


DEPARTURES = {
    ("Omega_L = 0.7", "Omega_L = 0.6"): "states Omega_m . Omega_lambda = 0.9, so that it is not flat",
    ("h0 = 0.7", "h0 = 0.7; Omega_k = -0.1"): "states Omega_k = -0.1",
    ("h0 = 0.7", "h0 = 0.7; w0 = -0.8"): "states dark energy with w0 = -0.8",
    ("h0 = 0.7", "h0 = 0.7; wa = 0.2"): "states dark energy with wa = 0.2",
    ("h0 = 0.7", "h0 = 0.7; m_nu = 0.3"): "states massive neutrinos",
}


@pytest.mark.parametrize("change", DEPARTURES)
def test_other_universes_are_taken_as_flat_and_said(change, tmp_path):
    path = write_consistent_trees(tmp_path / "tree_0_0_0.dat", ROWS)
    replaced(*change)(path)
    with pytest.warns(UserWarning, match=f"{DEPARTURES[change]}.*taken as flat LCDM with h = 0.7 and omega_m = 0.3"):
        halos = co.halos.read(path)
    assert "taken as flat LCDM although the file states" in dict(halos.provenance)["cosmology"]


def test_the_number_of_neutrinos_is_used(tmp_path):
    path = write_consistent_trees(tmp_path / "tree_0_0_0.dat", ROWS)
    replaced("h0 = 0.7", "h0 = 0.7; N_eff = 2.0; w = -1")(path)
    assert float(co.halos.read(path).cosmology.n_eff) == 2.0


@pytest.mark.parametrize("name", ["LHaloTree", "LHaloTree HDF5", "SubLink"])
def test_masses_over_h_are_not_read_with_a_default(name, tmp_path):
    case = FORMATS[name]
    path = case.write(tmp_path, ROWS)
    with pytest.raises(ValueError, match=f"{path.name}: does not state h or omega_m, .*; give cosmology="):
        co.halos.read(path, format=case.format)


def test_the_header_of_hdf5_trees_states_the_cosmology(tmp_path):
    case = FORMATS["LHaloTree HDF5"]
    path = case.write(tmp_path, ROWS)
    with h5py.File(path, "r+") as file:
        file["Header"].attrs.update({"HubbleParam": 0.7, "Omega0": 0.3, "OmegaLambda": 0.7, "OmegaBaryon": 0.04})
    halos = co.halos.read(path, format=case.format)
    assert float(halos.cosmology.h) == 0.7 and abs(float(halos.cosmology.baryon_fraction) - 0.04 / 0.3) < 1e-12
    with pytest.raises(ValueError, match="cosmology: has h = 0.67.* states 0.7"):
        read_case(path, case, cosmology=co.cosmology.planck18())


def test_galacticus_files_state_it_in_attributes(tmp_path):
    path = FORMATS["Galacticus"].write(tmp_path, ROWS)

    def change(group, **attributes):
        with h5py.File(path, "r+") as file:
            file[group].attrs.update(attributes)

    change("cosmology", HubbleParam=70.0)
    assert float(co.halos.read(path).cosmology.h) == 0.7
    change("cosmology", OmegaLambda=0.6)
    with pytest.warns(UserWarning, match="forests.hdf5: states Omega_m . Omega_lambda = 0.9, so that it is not flat"):
        co.halos.read(path)
    change("cosmology", HubbleParam=7.0)
    with pytest.raises(ValueError, match="forests.hdf5: states h = 7; allowed"):
        co.halos.read(path)
    with h5py.File(path, "r+") as file:
        del file["cosmology"]
    with pytest.raises(ValueError, match="forests.hdf5: does not state h or omega_m"):
        co.halos.read(path)
    change(
        "units", massHubbleExponent=0, lengthHubbleExponent=0
    )  # masses in Msun need no h; the times are those of an assumed universe
    assert "assumed; give cosmology" in dict(co.halos.read(path).provenance)["cosmology"]


def test_tables_of_the_database_in_other_cosmologies_are_asked_for(tmp_path):
    path = write_millennium(tmp_path / "query.csv", ROWS)
    assert float(co.halos.read(path).cosmology.h) == 0.73
    for table in ("MPAHaloTrees..MRscPlanck1", "somewhere..MHalo"):
        write_millennium(path, ROWS)
        replaced("MPAHaloTrees..MHalo", table)(path)
        with pytest.raises(ValueError, match="query.csv: does not state h or omega_m"):
            co.halos.read(path)


def test_lists_of_scale_factors_are_asked_for_first(tmp_path):
    path = FORMATS["SubLink"].write(tmp_path, ROWS)
    with pytest.raises(ValueError, match="give format=halos.SubLink.scale_factors="):
        co.halos.read(path)
    with pytest.raises(ValueError, match="give cosmology="):
        co.halos.read(path, format=H.SubLink(SCALES.tolist()))
