"""Halo growth histories and where they come from."""

from .histories import HaloHistories
from .interpolation import (
    HALO_QUANTITIES,
    AbstractHaloInterpolation,
    Halo,
    HaloCurves,
    HaloTables,
    PublishedHermite,
    SplineInLogTime,
)

__all__ = [
    "AbstractHaloInterpolation",
    "HALO_QUANTITIES",
    "Halo",
    "HaloCurves",
    "HaloHistories",
    "HaloTables",
    "PublishedHermite",
    "SplineInLogTime",
]
