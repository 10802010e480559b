"""What ``corundum data`` and ``corundum model`` print: the package's measurements and models, and all about one."""

import inspect
from pathlib import Path

import numpy as np

from ... import observables, parameters
from ...models import AbstractModel, citations
from ...models.citations import marked
from ...models.currencies import CURRENCIES
from ..runfile.builder import build, build_model
from ..runfile.errors import RunFileError
from ..runfile.kinds import kinds_making, resolve
from ..runfile.reader import read_run_file

__all__ = ["list_data", "show_data", "list_models", "show_model"]


def list_data() -> str:
    """One line for each measurement that comes with the package."""
    rows: list[tuple[str, ...]] = []
    for name in observables.available():
        data = observables.load(name)
        rows.append(
            (
                name,
                f"z = {data.redshift:g}",
                f"{len(data)} points",
                data.relation.title,
                data.citation,
                data.error_parts,
            )
        )
    return _columns(rows)


def show_data(name: str) -> str:
    """All that is known of one measurement, and its points."""
    data = observables.load(name)
    columns = {"x": data.x, "y": data.y, data.error_kind: np.sqrt(np.diag(np.asarray(data.covariance)))}
    if data.systematic > 0:
        columns |= {"systematic": np.full(len(data), float(data.systematic)), "total error": data.error}
    if data.scatter is not None and data.error_kind != "scatter":
        columns["scatter"] = data.scatter
    rows: list[tuple[str, ...]] = [tuple(columns)]
    rows += [tuple(f"{number:.4g}" for number in row) for row in zip(*map(np.asarray, columns.values()), strict=True)]
    return f"{data.summary()}\n\n{_columns(rows)}"


def list_models() -> str:
    """One line for each model that comes with the package and needs no argument."""
    kinds = kinds_making((AbstractModel,))
    return _columns([(kind, (inspect.getdoc(resolve(kind, ())) or "").partition("\n")[0]) for kind in kinds])


def show_model(name: str, diagram: str | None = None) -> str:
    """All about a model: reservoirs, flows, parameters, and the papers to cite.

    Parameters
    ----------
    name : str
        ``"pandya26"``, ``"models.pandya26"``, ``"module:name"``, or a run file, whose model is shown.
    diagram : str, optional
        File for a drawing of its network.
    """
    if Path(name).suffix == ".toml":
        file = read_run_file(Path(name))
        with file.located():
            if "model" not in file.tables:
                raise RunFileError(("model",), "this run file has no [model]")
            model = build_model(file.tables["model"], ("model",)).value
        title = f"model of {name}: {(inspect.getdoc(type(model)) or '').partition(chr(10))[0]}"
    else:
        kind = name if ":" in name or "." in name else f"models.{name}"
        model = build(kind, ("model",), (AbstractModel,)).value
        title = f"{kind}: {(inspect.getdoc(resolve(kind, ())) or '').partition(chr(10))[0]}"
    parts = [
        title,
        f"Reservoirs\n{_columns(_reservoirs(model.ledger))}",
        f"Flows\n{_columns(_flows(model.ledger))}",
        f"Parameters\n{_columns(_parameters(model))}",
    ]
    entries = citations(model)
    if entries:
        parts.append("Cite\n" + "\n\n".join(entries.values()))
    if diagram is not None:
        # Drawing takes a second to load, and most who look at a model do not draw it.
        from ...plots import network, save_figure

        save_figure(network(model.ledger), diagram)
        parts.append(f"Its network is drawn in {diagram}")
    return "\n\n".join(parts)


def _reservoirs(ledger):
    rows = [("reservoir", "holds", "field", "unit", "meaning")]
    for (currency, reservoir), field in ledger.contents.items():
        quantity = ledger.quantities[field]
        rows.append((reservoir, currency, field, quantity.unit, quantity.meaning))
    for currency, reservoir in ledger.outside:
        rows.append((reservoir, currency, "-", "-", "outside the galaxy"))
    return rows


def _flows(ledger):
    carried = [name for name in CURRENCIES if any(getattr(flow, name) for flow in ledger.flows)]
    rows = [("flow", *carried, "meaning")]
    for flow in ledger.flows:
        routes = (getattr(flow, currency) for currency in carried)
        rows.append((flow.name, *(" -> ".join(route) if route else "" for route in routes), flow.meaning))
    return rows


def _parameters(model):
    rows = [("parameter", "value", "unit", "range", "scale", "meaning", "source")]
    for dotted_name, parameter in parameters.describe(model).items():
        low, high = parameter.bounds
        value = " ".join(f"{number:.6g}" for number in np.ravel(parameter.value))
        limits = f"{low:g} to {high:g}"
        rows.append((
            dotted_name, value, parameter.unit, limits, parameter.scale, parameter.meaning, marked(parameter.source),
        ))  # fmt: skip
    return rows


def _columns(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))] if rows else []
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)
