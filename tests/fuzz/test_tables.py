"""Tables of main branches with random faults: refused in one sentence, or every halo is kept or counted."""

import re

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corundum import halos as H
from faults import faults_of, harmless_faults_of
from fuzzing import FUZZ, one_sentence, scratch_folder

pytestmark = pytest.mark.wrong_types

IDS, TIMES = (3, 7, 12), np.linspace(1.0, 13.0, 12)
COLUMNS = {
    "halo_id": np.repeat(IDS, len(TIMES)),
    "time": np.tile(TIMES, len(IDS)),
    "mvir": np.concatenate([mass * (TIMES / TIMES[-1]) ** 2 for mass in (3e11, 1e12, 2e13)]),
    "concentration": np.tile(np.linspace(5.0, 12.0, len(TIMES)), len(IDS)),
    "weight": np.repeat((0.5, 1.0, 2.0), len(TIMES)),
}


def write_csv(path):
    rows = zip(*COLUMNS.values(), strict=True)
    lines = ["# written by a catalogue", ",".join(COLUMNS), *(",".join(f"{x:.10g}" for x in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def write_columns(path):
    lines = [" ".join(COLUMNS), *(" ".join(f"{x:.10g}" for x in row) for row in zip(*COLUMNS.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")


def write_hdf5(path):
    with h5py.File(path, "w") as file:
        for name, values in COLUMNS.items():
            file[name] = values
        file["mvir"].attrs["units"] = "Msun"


WRITERS = {"table.csv": write_csv, "table.txt": write_columns, "table.hdf5": write_hdf5}


def _read(path):
    """The halos of a table, kept or left out with a reason; None where it is refused."""
    with one_sentence(path) as refused:
        halos = H.read_table(path, drop_bad=True)
    return None if refused else halos


def _read_and_kept(halos):
    """How many halos the reader says that it met, and how many it kept."""
    return tuple(
        int(number) for number in re.match(r"(\d+) read, (\d+) kept", dict(halos.provenance)["halos"]).groups()
    )


@pytest.mark.parametrize("name", WRITERS)
@FUZZ
@given(data=st.data())
def test_a_faulty_table_is_refused_or_its_halos_are_accounted_for(name, data):
    with scratch_folder() as folder:
        path = folder / name
        WRITERS[name](path)
        fault = data.draw(faults_of(path))
        fault(path)
        halos = _read(path)
        if halos is None:
            return
        assert np.all(np.isfinite(halos.log_mvir)) and np.all(np.isfinite(halos.log_concentration))
        met, kept = _read_and_kept(halos)
        assert len(halos) == kept
        # One wrong number can be the id of one more halo; only bytes that are gone can take halos away.
        gone = fault.__name__.startswith(("cut_to", "overwritten", "flipped"))
        assert (1 if gone else len(IDS)) <= met <= len(IDS) + 1


@pytest.mark.parametrize("name", WRITERS)
@FUZZ
@given(data=st.data())
def test_a_table_stored_otherwise_is_read_whole(name, data):
    with scratch_folder() as folder:
        path = folder / name
        WRITERS[name](path)
        change = data.draw(harmless_faults_of(path))
        change(path)
        halos = _read(path)
        assert halos is not None and len(halos) == len(IDS), change
        np.testing.assert_allclose(10.0 ** halos.log_mvir[:, -1], (3e11, 1e12, 2e13), rtol=0.1)
        np.testing.assert_array_equal(halos.weights, (0.5, 1.0, 2.0))
