"""Solutions of every parameter set of a design, in blocks that can be stored, with the memory estimated first.

`run_study` evaluates a function of one parameter set over a whole design.  `StatesOf` is the function for galaxies,
`JacobiansOf` for galaxies and their parameter Jacobian, and `SummaryOf` for any summary of a population, such as
scaling relations.  A galaxy that fails is NaN in the results; it is masked and counted, and the study continues.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import whole_number
from ...halos import HaloHistories
from ...models import AbstractModel
from ...numerics.solvers.base import AbstractSolver
from ...parameters import replace
from ...population import Population, evolve
from ...printing import in_short
from ...storage.checkpoints import CheckpointFolder
from ..coordinates import AbstractCoordinates
from ..jacobians import LogQuantities, parameter_jacobian
from ..labelled import overview
from ..parameter_space import COSMOLOGY
from .designs import Design

__all__ = ["Study", "run_study", "StatesOf", "JacobiansOf", "SummaryOf"]


class Study(NamedTuple):
    """Results of every parameter set of a design.

    Attributes
    ----------
    design : Design
    outputs : dict of str to array, shape (S, ...)

    Examples
    --------
    >>> design = co.sensitivity.latin_hypercube(co.sensitivity.prior_box(model, ["energy_loading.amplitude"]), 8)
    >>> study = co.sensitivity.run_study(lambda values: {"energy": values["energy_loading.amplitude"]}, design)
    >>> study.outputs["energy"].shape, study.failed()
    ((8,), 0)
    """

    design: Design
    outputs: dict[str, np.ndarray]

    def __repr__(self) -> str:
        return overview(self)

    def failed(self) -> int:
        """Number of solves that failed, over all parameter sets and halos."""
        return int(np.sum(self.outputs["status"] != 0)) if "status" in self.outputs else 0


def run_study(
    function: Callable[[Mapping[str, float]], Mapping[str, Any]],
    design: Design,
    *,
    block: int = 16,
    memory: float | None = None,
    store: CheckpointFolder | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Study:
    """Evaluate `function` at every parameter set.

    Parameters
    ----------
    function : callable
        Maps parameter values by name to arrays by name, the same shapes every time.
    design : Design
    block : int
        Parameter sets between two checkpoints.
    memory : float, optional
        Memory that the results may take [byte]; default half of the machine's memory.
    store : CheckpointFolder, optional
        Stores finished blocks, so that an interrupted study can resume.  Blocks depend on the design and on `block`
        alone, so a study that was stopped and resumed gives the same bits.
    progress : callable, optional
        Called as ``progress(done, total)`` in parameter sets.

    Raises
    ------
    ValueError
        The results would not fit into the memory; the message says how much they need.

    Examples
    --------
    >>> box = co.sensitivity.prior_box(model, ["energy_loading.amplitude"])
    >>> design = co.sensitivity.latin_hypercube(box, 8)
    >>> study = co.sensitivity.run_study(lambda values: {"double": 2.0 * values["energy_loading.amplitude"]}, design)
    >>> bool((study.outputs["double"] == 2.0 * design.values[:, 0]).all())
    True
    """
    block = whole_number("block", block, meaning="parameter sets")
    names, values = design.box.names, design.values
    blocks: list[dict[str, np.ndarray]] = []
    for number, first in enumerate(range(0, len(design), block)):
        outputs = None if store is None else store.load(number)
        if outputs is None:
            rows = []
            for row in values[first : first + block]:
                result = function(dict(zip(names, row, strict=True)))
                rows.append({name: np.asarray(array) for name, array in result.items()})
                if len(rows) == 1 and not blocks:
                    _check_memory(rows[0], len(design), memory)
            outputs = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
            if store is not None:
                store.save(number, outputs)
        elif not blocks:
            _check_memory({name: array[0] for name, array in outputs.items()}, len(design), memory)
        blocks.append(outputs)
        if progress is not None:
            progress(min(first + block, len(design)), len(design))
    return Study(design, {name: np.concatenate([outputs[name] for outputs in blocks]) for name in blocks[0]})


def _check_memory(outputs, sets, memory):
    """Refuse a design whose results, at the size of those of one parameter set, would not fit into the memory."""
    size = sum(array.nbytes for array in outputs.values())
    allowed = memory if memory is not None else 0.5 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size * sets > allowed:
        largest = max(outputs, key=lambda name: outputs[name].nbytes)
        raise ValueError(
            f"design: its results need {size * sets / 1e9:.3g} GB ({sets} sets x {size / 1e6:.3g} MB, most of it "
            f"{largest!r}) and {allowed / 1e9:.3g} GB are allowed; take fewer sets, halos, redshifts or quantities, "
            "keep less of each set, or raise memory"
        )


def _with_values(model, halos, values):
    """Model and halos with parameter values; those of the cosmology are set in the halos."""
    of_model = {name: value for name, value in values.items() if not name.startswith(COSMOLOGY)}
    of_cosmology = {n.removeprefix(COSMOLOGY): v for n, v in values.items() if n.startswith(COSMOLOGY)}
    if of_cosmology:
        halos = dataclasses.replace(halos, cosmology=replace(halos.cosmology, of_cosmology))
    return replace(model, of_model), halos


class StatesOf(NamedTuple):
    """Galaxies of each parameter set: ``values`` (halo, redshift, quantity) in log10, ``log_mvir``, ``status``.

    Attributes
    ----------
    model : AbstractModel
    halos : HaloHistories
    redshifts : sequence of float
    quantities : tuple of str, optional
        Names of `Population.values`; default the state of the model.
    solver : AbstractSolver, optional
        Default `LaneSolver()`.

    Examples
    --------
    >>> states = co.sensitivity.StatesOf(co.models.MinimalRegulator(), halos, quantities=("mstar",))
    >>> states({"energy_loading.amplitude": 0.2})["values"].shape
    (8, 1, 1)
    """

    model: AbstractModel
    halos: HaloHistories
    redshifts: Sequence[float] | Float[Array, " k"] = (0.0,)
    quantities: tuple[str, ...] | None = None
    solver: AbstractSolver | None = None

    def __repr__(self) -> str:
        return in_short(self)

    def __call__(self, values: Mapping[str, float]) -> dict[str, Array]:
        model, halos = _with_values(self.model, self.halos, values)
        population = evolve(model, halos, self.redshifts, solver=self.solver)
        names = tuple(model.ledger.quantities) if self.quantities is None else self.quantities
        return {
            "values": LogQuantities(names)(population),
            "log_mvir": np.log10(population["mvir"]),
            "status": population.status,
        }


class JacobiansOf(NamedTuple):
    """Galaxies and their Jacobian with respect to the parameters of the design.

    Its arrays are ``values`` (halo, redshift, quantity), ``jacobian`` (halo, redshift, quantity, parameter),
    ``log_mvir`` and ``status``.

    Attributes
    ----------
    model : AbstractModel
    halos : HaloHistories
    redshifts : sequence of float
    quantities : tuple of str, optional
        Names of `Population.values`; default the state of the model.
    coordinates : AbstractCoordinates, optional
        How the parameters are measured; default `Natural()`.
    solver : AbstractSolver, optional
        Default `LaneSolver()`.

    Examples
    --------
    >>> jacobians = co.sensitivity.JacobiansOf(model, halos)
    >>> jacobians({"energy_loading.amplitude": 0.2})["jacobian"].shape
    (8, 1, 7, 1)
    """

    model: AbstractModel
    halos: HaloHistories
    redshifts: Sequence[float] | Float[Array, " k"] = (0.0,)
    quantities: tuple[str, ...] | None = None
    coordinates: AbstractCoordinates | None = None
    solver: AbstractSolver | None = None

    def __repr__(self) -> str:
        return in_short(self)

    def __call__(self, values: Mapping[str, float]) -> dict[str, Array]:
        model, halos = _with_values(self.model, self.halos, values)
        jacobian = parameter_jacobian(
            model, halos, tuple(values), self.redshifts,
            quantities=self.quantities, coordinates=self.coordinates, solver=self.solver,
        )  # fmt: skip
        return {
            "values": jacobian.values.values,
            "jacobian": jacobian.derivative.values,
            "log_mvir": jacobian.log_mvir.values,
            "status": jacobian.status.values,
        }


class SummaryOf(NamedTuple):
    """A summary of the population of each parameter set, such as a relation or a derived quantity.

    Attributes
    ----------
    summary : callable
        Maps a `Population` to an array, which is called ``summary``, or to arrays by name.
    model : AbstractModel
    halos : HaloHistories
    redshifts : sequence of float
    solver : AbstractSolver, optional
        Default `LaneSolver()`.

    Examples
    --------
    >>> regulator = co.models.MinimalRegulator()
    >>> stars = co.sensitivity.SummaryOf(lambda population: jnp.log10(population["mstar"]).mean(), regulator, halos)
    >>> sorted(stars({"energy_loading.amplitude": 0.2}))
    ['status', 'summary']
    """

    summary: Callable[[Population], Any]
    model: AbstractModel
    halos: HaloHistories
    redshifts: Sequence[float] | Float[Array, " k"] = (0.0,)
    solver: AbstractSolver | None = None

    def __repr__(self) -> str:
        return in_short(self)

    def __call__(self, values: Mapping[str, float]) -> dict[str, Array]:
        model, halos = _with_values(self.model, self.halos, values)
        population = evolve(model, halos, self.redshifts, solver=self.solver)
        summary = self.summary(population)
        outputs = dict(summary) if isinstance(summary, Mapping) else {"summary": summary}
        return {**{name: np.asarray(array) for name, array in outputs.items()}, "status": population.status}
