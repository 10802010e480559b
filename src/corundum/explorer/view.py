"""What an explorer shows: galaxies of some halos beside chosen data, as functions of every number of the model."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import numpy as np

from ..halos import HaloHistories, select_evenly
from ..inference.data import Data, data_of
from ..inference.summaries import PopulationSummaries
from ..models import AbstractModel, Merging
from ..models.checks.arguments import check_model_and_halos
from ..numerics.solvers.base import AbstractSolver
from ..observables import AbstractMassFunction, Measurement, load
from ..observables.abundance import check_counted, counted_at
from ..observables.histories import missing_from
from ..observables.redshifts import comparable
from ..printing import Component
from ..sensitivity import history_redshifts
from ..sensitivity.parameter_space import varied_names

__all__ = ["MOST_HALOS", "View", "view_of"]

MOST_HALOS = 100
"""Halos on screen unless more are asked for: they are solved anew between two movements of a slider."""

_TIMES = 24  # of the growth histories
_HISTORIES = ("mvir", "mcgm", "mism", "mstar", "sfr", "mbh", "temperature", "tvir")


class View(Component):
    """A model, its halos and the data on screen.

    Attributes
    ----------
    model : AbstractModel
    summaries : PopulationSummaries
        How galaxies are compared with the measurements.
    data : Data
    redshifts : tuple of float
        Of the growth histories and of the data, from high to low.
    histories : tuple of str
        Quantities of the growth histories that the model has.
    names : tuple of str
        All numbers of the model.

    Examples
    --------
    >>> view = co.explorer.view_of(model, halos, ["shmr_behroozi19_sf"])
    >>> view.histories
    ('mvir', 'mcgm', 'mism', 'mstar', 'sfr', 'temperature', 'tvir')
    >>> view.with_model(co.models.MinimalRegulator()).flows[-2:]
    ('wind', 'wind_heating')
    """

    model: AbstractModel
    summaries: PopulationSummaries
    data: Data
    redshifts: tuple[float, ...] = eqx.field(static=True)
    histories: tuple[str, ...] = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)

    @property
    def flows(self) -> tuple[str, ...]:
        """Names of the flows of the model."""
        return tuple(self.model.ledger.names)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the page does not show, in sentences."""
        if any(isinstance(process, Merging) for process in getattr(self.model, "processes", {}).values()):
            return (
                "What merging satellites bring is that of the model as it was given: it does not follow the sliders.",
            )
        return ()

    @property
    def halos(self) -> HaloHistories:
        """The halos on screen."""
        return self.summaries.halos

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """The data on screen."""
        return self.summaries.measurements

    def with_model(self, model: AbstractModel) -> "View":
        """The same halos and data with another model."""
        chosen = list(zip(self.measurements, (self.summaries.outputs[k] for k in self.summaries.nearest), strict=True))
        return _view(model, self.halos, chosen, self.summaries.solver)


def view_of(
    model: AbstractModel,
    halos: HaloHistories,
    data: Sequence[str | Measurement | tuple[Measurement, float]] = (),
    *,
    solver: AbstractSolver | None = None,
    most: int = MOST_HALOS,
) -> View:
    """The view of `model` in `halos`.

    Parameters
    ----------
    model : AbstractModel
    halos : HaloHistories
        At most `most` of them are kept, spread evenly over final mass.
    data : sequence of str, Measurement or (Measurement, redshift)
        Names of ``corundum data list`` or measurements; each is compared at its own redshift or at the given one.
    solver : AbstractSolver, optional
        Default that of fits.
    most : int

    Raises
    ------
    ValueError
        There are no data, the model lacks what they are about or does not fit the halos, these have satellites, or a
        mass function is among the data and the weights of the halos are no number densities at its redshift.

    Examples
    --------
    >>> view = co.explorer.view_of(model, halos, ["shmr_behroozi19_sf"], most=4)
    >>> len(view.halos), view.names[:2]
    (4, ('mass_loading.amplitude', 'mass_loading.slope'))
    """
    check_model_and_halos(model, halos)
    if halos.satellites is not None:
        raise ValueError(
            "explore: halos with satellites are not shown, because a program for galaxies that act on each other is "
            "compiled for minutes; use halos.select_centrals(halos), and a model without Merging and HandingOver"
        )
    if not data:
        raise ValueError("explore: got no data; name measurements of `corundum data list`, such as shmr_behroozi19_sf")
    if len(halos) > most:
        halos = select_evenly(halos, most)
    chosen = []
    for entry in data:
        measurement, redshift = entry if isinstance(entry, tuple) else (entry, None)
        measurement = load(measurement) if isinstance(measurement, str) else measurement
        chosen.append((measurement, _compared_at(measurement, halos) if redshift is None else float(redshift)))
        _check_counted(halos, *chosen[-1])
    return _view(model, halos, chosen, solver)


def _compared_at(measurement: Measurement, halos: HaloHistories) -> float:
    """The redshift of a measurement; for sums over halos that at which they are counted, if it is near."""
    counted = counted_at(halos)
    near = isinstance(measurement.relation, AbstractMassFunction) and comparable(measurement, counted)
    return counted if near else measurement.redshift


def _check_counted(halos: HaloHistories, measurement: Measurement, redshift: float) -> None:
    """Refuse sums over halos that are not counted then, which a program that is compiled cannot see."""
    if isinstance(measurement.relation, AbstractMassFunction):
        check_counted(halos, redshift)


def _view(model, halos, chosen: list[tuple[Measurement, float]], solver: Any) -> View:
    measurements = [measurement for measurement, _ in chosen]
    for measurement in measurements:
        missing = missing_from(measurement.relation, model, halos) if measurement.relation.single_galaxies else None
        if missing is not None:
            raise ValueError(f"{measurement.name}: {type(model).__name__} has {missing}; leave these data out")
    summaries = PopulationSummaries(model, halos, measurements, redshifts=[z for _, z in chosen], solver=solver)
    times = set(np.round(history_redshifts(halos, _TIMES), 10).tolist()) | set(summaries.outputs)
    known = {**halos.quantities, **model.ledger.quantities, **model.diagnostics}
    return View(
        model=model,
        summaries=summaries,
        data=data_of(measurements),
        redshifts=tuple(sorted(times, reverse=True)),
        histories=tuple(name for name in _HISTORIES if name in known),
        names=varied_names(model, halos.cosmology, ()),
    )
