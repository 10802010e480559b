"""Published models by name, and the parameters that their papers vary."""

from ..numerics.limiters import HardMinimum, HardPositivePart, Unlimited
from ..physics import (
    Ceiling,
    FreeFall,
    GasSeed,
    Okamoto08,
    OverpressureOutflow,
    Pandya26FilteringMass,
    PhotoionisedCooling,
    ShiftedSutherlandDopita93,
    ShiftedSutherlandDopita93Bilinear,
    TotalDensitySquared,
    UnlimitedEmptying,
    VirialEscape,
    VirialTemperature,
)
from .thermal import ThermalCGM
from .turbulent import TurbulentCGM

__all__ = ["PANDYA26_FREE", "pandya23", "pandya26"]

PANDYA26_FREE = (
    "mass_loading.amplitude",
    "mass_loading.slope",
    "energy_loading.amplitude",
    "energy_loading.slope",
    "depletion_time.amplitude",
    "depletion_time.slope",
    "metal_loading.amplitude",
    "metal_loading.slope",
)
"""The eight parameters that Pandya et al. 2026 infer (amplitudes in their logarithm)."""


def pandya26() -> ThermalCGM:
    """The thermal model as Pandya et al. 2026 solve it, number for number.

    It differs from ``ThermalCGM()`` in these components, each of which can be swapped alone: the filtering mass, the
    density convention, the cooling table (one row too hot, see `ShiftedSutherlandDopita93Bilinear`) with its
    interpolation, edges and solar metallicity, the speed of halo outflows, the sharp limits (loading ceilings, cooling
    rate, overpressure), an ISM that winds may empty at any rate, the rounded virial-temperature coefficient, a
    free-fall radius that is not limited to the virial radius, and the energy of the initial CGM.

    Examples
    --------
    >>> type(co.models.pandya26().cooling).__name__
    'ShiftedSutherlandDopita93Bilinear'
    """
    return ThermalCGM(
        energy_ceiling=Ceiling(minimum=HardMinimum()),
        metal_ceiling=Ceiling(minimum=HardMinimum()),
        emptying=UnlimitedEmptying(),
        reionisation=Okamoto08(filtering_mass=Pandya26FilteringMass()),
        virial=VirialTemperature(35.9),
        free_fall=FreeFall(limit=Unlimited()),
        cooling=ShiftedSutherlandDopita93Bilinear(),
        densities=TotalDensitySquared(),
        cooling_limit=HardMinimum(),
        halo_outflow=OverpressureOutflow(excess=HardPositivePart(), speed=VirialEscape()),
        seed=GasSeed(specific_energy=1.0),
    )


def pandya23() -> TurbulentCGM:
    """The turbulent model of Pandya et al. 2023, with its published choices and smooth switches.

    It differs from ``TurbulentCGM()`` in the filtering mass, the density convention (cooling per n_tot^2, five times
    more), metal cooling from a table that is one row too hot (see `ShiftedSutherlandDopita93`) with a solar metallicity
    of 0.02, the speed of halo outflows, an ISM that winds may empty at any rate, the rounded virial-temperature
    coefficient and a free-fall radius that is not limited to the virial radius.  The switches that are sharp in the
    paper are smooth in this model; ``onset=Pandya23Onset()``, ``condensing=HardPositivePart()`` and
    ``halo_outflow=OverpressureOutflow(excess=HardPositivePart(), speed=VirialEscape())`` make them sharp.  The cooling
    tables of the paper do not come with the package: ``cooling=corundum.physics.read_wiersma09(folder)`` uses them
    instead of `PhotoionisedCooling`.

    Examples
    --------
    >>> co.models.pandya23().densities
    TotalDensitySquared()
    """
    return TurbulentCGM(
        emptying=UnlimitedEmptying(),
        reionisation=Okamoto08(filtering_mass=Pandya26FilteringMass()),
        virial=VirialTemperature(35.9),
        free_fall=FreeFall(limit=Unlimited()),
        cooling=PhotoionisedCooling(metals=ShiftedSutherlandDopita93()),
        densities=TotalDensitySquared(),
        halo_outflow=OverpressureOutflow(speed=VirialEscape()),
    )
