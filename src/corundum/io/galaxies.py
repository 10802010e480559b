"""Populations on disk: one group for each output redshift, one dataset for each quantity.

``/galaxies/z=0.0/mstar`` holds the stellar mass of every galaxy at z = 0, and ``/galaxies/z=0.0/flows/wind/mass`` the
mass that the wind carries.  What belongs to a halo at all times (solver status, weight) lies in ``/galaxies`` itself.
"""

import collections
import json
from collections.abc import Mapping
from typing import Any

import h5py
import jax.numpy as jnp
import numpy as np

from ..halos import HALO_QUANTITIES, Extras, Halo
from ..models import FlowRates
from ..models.currencies import rate_quantity
from ..population import STATUS, Histories, Population
from ..storage.arrays import read_array, write_array
from ..storage.components import find_class
from ..units import Quantity

__all__ = ["write_population", "read_population"]

_PER_HALO = {
    "redshifts": Quantity("1", "output redshifts, in the order of `evolve`", log=False),
    "status": Quantity(
        "1",
        "how each solve ended: " + "; ".join(f"{code} = {text}" for code, text in STATUS.items()),
        log=False,
    ),
    "steps": Quantity("1", "solver steps tried for each halo", log=False),
    "rejected": Quantity("1", "solver steps rejected for each halo", log=False),
    "weights": Quantity("1", "number, or number density, of halos each one stands for"),
}

_VALID = Quantity(
    "none", "false where the solve failed, or the halo had not started or had ended; other datasets hold NaN", log=False
)

_SURVIVAL = Quantity("1", "share of the galaxies that have not merged with their host", log=False)

_HOST = Quantity("1", "row of the galaxy whose satellite each one is in the end; -1: central", log=False)

_AGE = Quantity("Gyr", "cosmic ages at which histories are kept", log=False)


def write_population(group: h5py.Group, population: Population, meanings: Mapping[str, str] | None = None) -> None:
    """Store a population; `meanings` describes each flow in words."""
    meanings = {} if meanings is None else meanings
    state = type(population.state)
    group.attrs["state_kind"] = f"{state.__module__}.{state.__qualname__}"
    group.attrs["halo"] = json.dumps(list(population.halo.by_name()))
    group.attrs["state"] = json.dumps(population.state._fields)
    group.attrs["diagnostics"] = json.dumps(list(population.diagnostics))
    for name, quantity in _PER_HALO.items():
        write_array(group, name, getattr(population, name), quantity)
    if population.host is not None:
        write_array(group, "host", np.asarray(population.host), _HOST)
    names = [redshift_name(z) for z in np.asarray(population.redshifts)]
    group.attrs["order"] = json.dumps(names)
    if population.root_redshift is not None:
        group.attrs["root_redshift"] = float(population.root_redshift)
    columns = {name: np.asarray(array) for name, array in population.values.items()}
    flows = {
        name: {currency: np.asarray(rate) for currency, rate in rates._asdict().items() if rate is not None}
        for name, rates in population.flows.items()
    }
    for k, name in enumerate(names):
        if name in group:
            continue  # the same redshift twice
        output = group.create_group(name, track_order=True)
        output.attrs["redshift"] = float(np.asarray(population.redshifts)[k])
        write_array(output, "valid", np.asarray(population.valid)[:, k], _VALID)
        if population.survival is not None:
            write_array(output, "survival", np.asarray(population.survival)[:, k], _SURVIVAL)
        for column, array in columns.items():
            write_array(output, column, array[:, k], population.quantities[column])
        for flow, rates in flows.items():
            channel = output.create_group(f"flows/{flow}", track_order=True)
            for currency, rate in rates.items():
                meaning = meanings.get(flow, flow.replace("_", " "))
                write_array(channel, currency, rate[:, k], rate_quantity(currency, flow, meaning))
    if population.histories is not None:
        _write_histories(group.create_group("histories", track_order=True), population)


def _write_histories(group, population):
    histories = population.histories
    write_array(group, "times", histories.times, _AGE)
    write_array(group, "ages", histories.ages, _AGE._replace(meaning="cosmic ages of the outputs"))
    curves = group.create_group("values", track_order=True)
    for name, values in histories.values.items():
        write_array(curves, name, values, population.quantities[name])


def read_population(group: h5py.Group) -> Population:
    """The population stored by `write_population`.

    The state comes back as the model's own class where that is imported, and as an equal named tuple
    otherwise.
    """
    per_halo = {name: jnp.asarray(read_array(group, name)[0]) for name in _PER_HALO}
    outputs = [group[name] for name in json.loads(group.attrs["order"])]
    quantities: dict[str, Quantity] = {}

    def stack(name):
        columns, quantities[name] = zip(*(read_array(output, name) for output in outputs), strict=True)
        quantities[name] = quantities[name][0]
        return jnp.stack(columns, axis=1)

    fields = {part: json.loads(group.attrs[part]) for part in ("halo", "state", "diagnostics")}
    kept = set(outputs[0])  # `evolve(keep=...)` leaves the other fields empty
    common: dict[str, Any] = {
        name: stack(name) if name in kept else None for name in fields["halo"] if name in HALO_QUANTITIES
    }
    extras = Extras({name: stack(name) for name in fields["halo"] if name not in HALO_QUANTITIES})
    halo = Halo(**common, extras=extras)
    kept_type = find_class(group.attrs["state_kind"])
    same_fields = tuple(getattr(kept_type, "_fields", ())) == tuple(fields["state"])
    state_type: Any = kept_type if same_fields else collections.namedtuple("State", fields["state"])
    state = state_type(**{name: stack(name) if name in kept else None for name in fields["state"]})
    diagnostics = {name: stack(name) for name in fields["diagnostics"]}
    flows = {
        flow: FlowRates(**_stacked([output["flows"][flow] for output in outputs]))
        for flow in outputs[0].get("flows", {})
    }
    valid = jnp.stack([output["valid"][()] for output in outputs], axis=1)
    survival = None
    if "survival" in kept:
        survival = jnp.stack([output["survival"][()] for output in outputs], axis=1)
    histories = _read_histories(group["histories"], quantities) if "histories" in group else None
    root = group.attrs.get("root_redshift")  # files of earlier versions lack it
    return Population(
        halo=halo,
        state=state,
        flows=flows,
        diagnostics=diagnostics,
        valid=valid,
        described=tuple(sorted(quantities.items())),
        histories=histories,
        survival=survival,
        host=jnp.asarray(group["host"][()]) if "host" in group else None,  # files of earlier versions lack it
        root_redshift=None if root is None else jnp.asarray(root),
        **per_halo,
    )


def _read_histories(group, quantities):
    values = {}
    for name in group["values"]:
        array, quantities[name] = read_array(group["values"], name)
        values[name] = jnp.asarray(array)
    return Histories(jnp.asarray(group["times"][()]), values, jnp.asarray(group["ages"][()]))


def _stacked(groups):
    return {name: jnp.stack([group[name][()] for group in groups], axis=1) for name in groups[0]}


def redshift_name(redshift: float) -> str:
    """Name of the group of an output redshift, ``"z=2.0"``: the shortest text that is exactly this number."""
    return f"z={float(redshift)!r}"
