"""What ``corundum data`` and ``corundum model`` print: the measurements and models that are there, and what
they are."""

import inspect

import numpy as np

from .. import observables, parameters
from ..models import AbstractModel
from .builder import build
from .kinds import kinds_making, resolve

__all__ = ["list_data", "show_data", "list_models", "show_model"]


def list_data() -> str:
    """One line for each measurement that comes with the package."""
    rows = []
    for name in observables.available():
        data = observables.load(name)
        rows.append((name, f"z = {data.redshift:g}", f"{len(data)} points", data.relation.title, data.citation))
    return _columns(rows)


def show_data(name: str) -> str:
    """All that is known of one measurement, and its points."""
    data = observables.load(name)
    rows = [("x", "y", "error")]
    rows += [(f"{x:.4g}", f"{y:.4g}", f"{e:.3g}") for x, y, e in zip(data.x, data.y, data.error, strict=True)]
    return f"{data.summary()}\n\n{_columns(rows)}"


def list_models() -> str:
    """One line for each model that comes with the package and needs no argument."""
    kinds = kinds_making((AbstractModel,))
    return _columns([(kind, (inspect.getdoc(resolve(kind, ())) or "").partition("\n")[0]) for kind in kinds])


def show_model(name: str) -> str:
    """Every parameter of a model: name, value, unit, range, meaning and source.

    Parameters
    ----------
    name : str
        ``"pandya26"``, ``"models.pandya26"`` or ``"module:name"``.
    """
    kind = name if ":" in name or "." in name else f"models.{name}"
    model = build(kind, ("model",), (AbstractModel,)).value
    summary = (inspect.getdoc(resolve(kind, ())) or "").partition("\n")[0]
    rows = [("parameter", "value", "unit", "range", "scale", "meaning", "source")]
    for dotted_name, number in parameters.describe(model).items():
        low, high = number.bounds
        value = " ".join(f"{each:.6g}" for each in np.ravel(number.value))
        limits = f"{low:g} to {high:g}"
        rows.append((dotted_name, value, number.unit, limits, number.scale, number.meaning, number.source))
    return f"{kind}: {summary}\n\n{_columns(rows)}"


def _columns(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))] if rows else []
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)
