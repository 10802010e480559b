"""The doors of a model: what does not fit is refused in one sentence with the place, what it knows, and what fits."""

import re
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import models, physics
from corundum.models import Flow, FlowRates, ProcessFluxes
from library import MODELS

pytestmark = pytest.mark.wrong_types


class ReadsStarFormation(physics.AbstractGalaxyScaling):
    def __call__(self, galaxy):
        return galaxy.quantities["sfr"]


class ReadsAMisspeltField(physics.AbstractGalaxyScaling):
    def __call__(self, galaxy):
        return galaxy.state.mstarr / 1e10


class ReadsAnExtraCurve(physics.AbstractGalaxyScaling):
    def __call__(self, galaxy):
        return galaxy.halo.extras["overdensity"]


class ReturnsAnArray(physics.AbstractScaling):
    network: eqx.nn.MLP = eqx.field(default_factory=lambda: eqx.nn.MLP(2, 1, 4, 1, key=jax.random.key(0)))

    def __call__(self, vvir, redshift):
        return self.network(jnp.stack([vvir, redshift]))


class Modulated(physics.AbstractScaling):
    """A law with a place that may stay empty."""

    modulation: physics.AbstractScaling | None = None

    def __call__(self, vvir, redshift):
        return 1.0 if self.modulation is None else self.modulation(vvir, redshift)


class OwnReturn(eqx.Module):
    """Not of any family, but with the fields of `StellarReturn`."""

    recycled_fraction: Any = 0.4
    metal_yield: Any = 0.02
    supernova_energy: Any = 1e49


@pytest.mark.parametrize(
    "law, place, message",
    [
        (2.0, "mass_loading", r"ThermalCGM\.mass_loading: got 2\.0 \(float\), .*physics\.MassLoading"),
        (None, "seed", r"ThermalCGM\.seed: got None .* physics\.GasSeed"),
        (physics.MassLoading, "mass_loading", r"got the class MassLoading .* write MassLoading\(\)"),
        (physics.DepletionTime(), "cooling", r"ThermalCGM\.cooling: got DepletionTime, .*physics\.SutherlandDopita93"),
        (physics.IsothermalCGM(), "cooling_limit", r"got IsothermalCGM, .*numerics\.SmoothMinimum"),
        (ReadsStarFormation(), "mass_loading", r"ThermalCGM\.mass_loading: ReadsStarFormation reads 'sfr', .*sfr is "
         r"computed later; known by then are the state's mstar, .*the quantities supply, .*depletion_time and"),
        (ReadsStarFormation(), "depletion_time", r"ThermalCGM\.depletion_time: ReadsStarFormation reads 'sfr'"),
        (ReadsAMisspeltField(), "prevention", r"ThermalCGM\.prevention: .* reads 'mstarr', .*did you mean mstar"),
        (ReturnsAnArray(), "mass_loading", r"ThermalCGM\.mass_loading: .* array of shape \(1,\) .*out_size='scalar'"),
    ],
)  # fmt: skip
def test_a_law_that_does_not_fit_is_refused_with_its_place(law, place, message):
    with pytest.raises(ValueError, match=message) as error:
        models.ThermalCGM(**{place: law})
    assert "\n" not in str(error.value)


class NanAbove(physics.AbstractScaling):
    """NaN in halos whose virial velocity exceeds a limit."""

    limit: float

    def __call__(self, v, redshift):
        return jnp.sqrt(self.limit - v)


@pytest.mark.parametrize(("limit", "halo"), [(100.0, "1e+12 Msun at z = 1"), (200.0, "1e+13 Msun at z = 0")])
def test_a_law_that_returns_nan_is_named_and_its_galaxies_say_so(limit, halo):
    """Where the model is created, a warning names law and halo; where it is evolved, the status says what happened."""
    message = rf"ThermalCGM\.mass_loading: NanAbove returns NaN in a halo of {re.escape(halo)}"
    with pytest.warns(UserWarning, match=message):
        model = models.ThermalCGM(mass_loading=NanAbove(limit))
    if limit == 100.0:
        time = np.geomspace(1.0, 13.7, 12)
        curves = np.array([[10.0], [12.5]]) + np.log10(time / time[-1])
        population = co.evolve(model, co.halos.HaloHistories(time, curves, 0.9 + 0.0 * curves), [0.1])
        assert population.status.tolist() == [0, 5]
        assert list(population.status_counts()) == ["solved", "a law returned NaN or infinity, however short the step"]


def test_laws_inside_laws_and_processes_are_checked():
    with pytest.raises(ValueError, match=r"ThermalCGM\.reionisation\.filtering_mass: got 3\.0"):
        models.ThermalCGM(reionisation=physics.Okamoto08(filtering_mass=3.0))
    with pytest.raises(ValueError, match=r"ThermalCGM\.mass_loading\.modulation: got Ceiling"):
        models.ThermalCGM(mass_loading=Modulated(physics.Ceiling()))
    with pytest.raises(ValueError, match=r"processes\['hole'\]\.cold: got 2\.0 .*physics\.StarFormationFeeding"):
        models.ThermalCGM(processes={"hole": models.BlackHole(cold=2.0)})


def test_a_law_of_the_galaxy_is_refused_where_only_the_halo_is_known():
    message = r"ThermalCGM\.mass_loading\.modulation: Muratov15StellarMass is a law of the galaxy, .*physics\."
    with pytest.raises(ValueError, match=message) as error:
        models.ThermalCGM(mass_loading=Modulated(physics.Muratov15StellarMass()))
    assert "MolecularDepletion" not in str(error.value)


def test_what_fits_is_taken():
    law = ReadsStarFormation()
    assert models.ThermalCGM(energy_loading=law).energy_loading is law  # the rate is known by then
    law = OwnReturn()
    assert models.ThermalCGM(stellar_return=law).stellar_return is law
    for law in (Modulated(), Modulated(physics.MassLoading()), ReadsAnExtraCurve()):
        assert models.ThermalCGM(mass_loading=law).mass_loading is law


@pytest.mark.parametrize("name", MODELS)
def test_models_of_the_library_pass_when_their_parameters_are_traced(name):
    """The door needs no number: a model can be made inside a compiled function."""
    traced = jax.make_jaxpr(lambda x: jax.tree.leaves(MODELS[name]()) and models.ThermalCGM(channels={"wind": x}))(1.0)
    assert len(traced.out_avals) == len(jax.tree.leaves(models.ThermalCGM()))


class Stripping(models.AbstractProcess):
    """A process that fits, unless a class variable says otherwise."""

    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple] = (Flow("stripping", "CGM torn off", ("cgm", "igm")),)

    def initial(self, state, halo, cosmology):
        return {}

    def own_fluxes(self, galaxy):
        return ProcessFluxes({"stripping": FlowRates(galaxy.state.mcgm / 20e9)}, {})


class ToNowhere(models.AbstractProcess):
    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple] = (Flow("stripping", "CGM torn off", ("cgm", "outer")),)
    initial, own_fluxes = Stripping.initial, Stripping.own_fluxes


class ToADeclaredPlace(models.AbstractProcess):
    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple] = (Flow("stripping", "CGM torn off", ("cgm", "outer")),)
    outside: ClassVar[tuple] = ("outer",)
    initial, own_fluxes = Stripping.initial, Stripping.own_fluxes


class OfMetals(models.AbstractProcess):
    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple] = (Flow("stripping", "CGM torn off", ("cgm", "igm"), ("cgm", "igm")),)
    initial, own_fluxes = Stripping.initial, Stripping.own_fluxes


class ReadsUnknown(models.AbstractProcess):
    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple] = Stripping.flows
    reads: ClassVar[tuple] = ("temprature",)
    initial, own_fluxes = Stripping.initial, Stripping.own_fluxes


class NeedsUnknown(models.AbstractProcess):
    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple] = Stripping.flows
    needs: ClassVar[tuple] = (("mass", "cgmm"),)
    initial, own_fluxes = Stripping.initial, Stripping.own_fluxes


class ReadsUndeclared(models.AbstractProcess):
    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple] = Stripping.flows
    initial = Stripping.initial

    def own_fluxes(self, galaxy):
        return ProcessFluxes({"stripping": FlowRates(galaxy.quantities["sfrr"])}, {})


class GivesOtherFlows(models.AbstractProcess):
    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple] = Stripping.flows
    initial = Stripping.initial

    def own_fluxes(self, galaxy):
        return ProcessFluxes({"striping": FlowRates(galaxy.state.mcgm)}, {})


class CarriesOtherThings(models.AbstractProcess):
    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple] = Stripping.flows
    initial = Stripping.initial

    def own_fluxes(self, galaxy):
        return ProcessFluxes({"stripping": FlowRates(galaxy.state.mcgm, energy=galaxy.state.eth)}, {})


class StartsOtherFields(models.AbstractProcess):
    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple] = Stripping.flows
    own_fluxes = Stripping.own_fluxes

    def initial(self, state, halo, cosmology):
        return {"mdust": state.mism}


@pytest.mark.parametrize(
    "process, message",
    [
        (Stripping, r"got the class Stripping; write Stripping\(\)"),
        (3.0, r"processes\['strip'\]: got 3\.0 \(float\), allowed a process: models\.BlackHole\(\)"),
        (ToNowhere(), r"the flow 'stripping' of ToNowhere carries mass from or to 'outer', which is no known place; .*"
         r"the reservoirs are cgm, ism, stars, outside the galaxy are igm, .* outside = \('outer',\)"),
        (ReadsUnknown(), r"ReadsUnknown reads temprature, which ThermalCGM does not compute; did you mean temperature"),
        (NeedsUnknown(), r"needs a reservoir of cgmm mass, .*; did you mean cgm mass"),
        (ReadsUndeclared(), r"processes\['strip'\]: ReadsUndeclared reads 'sfrr', .*did you mean sfr"),
        (GivesOtherFlows(), r"GivesOtherFlows gives rates of striping, and declares stripping; make both the same"),
        (CarriesOtherThings(), r"lets the flow 'stripping' carry energy, mass, and declares mass"),
        (StartsOtherFields(), r"StartsOtherFields starts mdust, and declares nothing"),
    ],
)  # fmt: skip
def test_a_process_that_does_not_fit_is_refused(process, message):
    with pytest.raises(ValueError, match=message) as error:
        models.ThermalCGM(processes={"strip": process})
    assert "\n" not in str(error.value)


class ReturnsADictionary(Stripping):
    def own_fluxes(self, galaxy):
        return {"stripping": FlowRates(1e-9 * galaxy.state.mcgm)}


class ReturnsBareRates(Stripping):
    def own_fluxes(self, galaxy):
        return ProcessFluxes({"stripping": 1e-9 * galaxy.state.mcgm}, {})


class StartsWithNothing(Stripping):
    def initial(self, state, halo, cosmology):
        return None


class NamesItsFlow(Stripping):
    flows = ("stripping",)


@pytest.mark.parametrize(
    ("process", "message"),
    [
        (ReturnsADictionary(), r"own_fluxes of ReturnsADictionary returns dict, allowed models\.ProcessFluxes"),
        (ReturnsBareRates(), r"own_fluxes of ReturnsBareRates returns .*, allowed models\.FlowRates"),
        (StartsWithNothing(), r"initial of StartsWithNothing returns NoneType, allowed a dictionary"),
        (NamesItsFlow(), r"flows of NamesItsFlow is \('stripping',\), allowed a tuple of models\.Flow"),
    ],
)  # fmt: skip
def test_what_a_process_returns_is_checked(process, message):
    with pytest.raises(ValueError, match=rf"processes\['strip'\]: {message}"):
        models.ThermalCGM(processes={"strip": process})


def test_rates_of_flows_that_the_ledger_does_not_have_are_refused():
    model = models.ThermalCGM()
    rates = dict.fromkeys(model.ledger.names, FlowRates(1.0))
    with pytest.raises(ValueError, match="'coolin' is no flow of the ledger; did you mean cooling"):
        model.ledger.derivative(rates | {"coolin": FlowRates(1.0)})
    with pytest.raises(ValueError, match="'wind' has no rates; "):
        model.ledger.derivative({name: rate for name, rate in rates.items() if name != "wind"})


def test_processes_must_come_by_name_and_carry_what_the_model_keeps():
    with pytest.raises(ValueError, match="ThermalCGM.processes: got list, allowed a dictionary"):
        models.ThermalCGM(processes=[Stripping()])
    with pytest.raises(
        ValueError, match="carries metals from or to 'cgm', of which MinimalRegulator keeps energy, mass"
    ):
        models.MinimalRegulator(processes={"strip": OfMetals()})


def test_processes_that_fit_are_taken():
    assert "stripping" in models.ThermalCGM(processes={"strip": Stripping()}).channels
    assert ("mass", "outer") in models.ThermalCGM(processes={"strip": ToADeclaredPlace()}).ledger.outside
