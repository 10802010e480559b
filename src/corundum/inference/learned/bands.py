"""A law with its uncertainty over virial velocity, beside its base law.

The uncertainty is that of draws of named parameters, of an ensemble of trained models, or of the Gaussian of a trained
model's weights; the last is linear in what departures are added to, the logarithm of the law or of its odds.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import one_number
from ...cosmology import Cosmology, circular_velocity
from ...halos import Halo
from ...messages import did_you_mean
from ...numerics.compiling import compiled
from ...parameters import set_values
from ...physics import AbstractGalaxyScaling, AbstractScaling, LearnedLaw, LogitLink
from ...printing import in_short
from ..training.any_objective import as_objective
from ..training.last_layer import LastLayerPosterior
from ..training.network_posterior import NetworkPosterior
from ..training.trained import Trained
from ..vectors import any_vectors

__all__ = ["LawBands", "law_bands"]

_LEVELS = (2.275, 15.865, 50.0, 84.135, 97.725)
_SIGMAS = np.arange(-2.0, 3.0)  # where a normal has these percentiles
_LAST_LAYER_DRAWS = 200


class LawBands(NamedTuple):
    """A law over virial velocity at one redshift.

    Attributes
    ----------
    place : str
        Of the model.
    redshift : float
    vvir : array, (n,)
        Virial velocity [km/s].
    percentiles : array, (5, n)
        The 2.3, 15.9, 50, 84.1 and 97.7 percentiles over draws, in the unit of the law.
    base : array, (n,)
        Median of the base law; of the law itself where it is not learned.
    shrinkage : array, (n,), optional
        Width over that of the prior, where the draws are a `NetworkPosterior`: 0 where data determine the law, 1 where
        they say nothing.

    Examples
    --------
    >>> bands = co.inference.LawBands("mass_loading", 0.0, np.array([50.0]), np.ones((5, 1)), np.array([2.5]))
    >>> float(bands.percentiles[2, 0] / bands.base[0])
    0.4
    """

    place: str
    redshift: float
    vvir: np.ndarray
    percentiles: np.ndarray
    base: np.ndarray
    shrinkage: np.ndarray | None = None

    def __repr__(self) -> str:
        return in_short(self)


def law_bands(
    target: Any,
    draws: Any,
    place: str,
    *,
    redshift: float = 0.0,
    vvir: Sequence[float] | np.ndarray | None = None,
) -> LawBands:
    """Values of a law with their uncertainty.

    Parameters
    ----------
    target : Target or AbstractObjective
        Of a model.
    draws : array, shape (S, P), or Trained, NetworkPosterior, LastLayerPosterior, or a sequence
        Draws of the free parameters in their natural scale, such as ``laplace(target, best).draws(200)``; or all models
        of a training, which are an ensemble; or a Gaussian of the weights of one; or a sequence of models or of
        `NetworkPosterior`.  Members of an ensemble stand for a normal distribution of their mean and variance, to
        which the Gaussians of members, if they are known, add theirs.
    place : str
        A law of the model that the halo alone determines.
    redshift : float
    vvir : sequence of float, optional
        Virial velocities [km/s]; default 41 from 20 to 400.

    Raises
    ------
    ValueError
        The target is that of a function, there is no such law, or it depends on the galaxy.

    Examples
    --------
    >>> fit = co.inference.Target(model, halos, ["shmr_behroozi19_sf"], ["mass_loading.slope"])
    >>> bands = co.inference.law_bands(fit, [[-1.0], [-1.2]], "mass_loading", vvir=[125.0, 250.0])
    >>> bands.percentiles[2].round(2).tolist()
    [1.0, 0.47]
    >>> trained = co.inference.train(objective, steps=5, seeds=2)
    >>> co.inference.law_bands(objective, trained, "mass_loading", vvir=[125.0]).percentiles.shape
    (5, 1)
    """
    if hasattr(target, "summaries") and not hasattr(target.summaries, "model"):
        raise ValueError("target: it is that of a function; give one of a model, as inference.Target makes it")
    objective = as_objective(target)
    model, cosmology = objective.model(), objective.halos().cosmology
    known = [
        field.name for field in dataclasses.fields(model)
        if isinstance(getattr(model, field.name), AbstractScaling | AbstractGalaxyScaling)
    ]  # fmt: skip
    if place not in known:
        hint = did_you_mean(place, known)
        raise ValueError(f"place: {type(model).__name__} has no law {place}; {hint}it has {', '.join(known)}")
    redshift = one_number("redshift", redshift, meaning="one redshift")
    velocity = np.geomspace(20.0, 400.0, 41) if vvir is None else np.asarray(vvir, np.float64)
    halo = _halos_of(velocity, redshift, cosmology)
    members = _members(draws)
    if members:
        return LawBands(place, redshift, velocity, *_of_members(members, place, halo))
    names = tuple(free.name for free in objective.free)
    theta = np.atleast_2d(np.asarray(any_vectors("draws", draws, names)))
    own = {
        free.name: free.value(theta[:, k]) for k, free in enumerate(objective.free) if free.name.startswith(f"{place}.")
    }
    laws, bases = _values(model, own, place, halo, len(theta))
    return LawBands(place, redshift, velocity, np.percentile(laws, _LEVELS, axis=0), np.median(bases, axis=0))


def _members(draws: Any) -> list[Any]:
    """Models, or Gaussians of their weights; none where the draws are those of named parameters."""
    if isinstance(draws, Trained):
        return list(draws.models)
    if isinstance(draws, LastLayerPosterior):
        return draws.draws(_LAST_LAYER_DRAWS)
    if isinstance(draws, NetworkPosterior):
        return [draws]
    known = (NetworkPosterior, eqx.Module)
    return list(draws) if isinstance(draws, Sequence) and all(isinstance(one, known) for one in draws) else []


def _of_members(members: list[Any], place: str, halo: Halo) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Percentiles, base and shrinkage of an ensemble."""
    centres, variances, priors, bases = [], [], [], []
    for member in members:
        gaussian = isinstance(member, NetworkPosterior)
        model = member.model_at(jnp.asarray(member.x)) if gaussian else member
        if gaussian:
            centre, width, of_prior = member.spread(lambda one: _unlinked(getattr(one, place), halo, place))
            priors.append(of_prior)
        else:
            centre = np.asarray(_unlinked_law(getattr(model, place), halo, place))
            width = np.zeros_like(centre)
        centres.append(centre)
        variances.append(width**2)
        law = getattr(model, place)
        bases.append(np.asarray(_value(law.base if isinstance(law, LearnedLaw) else law, halo, place)))
    between = np.var(centres, axis=0, ddof=1) if len(members) > 1 else 0.0
    width = np.sqrt(np.mean(variances, axis=0) + between)
    numbers = np.mean(centres, axis=0) + _SIGMAS[:, None] * width
    shrinkage = width / np.mean(priors, axis=0) if len(priors) == len(members) else None
    odds = _is_fraction(getattr(members[0].model if priors else members[0], place))
    return 1.0 / (1.0 + 10.0**-numbers) if odds else 10.0**numbers, np.median(bases, axis=0), shrinkage


def _is_fraction(law: Any) -> bool:
    return isinstance(getattr(law, "link", None), LogitLink)


def _unlinked(law: Any, halo: Halo, place: str) -> Float[Array, " n"]:
    """What departures are added to: log10 of the law, or of its odds."""
    value = _value(law, halo, place)
    return jnp.log10(value) - jnp.log10(1.0 - value) if _is_fraction(law) else jnp.log10(value)


_unlinked_law = compiled(_unlinked)


def _values(model: Any, numbers: dict[str, Any], place: str, halo: Halo, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """The law and its base for each draw, (S, n) each; `numbers` are the parameters that change, (S,) each."""
    if not numbers:
        law, base = _law_and_base(model, {}, place, halo)
        return np.tile(law, (draws, 1)), np.tile(base, (draws, 1))
    law, base = _of_draws(model, numbers, place, halo)
    return np.asarray(law), np.asarray(base)


@compiled
def _of_draws(model, numbers, place, halo):
    return jax.vmap(lambda one: _law_and_base(model, one, place, halo))(numbers)


def _law_and_base(model, numbers, place, halo):
    law = getattr(set_values(model, numbers), place)
    value = _value(law, halo, place)
    return value, _value(law.base, halo, place) if isinstance(law, LearnedLaw) else value


def _value(law: Any, halo: Halo, place: str) -> Float[Array, " n"]:
    value = law.imposed(halo)
    if value is None or not (getattr(law, "of_halo", True)):
        raise ValueError(f"place: {place} depends on the galaxy; give a law that follows from the halo alone")
    return jnp.broadcast_to(value, jnp.shape(halo.vvir))


def _halos_of(velocity: np.ndarray, redshift: float, cosmology: Cosmology) -> Halo:
    """Halos of these virial velocities: at one redshift, mass grows with the cube of velocity."""
    mass = 1e12
    radius = cosmology.virial_radius(mass, redshift)
    ratio = velocity / float(circular_velocity(mass, radius))
    ones = np.ones_like(velocity)
    return Halo(
        cosmology.age(redshift) * ones, redshift * ones, mass * ratio**3, radius * ratio, velocity, 10.0 * ones, ones
    )
