"""From noisy snapshots of a halo to a smooth history: what to do with mass loss, and the kernel in time.

N-body halos lose mass at some snapshots and carry noise at all of them, while a model needs a growth rate.
Both treatments are objects, so that a table reader or a tree reader can be given others.
"""

import abc

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float
from scipy.interpolate import PchipInterpolator

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
    """What happens to a halo whose mass falls between snapshots."""

    @abc.abstractmethod
    def accepts(self, log_mvir: Float[np.ndarray, " t"]) -> bool:
        """Whether a history with these masses, first snapshot first, can be used."""

    @abc.abstractmethod
    def __call__(self, log_mvir: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        """The masses to use."""


class RunningMaximum(AbstractMassLoss):
    """Every snapshot takes the largest mass so far, as diffmah histories do; the default.

    A halo that lost mass ends at its peak mass and does not grow in between.
    """

    def accepts(self, log_mvir: Float[np.ndarray, " t"]) -> bool:
        return True

    def __call__(self, log_mvir: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        return np.maximum.accumulate(log_mvir)


class AllowMassLoss(AbstractMassLoss):
    """Masses stay as they are; the growth rate is negative while a halo loses mass."""

    def accepts(self, log_mvir: Float[np.ndarray, " t"]) -> bool:
        return True

    def __call__(self, log_mvir: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        return log_mvir


class RefuseMassLoss(AbstractMassLoss):
    """A halo that ever loses mass cannot be used."""

    def accepts(self, log_mvir: Float[np.ndarray, " t"]) -> bool:
        return bool(np.all(np.diff(log_mvir) >= 0.0))

    def __call__(self, log_mvir: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        return log_mvir


class AbstractSmoothing(eqx.Module):
    """Rule for reading a noisy curve at other times."""

    @abc.abstractmethod
    def __call__(
        self, log_time: Float[np.ndarray, " t"], values: Float[np.ndarray, "*n t"], at: Float[np.ndarray, " s"]
    ) -> Float[np.ndarray, "*n s"]:
        """Curves given at the same increasing `log_time` (natural log), read at `at`."""


class GaussianInLogTime(AbstractSmoothing):
    """A Gaussian in ln(t) over the monotone cubic through the snapshots; the default.

    Beyond its ends the curve is continued by its point reflection, so that a straight line and the first and
    last values are kept exactly, a growing halo keeps growing, and nothing bends at the ends.  Before the
    first snapshot the result follows its tangent, a power law in time.  The width is at most a quarter of the
    time spanned by the halo.
    """

    width: Float[Array, ""] = parameter(
        0.1,
        unit="ln(t)",
        meaning="standard deviation; 0 for none",
        source="choice: about R/V",
        bounds=(0.0, 1.0),
    )

    def __call__(
        self, log_time: Float[np.ndarray, " t"], values: Float[np.ndarray, "*n t"], at: Float[np.ndarray, " s"]
    ) -> Float[np.ndarray, "*n s"]:
        first, last = log_time[0], log_time[-1]
        curve = PchipInterpolator(log_time, np.moveaxis(values, -1, 0))
        width = min(float(self.width), 0.25 * (last - first))
        ends = np.array([first, last])
        slopes = _convolve(lambda x: curve(x, 1), ends, width, first, last, parity=1.0)
        inside = np.clip(at, first, last)
        beyond = at - inside
        smooth = _convolve(curve, inside, width, first, last, parity=-1.0)
        return smooth + beyond * np.where(beyond < 0.0, slopes[..., :1], slopes[..., 1:])


def _convolve(curve, at, width, first, last, parity):
    """Gaussian mean of `curve` around `at`, continued beyond both ends by reflection (-1 in a point, 1 in a
    line).
    """
    x = at[:, None] + width * _NODES
    reflected = np.where(x < first, 2.0 * first - x, np.where(x > last, 2.0 * last - x, x))
    start, end = (np.moveaxis(curve([x]), 0, -1) for x in (first, last))
    total = 0.0
    for points, inside, weight in zip(reflected.T, x.T, _WEIGHTS, strict=True):  # node by node, for little memory
        value = np.moveaxis(curve(points), 0, -1)
        if parity < 0.0:
            value = np.where(inside < first, 2.0 * start - value, np.where(inside > last, 2.0 * end - value, value))
        total = total + weight * value
    return total
