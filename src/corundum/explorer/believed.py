"""What a posterior says about the numbers of a model and about the relations on screen."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..inference.posterior import PERCENTILES, Posterior
from .engine import Engine

__all__ = ["DRAWS", "bands_of", "draws_of", "intervals_of"]

DRAWS = 60
"""Draws whose galaxies are solved for the bands of the relations."""


def draws_of(posterior: Any, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """All draws of the numbers of a model that a posterior is about; it may be about others, such as nuisances, too.

    Parameters
    ----------
    posterior : Posterior, xarray.DataTree or arviz.InferenceData
        Of a fit, or read by `corundum.io.load_posterior`.
    names : tuple of str
        The numbers of the model.

    Raises
    ------
    ValueError
        None of them is in the posterior.

    Examples
    --------
    >>> draws_of(posterior, ("slope", "mass_loading.slope"))["slope"].shape
    (400,)
    """
    data = posterior.data if isinstance(posterior, Posterior) else posterior
    draws = {str(name): np.asarray(array).reshape(-1) for name, array in data["posterior"].data_vars.items()}
    known = {name: draws[name] for name in names if name in draws}
    if not known:
        raise ValueError(
            f"posterior: it is about {', '.join(draws)}, and the model has none of these; give that of a fit of this "
            "model"
        )
    return known


def intervals_of(draws: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """The median and the 68% interval of each number, in what JSON can hold.

    Examples
    --------
    >>> intervals_of({"mass_loading.slope": np.linspace(-2.0, 0.0, 201)})[0]["middle"]
    -1.0
    """
    levels = {name: np.percentile(values, PERCENTILES).tolist() for name, values in draws.items()}
    return [{"name": name, "low": low, "middle": middle, "high": high} for name, (low, middle, high) in levels.items()]


def bands_of(engine: Engine, draws: Mapping[str, np.ndarray], number: int = DRAWS) -> np.ndarray:
    """The median and the 68% interval of the prediction at the data, (3, M), from `number` draws evenly over all.

    NaN where the galaxies of fewer than half of the draws reach.  Numbers without draws are those of the model.
    """
    size = len(next(iter(draws.values())))
    rows = np.unique(np.linspace(0, size - 1, min(number, size)).astype(int))
    pictures = [engine.solve({name: float(values[row]) for name, values in draws.items()}) for row in rows]
    means = np.array([np.where(picture["reached"], picture["mean"], np.nan) for picture in pictures])
    reached = np.isfinite(means).mean(axis=0) >= 0.5
    bands = np.full((len(PERCENTILES), means.shape[1]), np.nan)
    bands[:, reached] = np.nanpercentile(means[:, reached], PERCENTILES, axis=0)
    return bands
