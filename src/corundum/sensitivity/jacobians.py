"""The parameter Jacobian d lg y(z) / d theta and the channel Jacobian d lg y(z) / d ln m_k.

`parameter_jacobian` says how every property of every galaxy responds to the numbers of the model, at any redshifts:
ask for many redshifts and it is the whole sensitivity history S(t).  `channel_jacobian` says how it responds to each
flow of the ledger being made stronger: m_k is the multiplier of flow k, equal to one.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..halos import HALO_QUANTITIES, HaloHistories
from ..models import AbstractModel
from ..numerics.solvers.base import AbstractSolver
from ..population import STATUS, Population
from .coordinates import AbstractCoordinates, Ln, Natural
from .derivatives import AbstractMode, differentiate
from .labelled import Labelled
from .prior_wide.space import channel_names, choose, known_parameters, read_vector, varied_names

__all__ = [
    "Jacobian",
    "LogQuantities",
    "parameter_jacobian",
    "channel_jacobian",
    "history_redshifts",
    "Directions",
    "directions_for",
]


class Jacobian(NamedTuple):
    """Derivatives of galaxies with respect to parameters, with what is needed to read them.

    A leading dimension ``set`` is there when several parameter sets were given.

    Attributes
    ----------
    derivative : Labelled, (halo, redshift, quantity, parameter)
        NaN where a galaxy is not valid.
    values : Labelled, (halo, redshift, quantity)
        What was differentiated: log10 of the quantities that span decades, the others as they are.
    parameters : Labelled, (parameter,)
        Values as given at which it was differentiated.
    log_mvir : Labelled, (halo, redshift)
        log10 of halo mass [Msun].
    status : Labelled, (halo,)
        Keys of `corundum.population.STATUS`.
    """

    derivative: Labelled
    values: Labelled
    parameters: Labelled
    log_mvir: Labelled
    status: Labelled

    @property
    def valid(self) -> np.ndarray:
        """Where there is a galaxy: boolean, (halo, redshift)."""
        return np.isfinite(self.derivative.values).all(axis=(-2, -1))

    def status_counts(self) -> dict[str, int]:
        """How many solves ended in each way, in words."""
        counts = Counter(self.status.values.ravel().tolist())
        return {STATUS[code]: count for code, count in sorted(counts.items())}


class LogQuantities(eqx.Module):
    """Named quantities of a population, those that span decades in log10: array (N, K, quantities)."""

    names: tuple[str, ...] = eqx.field(static=True)

    def __call__(self, population: Population) -> Float[Array, "n k q"]:
        quantities = population.quantities
        return jnp.stack(
            [jnp.log10(population[name]) if quantities[name].log else population[name] for name in self.names], axis=-1
        )


def parameter_jacobian(
    model: AbstractModel,
    halos: HaloHistories,
    parameters: Sequence[str] | None = None,
    redshifts: Sequence[float] = (0.0,),
    *,
    quantities: Sequence[str] | None = None,
    coordinates: AbstractCoordinates | None = None,
    at: Float[Array, "s p"] | None = None,
    mode: AbstractMode | None = None,
    solver: AbstractSolver | None = None,
    chunk: int = 1024,
    progress: Callable[[int, int], None] | None = None,
) -> Jacobian:
    """d lg y(z) / d theta of every galaxy, through the adaptive solver.

    Parameters
    ----------
    model : AbstractModel
    halos : HaloHistories
    parameters : sequence of str, optional
        Names as in `corundum.describe`, and ``cosmology.<name>``; default every number of the model.
    redshifts : sequence of float
        In any order; `history_redshifts` gives the whole history.
    quantities : sequence of str, optional
        Names of `Population.values`; default the state of the model.
    coordinates : AbstractCoordinates, optional
        How theta is measured; default `Natural()`.  `AsGiven()` is the published convention.
    at : array, shape (S, P), optional
        Parameter sets, as given, in the order of `parameters`; default the model as it is.
    mode : AbstractMode, optional
        `Forward()` (default) or `Reverse()`.
    solver : AbstractSolver, optional
        Default `LaneSolver()`.
    chunk : int, optional
        Halos at once on each device.
    progress : callable, optional
        Called as ``progress(done, total)`` in solves.

    Returns
    -------
    Jacobian
        With a leading dimension ``set`` where `at` was given.

    Raises
    ------
    ValueError
        A name, a redshift or a value makes no sense; the message says what is allowed.

    References
    ----------
    Pandya et al. 2026, arXiv:2604.06318, section 4 (z = 0, eight parameters).
    """
    names = choose(model, halos.cosmology, parameters)
    coordinates = Natural() if coordinates is None else coordinates
    chosen = _quantities(model, quantities)
    sets = None if at is None else _parameter_sets(at, names)
    solves = []
    for row in [None] if sets is None else sets:
        ahead = directions_for(model, halos.cosmology, names, coordinates, row)
        solves.append(
            differentiate(
                LogQuantities(tuple(chosen)), model, halos, redshifts, *ahead[:3],
                mode=mode, solver=solver, chunk=chunk, progress=_counted(progress, len(solves), sets),
            )
        )  # fmt: skip
    about = known_parameters(model, halos.cosmology)
    units = tuple(coordinates.unit(name, about[name]) for name in names)
    given = ahead.values[None] if sets is None else sets
    return _labelled(solves, given, sets is not None, redshifts, chosen, names, units, about)


def channel_jacobian(
    model: AbstractModel,
    halos: HaloHistories,
    redshifts: Sequence[float] = (0.0,),
    **options,
) -> Jacobian:
    """d lg y(z) / d ln m_k for the multiplier m_k of every flow of the ledger.

    Parameters
    ----------
    model : AbstractModel
    halos : HaloHistories
    redshifts : sequence of float
    **options
        `quantities`, `mode`, `solver`, `chunk`, `progress` of `parameter_jacobian`.

    Raises
    ------
    ValueError
        The model has no multipliers, or a redshift lies outside the histories.
    """
    names = channel_names(model)
    jacobian = parameter_jacobian(model, halos, names, redshifts, coordinates=Ln(), **options)
    flows = tuple(name.removeprefix("channels.") for name in names)

    def renamed(array):
        dims = tuple("channel" if dim == "parameter" else dim for dim in array.dims)
        coords = {
            dim: flows if dim == "channel" else array.coords[dim] for dim in dims if dim in (*array.coords, "channel")
        }
        units = {"channel" if dim == "parameter" else dim: unit for dim, unit in array.label_units.items()}
        return array._replace(dims=dims, coords=coords, label_units=units)

    return jacobian._replace(
        derivative=renamed(jacobian.derivative)._replace(
            meaning="response of each quantity to the logarithm of each flow's multiplier"
        ),
        parameters=renamed(jacobian.parameters),
    )


def history_redshifts(halos: HaloHistories, number: int = 64) -> np.ndarray:
    """Redshifts evenly spaced in log cosmic time from when the last halo starts to the end of the histories."""
    if not len(halos):
        raise ValueError("halos: there is none; check the selection that made them")
    age = np.geomspace(float(np.max(halos.start)) * 1.02, float(halos.time[-1]), number)
    first, last = np.asarray(halos.cosmology.redshift(halos.time[np.array([0, -1])]))
    return np.clip(np.asarray(halos.cosmology.redshift(age)), max(last, 0.0), first)


class Directions(NamedTuple):
    """What `differentiate` needs to take derivatives with respect to some parameters.

    Attributes
    ----------
    names : tuple of str, the entries of `vector`
    vector : array, shape (P,), where to differentiate
    rows : array, shape (C, P), one direction for each parameter asked for
    values : array, shape (C,), the values of these, as given
    """

    names: tuple[str, ...]
    vector: np.ndarray
    rows: np.ndarray
    values: np.ndarray


def directions_for(model, cosmology, names, coordinates, values=None) -> Directions:
    """Directions of unit length in `coordinates` along the parameters `names`, at `values` or the model's own."""
    about = known_parameters(model, cosmology)
    entries = varied_names(model, cosmology, names)
    vector = np.array(read_vector(model, cosmology, entries))
    places = [entries.index(name) for name in names]
    if values is not None:
        vector[places] = values
    rows = np.zeros((len(names), len(entries)))
    for row, (name, place) in enumerate(zip(names, places, strict=True)):
        rows[row, place] = coordinates.slope(name, about[name], float(vector[place]))
    return Directions(entries, vector, rows, vector[places])


def _quantities(model, names):
    known = {**HALO_QUANTITIES, **model.ledger.quantities, **model.diagnostics}
    names = tuple(model.ledger.quantities) if names is None else ((names,) if isinstance(names, str) else tuple(names))
    if not names:
        raise ValueError("quantities: got an empty list; name at least one, or leave it out for the state of the model")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"quantities: no {', '.join(map(repr, unknown))}; there are {', '.join(known)}")
    return {name: known[name] for name in names}


def _parameter_sets(at, names):
    sets = np.asarray(at, np.float64)
    if sets.ndim != 2 or sets.shape[1] != len(names) or not len(sets):
        raise ValueError(f"at: got shape {sets.shape}; expected (sets, parameters) with {len(names)} parameters")
    if not np.all(np.isfinite(sets)):
        raise ValueError(f"at: set {int(np.argmin(np.isfinite(sets).all(axis=1)))} has a value that is not finite")
    return sets


def _counted(progress, done_sets, sets):
    if progress is None or sets is None:
        return progress
    return lambda done, total: progress(done_sets * total + done, len(sets) * total)


def _labelled(solves, given, several, redshifts, chosen, names, units, about):
    def stacked(get):
        arrays = [np.asarray(get(solved)) for solved in solves]
        return np.stack(arrays) if several else arrays[0]

    lead = ("set",) if several else ()
    coords = {
        "set": np.arange(len(solves)),
        "halo": np.arange(len(solves[0].status)),
        "redshift": np.atleast_1d(np.asarray(redshifts, float)),
        "quantity": tuple(chosen),
        "parameter": tuple(names),
    }
    measured = tuple(f"dex({q.unit})" if q.log else q.unit for q in chosen.values())

    def label(values, dims, unit, meaning, label_units):
        dims = (*lead, *dims)
        return Labelled(values, dims, {dim: coords[dim] for dim in dims}, unit, meaning, label_units)

    with np.errstate(invalid="ignore"):
        log_mvir = np.log10(stacked(lambda solved: solved.mvir))
    galaxy = ("halo", "redshift", "quantity")
    return Jacobian(
        label(
            stacked(lambda solved: solved.derivatives), (*galaxy, "parameter"), "quantity unit per parameter unit",
            "response of each quantity to each parameter", {"quantity": measured, "parameter": units},
        ),
        label(stacked(lambda s: s.values), galaxy, "quantity unit", "galaxies, in log10 where they span decades",
              {"quantity": measured}),
        label(given if several else given[0], ("parameter",), "parameter unit", "parameter values, as given",
              {"parameter": tuple(about[name].unit for name in names)}),
        label(log_mvir, ("halo", "redshift"), "dex(Msun)", "log10 of halo virial mass", {}),
        label(stacked(lambda solved: solved.status), ("halo",), "1",
              "; ".join(f"{code} = {text}" for code, text in STATUS.items()), {}),
    )  # fmt: skip
