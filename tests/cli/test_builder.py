"""From tables to objects: kinds, keys, types, ranges, and every mistake with its place."""

import sys
from pathlib import Path
from typing import Literal

import equinox as eqx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Array, Float

from corundum import models, parameters, physics
from corundum.cli.runfile.builder import build, build_model, construct
from corundum.cli.runfile.errors import RunFileError
from corundum.cli.runfile.kinds import public_kinds, resolve, source_files
from corundum.cli.runfile.values import as_toml, convert
from corundum.cosmology import Cosmology, planck18
from corundum.numerics import DiffraxSolver

MINE = """
import equinox as eqx
from corundum.physics import AbstractCooling
from corundum.parameters import parameter

class MyCooling(AbstractCooling):
    rate: float = parameter(-22.0, unit="1", meaning="log Lambda", source="test", bounds=(-25.0, -20.0))
    def __call__(self, log_t, log_z):
        return self.rate + 0.0 * log_t

def make(n: int = 3, name: str = "a"):
    return (n, name)
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A module of the user's in the working directory."""
    (tmp_path / "mylaws.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "mylaws"
    sys.modules.pop("mylaws", None)


def problem(call) -> str:
    with pytest.raises(RunFileError) as caught:
        call()
    return str(caught.value)


def test_multipliers_of_flows_are_a_table_of_numbers_by_name():
    table = {"kind": "models.ThermalCGM", "channels": {"wind": 0.5}}
    assert float(build_model(table, ("model",)).value.channels["wind"]) == 0.5
    with pytest.raises(RunFileError, match="got 20; allowed between 0 and 10"):
        build_model(table | {"channels": {"wind": 20.0}}, ("model",))


def test_every_model_and_law_without_required_arguments_can_be_named():
    kinds = public_kinds("models") + public_kinds("physics")
    assert {"models.pandya26", "models.ThermalCGM", "physics.SutherlandDopita93"} <= set(kinds)
    assert not any(name.rpartition(".")[2].startswith("Abstract") for name in kinds)
    assert resolve("models.ThermalCGM", ()) is models.ThermalCGM


def test_a_model_is_named_and_changed_in_all_three_ways(mine):
    table = {
        "kind": "models.ThermalCGM",
        "cooling": {"kind": f"{mine}:MyCooling", "rate": -23},
        "mass_loading": {"amplitude": 2.0},
        "parameters": {"energy_loading.amplitude": 0.2, "mass_loading": {"slope": -0.5}},
    }
    model, resolved = build_model(table, ("model",))
    assert type(model.cooling).__name__ == "MyCooling"
    values = parameters.get_values(
        model, ["cooling.rate", "mass_loading.amplitude", "energy_loading.amplitude", "mass_loading.slope"]
    )
    assert [float(v) for v in values] == [-23.0, 2.0, 0.2, -0.5]
    # The resolved table holds every parameter once, and makes the same model again.
    assert list(resolved["parameters"]) == list(parameters.describe(model))
    assert resolved["cooling"] == {"kind": f"{mine}:MyCooling"} and "mass_loading" not in resolved
    again, same = build_model(resolved, ("model",))
    assert same == resolved and eqx.tree_equal(again, model)


def test_a_preset_can_have_a_component_swapped():
    model, _ = build_model({"kind": "models.pandya26", "cooling": "physics.SutherlandDopita93"}, ("model",))
    assert isinstance(model.cooling, physics.SutherlandDopita93)
    model, _ = build_model({"kind": "models.pandya26", "mass_loading": {"amplitude": 3}}, ("model",))
    assert float(model.mass_loading.amplitude) == 3.0


def test_a_solver_with_tolerances_and_a_method_of_diffrax():
    built = build({"kind": "numerics.DiffraxSolver", "rtol": 1e-5, "method": "diffrax:Dopri8"}, ("solver",))
    assert isinstance(built.value, DiffraxSolver) and built.value.rtol == 1e-5
    assert type(built.value.method).__name__ == "Dopri8"
    assert built.table["rtol"] == 1e-5 and built.table["atol"] == 1e-7 and built.table["max_steps"] == 65536


def test_source_files_of_the_user_are_found(mine):
    table = {"kind": "models.ThermalCGM", "cooling": {"kind": f"{mine}:MyCooling"}}
    build_model(table, ("model",))
    assert [path.name for path in source_files(table)] == ["mylaws.py"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, 'model: this table needs kind = "..."; it can be \'models.'),
        ({"kind": 3}, "model.kind: got 3; expected text in quotes"),
        (
            {"kind": "models.pandya62"},
            "model.kind: unknown kind 'models.pandya62'; did you",
        ),
        ({"kind": "pandya26"}, "did you mean models.pandya26 or models.pandya23?"),
        (
            {"kind": "physics.MassLoading"},
            "model.kind: 'physics.MassLoading' does not fit here; it can be 'models.",
        ),
        ({"kind": "models.ThermalCGM", "colling": "x"}, "model.colling: unknown key; did you mean cooling"),
        ({"kind": "models.pandya26", "colling": "x"}, "model.colling: unknown key; did you mean cooling"),
        ({"kind": "models.ThermalCGM", "cooling": {"norm": 1}}, "model.cooling.norm: unknown key"),
        ({"kind": "models.ThermalCGM", "cooling": 3.0}, "model.cooling: got 3.0; expected a table with kind"),
        (
            {"kind": "models.ThermalCGM", "cooling": "physics.Colling"},
            "model.cooling.kind: unknown kind 'physics.Colling'; did you mean physics.TabulatedNetCooling",
        ),
        (
            {"kind": "models.ThermalCGM", "cooling": "physics.MassLoading"},
            "'physics.MassLoading' does not fit here; it can be 'physics.",
        ),
        (
            {"kind": "models.ThermalCGM", "mass_loading": {"amplitude": 1e9}},
            "model.mass_loading.amplitude: got 1e+09; allowed between 0.01 and 10",
        ),
        (
            {"kind": "models.ThermalCGM", "mass_loading": {"amplitude": "high"}},
            "model.mass_loading.amplitude: got the text 'high'; expected a number",
        ),
        (
            {"kind": "models.pandya26", "parameters": {"mass_loading.amplitud": 1.0}},
            'model.parameters."mass_loading.amplitud": unknown parameter; did you mean mass_loading.amplitude or ',
        ),
        (
            {"kind": "models.pandya26", "parameters": {"mass_loading": {"amplitude": -1.0}}},
            "model.parameters.mass_loading.amplitude: got -1; allowed between 0.01 and 10",
        ),
        (
            {"kind": "models.pandya26", "parameters": {"mass_loading.amplitude": True}},
            "got true; expected a number",
        ),
        ({"kind": "models.pandya26", "parameters": 3}, "model.parameters: got 3; expected a table"),
    ],
)
def test_mistakes_in_a_model_say_where_and_what(table, message):
    assert message in problem(lambda: build_model(table, ("model",)))


def test_mistakes_in_a_module_of_the_users(mine, tmp_path):
    assert "there is no module 'mylawz'; put mylawz.py in" in problem(lambda: resolve("mylawz:X", ("a",)))
    assert "has no 'MyColling'; did you mean MyCooling?" in problem(lambda: resolve("mylaws:MyColling", ("a",)))
    assert "is str; name a class or a function" in problem(lambda: resolve("mylaws:__name__", ("a",)))
    (tmp_path / "broken_laws.py").write_text("x = 1 +\n")
    assert "fails to import with SyntaxError" in problem(lambda: resolve("broken_laws:X", ("a",)))
    (tmp_path / "needy_laws.py").write_text("import not_there_at_all\n")
    assert "needs 'not_there_at_all', which is not installed" in problem(lambda: resolve("needy_laws:X", ("a",)))
    assert build({"kind": "mylaws:make", "n": 5.0}, ()).value == (5, "a")
    assert "n: got 5.5; expected a whole number" in problem(lambda: build({"kind": "mylaws:make", "n": 5.5}, ()))


def needs_parts(time: float, law: physics.AbstractScaling, cosmology: Cosmology | None = None):
    """A function with a required number, a required component and an optional concrete one."""
    return time, law, cosmology


@pytest.mark.wrong_types
def test_a_component_with_the_same_methods_stands_in_for_a_concrete_class(mine):
    Path("standin.py").write_text(
        "import equinox as eqx\nfrom corundum.parameters import parameter\n"
        "class Return(eqx.Module):\n"
        "    recycled_fraction: float = parameter(0.3, unit='1', meaning='R', source='test', bounds=(0.1, 0.6))\n"
        "    metal_yield: float = parameter(0.02, unit='1', meaning='y', source='test', bounds=(0.0, 0.1))\n"
        "    supernova_energy: float = parameter(1e49, unit='erg/Msun', meaning='e', source='test', bounds=(0, 1e50))\n"
        "class Unlike(eqx.Module):\n    number: float = 1.0\n"
    )
    table = {"kind": "models.ThermalCGM", "stellar_return": {"kind": "standin:Return", "metal_yield": 0.04}}
    model = build_model(table, ("model",)).value
    assert float(model.stellar_return.metal_yield) == 0.04
    with pytest.raises(RunFileError, match="'standin:Unlike' makes Unlike, which does not fit here"):
        build_model({"kind": "models.ThermalCGM", "stellar_return": "standin:Unlike"}, ("model",))


def test_required_arguments_and_concrete_components():
    law = {"kind": "physics.MassLoading"}
    assert "the key 'time' is missing" in problem(lambda: construct(needs_parts, {"law": law}, ("x",)))
    missing = problem(lambda: construct(needs_parts, {"time": 1}, ("x",)))
    assert "the key 'law' is missing, a table with a kind; it can be" in missing and "physics.MassLoading" in missing
    assert 'x.law: this table needs kind = "..."' in problem(
        lambda: construct(needs_parts, {"time": 1, "law": {"amplitude": 2.0}}, ("x",))
    )
    made = construct(needs_parts, {"time": 1, "law": law, "cosmology": {"h": 0.7}}, ("x",))
    assert float(made.value[2].h) == 0.7
    made = construct(needs_parts, {"time": 1, "law": law, "cosmology": "cosmology.planck18"}, ("x",))
    assert eqx.tree_equal(made.value[2], planck18())
    assert made.table["cosmology"] == {"kind": "cosmology.planck18"}


def refuses(n: int):
    """A function that has its own opinion."""
    raise ValueError(f"n: got {n}; allowed odd\nnumbers")


def test_the_refusal_of_a_component_gets_its_place():
    assert problem(lambda: construct(refuses, {"n": 2}, ("halos",))) == "halos: n: got 2; allowed odd numbers"


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        (3, float, 3.0),
        (1e3, int, 1000),
        (True, bool, True),
        ("a", str, "a"),
        ("a/b", Path, Path("a/b")),
        ("a/b", str | Path, "a/b"),
        ([1, 2], tuple[float, float], (1.0, 2.0)),
        ([1, 2, 3], tuple[int, ...], (1, 2, 3)),
        ([1, 2], list[float], (1.0, 2.0)),
        ("png", Literal["png", "pdf"], "png"),
        (3, Float[Array, ""], 3.0),
        (None, None, None),
        ([[1, 2]], object, ([1, 2],)),
        ({"a": 1}, dict[str, int], {"a": 1}),
        (3, int | None, 3),
        (7, float | int, 7),
    ],
)
def test_values_are_converted_as_annotated(value, annotation, expected):
    converted = convert(value, annotation, ()) if annotation is not None else expected
    assert converted == expected and type(converted) is type(expected)


def test_lists_become_arrays_where_arrays_are_asked_for():
    for annotation in (Float[Array, " t"], np.ndarray, Float[Array, " t"] | None):
        converted = convert([1, 2.5], annotation, ())
        assert isinstance(converted, np.ndarray) and converted.tolist() == [1.0, 2.5]
        assert as_toml(converted) == [1.0, 2.5]


@pytest.mark.parametrize(
    ("value", "annotation", "message"),
    [
        ("3", float, "got the text '3'; expected a number"),
        (True, int, "got true; expected a whole number"),
        (1.5, int, "got 1.5; expected a whole number"),
        (float("nan"), float, "got nan; expected a number"),
        (float("inf"), int, "got inf; expected a whole number"),
        (1, str, "got 1; expected text in quotes"),
        ([1, 2, 3], tuple[float, float], "got the list [1, 2, 3]; expected a list of 2 numbers"),
        ([1, "a"], tuple[float, ...], "expected a list of numbers"),
        (3.0, tuple[float, ...], "got 3.0; expected a list of numbers"),
        ("jpg", Literal["png", "pdf"], "got the text 'jpg'; expected 'png' or 'pdf'"),
        ({"a": 1}, float, "got a table; expected a number"),
        ([1.0], Float[Array, ""], "expected a number"),
        ("a", Float[Array, " t"], "expected numbers"),
    ],
)
def test_wrong_types_are_refused_in_words(value, annotation, message):
    assert message in problem(lambda: convert(value, annotation, ("k",)))


@given(st.floats(0.01, 10.0), st.floats(0.05, 5.0))
@settings(max_examples=10, deadline=None)
def test_parameters_in_range_arrive_exactly(eta, h):
    if not 0.5 <= h <= 0.9:
        assert "allowed between 0.5 and 0.9" in problem(lambda: construct(Cosmology, {"h": h}, ()))
    else:
        assert float(construct(Cosmology, {"h": h}, ()).value.h) == h
    built = construct(physics.MassLoading, {"amplitude": eta}, ())
    assert float(built.value.amplitude) == built.table["amplitude"] == eta
