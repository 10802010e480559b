"""What the page has to know of a view before any number: parameters, data, halos, reservoirs and flows."""

from typing import Any

import numpy as np

from ..array_library import on_host
from ..numerics.solvers.base import STATUS
from ..sensitivity import INDICES, Natural
from .engine import COLUMNS, SHOWN, Engine
from .indices import has_indices
from .laws import choices

__all__ = ["described", "plain_text"]

_SIGNS = {
    r"{\rm ": "", r"\log_{10}": "log", r"\star": "*", r"\odot": "sun", r"\langle": "<", r"\rangle": ">",
    r"\times": "x", r"\rm": "", r"\,": " ", r"\ ": " ", "$": "", "{": "", "}": "", "_": "",
    }  # fmt: skip


def plain_text(label: str) -> str:
    """A label of a figure without the signs of TeX.

    Examples
    --------
    >>> plain_text(r"$\\log_{10}(M_\\star/M_{\\rm vir})$")
    'log(M*/Mvir)'
    """
    for sign, text in _SIGNS.items():
        label = label.replace(sign, text)
    return " ".join(label.split()).replace("( ", "(")


def described(engine: Engine) -> dict[str, Any]:
    """The description of a view, in what JSON can hold."""
    view = engine.view
    halos = view.halos
    ledger = view.model.ledger
    quantities = {**halos.quantities, **ledger.quantities, **view.model.diagnostics}
    return {
        "model": type(view.model).__name__,
        "columns": COLUMNS,
        "parameters": [_parameter(engine, name) for name in view.names],
        "laws": choices(view.model),
        "measurements": [_measurement(view, index) for index in range(len(view.measurements))],
        "redshifts": list(view.redshifts),
        "ages": np.asarray(halos.cosmology.age(np.array(view.redshifts))).tolist(),
        "histories": [
            {"name": name, "unit": quantities[name].unit, "meaning": quantities[name].meaning}
            for name in view.histories
        ],
        "halos": np.asarray(halos.log_mvir)[:, -1].tolist(),
        "baryon_fraction": float(halos.cosmology.baryon_fraction),
        "flows": [_flow(flow) for flow in ledger.flows],
        "indices": list(INDICES) if has_indices(view) else [],
        "statuses": {str(code): words for code, words in STATUS.items()},
        "quantities": {name: quantities[name].meaning for name in ledger.state._fields},
        "notes": list(view.notes),
        "reservoirs": sorted({reservoir for _, reservoir in ledger.contents}),
    }


def _flow(flow: Any) -> dict[str, Any]:
    routes = {currency: getattr(flow, currency) for currency in SHOWN}
    return {"name": flow.name, "routes": {currency: route for currency, route in routes.items() if route is not None}}


def _parameter(engine: Engine, name: str) -> dict[str, Any]:
    known, priors = engine.known[name], engine.priors
    low, high = (float(end) for end in known.bounds)
    value = float(known.value)
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        low, high = sorted((0.5 * value, 2.0 * value)) if value else (-1.0, 1.0)
    if name.startswith("channels."):
        low, high = 0.0, 2.0  # what if a flow were twice as strong, or not there
    if priors.is_given(name):  # it may reach beyond the declared range
        ends = [float(Natural().decode(name, known, np.float64(end))) for end in priors.width(name)]
        low, high = max(min(low, ends[0]), known.allowed[0]), min(max(high, ends[1]), known.allowed[1])
    low, high = min(low, value), max(high, value)
    ends = [float(Natural().encode(name, known, np.float64(end))) for end in (low, high)]
    return {
        "name": name,
        "value": value,
        "log": known.scale == "log10",  # slopes are in decades then
        "low": low,
        "high": high,
        "unit": "" if known.unit == "1" else known.unit,
        "meaning": known.meaning,
        "source": known.source,
        "prior": priors.in_words(name),
        "density": priors.density(name, *ends),
    }


def _measurement(view: Any, index: int) -> dict[str, Any]:
    (measurement,) = on_host(view.measurements[index])
    relation = measurement.relation
    limits = measurement.upper_limit
    return {
        "name": measurement.name,
        "title": relation.title,
        "x": np.asarray(measurement.x).tolist(),
        "y": np.asarray(measurement.y).tolist(),
        "error": np.asarray(measurement.error).tolist(),
        "limit": list(limits) if limits is not None else [False] * len(measurement),
        "xlabel": plain_text(relation.x_axis.meaning),
        "ylabel": plain_text(relation.y_axis.meaning),
        "redshift": view.summaries.outputs[view.summaries.nearest[index]],
        "citation": measurement.citation,
        "galaxies": bool(relation.single_galaxies),
    }
