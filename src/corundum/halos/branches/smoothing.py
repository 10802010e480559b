"""From noisy snapshots of a halo to a smooth history: what to do with mass loss, and the kernel in time.

N-body halos lose mass at some snapshots and carry noise at all of them, while a model needs a growth rate.
Both treatments are objects, so that a reader of tables or trees takes others.
"""

import abc

import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...parameters import NOT_NEGATIVE, parameter
from ...printing import Component

__all__ = [
    "AbstractMassLoss",
    "RunningMaximum",
    "AllowMassLoss",
    "RefuseMassLoss",
    "AbstractSmoothing",
    "GaussianInLogTime",
]

_NODES = np.linspace(-4.0, 4.0, 33)
_WEIGHTS = np.exp(-0.5 * _NODES**2) / np.sum(np.exp(-0.5 * _NODES**2))


class AbstractMassLoss(Component):
    """What happens to a halo whose mass falls between snapshots.

    Examples
    --------
    A rule that refuses halos which lose more than half of their mass:

    >>> class RefuseHalving(co.halos.AbstractMassLoss):
    ...     def accepts(self, log_mvir):
    ...         return bool(log_mvir[-1] > log_mvir.max() - 0.3)
    ...     def __call__(self, log_mvir):
    ...         return log_mvir
    >>> RefuseHalving().accepts(np.array([11.0, 12.0, 11.5]))
    False
    """

    @abc.abstractmethod
    def accepts(self, log_mvir: Float[np.ndarray, " t"]) -> bool:
        """Whether a history with these masses, first snapshot first, can be used."""

    @abc.abstractmethod
    def __call__(self, log_mvir: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        """The masses to use."""


class RunningMaximum(AbstractMassLoss):
    """Every snapshot takes the largest mass so far, as diffmah histories do; the default.

    A halo that lost mass ends at its peak mass and does not grow from there on.

    Examples
    --------
    >>> co.halos.RunningMaximum()(np.array([11.0, 12.0, 11.5])).tolist()
    [11.0, 12.0, 12.0]
    """

    def accepts(self, log_mvir: Float[np.ndarray, " t"]) -> bool:
        return True

    def __call__(self, log_mvir: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        return np.maximum.accumulate(log_mvir)


class AllowMassLoss(AbstractMassLoss):
    """Masses stay as they are; the growth rate is negative while a halo loses mass.

    Examples
    --------
    >>> co.halos.AllowMassLoss()(np.array([11.0, 12.0, 11.5])).tolist()
    [11.0, 12.0, 11.5]
    """

    def accepts(self, log_mvir: Float[np.ndarray, " t"]) -> bool:
        return True

    def __call__(self, log_mvir: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        return log_mvir


class RefuseMassLoss(AbstractMassLoss):
    """A halo that ever loses mass cannot be used.

    Examples
    --------
    >>> co.halos.RefuseMassLoss().accepts(np.array([11.0, 12.0, 11.5]))
    False
    """

    def accepts(self, log_mvir: Float[np.ndarray, " t"]) -> bool:
        return bool(np.all(np.diff(log_mvir) >= 0.0))

    def __call__(self, log_mvir: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        return log_mvir


class AbstractSmoothing(Component):
    """Rule for reading a noisy curve at other times.

    Examples
    --------
    Straight lines between snapshots:

    >>> class Linear(co.halos.AbstractSmoothing):
    ...     def __call__(self, ln_time, values, ln_times):
    ...         return np.apply_along_axis(lambda curve: np.interp(ln_times, ln_time, curve), -1, values)
    >>> Linear()(np.array([0.0, 1.0]), np.array([[11.0, 12.0]]), np.array([0.5])).tolist()
    [[11.5]]
    """

    @abc.abstractmethod
    def __call__(
        self, ln_time: Float[np.ndarray, " t"], values: Float[np.ndarray, "*n t"], ln_times: Float[np.ndarray, " s"]
    ) -> Float[np.ndarray, "*n s"]:
        """Curves with `values` at increasing ln(t) `ln_time`, read at `ln_times`."""


class GaussianInLogTime(AbstractSmoothing):
    """A Gaussian in ln(t) over the monotone cubic through the snapshots; the default.

    Beyond its ends the curve is continued by its point reflection, so that a straight line and the first and
    last values are kept exactly, a growing halo keeps growing, and nothing bends at the ends.  Before the
    first snapshot the result follows its tangent, a power law in time.  The width is at most a quarter of the
    time spanned by the halo.

    Examples
    --------
    A straight line is kept:

    >>> ln_time = np.linspace(0.0, 2.0, 30)
    >>> smooth = co.halos.GaussianInLogTime(0.1)(ln_time, 11.0 + 0.5 * ln_time[None], np.array([0.5, 1.5]))
    >>> np.round(smooth, 6).tolist()
    [[11.25, 11.75]]
    """

    width: Float[Array, ""] = parameter(
        0.1,
        unit="ln(t)",
        meaning="standard deviation; 0 for none",
        source="choice: about R/V",
        bounds=(0.0, 1.0),
        allowed=NOT_NEGATIVE,
    )

    def __call__(
        self, ln_time: Float[np.ndarray, " t"], values: Float[np.ndarray, "*n t"], ln_times: Float[np.ndarray, " s"]
    ) -> Float[np.ndarray, "*n s"]:
        first, last = ln_time[0], ln_time[-1]
        values = np.asarray(values, np.float64)
        slopes = _monotone_slopes(ln_time, values)
        width = min(float(self.width), 0.25 * (last - first))
        inside = np.clip(ln_times, first, last)
        beyond = ln_times - inside
        # A cubic is linear in its values and slopes, and so is its mean: two matrices serve all curves.
        of_values, of_slopes = _mean_cubic(ln_time, inside, width)
        smooth = values @ of_values + slopes @ of_slopes
        if not np.any(beyond):
            return smooth
        of_values, of_slopes = _mean_slope(ln_time, np.array([first, last]), width)
        ends = values @ of_values + slopes @ of_slopes
        return smooth + beyond * np.where(beyond < 0.0, ends[..., :1], ends[..., 1:])


def _monotone_slopes(x, y):
    """Slopes of the monotone cubic through curves `y` (..., t) of Fritsch & Butland 1984, as in scipy's PCHIP."""
    step = np.diff(x)
    secant = np.diff(y, axis=-1) / step
    if len(x) == 2:
        return np.repeat(secant, 2, axis=-1)
    before, after = secant[..., :-1], secant[..., 1:]
    near, far = 2.0 * step[1:] + step[:-1], step[1:] + 2.0 * step[:-1]
    same_sign = before * after > 0.0
    inner = (near + far) * before * after / np.where(same_sign, near * after + far * before, 1.0)
    slopes = np.empty_like(y)
    slopes[..., 1:-1] = np.where(same_sign, inner, 0.0)
    slopes[..., 0] = _end_slope(step[0], step[1], secant[..., 0], secant[..., 1])
    slopes[..., -1] = _end_slope(step[-1], step[-2], secant[..., -1], secant[..., -2])
    return slopes


def _end_slope(step, next_step, secant, next_secant):
    """Slope at an end from its two intervals: of the parabola, limited so that the curve stays monotone."""
    slope = ((2.0 * step + next_step) * secant - step * next_secant) / (step + next_step)
    turns = (np.sign(secant) != np.sign(next_secant)) & (np.abs(slope) > 3.0 * np.abs(secant))
    return np.where(np.sign(slope) != np.sign(secant), 0.0, np.where(turns, 3.0 * secant, slope))


def _mean_cubic(knots, places, width):
    """Matrices (knot, place) whose products with the values and slopes at the knots add up to the Gaussian mean of the
    cubic around each place.  Beyond its ends the curve is continued by reflection in a point.
    """
    x, weights = _nodes(places, width)
    reflected, beyond = _reflected(x, knots)
    parts = _matrices(knots, reflected, np.where(beyond, -weights, weights), _cubic)
    outside = np.where(beyond, 2.0 * weights, 0.0)
    parts[0][0] += np.sum(np.where(x < knots[0], outside, 0.0), axis=1)
    parts[0][-1] += np.sum(np.where(x > knots[-1], outside, 0.0), axis=1)
    return parts


def _mean_slope(knots, places, width):
    """The same for the mean of the derivative, which is continued by reflection in a line."""
    x, weights = _nodes(places, width)
    return _matrices(knots, _reflected(x, knots)[0], weights, _cubic_slope)


def _nodes(places, width):
    x = places[:, None] + width * _NODES
    return x, np.broadcast_to(_WEIGHTS, x.shape)


def _reflected(x, knots):
    reflected = np.where(x < knots[0], 2.0 * knots[0] - x, np.where(x > knots[-1], 2.0 * knots[-1] - x, x))
    return reflected, reflected != x


def _matrices(knots, x, weights, basis):
    """Weights of the values and of the slopes at the knots in weighted sums of a cubic at `x` (place, node)."""
    left = np.clip(np.searchsorted(knots, x, "right") - 1, 0, len(knots) - 2)
    length = knots[left + 1] - knots[left]
    terms = basis((x - knots[left]) / length, length)
    place = np.broadcast_to(np.arange(len(x))[:, None], x.shape)
    matrices = np.zeros((2, len(knots), len(x)))
    for number, term in enumerate(terms):
        np.add.at(matrices[number // 2], (left + number % 2, place), weights * term)
    return matrices


def _cubic(u, length):
    """Shares of the left and right value, and of the left and right slope, in a cubic at `u` of its interval."""
    v = 1.0 - u
    return v * v * (1.0 + 2.0 * u), u * u * (3.0 - 2.0 * u), length * u * v * v, -length * u * u * v


def _cubic_slope(u, length):
    v = 1.0 - u
    return -6.0 * u * v / length, 6.0 * u * v / length, v * (1.0 - 3.0 * u), u * (3.0 * u - 2.0)
