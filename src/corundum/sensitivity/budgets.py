r"""Where the baryons a halo was owed are, and by which kind of feedback the missing ones are missing.

A halo is owed f_b Mvir(z) of gas.  Every part of it is in exactly one place (shares, fractions of f_b Mvir):

- ``never_accreted``: 1 - (initial gas + integral of the inflow) / (f_b Mvir); negative where a halo has lost mass;
- ``kept_hot``: in the CGM, and has never been in the ISM;
- ``expelled_hot``: left the halo without ever having been in the ISM;
- ``ejected``: in the CGM after having been in the ISM;
- ``expelled``: left the halo after having been in the ISM;
- ``ism`` and ``stars``: what they hold;
- ``elsewhere``, in models with further reservoirs of mass (black holes, gas kept near the halo): what those hold.

They add up to one, as a check of the integration and not by definition: the inflow, the outflow and the contents are
integrated separately.  Gas in the CGM is taken as well mixed, as its metals are.  From these follow

    prevention index  P = never_accreted + kept_hot + expelled_hot    (has never been in the galaxy),
    ejection index    E = ejected + expelled                          (has been in the galaxy and was thrown out),
    retained          R = ism + stars + elsewhere,                    P + E + R = 1,

and the preventive fraction P / (P + E): of the baryons missing from the galaxy, the part that was kept from it.
``recycled`` is a gross flow and no share: gas that cooled again after an ejection, over f_b Mvir; a parcel counts each
time.  The energy put into the CGM and the metals made or brought in are divided in the same way.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..halos import HaloHistories
from ..models import AbstractModel
from ..models.ledger import CURRENCIES
from ..numerics.solvers.base import AbstractSolver
from ..numerics.solvers.lanes import LaneSolver
from .accounts import Accounted, contents
from .coordinates import AbstractCoordinates, Natural
from .derivatives import AbstractMode, Forward, check_redshifts, differentiate
from .jacobians import directions_for
from .labelled import Labelled
from .prior_wide.space import COSMOLOGY, choose, known_parameters

__all__ = ["SHARES", "INDICES", "Budgets", "budgets"]

SHARES = ("never_accreted", "kept_hot", "expelled_hot", "ejected", "expelled", "ism", "stars")
"""Where the baryons owed to a halo are."""

INDICES = ("prevention", "ejection", "retained", "preventive_fraction", "recycled")
"""What follows from the shares."""


class Budgets(NamedTuple):
    """Time-integrated budgets of every halo.

    Attributes
    ----------
    mass : Labelled, (halo, redshift, share)
        Fractions of f_b Mvir; see the module.
    indices : Labelled, (halo, redshift, index)
    energy : Labelled, (halo, redshift, share)
        Fractions of the energy put into the CGM: ``stored``, and each flow that takes energy out.
    metals : Labelled, (halo, redshift, share)
        Fractions of the metals made or brought in: what each reservoir holds, and what left the halo.
    mass_flows, energy_flows, metals_flows : Labelled, (halo, redshift, flow)
        What each flow has carried since the start, over f_b Mvir, or over the energy or the metals supplied.
    derivative : dict of str to Labelled, or empty
        Each of the above again under its name, with a last dimension ``parameter``.
    log_mvir : Labelled, (halo, redshift)
    status : Labelled, (halo,)
    """

    mass: Labelled
    indices: Labelled
    energy: Labelled
    metals: Labelled
    mass_flows: Labelled
    energy_flows: Labelled
    metals_flows: Labelled
    derivative: dict[str, Labelled]
    log_mvir: Labelled
    status: Labelled

    def closure(self) -> dict[str, float]:
        """Largest departure of each sum of shares from one: the error of the integration."""
        return {
            name: float(np.nanmax(np.abs(getattr(self, name).values.sum(axis=-1) - 1.0)))
            for name in ("mass", "energy", "metals")
        }


class _Shares(eqx.Module):
    """All fractions of a population of `model`, by kind: arrays (N, K, labels)."""

    model: Accounted

    def __call__(self, population) -> dict[str, Float[Array, "n k s"]]:
        state = population.state
        own, totals = self.model.model.ledger, self.model.totals(state)
        held = {currency: contents(own, state, currency) for currency in CURRENCIES}
        owed = state.baryon_fraction * population.halo.mvir
        entered, left = (_crossing(own, totals, "mass", inward=inward) for inward in (True, False))
        gone = sum(left.values())
        mass = {
            "never_accreted": 1.0 - (state.opening_mass + sum(entered.values())) / owed,
            "kept_hot": (held["mass"]["cgm"] - state.mejected) / owed,
            "expelled_hot": (gone - state.mexpelled) / owed,
            "ejected": state.mejected / owed,
            "expelled": state.mexpelled / owed,
            "ism": held["mass"]["ism"] / owed,
            "stars": held["mass"].get("stars", jnp.zeros_like(owed)) / owed,
        }
        if elsewhere := _elsewhere(own):
            mass["elsewhere"] = sum(held["mass"][place] for place in elsewhere) / owed
        split = {
            "mass": mass,
            "indices": _indices(mass, state.mrecycled / owed),
            "mass_flows": _over(totals, "mass", owed),
        }
        for currency in ("energy", "metals"):
            supply = getattr(state, f"opening_{currency}") + sum(_crossing(own, totals, currency, inward=True).values())
            lost = _crossing(own, totals, currency, inward=False)
            stored = held[currency] if currency == "metals" else {"stored": sum(held[currency].values())}
            split[currency] = {name: amount / supply for name, amount in {**stored, **lost}.items()}
            split[f"{currency}_flows"] = _over(totals, currency, supply)
        return {kind: jnp.stack(list(parts.values()), axis=-1) for kind, parts in split.items()}

    def labels(self, kind: str) -> tuple[str, ...]:
        """Names along the last axis of one kind of fractions."""
        own = self.model.model.ledger
        if kind in ("mass", "indices"):
            return INDICES if kind == "indices" else (*SHARES, *(("elsewhere",) if _elsewhere(own) else ()))
        if kind.endswith("_flows"):
            return tuple(flow.name for flow in own.flows if getattr(flow, kind.removesuffix("_flows")) is not None)
        inside = [reservoir for currency, reservoir in own.contents if currency == kind]
        lost = [f.name for f in own.flows if getattr(f, kind) and _direction(own, f, kind) == "outward"]
        return (*(inside if kind == "metals" else ("stored",)), *lost)


def _indices(mass, recycled):
    prevention = mass["never_accreted"] + mass["kept_hot"] + mass["expelled_hot"]
    ejection = mass["ejected"] + mass["expelled"]
    return {
        "prevention": prevention,
        "ejection": ejection,
        "retained": mass["ism"] + mass["stars"] + mass.get("elsewhere", 0.0),
        "preventive_fraction": prevention / (prevention + ejection),
        "recycled": recycled,
    }


def _elsewhere(ledger):
    """Reservoirs of mass besides the CGM and the galaxy."""
    return [place for kind, place in ledger.contents if kind == "mass" and place not in ("cgm", "ism", "stars")]


def _over(totals, currency, unit):
    return {flow: total / unit for (flow, kind), total in totals.items() if kind == currency}


def _direction(ledger, flow, currency):
    source, sink = ((currency, place) in ledger.contents for place in getattr(flow, currency))
    return "inward" if sink and not source else "outward" if source and not sink else "within"


def _crossing(ledger, totals, currency, *, inward):
    wanted = "inward" if inward else "outward"
    return {
        flow.name: totals[flow.name, currency]
        for flow in ledger.flows
        if getattr(flow, currency) and _direction(ledger, flow, currency) == wanted
    }


def budgets(
    model: AbstractModel,
    halos: HaloHistories,
    redshifts: Sequence[float] = (0.0,),
    parameters: Sequence[str] | None = (),
    *,
    coordinates: AbstractCoordinates | None = None,
    mode: AbstractMode | None = None,
    solver: AbstractSolver | None = None,
    chunk: int = 512,
    progress: Callable[[int, int], None] | None = None,
) -> Budgets:
    """Time-integrated budgets of every halo, the indices that follow, and their derivatives.

    Parameters
    ----------
    model : AbstractModel
        With reservoirs ``cgm`` and ``ism``.
    halos : HaloHistories
    redshifts : sequence of float
    parameters : sequence of str, optional
        Differentiate with respect to these; none by default, None for every number of the model.
    coordinates : AbstractCoordinates, optional
        How the parameters are measured; default `Natural()`.
    mode : AbstractMode, optional
    solver : AbstractSolver, optional
        Default ``LaneSolver(tolerance=1e-11, max_steps=20_000)``: shares add up to one as well as the equations are
        solved.
    chunk : int, optional
        Halos at once on each device.
    progress : callable, optional
        Called as ``progress(done, total)`` in solves.

    Raises
    ------
    ValueError
        The model has no CGM or ISM, or a name or redshift makes no sense.
    """
    accounted = Accounted(model)
    solver = LaneSolver(tolerance=1e-11, max_steps=20_000) if solver is None else solver
    outputs = check_redshifts(halos, redshifts)
    select = _Shares(accounted)
    names = () if parameters is not None and not len(parameters) else choose(model, halos.cosmology, parameters)
    coordinates = Natural() if coordinates is None else coordinates
    ahead = directions_for(model, halos.cosmology, names, coordinates)
    rows = ahead.rows if len(names) else np.zeros((1, len(ahead.names)))
    solved = differentiate(
        select, accounted, halos, outputs, tuple(_inside(name) for name in ahead.names), ahead.vector, rows,
        mode=(mode if len(names) else Forward(columns=1)), solver=solver, chunk=chunk, progress=progress,
    )  # fmt: skip
    about = known_parameters(model, halos.cosmology)
    units = tuple(coordinates.unit(name, about[name]) for name in names)
    return _labelled(select, solved, np.asarray(outputs), names, units)


def _inside(name):
    return name if name.startswith(COSMOLOGY) else f"model.{name}"


_KINDS = {
    "mass": ("share", "fractions of f_b Mvir"),
    "indices": ("index", "prevention and ejection indices"),
    "energy": ("share", "fractions of the energy put into the CGM"),
    "metals": ("share", "fractions of the metals made or brought in"),
    "mass_flows": ("flow", "mass carried by each flow over f_b Mvir"),
    "energy_flows": ("flow", "energy carried by each flow over the energy put into the CGM"),
    "metals_flows": ("flow", "metals carried by each flow over those made or brought in"),
}


def _labelled(select, solved, redshifts, names, units):
    galaxy = {"halo": np.arange(len(solved.status)), "redshift": redshifts}

    def label(values, coords, unit, meaning, label_units=None):
        return Labelled(np.asarray(values), tuple(coords), coords, unit, meaning, label_units or {})

    values, derivative = {}, {}
    for kind, (dim, meaning) in _KINDS.items():
        coords = {**galaxy, dim: select.labels(kind)}
        values[kind] = label(solved.values[kind], coords, "1", meaning)
        if names:
            coords = {**coords, "parameter": names}
            derivative[kind] = label(
                solved.derivatives[kind], coords, "per parameter unit", f"response of {meaning}", {"parameter": units}
            )
    with np.errstate(invalid="ignore"):
        log_mvir = label(np.log10(solved.mvir), galaxy, "dex(Msun)", "log10 of halo virial mass")
    status = label(solved.status, {"halo": galaxy["halo"]}, "1", "how each solve ended")
    return Budgets(**values, derivative=derivative, log_mvir=log_mvir, status=status)
