"""Published models by name, and the parameters their papers vary."""

from ..numerics.limiters import HardMinimum, HardPositivePart, Unlimited
from ..physics import (
    Ceiling,
    FreeFall,
    GasSeed,
    Okamoto08,
    OverpressureOutflow,
    Pandya26FilteringMass,
    SutherlandDopita93Bilinear,
    TotalDensitySquared,
    UnlimitedEmptying,
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
    density convention, the cooling table's interpolation and edges, the sharp limits (loading ceilings, cooling rate,
    overpressure), an ISM that winds may empty in no time, the rounded virial-temperature coefficient, the unguarded
    free-fall radius, and the energy of the initial CGM.
    """
    return ThermalCGM(
        energy_ceiling=Ceiling(minimum=HardMinimum()),
        metal_ceiling=Ceiling(minimum=HardMinimum()),
        emptying=UnlimitedEmptying(),
        reionisation=Okamoto08(filtering_mass=Pandya26FilteringMass()),
        virial=VirialTemperature(35.9),
        free_fall=FreeFall(limit=Unlimited()),
        cooling=SutherlandDopita93Bilinear(),
        densities=TotalDensitySquared(),
        cooling_limit=HardMinimum(),
        halo_outflow=OverpressureOutflow(excess=HardPositivePart()),
        seed=GasSeed(specific_energy=1.0),
    )


def pandya23() -> TurbulentCGM:
    """The turbulent model of Pandya et al. 2023, with its published choices and smooth switches.

    It differs from ``TurbulentCGM()`` in the filtering mass, the density convention (cooling per n_tot^2, five times
    more), an ISM that winds may empty in no time, the rounded virial-temperature coefficient and the unguarded
    free-fall radius.  The switches that the paper has sharp are smooth; ``onset=Pandya23Onset()``,
    ``condensing=HardPositivePart()`` and ``halo_outflow=OverpressureOutflow(excess=HardPositivePart())`` make them
    sharp.  Its cooling tables are not shipped: ``cooling=corundum.physics.read_wiersma09(folder)`` takes them where
    `PhotoionisedCooling` stands.
    """
    return TurbulentCGM(
        emptying=UnlimitedEmptying(),
        reionisation=Okamoto08(filtering_mass=Pandya26FilteringMass()),
        virial=VirialTemperature(35.9),
        free_fall=FreeFall(limit=Unlimited()),
        densities=TotalDensitySquared(),
    )
