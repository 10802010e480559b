"""What stars give back, gas, metals and supernova energy, and the metals that inflowing gas brings."""

from jaxtyping import Float

from ...annotations import Array
from ...parameters import FRACTION, NOT_NEGATIVE, parameter
from ...printing import Component
from ...units import SOLAR_METALLICITY, SUPERNOVA_ERG
from ..galaxy import AbstractScaling
from ..winds.loading import virial_power_law

__all__ = ["StellarReturn", "InflowMetallicity"]


class StellarReturn(Component):
    """Instantaneous recycling: a generation of stars returns gas, new metals and supernova energy when it forms.

    The default numbers are those of Pandya et al. 2023.  They do not belong to one initial mass function (IMF);
    `chabrier_return`, `kroupa_return` and `salpeter_return` compute all three from one.  Yields computed from stellar
    models lie between 0.01 and 0.05.

    Parameters
    ----------
    recycled_fraction : float
        Gas returned per stellar mass formed.
    metal_yield : float
        New metals per stellar mass formed.
    supernova_energy : float
        Energy released per stellar mass formed [erg/Msun], of which winds carry the share eta_E.

    Examples
    --------
    >>> model = co.models.ThermalCGM(stellar_return=co.physics.StellarReturn(metal_yield=0.03))
    """

    recycled_fraction: Float[Array, ""] = parameter(
        0.4,
        unit="1",
        meaning="gas returned per stellar mass formed",
        source="Pandya et al. 2023",
        bounds=(0.1, 0.6),
        allowed=FRACTION,
    )
    metal_yield: Float[Array, ""] = parameter(
        0.02,
        unit="1",
        meaning="new metals per stellar mass formed",
        source="Pandya et al. 2023",
        bounds=(0.005, 0.06),
        scale="log10",
    )
    supernova_energy: Float[Array, ""] = parameter(
        SUPERNOVA_ERG / 100.0,
        unit="erg/Msun",
        meaning="supernova energy per stellar mass formed",
        source="Pandya et al. 2023: 1e51 erg per 100 Msun",
        bounds=(3e48, 3e49),
        scale="log10",
    )


class InflowMetallicity(AbstractScaling):
    """Metal mass fraction of gas entering the halo, fitted to FIRE-2 (Pandya et al. 2023).

    0.02 A (Vvir / 125 km/s)^a (1+z)^b.

    Parameters
    ----------
    amplitude : float
        A [Zsun], with Zsun = 0.02.
    slope, redshift_exponent : float
        a and b.

    Examples
    --------
    >>> round(float(co.physics.InflowMetallicity()(125.0, 0.0)), 4)
    0.005
    """

    amplitude: Float[Array, ""] = parameter(
        0.25,
        unit="Zsun",
        meaning="inflow metallicity at 125 km/s, z = 0 (Zsun = 0.02)",
        source="Pandya et al. 2026",
        bounds=(0.0, 1.0),
        allowed=NOT_NEGATIVE,
    )
    slope: Float[Array, ""] = parameter(
        2.2, unit="1", meaning="power of Vvir/125 km/s", source="Pandya et al. 2023", bounds=(0.0, 4.0)
    )
    redshift_exponent: Float[Array, ""] = parameter(
        -1.3, unit="1", meaning="power of (1+z)", source="Pandya et al. 2023", bounds=(-3.0, 1.0)
    )

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        amplitude = SOLAR_METALLICITY * self.amplitude
        return virial_power_law(vvir, redshift, amplitude, self.slope, 0.0, self.redshift_exponent)
