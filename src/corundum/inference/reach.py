"""Which data the galaxies of a model reach: measured points that no galaxy surrounds cannot be compared."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..halos import HaloHistories
from ..observables import Measurement
from .batches import in_batches
from .evaluate import predict

__all__ = ["MAX_FAILED", "check_reach", "points_within_reach"]

MAX_FAILED = 0.1
"""Share of halos whose solve may fail; where more do, the density is zero and no point is reached."""


def check_reach(measurements: Sequence[Measurement], halos: HaloHistories) -> None:
    """Refuse data against halo mass that lie beyond all halos, before anything is solved."""
    final = np.asarray(halos.log_mvir)[:, -1]
    for m in measurements:
        x = np.asarray(m.x)
        if _against_halo_mass(m) and m.redshift < 0.2 and (x.max() < final.min() or x.min() > final.max()):
            raise ValueError(
                f"data: {m.name} lies at {x.min():.4g} to {x.max():.4g} in lg Mvir, outside the halos "
                f"({final.min():.4g} to {final.max():.4g}); draw halos there or leave it out"
            )


def _against_halo_mass(measurement):
    if not measurement.relation.single_galaxies:
        return False
    try:
        measurement.relation.x({"mvir": np.ones(1)})
    except (KeyError, AttributeError):  # it needs other quantities, or a history
        return False
    return True


def points_within_reach(target: Any, u: np.ndarray) -> tuple[np.ndarray, dict[str, int]]:
    """The data, NaN where no galaxies are at half of the points u, (S, P), or more, and how many by measurement.

    Raises
    ------
    ValueError
        Not one point of some measurement is reached.
    """
    data = target.data
    predictions = in_batches(predict, target, u)
    reached = np.mean(predictions.reached & (predictions.failed <= MAX_FAILED)[:, None], axis=0) > 0.5
    y = np.where(reached, np.asarray(data.y), np.nan)
    before = np.isfinite(np.asarray(data.y))
    lost = {}
    for name in data.names:
        rows = data.positions(name)
        if before[rows].any() and not np.isfinite(y[rows]).any():
            x = np.asarray(data.x)[rows]
            raise ValueError(
                f"data: no point of {name} ({x.min():.4g} to {x.max():.4g}) is surrounded by galaxies of the model "
                "as it is; draw halos of other masses, start from other parameters, or leave it out"
            )
        lost[name] = int(np.sum(before[rows] & ~reached[rows]))
    return y, {name: number for name, number in lost.items() if number}
