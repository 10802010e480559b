"""Posteriors under both interfaces of ArviZ: files of either are read by either, and all numbers are the same."""

import sys

import h5py
import numpy as np
import pytest

pytest.importorskip("arviz")
from corundum.inference import verdict
from corundum.io import load_posterior, save_posterior
from corundum.storage.arviz_data import arviz, arviz_data, with_groups
from places import DATA
from posterior_draws import posterior_draws

GROUPS = {"posterior", "sample_stats", "prior", "observed_data", "constant_data", "log_likelihood"}
FILES = ["posterior_arviz_0.23.nc", "posterior_arviz_1.3.nc"]


def arrays(data):
    """Dimensions, type, bytes and attributes of every array, with coordinates."""
    return {
        (group, str(name)): (array.dims, array.dtype, array.values.tobytes(), {**array.attrs})
        for group in data
        for name, array in data[group].variables.items()
    }


@pytest.fixture(params=FILES)
def kept(request):
    return load_posterior(DATA / request.param)


def test_files_of_both_interfaces_hold_the_same_bit_for_bit(kept):
    other = load_posterior(DATA / FILES[0])
    assert set(kept) == GROUPS and arrays(kept) == arrays(other) and kept.attrs == other.attrs
    assert kept.attrs == {"sampler": "NUTS (numpyro)", "key": 3, "seconds": 0.25}
    assert kept["posterior"]["slope"].attrs == {"units": "dex", "log10": 1}
    assert kept.posterior["slope"].dims == ("chain", "draw") and kept["sample_stats"]["diverging"].dtype == bool
    assert kept["constant_data"]["parameter"].values.tolist() == ["slope", "mass_loading.amplitude"]
    assert kept["observed_data"]["data"].isnull().values.tolist() == [False, True]
    np.testing.assert_array_equal(kept["observed_data"]["point_data"], [0.5, 1.5])
    assert type(kept) is type(arviz_data({"posterior": {"slope": np.zeros((1, 4))}}))


def test_the_data_of_a_fit_have_the_same_layout(kept, tmp_path):
    data = posterior_draws()
    layout = {key: (dims, dtype, attrs) for key, (dims, dtype, _, attrs) in arrays(kept).items()}
    assert layout == {key: (dims, dtype, attrs) for key, (dims, dtype, _, attrs) in arrays(data).items()}
    save_posterior(tmp_path / "posterior.nc", data)
    assert arrays(load_posterior(tmp_path / "posterior.nc")) == arrays(data)


def test_a_file_can_be_written_again_once_it_is_read(kept, tmp_path):
    path = tmp_path / "posterior.nc"
    save_posterior(path, kept)
    save_posterior(path, load_posterior(path))
    assert arrays(load_posterior(path)) == arrays(kept)


def test_diagnostics_are_those_of_either(kept):
    """Recorded with ArviZ 0.23.4; the default tails of version 1 are others."""
    table = {
        "rhat": [1.0273265330592662, 1.1122892493527698],
        "ess_bulk": [144.2790706104581, 30.351187687289247],
        "ess_tail": [286.89331587490483, 159.86631882151153],
    }
    judged = verdict(kept)
    for name, values in table.items():
        np.testing.assert_allclose(judged.table[name], values, rtol=1e-9)
    assert judged.divergences == 1 and judged.bfmi == pytest.approx(0.03589802449141158, rel=1e-9)
    assert judged.sentence.startswith("not to be trusted yet: R-hat of mass_loading.amplitude is 1.112, above 1.01")


def test_groups_are_added_to_a_copy_in_the_place_of_older_ones():
    data = arviz_data({"posterior": {"slope": np.zeros((1, 4))}, "prior": {"slope": np.zeros((1, 5))}})
    longer = with_groups(
        data, arviz_data({"prior": {"slope": np.ones((1, 6))}, "sample_stats": {"lp": np.ones((1, 4))}})
    )
    assert list(data) == ["posterior", "prior"] and data["prior"].sizes["draw"] == 5
    assert set(longer) == {"posterior", "prior", "sample_stats"} and longer["prior"].sizes["draw"] == 6


def test_a_file_without_a_posterior_is_refused(tmp_path):
    save_posterior(tmp_path / "prior.nc", arviz_data({"prior": {"slope": np.zeros((1, 5))}}))
    with pytest.raises(ValueError, match="prior.nc: holds no posterior; it has prior"):
        load_posterior(tmp_path / "prior.nc")
    save_posterior(tmp_path / "none.nc", arviz_data({}))
    with pytest.raises(ValueError, match="none.nc: holds no posterior; it has nothing"):
        load_posterior(tmp_path / "none.nc")
    with h5py.File(tmp_path / "array.h5", "w") as file:
        file["posterior"] = np.zeros((2, 3))
    with pytest.warns(UserWarning, match="phony_dims"), pytest.raises(ValueError, match="array.h5: holds no posterior"):
        load_posterior(tmp_path / "array.h5")


@pytest.mark.parametrize("first", range(4000, 48000, 2000))
def test_a_damaged_file_is_refused_by_name_or_read_whole(first, tmp_path):
    image = bytearray((DATA / FILES[1]).read_bytes())
    image[first : first + 300] = np.random.default_rng(first).bytes(300)
    path = tmp_path / "posterior.nc"
    path.write_bytes(image)
    try:
        assert set(load_posterior(path)) == GROUPS
    except ValueError as error:
        assert str(path) in str(error)


def test_without_arviz_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "arviz", None)
    with pytest.raises(ImportError, match=r"posteriors need arviz, .* pip install 'corundum\[inference\]'"):
        arviz()
