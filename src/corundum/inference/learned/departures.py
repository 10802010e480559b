"""Departures as free parameters: their priors, and a target in which laws of the model may depart from themselves."""

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import numpyro.distributions as dist

from ...arguments import one_number
from ...messages import did_you_mean
from ...models.checks.laws import places_for
from ...parameters import Parameter, describe
from ...physics import AbstractGalaxyScaling, spline_law
from ..evaluate import refuse_corrected
from ..free import free_parameters
from ..summaries import PopulationSummaries
from ..target import Target

__all__ = ["departure_priors", "with_departures"]

_LEARNED = "learned from data"  # the source of numbers of departures


def departure_priors(model: Any, amplitude: float = 0.3) -> dict[str, dist.Distribution]:
    """Normal priors of all departures of a model at their knots, by name; the names are free parameters.

    Parameters
    ----------
    model : AbstractModel
        With learned laws or flows.
    amplitude : float
        Standard deviation of the values of splines [dex]; the numbers of Gaussian processes are standard normal, and
        have an amplitude of their own; steps of monotone departures have half a normal.

    Returns
    -------
    dict of str to numpyro Distribution

    Raises
    ------
    ValueError
        The amplitude is not positive.

    Examples
    --------
    >>> law = co.physics.spline_law("log_vvir", base=co.physics.MassLoading(), knots=(1.5, 2.5))
    >>> priors = co.inference.departure_priors(co.models.ThermalCGM(mass_loading=law))
    >>> list(priors), float(priors["mass_loading.departure.values.k0"].scale)
    (['mass_loading.departure.values.k0', 'mass_loading.departure.values.k1'], 0.3)
    """
    scale = one_number("amplitude", amplitude, meaning="the standard deviation of departures [dex]")
    if not scale > 0.0:
        raise ValueError(f"amplitude: got {scale:g}; give a positive standard deviation [dex]")
    learned = {name: number for name, number in describe(model).items() if number.source == _LEARNED}
    return {name: _prior(number, scale) for name, number in learned.items()}


def _prior(number: Parameter, scale: float) -> dist.Distribution:
    if number.allowed[0] == 0.0:
        return dist.HalfNormal(scale)
    return dist.Normal(0.0, scale if number.unit == "dex" else 1.0)


def with_departures(
    target: Target, laws: Sequence[str] | None, features: Sequence[Any] | str, knots: Sequence[Any], amplitude: float
) -> tuple[Target, tuple[str, ...]]:
    """A target whose free parameters are those of `target`, and then departures of laws at knots, zero at the start.

    Parameters
    ----------
    target : Target
    laws : sequence of str, optional
        Places of the model; default all that take a law of the galaxy.
    features, knots
        As for `physics.spline_law`.
    amplitude : float
        Standard deviation of the prior of each departure [dex].

    Returns
    -------
    Target
    tuple of str
        The laws.

    Raises
    ------
    ValueError
        The target is that of a function or is corrected to many halos, or a law is no place of the model that takes a
        law of the galaxy.
    """
    if not isinstance(target.summaries, PopulationSummaries):
        raise ValueError(
            "target: it is that of a function; give one of a model, inference.Target(model, halos, data, free)"
        )
    refuse_corrected("target", target)
    model = target.summaries.model
    known = places_for(model, AbstractGalaxyScaling)
    places = known if laws is None else (laws,) if isinstance(laws, str) else tuple(laws)
    for place in places:
        if place not in known:
            hint = did_you_mean(place, known)
            raise ValueError(
                f"laws: {type(model).__name__} has no law {place} that can depart; {hint}it has {', '.join(known)}"
            )
    learned = {place: spline_law(features, base=getattr(model, place), knots=knots) for place in places}
    model = dataclasses.replace(model, **learned)
    own = [f"{place}.departure.values." for place in places]
    priors = {name: prior for name, prior in departure_priors(model, amplitude).items() if name.startswith(tuple(own))}
    added = free_parameters(model, target.summaries.halos.cosmology, list(priors), priors)
    extended = copy.copy(target)
    summaries = eqx.tree_at(lambda one: one.model, target.summaries, model)
    renamed = tuple(dataclasses.replace(free, name=_renamed(free.name, places)) for free in target.free)
    for field, value in (("summaries", summaries), ("free", (*renamed, *added))):
        object.__setattr__(extended, field, value)
    return extended, places


def _renamed(name: str, places: tuple[str, ...]) -> str:
    """The name that a parameter of a law has in the base of the learned law."""
    place, dot, rest = name.partition(".")
    return f"{place}.base.{rest}" if dot and place in places else name
