"""The projected correlation function of galaxies as a relation, compared with data and fitted as others are."""

from typing import Any, ClassVar

import equinox as eqx
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...array_library import array_library, is_traced, on_host
from ...parameters import NOT_NEGATIVE, parameter
from ...units import LN10, Quantity
from ..regression import AbstractRegression, RegressedRelation
from ..relations import AbstractRelation, log10
from .halo_model import HaloModel
from .occupation import halo_occupation

__all__ = ["ProjectedCorrelation"]

_REACH = 0.01, 60.0  # comoving Mpc, inside the grids of the halo model


class ProjectedCorrelation(AbstractRelation):
    """log10 of the projected correlation function w_p [comoving Mpc], against log10 of projected distance r_p.

    Twice the integral of the correlation function along the line of sight, up to `pi_max`, of galaxies in a range of
    stellar mass.  It is that of the analytic halo model (`HaloModel`) with the occupation of halos that the galaxies
    have (`halo_occupation`), so that it needs whole trees with number densities as weights, such as
    `corundum.halos.complete_forest`.

    One galaxy has no correlation, so `x` and `y` are NaN.

    Parameters
    ----------
    log_mstar_low, log_mstar_high : float
        Range of log10 of stellar mass [Msun].
    error : float
        Standard deviation of the error of observed stellar masses [dex].
    pi_max : float
        Largest distance along the line of sight [comoving Mpc].
    halo_model : HaloModel, optional
        With the cosmology of the halos; default that of `pandya26_cosmology`.

    Examples
    --------
    >>> data = co.observables.load("wp_guo11_10p3")
    >>> float(data.relation.log_mstar_low), round(float(data.relation.pi_max), 1)
    (10.306, 57.1)
    """

    title: ClassVar[str] = "projected correlation function"
    x_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}(r_{\rm p}/{\rm Mpc})$", log=False)
    y_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}(w_{\rm p}/{\rm Mpc})$", log=False)
    single_galaxies: ClassVar[bool] = False
    drawn_over: ClassVar[tuple[float, float] | None] = (-1.0, 1.4)

    log_mstar_low: Float[Array, ""] = parameter(
        10.0, unit="dex(Msun)", meaning="lowest log10 of stellar mass", source="choice", bounds=(7.0, 12.0)
    )
    log_mstar_high: Float[Array, ""] = parameter(
        13.0, unit="dex(Msun)", meaning="highest log10 of stellar mass", source="choice", bounds=(8.0, 13.0)
    )
    error: Float[Array, ""] = parameter(
        0.1,
        unit="dex",
        meaning="error of observed stellar masses",
        source="choice: that of the mass functions",
        bounds=(0.02, 0.4),
        allowed=NOT_NEGATIVE,
    )
    pi_max: Float[Array, ""] = parameter(
        40.0 / 0.7,
        unit="Mpc",
        meaning="largest comoving distance along the line of sight",
        source="choice: 40 Mpc/h, usual for SDSS [unverified]",
        bounds=(10.0, 150.0),
        allowed=NOT_NEGATIVE,
    )
    halo_model: HaloModel = eqx.field(default_factory=HaloModel)

    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        return 0.0 * log10(galaxies["mstar"]) + np.nan

    def y(self, galaxies: Any) -> Float[Array, "*n"]:
        return 0.0 * log10(galaxies["mstar"]) + np.nan

    def regressed(self, galaxies: Any, nodes: Float[Array, " m"], regression: AbstractRegression) -> RegressedRelation:
        """w_p at `nodes`; of `regression` only the least number of halos is used.  `scatter` is zero.

        Raises
        ------
        ValueError
            As `halo_occupation`.
        """
        occupation = halo_occupation(galaxies, self.log_mstar_low, self.log_mstar_high, error=self.error)
        pairs = self.halo_model(occupation, 10.0**nodes, redshift=galaxies.redshift, pi_max=self.pi_max)
        if not is_traced(pairs):
            (pairs, occupation) = on_host(pairs, occupation)
        xp = array_library(pairs, nodes)
        nodes, w_p = xp.asarray(nodes, np.float64), pairs.w_p
        positive = xp.isfinite(w_p) & (w_p > 0.0)
        safe = xp.where(positive, w_p, 1.0)
        enough = pairs.effective_count >= getattr(regression, "minimum_count", 5.0)
        inside = (nodes >= np.log10(_REACH[0])) & (nodes <= np.log10(_REACH[1]))
        return RegressedRelation(
            nodes=nodes,
            mean=xp.log10(safe),
            scatter=xp.zeros_like(w_p),
            standard_error=xp.where(positive, pairs.error, 0.0) / (safe * LN10),
            effective_count=pairs.effective_count + xp.zeros_like(w_p),
            count=occupation.count + xp.zeros_like(w_p),
            reached=positive & inside & enough,
        )
