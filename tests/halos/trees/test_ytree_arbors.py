"""Merger trees read by ytree: real arbors where ytree is installed, and an imitation of its interface everywhere."""

import sys
import types

import numpy as np
import pytest

import corundum as co
from corundum import halos as H
from corundum.units import KPC_CM
from tree_files import (
    COSMOLOGY,
    HUBBLE,
    OMEGA_M,
    SCALES,
    columns,
    cut,
    known_forest,
    write_consistent_trees,
    write_lhalotree,
)

ROWS = known_forest()
RAW = H.GaussianInLogTime(0.0)


@pytest.fixture(scope="module")
def ytree():
    return pytest.importorskip("ytree", reason="ytree is not installed: pip install 'corundum[trees]'")


class Values(np.ndarray):
    """Numbers that convert to the units ytree knows."""

    def to(self, unit):
        if unit not in ("Msun", "kpc", "Mpc"):
            raise LookupError(f"Could not find unit symbol {unit!r}.")
        return self


class Tree(dict):
    """``tree["forest", field]``."""

    def __getitem__(self, key):
        return np.asarray(super().__getitem__(key[1])).view(Values)


class Arbor(list):
    hubble_constant, omega_matter, field_list, derived_field_list = 0.7, 0.3, ["Mvir", "x"], ["mass", "uid"]
    field_info = {name: {} for name in ("uid", "desc_uid", "redshift", "pid")} | {
        "Mvir": {"units": "Msun/h"}, "mass": {"units": "Msun", "dependencies": ["Mvir"]},
        "x": {"units": ""}, "position_x": {"units": "unitary", "dependencies": ["x"]},
    }  # fmt: skip


def imitation() -> Arbor:
    data, ends = columns(ROWS), [k for k, row in enumerate(ROWS) if row.descendant < 0]
    bounds = [*ends, len(ROWS)]
    links = np.where(data["descendant"] >= 0, data["id"][data["descendant"]], -1)
    host = np.where(data["host"] == np.arange(len(ROWS)), -1, data["id"][data["host"]])
    names = {
        "uid": data["id"],
        "desc_uid": links,
        "redshift": 1.0 / data["scale"] - 1.0,
        "mass": data["mass"],
        "pid": host,
    }
    parts = [slice(*pair) for pair in zip(bounds[:-1], bounds[1:], strict=True)]
    return Arbor(Tree({name: values[part] for name, values in names.items()}) for part in parts)


def test_without_ytree_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "arbor.h5").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "ytree", None)
    with pytest.raises(ImportError, match=r"arbor.h5: .*pip install 'corundum\[trees\]'"):
        co.halos.read(tmp_path / "arbor.h5", format=H.YtreeArbor())


def test_trees_of_an_arbor_are_followed(tmp_path, monkeypatch):
    (tmp_path / "arbor.h5").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "ytree", types.SimpleNamespace(load=lambda path: imitation()))
    keywords = dict(smoothing=RAW, log_mvir=(10.0, 13.0))
    halos = co.halos.read(tmp_path / "arbor.h5", format=H.YtreeArbor(), **keywords)
    np.testing.assert_allclose(halos.log_mvir[:, -1], [12.0, 11.7, np.log10(0.05) + 11.7, 11.4, 11.1], atol=1e-6)
    assert halos.separation is None and "every tree taken for that of a central" in dict(halos.provenance)["columns"]
    halos = co.halos.read(tmp_path / "arbor.h5", format=H.YtreeArbor(host="pid"), **keywords)
    np.testing.assert_allclose(halos.log_mvir[:, -1], [12.0, 11.7, 11.4, 11.1], atol=1e-6)
    words = dict(halos.provenance)
    assert "1 that end in a satellite" in words["trees"] and "centrals by pid" in words["columns"]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (
            H.YtreeArbor(mass="weight"),
            "arbor.h5: ytree has no field 'weight' for it but mass, uid, Mvir, x; name another",
        ),
        (H.YtreeArbor(mass="position_x"), "arbor.h5: ytree knows no unit of 'position_x'; the header"),
        (H.YtreeArbor(host="hostHalo"), "arbor.h5: ytree has no field 'hostHalo'"),
    ],
)
def test_fields_that_do_not_exist(form, words, tmp_path, monkeypatch):
    (tmp_path / "arbor.h5").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "ytree", types.SimpleNamespace(load=lambda path: imitation()))
    with pytest.raises(ValueError, match=words):
        co.halos.read(tmp_path / "arbor.h5", format=form)


def test_a_real_arbor_gives_what_the_native_reader_gives(ytree, tmp_path):
    # Without Rs_Klypin, which the native reader would prefer to the rs that ytree knows.
    path = write_consistent_trees(tmp_path / "tree_0_0_0.dat", ROWS, drop=("Rs_Klypin",))
    native = co.halos.read(path, smoothing=RAW)
    arbor = ytree.load(str(path))
    saved = arbor.save_arbor(filename=str(tmp_path / "arbor"))
    for source in (path, saved):
        halos = co.halos.read(source, format=H.YtreeArbor(host="pid"), smoothing=RAW)
        np.testing.assert_allclose(halos.time, native.time, rtol=1e-6)
        np.testing.assert_allclose(halos.log_mvir, native.log_mvir, atol=1e-6)  # ytree holds single precision
        np.testing.assert_allclose(halos.start, native.start, rtol=1e-6)
        np.testing.assert_allclose(halos.separation, native.separation, rtol=1e-5)
        np.testing.assert_allclose(halos.log_concentration, native.log_concentration, atol=1e-5)
        for one, other in zip(halos.mergers.to_list(), native.mergers.to_list(), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6)
        words = dict(halos.provenance)
        assert "virial_radius / scale_radius" in words["columns"]
        assert float(halos.cosmology.h) == HUBBLE and "periodic over 142.85" in words["separation"]
    assert len(co.halos.read(path, format=H.YtreeArbor())) == 5  # with the satellite


def test_parameters_that_ytree_needs_are_kept_by_its_saved_arbor(ytree, tmp_path):
    path = write_lhalotree(tmp_path / "trees_024.0", ROWS)
    words = r"trees_024.0: ytree cannot open it .*; if ytree needs more than the path, .* and read the saved arbor"
    with pytest.raises(ValueError, match=words):
        co.halos.read(path, format=H.YtreeArbor())
    parameters = dict(HubbleParam=HUBBLE, Omega0=OMEGA_M, OmegaLambda=0.7, BoxSize=100.0, PeriodicBoundariesOn=1)
    parameters |= dict(ComovingIntegrationOn=1, UnitVelocity_in_cm_per_s=1e5)
    parameters |= dict(UnitLength_in_cm=1e3 * KPC_CM, UnitMass_in_g=1.989e43)
    arbor = ytree.load(str(path), parameters=parameters, scale_factors=SCALES)
    saved = arbor.save_arbor(filename=str(tmp_path / "arbor"))
    halos = co.halos.read(saved, format=H.YtreeArbor(mass="M_TopHat"), smoothing=RAW)
    native = co.halos.read(path, format=H.LHaloTree(SCALES.tolist()), cosmology=COSMOLOGY, smoothing=RAW)
    np.testing.assert_allclose(halos.log_mvir, native.log_mvir, atol=1e-5)
    np.testing.assert_allclose(halos.separation, native.separation, rtol=1e-5)


def test_damaged_arbors_are_refused_in_one_sentence(ytree, tmp_path):
    path = write_consistent_trees(tmp_path / "tree_0_0_0.dat", ROWS)
    saved = ytree.load(str(path)).save_arbor(filename=str(tmp_path / "arbor"))
    cut(path, 0.6)
    cut(tmp_path / "arbor" / "arbor_0000.h5", 0.6)
    (tmp_path / "prose.dat").write_text("It was a dark and stormy night.\n")
    for source in (path, saved, tmp_path / "prose.dat"):
        with pytest.raises(ValueError, match=r"ytree cannot (open it|read '\w+' of it) \(.*\); ") as caught:
            co.halos.read(source, format=H.YtreeArbor())
        message = str(caught.value)
        assert message.startswith(str(source)) and "\n" not in message and ". " not in message
