"""The parameter Jacobian d lg y(z) / d theta and the channel Jacobian d lg y(z) / d ln m_k.

`parameter_jacobian` is the response of every property of every galaxy to the numbers of the model, at any redshifts;
with many redshifts it is the whole sensitivity history S(t).  `channel_jacobian` is the response to a stronger flow k
of the ledger: m_k is the multiplier of that flow and equals one in the model itself.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..arguments import instance, strategy, whole_number
from ..halos import HaloHistories
from ..models import AbstractModel
from ..models.checks.arguments import check_model_and_halos
from ..numerics.solvers.base import AbstractSolver
from ..population import STATUS, Population
from ..printing import Component
from .coordinates import AbstractCoordinates, Ln, Natural
from .derivatives import AbstractMode, Differentiated
from .labelled import Labelled, labeller, overview
from .parameter_space import channel_names, choose_parameters, directions_for, known_parameters
from .trees.derivatives import differentiate_galaxies

__all__ = [
    "Jacobian",
    "LogQuantities",
    "parameter_jacobian",
    "channel_jacobian",
    "history_redshifts",
]


class Jacobian(NamedTuple):
    """Derivatives of galaxies with respect to parameters, with what is needed to read them.

    With several parameter sets every array has a leading dimension ``set``.

    Attributes
    ----------
    derivative : Labelled, (halo, redshift, quantity, parameter)
        NaN where a galaxy is not valid.
    values : Labelled, (halo, redshift, quantity)
        What was differentiated: log10 of the quantities that span decades, the others as they are.
    parameters : Labelled, (parameter,)
        Parameter values, as given, at which the derivatives were taken.
    log_mvir : Labelled, (halo, redshift)
        log10 of halo mass [Msun].
    status : Labelled, (halo,)
        Keys of `corundum.population.STATUS`.

    Examples
    --------
    >>> jacobian.derivative.dims
    ('halo', 'redshift', 'quantity', 'parameter')
    >>> jacobian.status_counts()
    {'solved': 8}
    """

    derivative: Labelled
    values: Labelled
    parameters: Labelled
    log_mvir: Labelled
    status: Labelled

    def __repr__(self) -> str:
        return overview(self)

    @property
    def valid(self) -> np.ndarray:
        """Where the derivative is defined: boolean, (halo, redshift)."""
        return np.isfinite(self.derivative.values).all(axis=(-2, -1))

    def status_counts(self) -> dict[str, int]:
        """Number of solves by the meaning of their status."""
        counts = Counter(self.status.values.ravel().tolist())
        return {STATUS[code]: count for code, count in sorted(counts.items())}


class LogQuantities(Component):
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
    redshifts: Sequence[float] | Float[Array, " k"] = (0.0,),
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
        A name is unknown, a redshift lies outside the histories, or a value has no derivative in the coordinates; the
        message says what is allowed.

    References
    ----------
    Pandya et al. 2026, arXiv:2604.06318, section 4 (z = 0, eight parameters).

    Examples
    --------
    >>> jacobian = co.sensitivity.parameter_jacobian(model, halos, co.models.PANDYA26_FREE)
    >>> mstar = jacobian.derivative.sel(halo=0, redshift=0.0, quantity="mstar")
    >>> bool(mstar.sel(parameter="energy_loading.amplitude").values < 0.0)  # more wind energy, fewer stars
    True
    """
    check_model_and_halos(model, halos)
    names = choose_parameters(model, halos.cosmology, parameters)
    coordinates = strategy("coordinates", coordinates, Natural())
    outputs = _chosen_quantities(model, halos, quantities)
    sets = None if at is None else _parameter_sets(at, names)
    solves: list[Differentiated] = []
    for row in [None] if sets is None else sets:
        directions = directions_for(model, halos.cosmology, names, coordinates, row)
        solves.append(
            differentiate_galaxies(
                LogQuantities(tuple(outputs)), model, halos, redshifts, *directions[:3],
                mode=mode, solver=solver, chunk=chunk, progress=_progress_of_set(progress, len(solves), sets),
            )
        )  # fmt: skip
    known = known_parameters(model, halos.cosmology)
    units = tuple(coordinates.unit(name, known[name]) for name in names)
    values = directions.values[None] if sets is None else sets
    return _labelled(solves, values, sets is not None, redshifts, outputs, names, units, known)


def channel_jacobian(
    model: AbstractModel,
    halos: HaloHistories,
    redshifts: Sequence[float] | Float[Array, " k"] = (0.0,),
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

    Examples
    --------
    >>> channels = co.sensitivity.channel_jacobian(model, halos)
    >>> mstar = channels.derivative.sel(halo=0, redshift=0.0, quantity="mstar")
    >>> bool(mstar.sel(channel="wind_heating").values < 0.0)
    True
    """
    check_model_and_halos(model, halos)
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
    """Redshifts evenly spaced in log cosmic time, from the start of the last halo to the end of the histories.

    Parameters
    ----------
    halos : HaloHistories
    number : int
        Of redshifts.

    Returns
    -------
    array, shape (number,)
        From high to low redshift.

    Raises
    ------
    ValueError
        There are no halos.

    Examples
    --------
    >>> redshifts = co.sensitivity.history_redshifts(halos, 5)
    >>> bool(redshifts[0] > 2.0), round(float(redshifts[-1]), 6)
    (True, 0.0)
    """
    instance("halos", halos, HaloHistories, expected="halos, such as those of halos.monte_carlo_trees(100)")
    number = whole_number("number", number, meaning="redshifts")
    if not len(halos):
        raise ValueError("halos: got an empty set of histories; check the selection that made it")
    age = np.geomspace(float(np.max(halos.start)) * 1.02, float(halos.time[-1]), number)
    first, last = np.asarray(halos.cosmology.redshift(halos.time[np.array([0, -1])]))
    return np.clip(np.asarray(halos.cosmology.redshift(age)), max(last, 0.0), first)


def _chosen_quantities(model, halos, names):
    known = {**halos.quantities, **model.ledger.quantities, **model.diagnostics}
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
        raise ValueError(
            f"at: got shape {sets.shape}; give (sets, {len(names)}), one column for each of {', '.join(names)}"
        )
    if not np.all(np.isfinite(sets)):
        raise ValueError(f"at: set {int(np.argmin(np.isfinite(sets).all(axis=1)))} has a value that is not finite")
    return sets


def _progress_of_set(progress, done_sets, sets):
    if progress is None or sets is None:
        return progress
    return lambda done, total: progress(done_sets * total + done, len(sets) * total)


def _labelled(solves, parameter_values, with_sets, redshifts, outputs, names, units, known):
    def stacked(get):
        arrays = [np.asarray(get(solved)) for solved in solves]
        return np.stack(arrays) if with_sets else arrays[0]

    lead = ("set",) if with_sets else ()
    galaxy = (*lead, "halo", "redshift")
    coords = {
        "set": np.arange(len(solves)),
        "halo": np.arange(len(solves[0].status)),
        "redshift": np.atleast_1d(np.asarray(redshifts, float)),
        "quantity": tuple(outputs),
        "parameter": tuple(names),
    }
    quantity_units = tuple(f"dex({q.unit})" if q.log else q.unit for q in outputs.values())
    label = labeller(coords, {"quantity": quantity_units, "parameter": units})
    parameter_label = labeller(coords, {"parameter": tuple(known[name].unit for name in names)})
    with np.errstate(invalid="ignore"):
        log_mvir = np.log10(stacked(lambda solved: solved.mvir))
    statuses = "; ".join(f"{code} = {meaning}" for code, meaning in STATUS.items())
    return Jacobian(
        label(
            stacked(lambda solved: solved.derivatives), (*galaxy, "quantity", "parameter"),
            "quantity unit per parameter unit", "response of each quantity to each parameter",
        ),
        label(
            stacked(lambda solved: solved.values), (*galaxy, "quantity"), "quantity unit",
            "galaxies, in log10 where they span decades",
        ),
        parameter_label(
            parameter_values if with_sets else parameter_values[0], (*lead, "parameter"), "parameter unit",
            "parameter values, as given",
        ),
        label(log_mvir, galaxy, "dex(Msun)", "log10 of halo virial mass"),
        label(stacked(lambda solved: solved.status), (*lead, "halo"), "1", statuses),
    )  # fmt: skip
