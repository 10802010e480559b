"""The structure of satellites: radius and concentration of a halo stay what they were when it fell in."""

import numpy as np
from jaxtyping import Float

from ...cosmology import Cosmology
from ..cosmic_times import densities, redshifts

__all__ = ["frozen_structure"]

_FREEZING = 0.05  # in ln(t), over which the structure of a halo stops changing around infall


def frozen_structure(
    log_mass: Float[np.ndarray, "n t"],
    log_c: Float[np.ndarray, "n t"],
    infall: Float[np.ndarray, " n"],
    times: Float[np.ndarray, " t"],
    cosmology: Cosmology,
    log_radius_ratio: Float[np.ndarray, "n t"] | None = None,
) -> tuple[Float[np.ndarray, "n t"], Float[np.ndarray, "n t"]]:
    """log10 of virial radius [kpc] and of concentration, which stay what they were when a halo fell in.

    Parameters
    ----------
    log_mass, log_c : array, shape (N, T)
        log10 of virial mass [Msun], which does not grow after infall any more, and of concentration.
    infall : array, shape (N,)
        Cosmic age [Gyr], infinite for centrals.
    times : array, shape (T,)
    cosmology : Cosmology
    log_radius_ratio : array, shape (N, T), optional
        log10 of virial radius over that of Bryan & Norman 1998; default 0.

    Examples
    --------
    >>> from corundum.halos.satellites.frozen import frozen_structure
    >>> times = np.geomspace(1.0, 13.7, 30)
    >>> halo = np.full((1, 30), 11.0), np.linspace(0.5, 1.0, 30)[None]
    >>> radius, log_c = frozen_structure(*halo, np.array([3.0]), times, co.cosmology.planck18())
    >>> float(np.ptp(radius[0, 20:]).round(3)), float(np.ptp(log_c[0, 20:]).round(3))
    (0.0, 0.0)
    """
    ln_times = np.log(times)
    ln_infall = np.log(np.minimum(infall, 1e3 * times[-1]))[:, None]
    until = ln_times - _FREEZING * np.logaddexp(0.0, (ln_times - ln_infall) / _FREEZING)
    log_volume = np.log10(4.0 * np.pi / 3.0 * densities(cosmology, "vir", redshifts(cosmology, times)))
    log_rvir = (log_mass - np.interp(until, ln_times, log_volume)) / 3.0
    central = np.isinf(infall)

    def read(curves):
        rows = zip(curves, until, central, strict=True)
        return np.array([row if alone else np.interp(at, ln_times, row) for row, at, alone in rows])

    return log_rvir if log_radius_ratio is None else log_rvir + read(log_radius_ratio), read(log_c)
