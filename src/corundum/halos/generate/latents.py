"""What differs between halos of one mass: standard normal numbers that each keeps for its whole life.

They are drawn once and stay with the histories; laws scale them by their scatter, so that what depends on a scatter is
differentiable in it, and two models see the same halos.
"""

import dataclasses

import numpy as np

from ...arguments import whole_number
from ...units import Quantity
from ..extras import ExtraCurve
from ..histories import HaloHistories

__all__ = ["with_latents"]

_CORRELATION = 0.15  # in ln(t), the width of a dynamical time at all times


def with_latents(halos: HaloHistories, *, key: int = 0, modes: int = 32) -> HaloHistories:
    """Histories with standard normal numbers as extra curves: spin, loadings, and a wandering of star formation.

    ``spin_latent`` and ``loading_latent`` are one number for the life of each halo.  ``star_formation_latent`` wanders:
    an Ornstein-Uhlenbeck process in ln(t), in which halos are self-similar, with mean 0, variance 1 and the correlation
    exp(-|ln(t/t')| / 0.15), made of its smoothest Karhunen-Loeve modes so that integration steps stay long.

    Parameters
    ----------
    halos : HaloHistories
    key : int, optional
        Of the random numbers; the same key gives the same numbers.
    modes : int, optional
        Modes of the process; 32 hold 85% of the variance of a history from z = 10 on, and the rest of the variance is
        shared out among them.

    Returns
    -------
    HaloHistories
        The same histories with three more `extras`.

    Examples
    --------
    >>> various = co.halos.with_latents(halos, key=1)
    >>> sorted(various.extras)
    ['loading_latent', 'spin_latent', 'star_formation_latent']
    >>> various.at(redshift=0.0).extras["spin_latent"].shape
    (8,)
    """
    modes = whole_number("modes", modes, meaning="modes")
    rng = np.random.default_rng(whole_number("key", key, least=0, meaning="a key of random numbers"))
    shape = halos.log_mvir.shape
    steady = [np.repeat(rng.standard_normal((shape[0], 1)), shape[1], axis=1) for _ in range(2)]
    numbers = rng.standard_normal((shape[0], min(modes, shape[1])))
    curves = {
        "spin_latent": (steady[0], "standard normal number of the spin"),
        "loading_latent": (steady[1], "standard normal number of the loadings"),
        "star_formation_latent": (numbers @ _wandering(np.asarray(halos.time), modes), "scatter of star formation"),
    }
    added = {name: ExtraCurve(values, Quantity("1", meaning, log=False)) for name, (values, meaning) in curves.items()}
    return dataclasses.replace(halos, extras={**halos.extras, **added})


def _wandering(time, modes):
    """Karhunen-Loeve modes on the times, scaled to unit variance at each of them."""
    ln_time = np.log(time)
    covariance = np.exp(-np.abs(ln_time[:, None] - ln_time) / _CORRELATION)
    strengths, shapes = np.linalg.eigh(covariance)
    chosen = shapes[:, ::-1][:, :modes] * np.sqrt(np.maximum(strengths[::-1][:modes], 0.0))
    return (chosen / np.sqrt(np.sum(chosen**2, axis=1, keepdims=True))).T
