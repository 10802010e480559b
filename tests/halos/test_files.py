"""Halo histories on disk."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corundum as co
from corundum import io
from synthetic import histories

SPIN = co.units.Quantity("1", "spin parameter", log=False)


def same(first, second):
    equal = jax.tree.map(lambda a, b: np.asarray(a).tobytes() == np.asarray(b).tobytes(), first, second)
    return jax.tree.structure(first) == jax.tree.structure(second) and jax.tree.all(equal)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 9), radius=st.booleans(), growth=st.booleans())
def test_histories_come_back(tmp_path_factory, seed, radius, growth):
    number = 4
    path = tmp_path_factory.mktemp("halos") / "halos.h5"
    plain = histories(number, seed)
    rng = np.random.default_rng(seed)
    halos = co.halos.HaloHistories(
        plain.time,
        plain.log_mvir,
        plain.log_concentration,
        start=rng.uniform(0.6, 2.0, number),
        end=rng.uniform(8.0, 13.0, number),
        host=[-1, 0, 0, 1] if radius else None,
        extras={"spin": co.halos.ExtraCurve(rng.normal(size=plain.log_mvir.shape), SPIN)} if growth else None,
        weights=rng.uniform(0.1, 5.0, number),
        log_rvir=plain.log_mvir / 3.0 - 1.55 - np.log10(1.0 + plain.redshift) if radius else None,
        log_growth=np.full(plain.log_mvir.shape, 0.5) if growth else None,
        cosmology=co.cosmology.tng(),
        interpolation=co.halos.Pandya26Hermite() if growth else None,
        provenance={"source": "über <tree>", "a": "1", "9": "first, second"},
    )
    co.halos.save(path, halos)
    back = co.halos.read(path)
    assert same(back, halos)
    assert back.provenance == halos.provenance
    assert type(back.interpolation) is type(halos.interpolation)


def test_the_two_kinds_of_file_are_told_apart(tmp_path):
    co.halos.save(tmp_path / "halos.h5", histories(3))
    with pytest.raises(ValueError, match="holds halos, not results; open it with the function for halos"):
        io.load(tmp_path / "halos.h5")


def test_an_unknown_interpolation_rule_is_named(tmp_path):
    import h5py

    co.halos.save(tmp_path / "halos.h5", histories(3))
    with h5py.File(tmp_path / "halos.h5", "r+") as file:
        file["halos/interpolation"].attrs["kind"] = "mymodule.MyRule"
    with pytest.raises(ValueError, match="mymodule.MyRule, which is not imported"):
        co.halos.read(tmp_path / "halos.h5")
