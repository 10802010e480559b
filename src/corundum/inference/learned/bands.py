"""A law with its uncertainty: values over virial velocity for draws of the parameters, and those of the base law."""

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
from ...models.checks.laws import places_for
from ...parameters import set_values
from ...physics import AbstractGalaxyScaling, LearnedLaw
from ...printing import in_short
from ..target import Target
from ..vectors import any_vectors

__all__ = ["LawBands", "law_bands"]

_LEVELS = (2.275, 15.865, 50.0, 84.135, 97.725)


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

    def __repr__(self) -> str:
        return in_short(self)


def law_bands(
    target: Target,
    theta: Any,
    place: str,
    *,
    redshift: float = 0.0,
    vvir: Sequence[float] | np.ndarray | None = None,
) -> LawBands:
    """Values of a law for draws of the free parameters, such as those of a posterior.

    Parameters
    ----------
    target : Target
        Of a model.
    theta : array, shape (S, P)
        Draws of the free parameters in their natural scale, such as ``laplace(target, best).draws(200)``.
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
    """
    summaries: Any = target.summaries
    if not hasattr(summaries, "model"):
        raise ValueError("target: it is that of a function; give one of a model, as inference.Target makes it")
    model, cosmology = summaries.model, summaries.halos.cosmology
    known = places_for(model, AbstractGalaxyScaling)
    if place not in known:
        hint = did_you_mean(place, known)
        raise ValueError(f"place: {type(model).__name__} has no law {place}; {hint}it has {', '.join(known)}")
    theta = np.atleast_2d(np.asarray(any_vectors("theta", theta, target.names)))
    redshift = one_number("redshift", redshift, meaning="one redshift")
    velocity = np.geomspace(20.0, 400.0, 41) if vvir is None else np.asarray(vvir, np.float64)
    halo = _halos_of(velocity, redshift, cosmology)
    own = {
        free.name: free.value(theta[:, k]) for k, free in enumerate(target.free) if free.name.startswith(f"{place}.")
    }
    laws, bases = _values(model, own, place, halo, len(theta))
    return LawBands(place, redshift, velocity, np.percentile(laws, _LEVELS, axis=0), np.median(bases, axis=0))


def _values(model: Any, numbers: dict[str, Any], place: str, halo: Halo, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """The law and its base for each draw, (S, n) each; `numbers` are the parameters that change, (S,) each."""
    if not numbers:
        law, base = _law_and_base(model, {}, place, halo)
        return np.tile(law, (draws, 1)), np.tile(base, (draws, 1))
    law, base = _of_draws(model, numbers, place, halo)
    return np.asarray(law), np.asarray(base)


@eqx.filter_jit
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
