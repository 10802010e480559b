"""From noisy snapshots of a halo to a smooth history: what to do with mass loss, and the kernel in time.

N-body halos lose mass at some snapshots and carry noise at all of them, while a model needs a growth rate.
Both treatments are objects, so that a reader of tables or trees takes others.
"""

import abc

import equinox as eqx
import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from ...annotations import Array
from ...parameters import parameter

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


class AbstractMassLoss(eqx.Module):
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


class AbstractSmoothing(eqx.Module):
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
    )

    def __call__(
        self, ln_time: Float[np.ndarray, " t"], values: Float[np.ndarray, "*n t"], ln_times: Float[np.ndarray, " s"]
    ) -> Float[np.ndarray, "*n s"]:
        first, last = ln_time[0], ln_time[-1]
        curve = PchipInterpolator(ln_time, np.moveaxis(values, -1, 0))
        width = min(float(self.width), 0.25 * (last - first))
        ends = np.array([first, last])
        slopes = _convolve(lambda x: curve(x, 1), ends, width, first, last, parity=1.0)
        inside = np.clip(ln_times, first, last)
        beyond = ln_times - inside
        smooth = _convolve(curve, inside, width, first, last, parity=-1.0)
        return smooth + beyond * np.where(beyond < 0.0, slopes[..., :1], slopes[..., 1:])


def _convolve(curve, ln_times, width, first, last, parity):
    """Gaussian mean of `curve` around `ln_times`, continued beyond both ends by reflection in a point (`parity` -1) or
    in a line (1).
    """
    x = ln_times[:, None] + width * _NODES
    reflected = np.where(x < first, 2.0 * first - x, np.where(x > last, 2.0 * last - x, x))
    start, end = (np.moveaxis(curve([x]), 0, -1) for x in (first, last))
    total = 0.0
    for points, inside, weight in zip(reflected.T, x.T, _WEIGHTS, strict=True):  # node by node, for little memory
        value = np.moveaxis(curve(points), 0, -1)
        if parity < 0.0:
            value = np.where(inside < first, 2.0 * start - value, np.where(inside > last, 2.0 * end - value, value))
        total = total + weight * value
    return total
