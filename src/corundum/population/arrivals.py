"""What satellites bring to their hosts, as curves of the halos of the hosts: running totals with exact slopes.

Hosts read the rates of these totals, so that they receive exactly what is handed over, however few the knots are.
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..halos import ExtraCurve, HaloHistories
from ..models.processes.merging import Merging
from ..physics.merging.environment import HOST_CURVES
from ..physics.merging.satellites import SATELLITE_CURVES
from ..physics.merging.supply import without_satellites
from ..units import Quantity

__all__ = [
    "ARRIVING",
    "DRIVING",
    "PULSE",
    "between_knots",
    "driving_powers",
    "integrated",
    "monotone_slopes",
    "pulses",
    "smooth_share",
    "with_curves",
]

PULSE = 0.1
"""Width in ln(t) over which the halo of a satellite joins that of its host: the one of the smoothed histories."""

_LEAST_SMOOTH = 0.05  # of the growth of a halo, that brings gas however much its satellites have
_FEWEST = 1e-30
_STEEPEST = 3.0  # slopes of cubics that do not fall, over those of their chords

_PLACES = ("stars", "ism", "cgm")
ARRIVING = {
    **{f"satellite_{name}": Quantity("Msun/Gyr", f"{name} of merging satellites") for name in _PLACES},
    **{f"satellite_{name}_metals": Quantity("Msun/Gyr", f"metals in {name} of merging satellites") for name in _PLACES},
    "satellite_black_holes": Quantity("Msun/Gyr", "black holes of merging satellites"),
}
"""What satellites hand over."""

DRIVING = {
    "merging_bursts": Quantity("Msun^a/Gyr", "masses of merging satellites, to the power of bursts"),
    "merging_mass": Quantity("Msun/Gyr", "masses of merging satellites, to feed black holes"),
    "merging_squares": Quantity("Msun^2/Gyr", "squares of the masses of merging satellites, to destroy discs"),
}
"""What their mergers set off."""

_OTHERS = {
    **SATELLITE_CURVES,
    **HOST_CURVES,
    "satellite_icl": Quantity("Msun/Gyr", "stars between galaxies in the halos of merging satellites"),
    "satellite_icl_metals": Quantity("Msun/Gyr", "metals of these stars"),
    **{
        f"satellite_{name}_{element}": Quantity("Msun/Gyr", f"{element} in {name} of merging satellites")
        for name in _PLACES
        for element in ("oxygen", "iron")
    },
    "satellite_ism_momentum": Quantity("Msun kpc km/(s Gyr)", "angular momentum of gas of merging satellites"),
    "resolved_growth": Quantity("Msun/Gyr", "halo growth that brings satellites"),
    "smooth_share": Quantity("1", "share of the other growth that brings gas", log=False),
}
_QUANTITIES = ARRIVING | DRIVING | _OTHERS


def with_curves(
    halos: HaloHistories,
    totals: Mapping[str, tuple[Any, Any]],
    constants: Mapping[str, Any],
    curves: Mapping[str, Any] = MappingProxyType({}),
) -> HaloHistories:
    """Histories with running totals, (values, slopes in ln(t)) of shape (N, T), constants (N,) and curves (N, T)."""
    extras = {name: ExtraCurve(values, _QUANTITIES[name], slopes) for name, (values, slopes) in totals.items()}
    for name, values in constants.items():
        xp: Any = np if isinstance(values, np.ndarray) else jnp
        extras[name] = ExtraCurve(xp.broadcast_to(values[:, None], halos.log_mvir.shape), _QUANTITIES[name])
    extras |= {name: ExtraCurve(values, _QUANTITIES[name]) for name, values in curves.items()}
    return dataclasses.replace(halos, extras={**halos.extras, **extras})


def pulses(time: Float[Array, " t"], infall: Float[Array, " m"]) -> tuple[Float[Array, "m t"], Float[Array, "m t"]]:
    """How far the halo of each satellite has joined that of its host, and `PULSE` times the rate per ln(t)."""
    place = (jnp.log(time) - jnp.log(infall[:, None])) / PULSE
    return 0.5 * (1.0 + jax.lax.erf(place / 2.0**0.5)), jax.scipy.stats.norm.pdf(place)


def smooth_share(
    time: Float[Array, " t"],
    mvir: Float[Array, " t"],
    start: Float[Array, ""],
    resolved: Float[Array, " t"],
    merges: Any,
) -> Float[Array, ""]:
    """Share of the growth beyond that of satellites which makes the halo grow by what it grows, none lost or double."""
    begun = time >= start * (1.0 - 1e-9)
    grown, brought = (jnp.where(begun[1:], jnp.diff(curve), 0.0) for curve in (mvir, resolved))
    rest = jnp.sum(jnp.where(grown > 0.0, without_satellites(grown, brought), 0.0))
    owed = jnp.maximum(jnp.sum(grown) - jnp.sum(brought), _LEAST_SMOOTH * jnp.sum(jnp.maximum(grown, 0.0)))
    return jnp.where(merges, owed / jnp.maximum(rest, _FEWEST), 1.0)


def driving_powers(merging: Merging) -> dict[str, Any]:
    """The power of the masses of merging satellites in each of the curves `DRIVING`."""
    return {"merging_bursts": merging.burst_slope, "merging_mass": 1.0, "merging_squares": 2.0}


def integrated(slope: Float[Array, "*n t"], time: Float[Array, " t"]) -> Float[Array, "*n t"]:
    """Integral over ln(t) from the first time."""
    xp: Any = np if isinstance(slope, np.ndarray) and isinstance(time, np.ndarray) else jnp
    steps = 0.5 * (slope[..., 1:] + slope[..., :-1]) * xp.diff(xp.log(time))
    return xp.cumsum(xp.concatenate([xp.zeros_like(slope[..., :1]), steps], axis=-1), axis=-1)


def monotone_slopes(
    values: Float[Array, "n k"], slopes: Float[Array, "n k"], ln_time: Float[Array, " k"]
) -> Float[Array, "n k"]:
    """Slopes of running totals, with which the cubics between their knots never fall.

    What begins to arrive within an interval has a steep end and a level start, so that its cubic would fall at first: a
    host would give back what it has not received, and reservoirs that were empty fail.  Slopes are at most three times
    those of the chords beside them (Fritsch & Carlson 1980, SIAM J. Numer. Anal. 17, 238); the totals stay exact.

    Parameters
    ----------
    values, slopes : array, shape (N, K)
        Totals and their exact slopes in ln(t).
    ln_time : array, shape (K,)

    Examples
    --------
    >>> totals, slopes = np.array([[0.0, 0.0, 1.0, 3.0]]), np.array([[0.0, 0.0, 9.0, 2.0]])
    >>> monotone_slopes(totals, slopes, np.arange(4.0)).tolist()
    [[0.0, 0.0, 3.0, 2.0]]
    """
    xp: Any = np if all(isinstance(array, np.ndarray) for array in (values, slopes, ln_time)) else jnp
    chords = xp.maximum(xp.diff(values, axis=-1) / xp.diff(ln_time), 0.0)
    before = xp.concatenate([chords[..., :1], chords], axis=-1)
    after = xp.concatenate([chords, chords[..., -1:]], axis=-1)
    return xp.clip(slopes, 0.0, _STEEPEST * xp.minimum(before, after))


def between_knots(
    ln_time: Float[np.ndarray, " t"], knots: Any
) -> tuple[Float[np.ndarray, "2 k t"], Float[np.ndarray, "2 k t"]]:
    """Matrices that read totals at every time from their values and slopes at some of the times: the same cubics.

    Products of (values, slopes) at the `knots` with the first pair add up to the values at all times, and with the
    second to the slopes.  Before the first knot nothing has arrived.

    Examples
    --------
    >>> ln_time = np.linspace(0.0, 1.0, 5)
    >>> to_values, to_slopes = between_knots(ln_time, [0, 2, 4])
    >>> cubic, slope = ln_time**3, 3.0 * ln_time**2
    >>> bool(np.allclose(cubic[::2] @ to_values[0] + slope[::2] @ to_values[1], cubic))
    True
    """
    knots = np.asarray(knots)
    number, times = len(knots), len(ln_time)
    to_values, to_slopes = np.zeros((2, 2, number, times))
    for column in range(knots[0], times):
        left = min(int(np.searchsorted(knots, column, "right")) - 1, number - 2)
        length = ln_time[knots[left + 1]] - ln_time[knots[left]]
        u = (ln_time[column] - ln_time[knots[left]]) / length
        v = 1.0 - u
        both = slice(left, left + 2)
        to_values[0, both, column] = v * v * (1.0 + 2.0 * u), u * u * (3.0 - 2.0 * u)
        to_values[1, both, column] = length * u * v * v, -length * u * u * v
        to_slopes[0, both, column] = -6.0 * u * v / length, 6.0 * u * v / length
        to_slopes[1, both, column] = v * (1.0 - 3.0 * u), u * (3.0 * u - 2.0)
    return to_values, to_slopes
