"""Text files of merger trees as people have them: compressed, from other systems, with ids written in other ways."""

import bz2
import gzip
import lzma
import re

import numpy as np
import pytest

import corundum as co
from corundum import halos as H
from corundum.halos.trees.formats.text import read_header, tree_blocks
from corundum.storage.text_files import line_blocks
from tree_files import known_forest, main_mass, write_consistent_trees, write_hlists, write_millennium

ROWS = known_forest()
FINAL = np.log10([main_mass(tree, 1.0) for tree in range(4)])


def final_masses(path):
    return np.sort(np.asarray(co.halos.read(path).log_mvir)[:, -1])[::-1]


def written(folder, change=lambda text: text):
    path = write_consistent_trees(folder / "tree_0_0_0.dat", ROWS)
    text = change(path.read_text())
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def fields_changed(change):
    """A function that changes the fields of every row of a text."""

    def apply(text):
        lines = [
            line if line.startswith("#") or " " not in line else " ".join(change(line.split()))
            for line in text.splitlines()
        ]
        return "\n".join(lines) + "\n"

    return apply


def ids_as(write):
    return fields_changed(lambda row: [row[0], write(row[1]), row[2], write(row[3]), *row[4:]])


WITHOUT_MARKERS = lambda text: re.sub(r"#tree \d+\n", "", text)  # noqa: E731
READABLE = {
    "ends of lines of another system": lambda text: text.replace("\n", "\r\n"),
    "ends of lines of an old system": lambda text: text.replace("\n", "\r"),
    "byte-order mark": lambda text: "\ufeff" + text,
    "Latin-1": lambda text: text.replace("#Units", "#by Andr\u00e9e \u0085\n#Units", 1).encode("latin-1"),
    "column tree_id": lambda text: fields_changed(lambda row: ["7", *row])(text.replace("#scale", "#tree_id scale")),
    "no lines #tree": WITHOUT_MARKERS,
    "ids with a point": ids_as(lambda word: f"{float(word):.1f}"),
    "ids with exponents": ids_as(lambda word: f"{float(word):.6e}"),
    "no halo as an unsigned number": ids_as(lambda word: "18446744073709551615" if word == "-1" else word),
    "spaces before the rows": fields_changed(lambda row: ["  ", *row]),
}


@pytest.mark.parametrize("name", READABLE)
def test_texts_of_other_systems_are_read(name, tmp_path):
    np.testing.assert_allclose(final_masses(written(tmp_path, READABLE[name])), FINAL, atol=1e-5)


def test_answers_of_the_database_may_begin_or_end_with_its_word_of_success(tmp_path):
    text = write_millennium(tmp_path / "query.csv", ROWS).read_text()
    finals = final_masses(tmp_path / "query.csv")
    begun = "#OK\n#MAXROWS UNLIMITED\n#COLUMN 1 name=haloId JDBC_TYPE=-5\n" + text
    for name, answer in (("both", begun), ("begin", begun.removesuffix("#OK\n")), ("none", text.removesuffix("#OK\n"))):
        (tmp_path / f"{name}.csv").write_text(answer)
        np.testing.assert_array_equal(final_masses(tmp_path / f"{name}.csv"), finals)


@pytest.mark.parametrize(("suffix", "compress"), [("gz", gzip), ("bz2", bz2), ("xz", lzma)])
def test_compressed_texts_are_read(suffix, compress, tmp_path):
    for writer in (lambda folder: write_consistent_trees(folder / "tree_0_0_0.dat", ROWS).parent,
                   lambda folder: write_hlists(folder, ROWS), lambda folder: write_millennium(folder / "q.csv", ROWS).parent):  # fmt: skip # noqa: E501
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        plain = co.halos.read(writer(folder))
        for file in list(folder.iterdir()):
            (folder / f"{file.name}.{suffix}").write_bytes(compress.compress(file.read_bytes()))
            file.unlink()
        np.testing.assert_array_equal(co.halos.read(folder).log_mvir, plain.log_mvir)


REFUSED = {
    "compressed text cut short": (
        "tree_0_0_0.dat.gz", lambda text: gzip.compress(text.encode())[:-300],
        "is cut short or damaged .*; copy it again",
    ),
    "archive": ("tree_0_0_0.dat", lambda _: b"PK\x03\x04" + bytes(99), r"is compressed \(zip\); unpack it first"),
    "UTF-16": ("tree_0_0_0.dat", lambda text: text.encode("utf-16"), "is text in UTF-16; save it as UTF-8"),
    "binary": ("tree_0_0_0.dat", lambda text: text.replace("#Units", "\0#Units", 1), "is not a text file"),
    "no header": (
        "tree_0_0_0.dat", lambda text: text[text.index("#tree") :], "its first line does not name the columns",
    ),
    "ids beyond 64 bits": (
        "tree_0_0_0.dat", ids_as(lambda word: str(int(word) + 2**63)),
        "line 13 has '9223372036854776808' for id, which is beyond the integers that are read",
    ),
    "rounded ids": (
        "tree_0_0_0.dat", ids_as(lambda word: f"{float(word) + 1e17:e}"),
        "line 13 has '1.000000e.17' for id, which is rounded, so that several halos may share it",
    ),
    "ids that are no whole numbers": (
        "tree_0_0_0.dat", ids_as(lambda word: f"{float(word) + 0.5}"), "for id, which must be a whole number",
    ),
    "fewer trees than stated": (
        "tree_0_0_0.dat", lambda text: WITHOUT_MARKERS("#tree".join(text.split("#tree")[:-2])),
        "states 4 trees but has 3",
    ),
    "hlist without a header": (
        "hlist_1.00000.list", lambda text: text[text.index("#tree") :], "its first line does not name the columns",
    ),
    "compressed binary trees": (
        "trees_063.0", lambda _: gzip.compress(bytes(99)), r"is compressed \(gzip\), which only text files may",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_the_reason_is_told_where_a_text_cannot_be_read(name, tmp_path):
    file_name, change, words = REFUSED[name]
    text = write_consistent_trees(tmp_path / "text", ROWS).read_text()
    changed = change(text)
    path = tmp_path / file_name
    path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
    with pytest.raises(ValueError, match=f"{file_name}: .*{words}") as caught:
        co.halos.read(path)
    assert "in a format known here" not in str(caught.value)


def test_trees_without_markers_are_recognised_under_any_name(tmp_path):
    path = written(tmp_path, WITHOUT_MARKERS).rename(tmp_path / "mine.txt")
    assert len(co.halos.read(path)) == 4


def test_hidden_files_are_no_trees(tmp_path):
    path = written(tmp_path)
    (tmp_path / "._tree_0_0_0.dat").write_bytes(b"\0\x05\x16\x07" + bytes(90))
    assert len(co.halos.read(tmp_path)) == 4
    (tmp_path / "tree_0_0_0.dat.gz").write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(ValueError, match="holds both tree_0_0_0.dat and tree_0_0_0.dat.gz; remove one"):
        co.halos.read(tmp_path)


def test_blocks_hold_whole_lines_and_whole_trees_whatever_their_size(tmp_path):
    path = written(tmp_path)
    text = path.read_text()
    for size in (10, 1000, 10**6):
        blocks = list(line_blocks(path, size))
        assert "".join(block for _, block in blocks) == text
        assert all(text.splitlines()[number - 1] == block.split("\n")[0] for number, block in blocks)
        trees = list(tree_blocks(path, size, read_header(path).lines))
        assert sum(block.trees for block in trees) == 4
        assert all(text.splitlines()[block.first_line - 1].startswith("#tree ") for block in trees)
        assert "".join(block.text for block in trees) == text[text.index("#tree ") :]
    assert len(H.read_branches(path, chunk=1).branches) == 4
