"""More currencies than mass, metals and energy: a process with all of them, and all that reads a ledger."""

from typing import ClassVar

import h5py
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import models
from corundum.cli.jobs.describe import _flows
from corundum.models import Flow, FlowRates, ProcessFluxes
from corundum.models.currencies import CURRENCIES
from corundum.population.problem import coordinate_offsets
from corundum.units import GYR_YR, Quantity

SOLVER = co.numerics.LaneSolver(tolerance=1e-9)


class Spinning(models.AbstractProcess):
    """Oxygen and angular momentum of the ISM, and the binding energy of a bulge, which is tracked."""

    reservoirs: ClassVar[dict] = {
        ("oxygen", "ism"): ("moism", Quantity("Msun", "oxygen in the ISM")),
        ("oxygen", "stars"): ("mostar", Quantity("Msun", "oxygen in stars")),
        ("momentum", "ism"): ("jism", Quantity("Msun kpc km/s", "angular momentum of the ISM")),
        ("momentum", "stars"): ("jstar", Quantity("Msun kpc km/s", "angular momentum of the stars")),
        ("tracked", "bulge"): ("wbulge", Quantity("Msun^2/kpc", "binding of the bulge")),
    }
    flows: ClassVar[tuple] = (
        Flow("oxygen_yield", "new oxygen", oxygen=("nucleosynthesis", "ism")),
        Flow("locking", "what new stars hold", oxygen=("ism", "stars"), momentum=("ism", "stars")),
        Flow("spin_up", "momentum of cooling gas", momentum=("igm", "ism")),
        Flow("wind_loss", "what winds take", oxygen=("ism", "igm"), momentum=("ism", "igm")),
        Flow("binding", "growth of the bulge", tracked=("outside", "bulge")),
    )
    reads: ClassVar[tuple] = ("sfr", "cooling", "wind", "star_formation")

    def initial(self, state, halo, cosmology):
        ones, spin = jnp.ones_like(halo.mvir), 0.035 * halo.vvir * halo.rvir
        return {
            "moism": 1e-5 * state.mism, "mostar": 1e-5 * state.mstar, "wbulge": 1e6 * ones, "jism": spin * state.mcgm,
            "jstar": 1e-6 * spin * state.mcgm,
        }  # fmt: skip

    def own_fluxes(self, galaxy):
        state, flows, halo = galaxy.state, galaxy.flows, galaxy.halo
        oxygen, spin = state.moism / state.mism, state.jism / state.mism
        formed, blown = flows["star_formation"].mass, flows["wind"].mass
        rates = {
            "oxygen_yield": FlowRates(oxygen=0.015 * galaxy.quantities["sfr"]),
            "locking": FlowRates(oxygen=oxygen * formed, momentum=spin * formed),
            "spin_up": FlowRates(momentum=0.035 * halo.vvir * halo.rvir * flows["cooling"].mass),
            "wind_loss": FlowRates(oxygen=oxygen * blown, momentum=spin * blown),
            "binding": FlowRates(tracked=1e-3 * GYR_YR * galaxy.quantities["sfr"]),
        }
        return ProcessFluxes(rates, {})


@pytest.fixture(scope="module")
def model():
    return models.ThermalCGM(processes={"spinning": Spinning()})


@pytest.fixture(scope="module")
def spinning(model, halos):
    return co.evolve(model, halos[3:5], [0.0, 1.0], solver=SOLVER)


def test_every_declared_currency_can_be_carried():
    assert Flow._fields[2:] == FlowRates._fields == tuple(CURRENCIES)


def test_a_model_follows_what_its_reservoirs_hold(model):
    assert models.ThermalCGM().ledger.currencies == ("mass", "metals", "energy")
    assert model.ledger.currencies == ("mass", "metals", "energy", "oxygen", "momentum")
    assert "12 reservoirs of mass, metals, energy, oxygen, momentum or tracked, 14 flows" in str(model)
    assert all(currency != "tracked" for currency, _ in model.ledger.outside)


def test_galaxies_are_those_without_further_currencies(spinning, halos):
    """Nothing feeds back; the steps differ, because they resolve what was added, too."""
    bare = co.evolve(models.ThermalCGM(), halos[3:5], [0.0, 1.0], solver=SOLVER)
    assert spinning.status_counts() == {"solved": 2}
    for name in bare.state._fields:
        np.testing.assert_allclose(spinning[name], bare[name], rtol=1e-6, err_msg=name)


def test_what_starts_empty_is_measured_against_the_gas_and_what_is_tracked_against_itself(model, halos):
    start = halos.at(time=float(halos.time[0]))
    initial = model.initial(start, halos.cosmology)
    offset = coordinate_offsets(model.ledger, initial)
    np.testing.assert_allclose(offset.moism, 0.05 * 4e-3 * initial.mcgm)
    np.testing.assert_allclose(offset.jstar, 0.05 * initial.jism)
    np.testing.assert_array_equal(offset.wbulge, 0.0)
    np.testing.assert_array_equal(offset.mzism, coordinate_offsets(models.ThermalCGM().ledger, initial).mzism)


@pytest.mark.slow
def test_further_currencies_close_and_what_is_tracked_is_integrated(model, halos, spinning):
    budget = co.sensitivity.budgets(model, halos[3:5], [0.0])
    assert set(budget.closure()) == {"mass", "energy", "metals", "oxygen", "momentum"}
    assert max(budget.closure().values()) < 1e-8
    oxygen = budget.of("oxygen")
    assert list(oxygen.labels("share")) == ["ism", "stars", "wind_loss"]
    assert np.all(oxygen.sel(share="stars", redshift=0.0).values < 1.0)
    # W grows by 1e-3 of what forms, and stars by 0.6 of that.
    grown = np.asarray(spinning["wbulge"][:, 0]) - 1e6
    np.testing.assert_allclose(grown, 1e-3 / 0.6 * spinning["mstar"][:, 0], rtol=1e-3)
    figure = co.plots.flow_diagram(model.ledger, budget, currency="oxygen")
    assert figure.get_title() == "oxygen flows over the oxygen supplied"


def test_everything_that_reads_a_ledger_follows(model, spinning, halos, tmp_path):
    with pytest.raises(ValueError, match="allowed mass, metals, energy, oxygen, momentum"):
        co.plots.flow_diagram(model.ledger, co.sensitivity.Budgets(*[None] * 10), currency="iron")
    co.save(tmp_path / "galaxies.h5", spinning)
    loaded = co.load(tmp_path / "galaxies.h5").population
    np.testing.assert_array_equal(loaded.flows["locking"].momentum, spinning.flows["locking"].momentum)
    with h5py.File(tmp_path / "galaxies.h5") as file:
        found = {}
        file.visititems(lambda name, item: found.update({name: item}) if name.endswith("locking/momentum") else None)
        assert all(item.attrs["unit"] == "Msun kpc km/(s yr)" for item in found.values()) and found
    frame = spinning.to_pandas()
    assert frame.attrs["units"]["flow_binding_tracked"] == "1/Gyr"
    legend = co.plots.network(model.ledger).get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["mass", "metals", "energy", "oxygen", "momentum"]
    assert _flows(model.ledger)[0][1:-1] == ("mass", "metals", "energy", "oxygen", "momentum", "tracked")


@pytest.mark.slow
def test_further_currencies_have_a_jacobian(model, halos):
    jacobian = co.sensitivity.parameter_jacobian(
        model, halos[3:4], ["channels.locking"], quantities=["jstar", "mostar"]
    )
    assert np.all(jacobian.values.values > 0.0)


def test_a_process_that_needs_what_a_model_lacks_is_refused():
    class Needy(Spinning):
        needs: ClassVar[tuple] = (("oxygen", "cgm"),)

    with pytest.raises(ValueError, match="needs a reservoir of cgm oxygen, which ThermalCGM does not have"):
        models.ThermalCGM(processes={"needy": Needy()})
    with pytest.raises(ValueError, match="ism carbon is kept in 'x'; allowed currencies"):
        models.Ledger(models.ThermalState, {("carbon", "ism"): "x"}, [], {})
