"""Names in the code are the field's words: a name says what a value is, not that somebody found, made or gave it."""

import ast
from pathlib import Path

import pytest

import corundum
from places import ROOT

EMPTY = {
    "asked", "each", "found", "given", "got", "here", "made", "said", "such", "there", "thing", "things", "told",
    "wanted", "whatever",
}  # fmt: skip
"""Words that could name anything."""

SOURCES = sorted(Path(corundum.__file__).parent.rglob("*.py"))
SOURCES += sorted((ROOT / "examples").glob("*.py")) + sorted((ROOT / "benchmarks").glob("*.py"))


def names_defined(tree):
    """(name, line) of every variable, argument, function, class and attribute that a module gives a name to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield (node.id if isinstance(node, ast.Name) else node.attr), node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, node.lineno


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: "/".join(path.parts[-3:]))
def test_names_say_what_a_value_is(path):
    empty = [f"{name} (line {line})" for name, line in names_defined(ast.parse(path.read_text()))
             if name.lower().strip("_") in EMPTY]  # fmt: skip
    assert not empty, f"{path}: name these for what they hold: {', '.join(empty)}"
