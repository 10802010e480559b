"""Solving every parameter set of a design: in blocks that can be kept, with the memory estimated first.

`run_study` evaluates a function of one parameter set over a whole design.  The functions that matter are made by
`StatesOf` (galaxies), `JacobiansOf` (galaxies and their parameter Jacobian) and `SummaryOf` (anything made from a
population, such as scaling relations).  A galaxy that fails is NaN in the results; it is masked and counted, and never
ends a study.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...halos import HaloHistories
from ...models import AbstractModel
from ...numerics.solvers.base import AbstractSolver
from ...parameters import replace
from ...population import Population, evolve
from ...storage.checkpoints import CheckpointFolder
from ..coordinates import AbstractCoordinates
from ..jacobians import LogQuantities, parameter_jacobian
from .designs import Design
from .space import COSMOLOGY

__all__ = ["Study", "run_study", "StatesOf", "JacobiansOf", "SummaryOf"]


class Study(NamedTuple):
    """Results of every parameter set of a design.

    Attributes
    ----------
    design : Design
    outputs : dict of str to array, shape (S, ...)
    """

    design: Design
    outputs: dict[str, np.ndarray]

    def failed(self) -> int:
        """Solves that failed, over all parameter sets and halos."""
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
        What the results may take [byte]; default half of the machine's memory.
    store : CheckpointFolder, optional
        Keeps finished blocks, so that an interrupted study resumes: the blocks are cut by the design alone, so a
        study that was stopped and resumed gives the same bits.
    progress : callable, optional
        Called as ``progress(done, total)`` in parameter sets.

    Raises
    ------
    ValueError
        The results would not fit into the memory; the message says how much they need.
    """
    if not (isinstance(block, int | np.integer) and block > 0):
        raise ValueError(f"block: got {block!r}; allowed a positive whole number")
    names, values, parts = design.box.names, design.values, []
    for number, first in enumerate(range(0, len(design), block)):
        kept = None if store is None else store.load(number)
        if kept is None:
            rows = []
            for row in values[first : first + block]:
                found = {
                    name: np.asarray(array) for name, array in function(dict(zip(names, row, strict=True))).items()
                }
                if not rows and not parts:
                    _check_memory(found, len(design), memory)
                rows.append(found)
            kept = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
            if store is not None:
                store.save(number, kept)
        elif not parts:
            _check_memory({name: array[0] for name, array in kept.items()}, len(design), memory)
        parts.append(kept)
        if progress is not None:
            progress(min(first + block, len(design)), len(design))
    return Study(design, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _check_memory(found, sets, memory):
    each = sum(array.nbytes for array in found.values())
    allowed = memory if memory is not None else 0.5 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if each * sets > allowed:
        largest = max(found, key=lambda name: found[name].nbytes)
        raise ValueError(
            f"design: its results need {each * sets / 1e9:.3g} GB ({sets} sets x {each / 1e6:.3g} MB, most of it "
            f"{largest!r}) and {allowed / 1e9:.3g} GB are allowed; take fewer sets, halos, redshifts or quantities, "
            "keep less of each set, or raise memory"
        )


def _changed(model, halos, values):
    """Model and halos with parameter values; those of the cosmology are set in the halos."""
    of_model = {name: value for name, value in values.items() if not name.startswith(COSMOLOGY)}
    of_cosmology = {n.removeprefix(COSMOLOGY): v for n, v in values.items() if n.startswith(COSMOLOGY)}
    if of_cosmology:
        halos = dataclasses.replace(halos, cosmology=replace(halos.cosmology, of_cosmology))
    return replace(model, of_model), halos


class StatesOf(NamedTuple):
    """Galaxies of each parameter set: ``values`` (halo, redshift, quantity) in log10, ``log_mvir``, ``status``."""

    model: AbstractModel
    halos: HaloHistories
    redshifts: Sequence[float] = (0.0,)
    quantities: tuple[str, ...] | None = None
    solver: AbstractSolver | None = None

    def __call__(self, values: Mapping[str, float]) -> dict[str, np.ndarray]:
        model, halos = _changed(self.model, self.halos, values)
        population = evolve(model, halos, self.redshifts, solver=self.solver)
        names = tuple(model.ledger.quantities) if self.quantities is None else self.quantities
        return {
            "values": LogQuantities(names)(population),
            "log_mvir": np.log10(population["mvir"]),
            "status": population.status,
        }


class JacobiansOf(NamedTuple):
    """Galaxies and their Jacobian with respect to the parameters of the design.

    ``values`` (halo, redshift, quantity), ``jacobian`` (halo, redshift, quantity, parameter), ``log_mvir``, ``status``.
    """

    model: AbstractModel
    halos: HaloHistories
    redshifts: Sequence[float] = (0.0,)
    quantities: tuple[str, ...] | None = None
    coordinates: AbstractCoordinates | None = None
    solver: AbstractSolver | None = None

    def __call__(self, values: Mapping[str, float]) -> dict[str, np.ndarray]:
        model, halos = _changed(self.model, self.halos, values)
        found = parameter_jacobian(
            model, halos, tuple(values), self.redshifts,
            quantities=self.quantities, coordinates=self.coordinates, solver=self.solver,
        )  # fmt: skip
        return {
            "values": found.values.values,
            "jacobian": found.derivative.values,
            "log_mvir": found.log_mvir.values,
            "status": found.status.values,
        }


class SummaryOf(NamedTuple):
    """Anything made from the population of each parameter set: relations, derived quantities.

    `summary` maps a `Population` to an array, or to arrays by name.
    """

    summary: Callable[[Population], Any]
    model: AbstractModel
    halos: HaloHistories
    redshifts: Sequence[float] = (0.0,)
    solver: AbstractSolver | None = None

    def __call__(self, values: Mapping[str, float]) -> dict[str, np.ndarray]:
        model, halos = _changed(self.model, self.halos, values)
        population = evolve(model, halos, self.redshifts, solver=self.solver)
        made = self.summary(population)
        named = dict(made) if isinstance(made, Mapping) else {"summary": made}
        return {**{name: np.asarray(array) for name, array in named.items()}, "status": population.status}
