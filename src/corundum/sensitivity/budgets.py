r"""Baryon budgets: where the baryons of a halo are, and which kind of feedback keeps the others out of the galaxy.

The cosmic share of baryons of a halo is f_b Mvir(z).  Each part of it is in exactly one place (shares, as fractions of
f_b Mvir):

- ``never_accreted``: 1 - (initial gas + integral of the inflow) / (f_b Mvir); negative where a halo has lost mass;
- ``kept_hot``: in the CGM, and has never been in the ISM;
- ``expelled_hot``: left the halo without ever having been in the ISM;
- ``ejected``: in the CGM after having been in the ISM;
- ``expelled``: left the halo after having been in the ISM;
- ``ism`` and ``stars``: what they hold;
- ``elsewhere``, in models with further reservoirs of mass (black holes, gas kept near the halo): what those hold.

Their sum is one up to the error of the integration and not by definition, because the inflow, the outflow and the
contents are integrated separately.  Gas in the CGM is taken as well mixed, as its metals are.  From these follow

    prevention index  P = never_accreted + kept_hot + expelled_hot    (has never been in the galaxy),
    ejection index    E = ejected + expelled                          (has been in the galaxy and was thrown out),
    retained          R = ism + stars + elsewhere,                    P + E + R = 1,

and the preventive fraction P / (P + E): the part of the baryons missing from the galaxy that never entered it.
``recycled`` is a gross flow and not a share: gas that cooled again after an ejection, over f_b Mvir; a parcel counts
each time it returns.  The energy put into the CGM, the metals produced or accreted, and every further currency that the
model follows are divided in the same way.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..arguments import strategy
from ..halos import HaloHistories
from ..models import AbstractModel
from ..models.checks.arguments import check_model_and_halos
from ..numerics.solvers.base import AbstractSolver
from ..numerics.solvers.lanes import LaneSolver
from .accounts import Accounted, contents
from .coordinates import AbstractCoordinates, Natural
from .derivatives import AbstractMode, Forward, check_redshifts, differentiate
from .labelled import Labelled, labeller, overview
from .parameter_space import COSMOLOGY, choose_parameters, directions_for, known_parameters

__all__ = ["SHARES", "INDICES", "Budgets", "Fractions", "budgets"]

SHARES = ("never_accreted", "kept_hot", "expelled_hot", "ejected", "expelled", "ism", "stars")
"""Places where the baryons of a halo can be."""

INDICES = ("prevention", "ejection", "retained", "preventive_fraction", "recycled")
"""Indices that follow from the shares."""


class Budgets(NamedTuple):
    """Time-integrated budgets of every halo.

    A model that follows no metals, or no energy, has no shares and no flows of them: those arrays are empty.

    Attributes
    ----------
    mass : Labelled, (halo, redshift, share)
        Fractions of f_b Mvir; see `corundum.sensitivity.budgets` and docs/explanation/prevention_and_ejection.md.
    indices : Labelled, (halo, redshift, index)
    energy : Labelled, (halo, redshift, share)
        Fractions of the energy put into the CGM: ``stored``, and each flow that takes energy out.
    metals : Labelled, (halo, redshift, share)
        Fractions of the metals produced or accreted: what each reservoir holds, and what left the halo.
    mass_flows, energy_flows, metals_flows : Labelled, (halo, redshift, flow)
        What each flow has carried since the start, over f_b Mvir, or over the energy or the metals supplied.
    derivative : dict of str to Labelled
        The derivative of each of the above under its name, with a last dimension ``parameter``; empty where no
        parameters were named.
    log_mvir : Labelled, (halo, redshift)
    status : Labelled, (halo,)
    further : dict of str to Labelled
        Shares and flows of further currencies of the model, as ``"oxygen"`` and ``"oxygen_flows"``: fractions of what
        was supplied.

    Examples
    --------
    >>> shares = co.sensitivity.Labelled(
    ...     np.array([[[0.4, 0.6]]]), ("halo", "redshift", "share"),
    ...     {"halo": np.arange(1), "redshift": np.zeros(1), "share": ("kept_hot", "stars")}, "1", "fractions",
    ... )
    >>> budget = co.sensitivity.Budgets(*[shares] * 7, derivative={}, log_mvir=shares, status=shares)
    >>> budget.closure()["mass"]
    0.0
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
    further: dict[str, Labelled] = {}

    def __repr__(self) -> str:
        return overview(self)

    def of(self, kind: str) -> Labelled:
        """The array called `kind`, such as ``"mass"``, ``"metals_flows"`` or ``"oxygen"``."""
        return self.further[kind] if kind in self.further else getattr(self, kind)

    def closure(self) -> dict[str, float]:
        """Largest departure of each sum of shares from one, the error of the integration, of what the model follows."""
        names = (*_ALWAYS, *(kind for kind in self.further if not kind.endswith("_flows")))
        shares = {name: self.of(name).values for name in names}
        return {
            name: float(np.nanmax(np.abs(values.sum(axis=-1) - 1.0)))
            for name, values in shares.items()
            if values.shape[-1]
        }


class Fractions(eqx.Module):
    """All fractions of a population of `model`, by kind: arrays (N, K, labels)."""

    model: Accounted

    def __call__(self, population) -> dict[str, Float[Array, "n k s"]]:
        state = population.state
        ledger, totals = self.model.model.ledger, self.model.totals(state)
        content = {currency: contents(ledger, state, currency) for currency in ledger.currencies}
        baryons = state.baryon_fraction * population.halo.mvir
        inflow, outflow = (sum(_crossing(ledger, totals, "mass", way).values()) for way in ("inward", "outward"))
        mass = {
            "never_accreted": 1.0 - (state.opening_mass + inflow) / baryons,
            "kept_hot": (content["mass"]["cgm"] - state.mejected) / baryons,
            "expelled_hot": (outflow - state.mexpelled) / baryons,
            "ejected": state.mejected / baryons,
            "expelled": state.mexpelled / baryons,
            "ism": content["mass"]["ism"] / baryons,
            "stars": content["mass"].get("stars", jnp.zeros_like(baryons)) / baryons,
        }
        if elsewhere := _elsewhere(ledger):
            mass["elsewhere"] = sum(content["mass"][reservoir] for reservoir in elsewhere) / baryons
        fractions = {
            "mass": mass,
            "indices": _indices(mass, state.mrecycled / baryons),
            "mass_flows": _relative(totals, "mass", baryons),
        }
        for currency in dict.fromkeys(("energy", "metals", *(name for name in ledger.currencies if name != "mass"))):
            if currency not in ledger.currencies:
                fractions |= {currency: {}, f"{currency}_flows": {}}
                continue
            inflow = sum(_crossing(ledger, totals, currency, "inward").values())
            supply = getattr(state, f"opening_{currency}") + inflow
            outflows = _crossing(ledger, totals, currency, "outward")
            stored = {"stored": sum(content[currency].values())} if currency == "energy" else content[currency]
            fractions[currency] = {name: amount / supply for name, amount in {**stored, **outflows}.items()}
            fractions[f"{currency}_flows"] = _relative(totals, currency, supply)
        nothing = jnp.zeros((*baryons.shape, 0))
        return {
            kind: jnp.stack(list(shares.values()), axis=-1) if shares else nothing for kind, shares in fractions.items()
        }

    def labels(self, kind: str) -> tuple[str, ...]:
        """Names along the last axis of one kind of fractions."""
        ledger = self.model.model.ledger
        if kind in ("mass", "indices"):
            return INDICES if kind == "indices" else (*SHARES, *(("elsewhere",) if _elsewhere(ledger) else ()))
        if kind.removesuffix("_flows") not in ledger.currencies:
            return ()
        if kind.endswith("_flows"):
            return tuple(flow.name for flow in ledger.flows if getattr(flow, kind.removesuffix("_flows")) is not None)
        inside = [reservoir for currency, reservoir in ledger.contents if currency == kind]
        outflows = [f.name for f in ledger.flows if getattr(f, kind) and _direction(ledger, f, kind) == "outward"]
        return (*(("stored",) if kind == "energy" else inside), *outflows)

    def kinds(self) -> dict[str, tuple[str, str]]:
        """Last dimension and meaning of every kind of fractions; those of further currencies come last."""
        further = [name for name in self.model.model.ledger.currencies if name not in _ALWAYS]
        shares = {name: ("share", f"fractions of the {name} supplied") for name in further}
        flows = {f"{name}_flows": ("flow", f"{name} carried by each flow over that supplied") for name in further}
        return _KINDS | shares | flows


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
    return [name for kind, name in ledger.contents if kind == "mass" and name not in ("cgm", "ism", "stars")]


def _relative(totals, currency, reference):
    """What each flow has carried of one currency, over `reference`."""
    return {flow: total / reference for (flow, kind), total in totals.items() if kind == currency}


def _direction(ledger, flow, currency):
    source, sink = ((currency, reservoir) in ledger.contents for reservoir in getattr(flow, currency))
    return "inward" if sink and not source else "outward" if source and not sink else "within"


def _crossing(ledger, totals, currency, direction):
    """What each flow across the boundary of the galaxy has carried in one direction."""
    return {
        flow.name: totals[flow.name, currency]
        for flow in ledger.flows
        if getattr(flow, currency) and _direction(ledger, flow, currency) == direction
    }


def budgets(
    model: AbstractModel,
    halos: HaloHistories,
    redshifts: Sequence[float] | Float[Array, " k"] = (0.0,),
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
        Differentiate with respect to these; by default none, and with None every number of the model.
    coordinates : AbstractCoordinates, optional
        How the parameters are measured; default `Natural()`.
    mode : AbstractMode, optional
    solver : AbstractSolver, optional
        Default ``LaneSolver(tolerance=1e-11, max_steps=20_000)``, because the sum of the shares is as close to one as
        the solution is accurate.
    chunk : int, optional
        Halos at once on each device.
    progress : callable, optional
        Called as ``progress(done, total)`` in solves.

    Raises
    ------
    ValueError
        The model has no CGM or ISM, a name is unknown, or a redshift lies outside the histories.

    Examples
    --------
    >>> budget = co.sensitivity.budgets(model, halos, [0.0], solver=co.numerics.LaneSolver(tolerance=1e-6))
    >>> indices = budget.indices.sel(redshift=0.0)
    >>> total = sum(indices.sel(index=name).values for name in ("prevention", "ejection", "retained"))
    >>> bool(np.allclose(total, 1.0, atol=1e-3))
    True
    """
    check_model_and_halos(model, halos)
    accounted = Accounted(model)
    solver = strategy("solver", solver, LaneSolver(tolerance=1e-11, max_steps=20_000))
    outputs = check_redshifts(halos, redshifts)
    fractions = Fractions(accounted)
    names: tuple[str, ...] = ()
    if parameters is None or len(parameters):
        names = choose_parameters(model, halos.cosmology, parameters)
    coordinates = strategy("coordinates", coordinates, Natural())
    directions = directions_for(model, halos.cosmology, names, coordinates)
    rows = directions.rows if len(names) else np.zeros((1, len(directions.names)))
    inner_names = tuple(name if name.startswith(COSMOLOGY) else f"model.{name}" for name in directions.names)
    solved = differentiate(
        fractions, accounted, halos, outputs, inner_names, directions.vector, rows,
        mode=(mode if len(names) else Forward(columns=1)), solver=solver, chunk=chunk, progress=progress,
    )  # fmt: skip
    known = known_parameters(model, halos.cosmology)
    units = tuple(coordinates.unit(name, known[name]) for name in names)
    return _labelled(fractions, solved, np.asarray(outputs), names, units)


_ALWAYS = ("mass", "energy", "metals")
_KINDS = {
    "mass": ("share", "fractions of f_b Mvir"),
    "indices": ("index", "prevention and ejection indices"),
    "energy": ("share", "fractions of the energy put into the CGM"),
    "metals": ("share", "fractions of the metals produced or accreted"),
    "mass_flows": ("flow", "mass carried by each flow over f_b Mvir"),
    "energy_flows": ("flow", "energy carried by each flow over the energy put into the CGM"),
    "metals_flows": ("flow", "metals carried by each flow over those produced or accreted"),
}


def _labelled(fractions, solved, redshifts, names, units):
    galaxy = {"halo": np.arange(len(solved.status)), "redshift": redshifts}
    values, derivative = {}, {}
    for kind, (dim, meaning) in fractions.kinds().items():
        coords = {**galaxy, dim: fractions.labels(kind), "parameter": names}
        label = labeller(coords, {"parameter": units})
        values[kind] = label(solved.values[kind], ("halo", "redshift", dim), "1", meaning)
        if names:
            dims = ("halo", "redshift", dim, "parameter")
            derivative[kind] = label(solved.derivatives[kind], dims, "per parameter unit", f"response of {meaning}")
    label = labeller(galaxy)
    with np.errstate(invalid="ignore"):
        log_mvir = label(np.log10(solved.mvir), ("halo", "redshift"), "dex(Msun)", "log10 of halo virial mass")
    status = label(solved.status, ("halo",), "1", "how each solve ended")
    always = {kind: values.pop(kind) for kind in _KINDS}
    return Budgets(**always, derivative=derivative, log_mvir=log_mvir, status=status, further=values)
