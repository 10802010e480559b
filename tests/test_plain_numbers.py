"""Numbers of every library arrive in the right unit, and none that a mask hides is used."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas
import pytest
import unyt
from astropy import units as u
from astropy.cosmology import units as cosmological
from astropy.table import Column, MaskedColumn
from astropy.utils.masked import Masked

from corundum.plain_numbers import float64, nearest, plain_numbers, without_mask

SUN_G = 1.988409870698051e33

CONVERTED = {
    "list": ([1, 2.5], "Gyr", {}, [1.0, 2.5]),
    "single precision": (np.float32([1.0, 2.5]), "Gyr", {}, [1.0, 2.5]),
    "objects": (np.array([1, 2.5], object), "Gyr", {}, [1.0, 2.5]),
    "pandas": (pandas.Series([1, 2]), "Gyr", {}, [1.0, 2.0]),
    "pandas with missing entries": (pandas.Series([1, None], dtype="Int64"), "Gyr", {}, [1.0, np.nan]),
    "mask that hides nothing": (np.ma.array([1.0, 2.0]), "Gyr", {}, [1.0, 2.0]),
    "astropy": ([1000.0, 2500.0] * u.Myr, "Gyr", {}, [1.0, 2.5]),
    "astropy in grams": ([SUN_G] * u.g, "Msun", {}, [1.0]),
    "astropy column": (Column([1000.0], unit="Myr"), "Gyr", {}, [1.0]),
    "astropy rates": ([1e9] * u.Msun / u.Gyr, "Msun/yr", {}, [1.0]),
    "list of astropy": ([1 * u.Gyr, 500 * u.Myr], "Gyr", {}, [1.0, 0.5]),
    "unyt": (unyt.unyt_array([1000.0, 2500.0], "Myr"), "Gyr", {}, [1.0, 2.5]),
    "list of unyt": ([unyt.unyt_quantity(1, "Gyr"), unyt.unyt_quantity(500, "Myr")], "Gyr", {}, [1.0, 0.5]),
    "unyt speeds": (unyt.unyt_array([1e3], "m/s"), "km/s", {}, [1.0]),
    "per cent": ([50.0] * u.percent, "1", {}, [0.5]),
    "redshifts": ([2.0] * cosmological.redshift, "1", {}, [2.0]),
    "dex": (u.Dex([12.0], u.dex(u.Msun)), "Msun", {"log": True}, [12.0]),
    "dex of grams": (u.Dex([np.log10(SUN_G) + 12.0], u.dex(u.g)), "Msun", {"log": True}, [12.0]),
    "hidden numbers become NaN": (np.ma.array([1.0, 9e9], mask=[0, 1]), "1", {"hidden_as_nan": True}, [1.0, np.nan]),
    "masked quantity": (
        Masked([1000.0, 9e9] * u.Myr, mask=[False, True]),
        "Gyr",
        {"hidden_as_nan": True},
        [1.0, np.nan],
    ),
    "masked column": (
        MaskedColumn([1.0, 9e9], mask=[0, 1], unit="Myr"),
        "Gyr",
        {"hidden_as_nan": True},
        [1e-3, np.nan],
    ),
}


@pytest.mark.parametrize("name", CONVERTED)
def test_numbers_arrive_in_the_unit(name):
    values, unit, keywords, expected = CONVERTED[name]
    numbers = plain_numbers("time", values, unit, **keywords)
    assert type(numbers) is np.ndarray and numbers.dtype == np.float64
    np.testing.assert_allclose(numbers, expected, rtol=1e-6 if unit == "Msun" else 1e-12)


REFUSED = {
    "hidden numbers": (np.ma.array([1.0, 9e9], mask=[0, 1]), "Gyr", {}, "time: 1 of 2 values are hidden by a mask"),
    "masked quantity": (Masked([1.0] * u.Myr, mask=[True]), "Gyr", {}, "1 of 1 values are hidden"),
    "another dimension": (
        [1.0] * u.kpc,
        "Gyr",
        {},
        "kpc; it must be a quantity or plain numbers in Gyr",
    ),
    "another dimension of unyt": (unyt.unyt_array([1.0], "kpc"), "Gyr", {}, "got a quantity in kpc"),
    "per h": ([1.0] * u.Msun / cosmological.littleh, "Msun", {}, "got a quantity in solMass / littleh"),
    "not without unit": ([1.0] * u.kpc, "1", {}, "must be a number without a unit"),
    "mass for its logarithm": ([1e12] * u.Msun, "Msun", {"log": True}, "must be log10 of a number in Msun"),
    "texts": (["1", "2"], "Gyr", {}, "got a list with values that are no numbers; give numbers in Gyr"),
    "dates": (np.array(["2020"], "M8[Y]"), "Gyr", {}, "no numbers"),
    "complex": (np.array([1 + 1j]), "Gyr", {}, "no numbers"),
    "ragged": ([1.0, [2.0, 3.0]], "Gyr", {}, "rows of different lengths"),
    "mapping": ({"a": 1.0}, "Gyr", {}, "got a dict"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_number_of_that_unit_is_refused(name):
    values, unit, keywords, words = REFUSED[name]
    with pytest.raises(ValueError, match=words) as caught:
        plain_numbers("time", values, unit, **keywords)
    assert "\n" not in str(caught.value) and str(caught.value).startswith("time: ")


def test_jax_arrays_and_traced_numbers_pass():
    array = jnp.ones(3)
    assert plain_numbers("time", array) is array
    np.testing.assert_array_equal(jax.jit(lambda x: float64("time", [x, 2.0]))(1.0), [1.0, 2.0])
    np.testing.assert_array_equal(jax.grad(lambda x: float64("time", x) ** 2)(3.0), 6.0)
    assert float64("time", np.float32(0.5)).dtype == jnp.float64


def test_rows_of_halos_keep_their_kind():
    assert without_mask("host", np.array([-1, 0])).dtype.kind == "i"
    with pytest.raises(ValueError, match="host: 1 of 2"):
        without_mask("host", np.ma.array([-1, 7], mask=[0, 1]))


def test_single_precision_finds_its_number_again():
    outputs = np.float32([0.1, 2.0, 0.0]).astype(float)
    assert [nearest(outputs, z) for z in (0.1, 2.0, 0.0)] == [0, 1, 2]
    assert nearest([0.1, 0.1 + 1e-9], 0.1 + 1e-9) == 1
    assert nearest(outputs, 0.1001) is None and nearest([], 0.0) is None and nearest([0.0], np.nan) is None
