"""How models print: a line that says what differs from the default, a few lines for a person, a table in notebooks."""

import dataclasses
import functools
import html
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import equinox as eqx
import numpy as np

from ..parameters import describe
from .currencies import CURRENCIES

__all__ = ["as_html", "as_line", "as_lines"]

_MOST_NUMBERS = 4
_WIDTH = 118
_UNKNOWN = "..."  # a number that is not known yet, while JAX traces


def as_line(component: Any) -> str:
    """A component as one would write it: its class and the arguments that differ from the default.

    Parameters
    ----------
    component : equinox.Module

    Examples
    --------
    >>> from corundum.models.printing import as_line
    >>> as_line(co.models.ThermalCGM(mass_loading=co.physics.MassLoading(slope=-2.0), channels={"wind": 0.0}))
    "ThermalCGM(mass_loading=MassLoading(slope=-2), channels={'wind': 0})"
    """
    kind: type = type(component)
    default = _default(kind)
    arguments = []
    for field in dataclasses.fields(component):
        value = getattr(component, field.name)
        usual = getattr(default, field.name, None)
        if default is None or not _same(value, usual):
            text = _text(value, usual)
            arguments += [] if text == "{}" else [f"{field.name}={text}"]  # only multipliers of 1 for added flows
    return f"{type(component).__name__}({', '.join(arguments)})"


def as_lines(model: Any) -> str:
    """A model in a few lines: what it is, its laws by place, its processes, and the flows whose multiplier is not 1.

    Examples
    --------
    >>> print(str(co.models.MinimalRegulator()).partition("\\n")[0])
    MinimalRegulator: 4 reservoirs of mass or energy, 6 flows, 21 parameters
    """
    places = _places(model)
    names = ["reservoirs", "flows", "processes", "channels", *places]
    width = max(map(len, names))
    ledger = model.ledger
    rows = {
        "reservoirs": ", ".join(dict.fromkeys(place for _, place in ledger.contents)),
        "flows": ", ".join(ledger.names),
        **places,
    }
    if hasattr(model, "processes"):
        processes = [f"{name}: {_with_numbers(process)}" for name, process in model.processes.items()]
        rows["processes"] = "; ".join(processes) or "none"
    if isinstance(getattr(model, "channels", None), Mapping):
        rows["channels"] = _text({k: v for k, v in model.channels.items() if not _same(v, np.float64(1.0))}, {})
        rows["channels"] = "all flows as they are" if rows["channels"] == "{}" else f"times {rows['channels']}"
    *others, last = dict.fromkeys(kind for kind in CURRENCIES for held, _ in ledger.contents if kind == held)
    held = f"{', '.join(others)} or {last}" if others else last
    first = f"{type(model).__name__}: {len(ledger.contents)} reservoirs of {held}, "
    first += f"{len(ledger.names)} flows, {len(_numbers(model))} parameters"
    indent = " " * (width + 4)
    lines = [
        textwrap.fill(text, _WIDTH, initial_indent=f"  {name:<{width}}  ", subsequent_indent=indent)
        for name, text in rows.items()
    ]
    return "\n".join([first, *lines])


def as_html(model: Any) -> str:
    """A table of laws and their parameters for notebooks.

    Examples
    --------
    >>> co.models.MinimalRegulator()._repr_html_()[:7]
    '<table>'
    """
    rows: list[str] = []
    for place, law in _places(model).items():
        numbers = {name: number for name, number in _numbers(model).items() if name.split(".")[0] == place}
        rows += _html_rows(place, law.partition("(")[0] if place not in numbers else "", numbers)
    for name, process in getattr(model, "processes", {}).items():
        prefix = f"processes.{name}"
        numbers = {k: number for k, number in _numbers(model).items() if k.startswith(f"{prefix}.")}
        rows += _html_rows(prefix, type(process).__name__, numbers)
    head = "".join(f"<th>{title}</th>" for title in ("place", "law", "parameter", "value", "unit", "meaning"))
    caption = html.escape(as_lines(model).partition("\n")[0])
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _html_rows(place: str, law: str, numbers: Mapping[str, Any]) -> Iterator[str]:
    cells: list[tuple[str, ...]] = [
        (name.removeprefix(f"{place}."), _number(number.value), number.unit, number.meaning)
        for name, number in numbers.items()
    ]
    for index, cell in enumerate(cells or [("", "", "", "")]):
        texts = ((place, law) if index == 0 else ("", "")) + cell
        yield f"<tr>{''.join(f'<td>{html.escape(text)}</td>' for text in texts)}</tr>"


def _places(model: Any) -> dict[str, str]:
    """The laws and numbers of a model, by field."""
    places = {}
    for field in dataclasses.fields(model):
        value = getattr(model, field.name)
        if field.name in ("processes", "channels"):
            continue
        note = field.metadata.get("corundum")
        if isinstance(value, eqx.Module):
            places[field.name] = _with_numbers(value)
        elif note is not None:
            places[field.name] = f"{_number(value)} {note['unit']}".removesuffix(" 1")
        else:
            places[field.name] = _text(value, None)
    return places


def _numbers(model: Any) -> dict[str, Any]:
    return {name: number for name, number in describe(model).items() if not name.startswith("channels.")}


def _with_numbers(law: Any) -> str:
    numbers = describe(law)
    if len(numbers) > _MOST_NUMBERS:
        return f"{type(law).__name__}({len(numbers)} parameters)"
    return f"{type(law).__name__}({', '.join(f'{name}={_number(n.value)}' for name, n in numbers.items())})"


@functools.cache
def _default(kind: type) -> Any:
    """An object made without arguments; None where arguments are needed."""
    try:
        return kind()
    except Exception:  # a class that needs arguments may fail in any way; all arguments are shown then
        return None


def _same(value: Any, other: Any) -> bool:
    if isinstance(value, Mapping) and isinstance(other, Mapping):
        return value.keys() == other.keys() and all(_same(value[name], other[name]) for name in value)
    if isinstance(value, eqx.Module):
        fields = vars(value)
        return type(value) is type(other) and all(_same(fields[name], vars(other)[name]) for name in fields)
    try:
        return bool(np.array_equal(value, other)) if hasattr(value, "shape") else bool(value == other)
    except Exception:  # traced, or of a kind that does not compare
        return False


def _text(value: Any, usual: Any) -> str:
    if isinstance(value, Mapping):
        changed = {k: v for k, v in value.items() if not isinstance(usual, Mapping) or not _same(v, usual.get(k, 1.0))}
        return "{" + ", ".join(f"{name!r}: {_text(member, None)}" for name, member in changed.items()) + "}"
    if isinstance(value, eqx.Module):
        return as_line(value)
    if isinstance(value, tuple | list) and any(isinstance(member, eqx.Module) for member in value):
        return f"{len(value)} parts"
    return _number(value) if hasattr(value, "shape") else getattr(value, "__name__", repr(value))


def _number(value: Any) -> str:
    if getattr(value, "shape", ()) != ():
        return f"array{tuple(value.shape)}"
    try:
        return f"{float(value):.4g}"
    except Exception:  # traced
        return _UNKNOWN
