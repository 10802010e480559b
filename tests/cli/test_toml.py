"""TOML writing and key positions against `tomllib` itself."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corundum.cli.runfile.reader import read_run_file
from corundum.cli.runfile.toml import dotted, find_positions, parse_key, write_toml

KEYS = st.text(min_size=1, max_size=8)
SCALARS = st.one_of(st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False), st.text(max_size=12))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4), max_leaves=6)
TABLES = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=4),
    lambda inner: st.dictionaries(KEYS, st.one_of(VALUES, inner), max_size=4),
    max_leaves=6,
)


@given(TABLES)
@settings(max_examples=60, deadline=None)
def test_written_toml_reads_back(table):
    assert tomllib.loads(write_toml(table)) == table


@given(TABLES)
@settings(max_examples=40, deadline=None)
def test_every_key_of_written_toml_has_a_position(table):
    text = write_toml(table)
    positions, lines = find_positions(text), text.split("\n")

    def visit(node, path):
        for key, value in node.items():
            line, _ = positions[(*path, key)]
            assert 1 <= line <= len(lines)
            if isinstance(value, dict):
                visit(value, (*path, key))
            else:
                assert tomllib.loads(lines[line - 1]) == {key: value}

    visit(table, ())


@given(st.lists(KEYS, min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_dotted_keys_parse_back(keys):
    assert parse_key(dotted(keys)) == tuple(keys)


def test_positions_of_a_file_with_open_strings_arrays_and_comments():
    text = '\n# [not.a.table]\ntitle = """a = 1\n[b]\n"""\n'
    text += '[a."b.c"]  # header\n  x.y = [1,\n 2]\nz = {q = 1, r = 2}\n'
    assert find_positions(text) == {
        ("title",): (3, 1),
        ("a",): (6, 1),
        ("a", "b.c"): (6, 1),
        ("a", "b.c", "x"): (7, 3),
        ("a", "b.c", "x", "y"): (7, 3),
        ("a", "b.c", "z"): (9, 1),
    }


def test_a_table_that_toml_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="cannot hold complex"):
        write_toml({"a": 1j})


RUN = '[halos]\nkind = "mine:halos"\nn = 8\n\n[model]\nkind = "mine:Model"\n'  # of a user, with keys that nobody knows


@pytest.fixture
def run_toml(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(RUN)
    return path


@pytest.mark.parametrize(
    ("override", "keys", "value"),
    [
        ("halos.n=16", ("halos", "n"), 16),
        ("halos.log_mvir = [10.0, 11]", ("halos", "log_mvir"), [10.0, 11]),
        ("title=hello", ("title",), "hello"),
        ('title="a b"', ("title",), "a b"),
        ("halos.path=../some/file.h5", ("halos", "path"), "../some/file.h5"),
        (
            "model.parameters.mass_loading.amplitude=2",
            ("model", "parameters", "mass_loading", "amplitude"),
            2,
        ),
        ('model.parameters."a.b"=1e-3', ("model", "parameters", "a.b"), 1e-3),
        ("fit.sample=true", ("fit", "sample"), True),
    ],
)
def test_overrides_are_lines_of_toml(run_toml, override, keys, value):
    run_file = read_run_file(run_toml, [override])
    found = run_file.tables
    for key in keys:
        found = found[key]
    assert found == value and type(found) is type(value)
    assert run_file.locate(keys) == f"--set {override}"
    assert run_file.tables["model"]["kind"] == "mine:Model"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("halos.n", "write --set group.key=value"),
        ("=3", "write --set group.key=value"),
        ("halos.n=1OO", "the value is not TOML"),
        ("a b=1", "'a b' is not a key"),
        ("halos.n.x=1", "halos.n is a value, not a table"),
        ("halso.n=1", "unknown group; did you mean halos?"),
        ("halos=1", "halos: expected a table"),
    ],
)
def test_bad_overrides_say_what_to_write(run_toml, override, message):
    with pytest.raises(ValueError, match=f"^--set .*{message}"):
        read_run_file(run_toml, [override])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[halos\nn = 1", r":1:7: not valid TOML"),
        (RUN + "x = 1\nx = 2\n", r":8:\d+: not valid TOML, cannot overwrite a value"),
        (RUN + "[outputs]\n", r":7:1: outputs: unknown group; did you mean output\?"),
        (RUN.replace("[model]", "[models]"), r":5:1: models: unknown group; did you mean model\?"),
        ("title = 1\n" + RUN, r":1:1: title: expected text"),
        ("solver = 1\n" + RUN, r":1:1: solver: expected a table; write it below \[solver\]"),
        ('[halos]\nkind = "a"\n', r"the group \[model\] is missing"),
    ],
)
def test_bad_files_say_where(tmp_path, text, message):
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"run.toml.*{message}"):
        read_run_file(path)


def test_a_binary_file_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "run.toml"
    path.write_bytes(b"\x89HDF\r\n\xff")
    with pytest.raises(ValueError, match="is not a text file in UTF-8"):
        read_run_file(path)
