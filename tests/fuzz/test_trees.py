"""Merger trees of every format with random faults: refused in one sentence, or read with every halo accounted for.

`make test` tries a few fixed examples of each format; `make fuzz MINUTES=30` tries new ones for as long as it is given.
"""

import shutil

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from corundum import halos as H
from faults import faults_of, harmless_faults_of
from fuzzing import FUZZ, accounted, one_sentence, scratch_folder
from tree_files import FORMATS, known_forest

pytestmark = pytest.mark.wrong_types

ROWS = known_forest(3)
HALOS, SATELLITES = 3, 1
BINARY = ("LHaloTree", "big-endian")  # can be stored in one way only


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A file, or folder, of every format."""
    paths = {}
    for name, case in FORMATS.items():
        folder = tmp_path_factory.mktemp("sources")
        paths[name] = case.write(folder, ROWS)
    return paths


def _copy(source, folder):
    """The source below another folder, and its files."""
    copy = folder / source.name
    if source.is_dir():
        shutil.copytree(source, copy)
        return copy, sorted(copy.iterdir())
    shutil.copy(source, copy)
    return copy, [copy]


def _read(path, case, detected):
    """Branches and histories of a source, or None where it is refused."""
    keywords = dict(case.keywords)
    if not detected or isinstance(case.format, H.LHaloTree | H.SubLink):
        keywords["format"] = case.format
    with one_sentence(path) as refused:
        branches = H.read_branches(path, **keywords)
        accounted(branches, H.smooth_trees(branches))
    return None if refused else branches


@pytest.mark.parametrize("name", FORMATS)
@FUZZ
@given(data=st.data())
def test_a_faulty_file_is_refused_or_accounted_for(name, sources, data):
    case = FORMATS[name]
    with scratch_folder() as folder:
        path, files = _copy(sources[name], folder)
        file = data.draw(st.sampled_from(files))
        fault = data.draw(faults_of(file))
        fault(file)
        branches = _read(path, case, data.draw(st.booleans()))
        # One wrong link can cut a tree in two, and a line that is repeated adds a halo.
        assert branches is None or 1 <= branches.counts["trees"] <= len(ROWS) + 1


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "hlist"])  # catalogues do not count their halos
@FUZZ
@given(data=st.data())
def test_a_file_that_is_cut_short_is_never_read_as_if_it_were_whole(name, sources, data):
    case = FORMATS[name]
    with scratch_folder() as folder:
        path, (file,) = _copy(sources[name], folder)
        content = file.read_bytes()
        lost = data.draw(st.integers(5, len(content)))  # without "#OK" an answer of a database is whole
        kept = content[:-lost]
        # Text that ends where a row does is a file of fewer halos, which cannot be told from a whole one; that a lost
        # tree is noticed where the header counts them is tested with the formats.
        assume(not kept.endswith(b"\n"))
        file.write_bytes(kept)
        assert _read(path, case, data.draw(st.booleans())) is None, f"read without its last {lost} bytes"


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in BINARY])
@FUZZ
@given(data=st.data())
def test_a_file_stored_otherwise_is_read_whole(name, sources, data):
    case = FORMATS[name]
    with scratch_folder() as folder:
        path, files = _copy(sources[name], folder)
        change = data.draw(harmless_faults_of(files[0]))
        for file in files:
            change(file)
        branches = _read(path, case, data.draw(st.booleans()))
        assert branches is not None and len(branches.branches) == HALOS, change
        assert branches.counts["that end in a satellite"] == SATELLITES
        final = sorted(branch.log_mvir[-1] for branch in branches.branches)
        whole = _read(sources[name], case, False)
        np.testing.assert_allclose(final, sorted(branch.log_mvir[-1] for branch in whole.branches), rtol=1e-12)
