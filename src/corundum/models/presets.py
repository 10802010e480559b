"""Published models by name, the parameters that their papers vary, and the model with every part of a galaxy."""

import json
from importlib import resources
from typing import Any

from ..numerics.limiters import HardMinimum, HardPositivePart, Unlimited
from ..parameters import describe, replace
from ..physics import (
    BlitzRosolowsky06,
    Ceiling,
    EnergyLoading,
    FreeFall,
    GasSeed,
    HotGasFeeding,
    IsobaricCondensation,
    MassLoading,
    MergerFeeding,
    MetalLoading,
    MolecularDepletion,
    MomentumDiscSize,
    Okamoto08,
    OverpressureOutflow,
    Pandya26FilteringMass,
    PhotoionisedCooling,
    ScatteredRate,
    SecularFeeding,
    ShiftedSutherlandDopita93,
    ShiftedSutherlandDopita93Bilinear,
    StellarReturn,
    TotalDensitySquared,
    TwoModeFeedback,
    UnlimitedEmptying,
    VirialEscape,
    VirialTemperature,
)
from .processes.black_holes import BlackHole
from .processes.bulges import Bulge
from .processes.compression import Compression
from .processes.discs import Discs
from .processes.elements import Elements
from .processes.gas_phases import GasPhases
from .processes.hot_return import HotReturn
from .processes.instability import DiscInstability
from .processes.merging import BlackHoleMergers, Merging
from .processes.reincorporation import HaloRecycling
from .processes.satellites.handing_elements import HandingOverElements, HandingOverMomentum
from .processes.satellites.handing_over import HandingOver
from .processes.satellites.ram_pressure import RamPressure
from .processes.satellites.tidal_gas import TidalGasStripping
from .processes.satellites.tides import TidalStripping
from .processes.stellar_evolution import DelayedReturn, TypeIaSupernovae
from .thermal import ThermalCGM
from .turbulent import TurbulentCGM

__all__ = ["PANDYA26_FREE", "pandya23", "pandya26", "reference", "reference_galaxy"]

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


def reference_galaxy(*, satellites: bool = False) -> ThermalCGM:
    """The thermal model with every part of a galaxy: discs and bulges, HI and H2, mergers, black holes, chemistry.

    Stars form from molecular gas in discs whose sizes follow from angular momentum, with scatter in time; mergers and
    bars make bulges and feed black holes, which keep the gas around massive galaxies hot once they are heavy and slowly
    fed; iron and returned gas come with the delays of stars, and what bulges return joins the hot gas; gas that left
    the halo comes back.  Its numbers are where a calibration starts (docs/reference/physics.md says how far they are
    from data); `reference` has calibrated ones.  Every part can be swapped:
    ``dataclasses.replace(model, processes={**model.processes, "quasar": QuasarMode()})``.

    In main branches what merges is prepared by `corundum.population.with_mergers`, and numbers of each halo are drawn
    by `corundum.halos.with_latents`; `corundum.halos.complete_forest` has all of it.

    Parameters
    ----------
    satellites : bool
        Whether galaxies are followed in their hosts, lose gas and stars there and hand over what they hold, for halos
        with satellites.

    Examples
    --------
    >>> model = co.models.reference_galaxy()
    >>> sorted(model.processes)[:5]
    ['arriving_black_holes', 'bars', 'black_hole', 'bulge', 'compression']
    >>> model.ledger.currencies
    ('mass', 'metals', 'energy', 'oxygen', 'iron', 'momentum')
    """
    molecular: dict[str, Any] = dict(molecular_time=2.0, law=BlitzRosolowsky06(pressure=3.5e4), disc=MomentumDiscSize())
    return ThermalCGM(
        mass_loading=MassLoading(amplitude=1.6, slope=-2.0),
        energy_loading=EnergyLoading(amplitude=0.28, slope=-0.9),
        metal_loading=MetalLoading(amplitude=0.06),
        depletion_time=ScatteredRate(MolecularDepletion(**molecular)),
        stellar_return=StellarReturn(recycled_fraction=0.156, metal_yield=0.032),
        condensation=IsobaricCondensation(),
        processes={
            "arriving_black_holes": BlackHoleMergers(),
            "bars": DiscInstability(),
            "black_hole": BlackHole(
                cold=SecularFeeding(beside=MergerFeeding()),
                hot=HotGasFeeding(7e-4),
                feedback=TwoModeFeedback(radiative=1e-5),
            ),
            "bulge": Bulge(),
            "compression": Compression(),
            "discs": Discs(),
            "dying_stars": DelayedReturn(),
            "elements": Elements(),
            "hot_return": HotReturn(),
            "merging": Merging(),
            "phases": GasPhases(**molecular),
            "recycling": HaloRecycling(),
            "supernovae_ia": TypeIaSupernovae(),
            **(_in_hosts() if satellites else {}),
        },
    )


def _in_hosts() -> dict[str, Any]:
    """What happens to satellites."""
    return {
        "handing_over": HandingOver(),
        "handing_over_elements": HandingOverElements(),
        "handing_over_momentum": HandingOverMomentum(),
        "ram_pressure": RamPressure(),
        "tidal_gas": TidalGasStripping(),
        "tides": TidalStripping(),
    }


def reference(*, satellites: bool = True) -> ThermalCGM:
    """`reference_galaxy` calibrated on the survey "reference": galaxies between z = 0 and 2 in whole merger trees.

    How well each number is known and how far galaxies are from each measurement is in
    ``corundum/data/calibrations/reference.json``, which `corundum.io.load_calibration` reads; what is wrong with them
    is in docs/explanation/reference_universe.md.  ``corundum calibrate examples/reference.toml`` makes the file.

    Parameters
    ----------
    satellites : bool
        As for `reference_galaxy`: true for halos with satellites, such as those of `corundum.halos.complete_forest`.
        The numbers were found in such halos.

    Examples
    --------
    >>> model = co.models.reference()
    >>> float(model.mass_loading.amplitude) != float(co.models.reference_galaxy().mass_loading.amplitude)
    True
    """
    text = (resources.files("corundum") / "data" / "calibrations" / "reference.json").read_text(encoding="utf-8")
    values: dict[str, Any] = json.loads(text)["values"]
    model = reference_galaxy(satellites=satellites)
    return replace(model, {name: values[name] for name in values.keys() & describe(model).keys()})
