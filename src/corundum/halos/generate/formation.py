"""Concentration of a halo from its own growth history.

Halos whose inner mass assembled early are concentrated.  The relation of Zhao et al. 2009 (ApJ 707, 354, eq. 22) needs
one number of the main branch, the time at which it held 4 per cent of its present mass:

    c(t) = 4 [1 + (t / (3.75 t_0.04))^8.4]^(1/8)

so that every halo has a concentration of its own, with a scatter that follows from that of the histories.
"""

import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...parameters import FRACTION, NOT_NEGATIVE, parameter
from ...printing import Component
from ...units import LN10

__all__ = ["ZhaoFormationTime"]


class ZhaoFormationTime(Component):
    """Concentration from the time at which a halo had 4 per cent of its mass (Zhao et al. 2009).

    Examples
    --------
    >>> log_c = co.halos.ZhaoFormationTime()(halos.time, halos.log_mvir)
    >>> log_c.shape
    (8, 100)
    """

    fraction: Float[Array, ""] = parameter(
        0.04,
        unit="1",
        meaning="fraction of the mass that marks formation",
        source="Zhao+09",
        bounds=(0.005, 0.5),
        allowed=FRACTION,
    )
    lowest: Float[Array, ""] = parameter(
        4.0,
        unit="1",
        meaning="concentration of halos that grow fast",
        source="Zhao+09",
        bounds=(2.5, 6.0),
        allowed=NOT_NEGATIVE,
    )
    delay: Float[Array, ""] = parameter(
        3.75,
        unit="1",
        meaning="time over formation time at which c rises",
        source="Zhao+09",
        bounds=(1.0, 10.0),
        allowed=NOT_NEGATIVE,
    )
    steepness: Float[Array, ""] = parameter(
        8.4, unit="1", meaning="8 times the late power of time", source="Zhao+09", bounds=(1.0, 20.0)
    )

    def __call__(self, time: Float[Array, " t"], log_mvir: Float[Array, "n t"]) -> Float[np.ndarray, "n t"]:
        """log10 of concentration at every time of growing histories.

        Where a halo had 4 per cent of its mass before the first time, its history is continued by a power law of time.

        Parameters
        ----------
        time : array, shape (t,)
            Cosmic age [Gyr].
        log_mvir : array, shape (n, t)
            log10 of mass [Msun], not falling with time.
        """
        time, log_mvir = np.asarray(time, np.float64), np.asarray(log_mvir, np.float64)
        ln_time = np.log(time)
        # Before the first time the history follows a power law with the slope of its first tenth.
        reach = max(len(time) // 10, 1)
        slope = (log_mvir[:, reach] - log_mvir[:, 0]) / (ln_time[reach] - ln_time[0])
        level = log_mvir + np.log10(float(self.fraction))
        early = ln_time[0] + (level - log_mvir[:, :1]) / np.maximum(slope, 0.1)[:, None]
        rising = log_mvir + 1e-9 * np.arange(len(time))  # a history that is level somewhere has no inverse
        later = [np.interp(*row, ln_time) for row in zip(level, rising, strict=True)]
        ln_formed = np.where(level < log_mvir[:, :1], early, later)
        x = np.exp(ln_time - ln_formed) / float(self.delay)
        return np.log10(float(self.lowest)) + np.log1p(x ** float(self.steepness)) / (8.0 * LN10)
