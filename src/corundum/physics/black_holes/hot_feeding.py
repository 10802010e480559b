"""Feeding of a black hole with the hot gas around its galaxy."""

import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...parameters import NOT_NEGATIVE, parameter
from ...units import GRAVITY_CGS, KBOLTZMANN, MPROTON_G, MSUN_G, YEAR_S
from ..composition import MEAN_WEIGHT
from ..galaxy import Galaxy
from .feeding import AbstractFeeding

__all__ = ["MaximalCoolingFeeding", "BondiFeeding", "HotGasFeeding", "VirialVelocityFeeding"]

_FAINT = 1e-26  # [erg cm^3/s], below every cooling function


class MaximalCoolingFeeding(AbstractFeeding):
    """kappa b pi G mu m_p (k T / Lambda) M_BH: Bondi accretion from gas that cools as fast as it falls.

    Lambda is per total particle density squared; gas that is heated does not feed the black hole.  The factor b follows
    from the profile that the gas is taken to have, and published models differ by a factor of two: Croton et al. 2016
    and SAGE, their public code, use 15/16; L-Galaxies uses 15/8 and attributes it to Croton et al. 2006.  Only the
    product of kappa and b matters, so that one of them is kept fixed in a fit.

    Parameters
    ----------
    efficiency : float
        kappa.
    coefficient : float
        b.

    References
    ----------
    Nulsen & Fabian 2000, MNRAS 311, 346; Croton et al. 2006, MNRAS 365, 11, equation 29; Croton et al. 2016, ApJS 222,
    22.

    Examples
    --------
    >>> black_hole = co.models.BlackHole(hot=co.physics.MaximalCoolingFeeding(efficiency=0.02))
    """

    efficiency: Float[Array, ""] = parameter(
        0.01, unit="1", meaning="kappa", source="choice", bounds=(1e-4, 10.0), scale="log10"
    )
    coefficient: Float[Array, ""] = parameter(
        15.0 / 16.0,
        unit="1",
        meaning="b, numerical factor of the maximal cooling flow; kappa b is what matters",
        source="Croton et al. 2016",
        bounds=(0.5, 2.0),
        allowed=NOT_NEGATIVE,
    )

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        temperature, emitted = (galaxy.quantities[name] for name in ("temperature", "cooling_function"))
        inverse = jnp.maximum(emitted, 0.0) / (emitted**2 + _FAINT**2)
        per_second = (
            self.coefficient * jnp.pi * GRAVITY_CGS * MEAN_WEIGHT * MPROTON_G * KBOLTZMANN * temperature * inverse
        )
        return self.efficiency * per_second * YEAR_S * galaxy.state.mbh


class BondiFeeding(AbstractFeeding):
    """alpha 4 pi G^2 M_BH^2 rho / c_s^3 of hot gas with the density it has at the inner edge of the CGM.

    The density is taken at a fraction of the virial radius on the power law r^-3/2.  That is also the profile of a
    Bondi flow, so that the boost alpha stands for the unresolved profile further in.

    Parameters
    ----------
    boost : float
        alpha.
    radius : float
        Where the density is taken [Rvir].

    References
    ----------
    Bondi 1952, MNRAS 112, 195; Springel, Di Matteo & Hernquist 2005, MNRAS 361, 776 (alpha = 100).

    Examples
    --------
    >>> black_hole = co.models.BlackHole(hot=co.physics.BondiFeeding(boost=10.0))
    """

    boost: Float[Array, ""] = parameter(
        100.0, unit="1", meaning="alpha", source="Springel et al. 2005", bounds=(1.0, 1e4), scale="log10"
    )
    radius: Float[Array, ""] = parameter(
        0.1,
        unit="Rvir",
        meaning="where the density is taken",
        source="choice",
        bounds=(0.01, 0.5),
        allowed=NOT_NEGATIVE,
    )

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        mass, density = galaxy.state.mbh, galaxy.quantities["density"] * self.radius**-1.5
        sound = jnp.sqrt(5.0 / 3.0 * KBOLTZMANN * galaxy.quantities["temperature"] / (MEAN_WEIGHT * MPROTON_G))
        per_second = 4.0 * jnp.pi * GRAVITY_CGS**2 * mass * MSUN_G * density * MEAN_WEIGHT * MPROTON_G / sound**3
        return self.boost * per_second * YEAR_S * mass


class HotGasFeeding(AbstractFeeding):
    """kappa (M_CGM / 10^11 Msun) (M_BH / 10^8 Msun): feeding in proportion to the mass of hot gas.

    With a fixed energy per accreted mass, heating then replaces the energy of the CGM in a time that does not depend on
    how much gas there is, so that galaxies stop forming stars above one mass of the black hole, 1.9e7 Msun
    (V / 150 km/s)^2 (1 Gyr / t_cool) (1e-4 Msun/yr / (efficiency kappa)).  The published kappa with an efficiency of
    0.1 gives 3.5e6 Msun for these values, an order of magnitude below the black holes of galaxies that are seen to do
    so; kappa = 7e-4 gives 2.7e7 Msun.

    Parameters
    ----------
    rate : float
        kappa [Msun/yr].

    References
    ----------
    Henriques et al. 2015, MNRAS 451, 2663.

    Examples
    --------
    >>> maintained = co.models.BlackHole(
    ...     hot=co.physics.HotGasFeeding(rate=7e-4), feedback=co.physics.MaintenanceFeedback()
    ... )
    >>> model = co.models.ThermalCGM(processes={"black_hole": maintained})
    """

    rate: Float[Array, ""] = parameter(
        5.3e-3,
        unit="Msun/yr",
        meaning="accretion of 10^8 Msun from 10^11 Msun of hot gas",
        source="Henriques et al. 2015",
        bounds=(1e-5, 1e-2),
        scale="log10",
    )

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        return self.rate * (galaxy.state.mcgm / 1e11) * (galaxy.state.mbh / 1e8)


class VirialVelocityFeeding(AbstractFeeding):
    """kappa (M_BH / 10^8 Msun) (f_hot / 0.1) (Vvir / 200 km/s)^3, with f_hot = M_CGM / Mvir.

    Values of kappa range over a factor of five hundred: 6e-6 Msun/yr in the paper, and 1.5e-3 and 3.2e-3 Msun/yr in the
    parameter files of later models that use the same form.  Take it as unknown.

    Parameters
    ----------
    rate : float
        kappa [Msun/yr].

    References
    ----------
    Croton et al. 2006, MNRAS 365, 11, equation 10.

    Examples
    --------
    >>> maintained = co.models.BlackHole(
    ...     hot=co.physics.VirialVelocityFeeding(rate=1e-3), feedback=co.physics.MaintenanceFeedback()
    ... )
    >>> model = co.models.ThermalCGM(processes={"black_hole": maintained})
    """

    rate: Float[Array, ""] = parameter(
        6e-6,
        unit="Msun/yr",
        meaning="accretion of 10^8 Msun at 200 km/s from hot gas of a tenth of the halo mass",
        source="Croton et al. 2006",
        bounds=(1e-6, 1e-2),
        scale="log10",
    )

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        halo, state = galaxy.halo, galaxy.state
        return self.rate * (state.mbh / 1e8) * (state.mcgm / (0.1 * halo.mvir)) * (halo.vvir / 200.0) ** 3
