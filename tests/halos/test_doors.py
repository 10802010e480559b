"""Arrays as users have them: what `HaloHistories` converts, and what it refuses because no halo has it."""

import astropy.units as u
import jax
import numpy as np
import pandas
import pytest
import unyt

from corundum import halos as H
from corundum.cosmology import Cosmology, planck15
from corundum.units import Quantity

COSMOLOGY = planck15()
TIME = np.geomspace(0.5, float(COSMOLOGY.age(0.0)), 40)
REDSHIFT = np.asarray(COSMOLOGY.redshift(TIME))
LOG_MVIR = np.array([[11.0], [12.5]]) + 1.5 * np.log10(TIME / TIME[-1])
LOG_C = np.full((2, 40), 0.9)
RVIR = np.asarray(COSMOLOGY.virial_radius(10.0**LOG_MVIR, REDSHIFT))

pytestmark = pytest.mark.wrong_types


def histories(time=TIME, log_mvir=LOG_MVIR, log_concentration=LOG_C, **keywords):
    return H.HaloHistories(time, log_mvir, log_concentration, **{"cosmology": COSMOLOGY, **keywords})


def from_arrays(**changes):
    return H.HaloHistories.from_arrays(**{"mvir": 10.0**LOG_MVIR, "time": TIME, "cosmology": COSMOLOGY, **changes})


def same(first, second):
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    return all(np.allclose(a, b, rtol=1e-6) for a, b in pairs)


@pytest.mark.parametrize("library", ["astropy", "unyt"])
def test_quantities_are_converted(library):
    def quantity(values, unit):
        return values * u.Unit(unit) if library == "astropy" else unyt.unyt_array(values, unit)

    plain = from_arrays(rvir=RVIR, start=TIME[[0, 1]])
    converted = from_arrays(
        mvir=quantity(10.0**LOG_MVIR * 1.988409870698051e30, "kg"), time=quantity(TIME * 1e3, "Myr"),
        rvir=quantity(RVIR * 1e-3, "Mpc"), start=quantity(TIME[[0, 1]] * 1e9, "yr"),
    )  # fmt: skip
    assert same(plain, converted)
    assert same(histories(), histories(time=quantity(TIME * 1e3, "Myr")))
    now, then = plain.at(time=quantity(5000.0, "Myr")), plain.at(time=5.0)
    np.testing.assert_allclose(now.mvir, then.mvir, rtol=1e-9)
    with pytest.raises(ValueError, match="mvir: got a quantity in kpc"):
        from_arrays(mvir=quantity(10.0**LOG_MVIR, "kpc"))
    with pytest.raises(ValueError, match="log_mvir: .* must be log10 of a number in Msun"):
        histories(log_mvir=quantity(10.0**LOG_MVIR, "Msun"))


def test_lists_columns_and_single_precision_are_read_as_they_are():
    plain = from_arrays()
    assert same(plain, from_arrays(mvir=(10.0**LOG_MVIR).tolist(), time=TIME.tolist()))
    assert same(plain, from_arrays(mvir=pandas.DataFrame(10.0**LOG_MVIR), time=pandas.Series(TIME)))
    single = from_arrays(mvir=(10.0**LOG_MVIR).astype(np.float32), time=TIME.astype(np.float32))
    assert same(plain, single) and single.log_mvir.dtype == np.float64
    assert same(plain, from_arrays(mvir=np.ma.array(10.0**LOG_MVIR), time=TIME.astype(object)))


HIDDEN = np.ma.array(LOG_MVIR, mask=np.eye(2, 40, dtype=bool))


def _with(value):
    changed = LOG_MVIR.copy()
    changed[1, 7] = value
    return changed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"log_mvir": HIDDEN}, "log_mvir: 2 of 80 values are hidden by a mask"),
        ({"log_concentration": np.ma.array(LOG_C, mask=True)}, "log_concentration: 80 of 80"),
        ({"weights": np.ma.array([1.0, 1.0], mask=[0, 1])}, "weights: 1 of 2"),
        ({"host": np.ma.array([-1, 0], mask=[0, 1])}, "host: 1 of 2"),
        ({"log_mvir": _with(20.0)}, "halo 1 has 1e.20 Msun at .* a fill value"),
        ({"log_mvir": _with(9.969209968386869e36)}, "halo 1 has 9.969e.36, a fill value"),
        ({"log_mvir": 10.0**LOG_MVIR}, "may be the masses themselves"),
        ({"log_mvir": LOG_MVIR * np.log(10.0)}, "natural logarithm"),
        ({"log_mvir": LOG_MVIR[:, ::-1]}, "not lookback times"),
        ({"log_mvir": [["heavy"] * 40] * 2}, "log_mvir: got a list with values that are no numbers"),
        ({"log_concentration": 10.0**LOG_C}, "not the concentration itself"),
        ({"time": TIME * 1e3}, "the universe is 13.8. Gyr old; .* may be in Myr"),
        ({"time": TIME * 1e9}, "may be in yr"),
        ({"time": TIME * 1.2}, "the cosmology that these times belong to"),
        ({"weights": [-1.0, 1.0]}, "weights: halo 0 has the weight -1"),
        ({"weights": [1.0, -999.0]}, "halo 1 has the weight -999, a fill value"),
        ({"log_rvir": np.log10(RVIR) - 3.0}, "log_rvir: radii are typically 0.001 times"),
        ({"log_rvir": np.log10(RVIR * (1.0 + REDSHIFT))}, "log_rvir: radii are typically"),
        ({"extras": {"b": H.ExtraCurve(_with(1e20), Quantity("1", "b"))}}, "halo 1 has 1e.20, a fill value"),
        ({"cosmology": Cosmology(omega_m=0.6)}, "the cosmology that these times belong to"),
    ],
)
def test_arrays_that_are_no_halos_are_refused(changes, words):
    with pytest.raises(ValueError, match=words) as caught:
        histories(**changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mvir": np.ma.masked_greater(10.0**LOG_MVIR, 1e12)}, "mvir: .* hidden by a mask"),
        ({"mvir": 10.0 ** _with(20.0)}, "halo 1 has 1e.20 Msun"),
        ({"mvir": 10.0 ** _with(np.nan)}, "halo 1 has nan Msun"),
        ({"time": TIME * 1e3}, "may be in Myr"),
        ({"time": None, "redshift": np.append(REDSHIFT[:-1], -999.0)}, "redshift: got -999, a fill value"),
        ({"time": None, "redshift": np.append(REDSHIFT[:-1], 1e20)}, "redshift: got 1e.20"),
        ({"time": None, "scale_factor": np.append(1.0 / (1.0 + REDSHIFT[:-1]), 1.5)}, "allowed above 0, 1 today"),
        ({"time": (TIME[-1] - TIME + 0.1)[::-1], "mvir": 10.0 ** LOG_MVIR[:, ::-1]}, "not lookback times"),
        ({"rvir": RVIR * 0.67}, "radii are typically 0.67 times"),
        ({"growth": 10.0 ** (LOG_MVIR - 1.0)}, "log_growth: rates are typically"),
    ],
)
def test_plain_arrays_that_are_no_halos_are_refused(changes, words):
    with pytest.raises(ValueError, match=words) as caught:
        from_arrays(**changes)
    assert "\n" not in str(caught.value)


def test_a_halo_of_weight_zero_is_a_halo():
    halos = histories(weights=[1.0, 0.0])
    np.testing.assert_array_equal(halos[1].weights, [0.0])
