"""The library of physics: published numbers, limits, conservation, composition, and what each addition must show."""

import equinox as eqx
import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

import corundum as co
from corundum import models, physics
from corundum.models import derivative
from corundum.numerics.limiters import HardPositivePart, Unlimited
from corundum.physics.cooling import primordial
from corundum.units import YEAR_S
from library import COSMOLOGY, MODELS, draw_galaxy, smooth_halos

GYR_S, GYR_YR, MSUN_G = 3.15576e16, 1e9, 1.98840987e33


# ---- published numbers


def test_fire2_scalings_have_the_published_values():
    v = jnp.array([50.0, 100.0, 125.0, 200.0])
    thermal = physics.Fire2ThermalAccretion(limit=Unlimited())
    np.testing.assert_allclose(thermal(v, 0.0), [0.8772, 0.7246, 0.6814, 0.5986], atol=6e-5)
    np.testing.assert_allclose(thermal(v, 2.0), [0.6236, 0.3866, 0.3315, 0.2397], atol=6e-5)
    np.testing.assert_allclose(physics.Fire2ThermalAccretion()(v, 0.0), thermal(v, 0.0), rtol=1e-2)
    winds = [0.9993, 0.9902, 0.7559, 0.3627, 0.3524]
    np.testing.assert_allclose(
        physics.Fire2ThermalWind()(jnp.array([15.0, 20.0, 30.0, 50.0, 125.0]), 0.0), winds, atol=6e-5
    )
    halo = co.halos.Halo(13.8, 0.0, 1e12, 260.0, 125.0, 10.0, 30.0)
    windy = physics.Galaxy(None, halo, {"mass_loading": physics.Fire2MassLoading()(125.0, 0.0)}, {})
    np.testing.assert_allclose(physics.BernoulliWind()(windy, 1e49) / 1e49, 0.0792, rtol=3e-3)
    np.testing.assert_allclose(
        physics.Fire2DepletionTime()(250.0, 1.0), 10**0.46 * 2 ** (-3.0 + 2.4 * np.log10(2)) * 2**-0.7, rtol=1e-12
    )
    np.testing.assert_allclose(
        physics.Fire2MassLoading()(250.0, 1.0), 10**-0.2 * 2 ** (-3.7 + 4.2 * np.log10(2)) * 2**2.4, rtol=1e-12
    )
    np.testing.assert_allclose(physics.Fire2InflowMetallicity()(125.0, 0.0), 0.02 * 10**-0.6, rtol=1e-12)


def test_other_published_numbers():
    assert float(physics.Muratov15Velocity()(60.0, 0.0)) == pytest.approx(2.9)
    assert float(physics.Muratov15Velocity()(30.0, 1.0)) == pytest.approx(2.9 * 2**1.3 * 2**3.2)
    late = physics.KravtsovManwadkar22FilteringMass()(jnp.array([0.0, 3.0]), COSMOLOGY)
    np.testing.assert_allclose(late, 0.5 * 1.69e10 * np.exp(-0.63 * np.array([0.0, 3.0])), rtol=1e-4)
    # Madau & Dickinson 2014: R = 0.27 for Salpeter and 0.41 for Chabrier.
    assert float(physics.salpeter_return().recycled_fraction) == pytest.approx(0.27, abs=0.03)
    assert float(physics.chabrier_return().recycled_fraction) == pytest.approx(0.41, abs=0.04)
    assert float(physics.chabrier_return().metal_yield) == pytest.approx(0.02, rel=0.15)
    assert float(physics.Henriques13Return()(_seen(mvir=1e12))) == pytest.approx(0.18)
    # Salpeter time at the Eddington rate: epsilon c sigma_T / (4 pi G m_p) = 45 Myr for epsilon = 0.1.
    assert 1.0 / float(physics.eddington_rate(1.0, 0.1)) == pytest.approx(45e6, rel=0.02)


def _seen(**changed):
    halo = co.halos.Halo(6.0, 1.0, 1e12, 200.0, 150.0, 8.0, 30.0)._replace(**changed)
    return physics.Galaxy(None, halo, {"t_dyn": 1.0}, {})


def test_disc_of_the_milky_way_is_molecular_in_part_and_depletes_in_two_gyr_or_more():
    state = models.ThermalState(*map(jnp.asarray, (5e10, 8e9, 5e10, 1e58, 1e9, 1e8, 1e8)))
    halo = co.halos.Halo(*map(jnp.asarray, (13.8, 0.0, 1e12, 260.0, 130.0, 10.0, 10.0)))
    law, galaxy = physics.MolecularDepletion(), physics.Galaxy(state, halo, {}, {})
    assert 2.5 < float(law.disc(halo)) < 7.0  # [kpc]
    share = float(law.molecular_fraction(galaxy))
    # In the Milky Way 1e9 Msun of H2 (Heyer & Dame 2015), with helium about a sixth of the gas.
    assert 0.1 < share < 0.5 and float(law(galaxy)) == pytest.approx(1.9 / share)
    thin = physics.Galaxy(state._replace(mism=jnp.asarray(1e6), mstar=jnp.asarray(1e4)), halo, {}, {})
    assert float(law.molecular_fraction(thin)) < 1e-4


# ---- photo-ionised cooling


def equilibrium_electrons(temperature, hydrogen, helium, background):
    """Electrons per hydrogen from the balance of every ion, by root finding."""
    from corundum.physics.cooling.primordial import _balance, _coefficients

    rates = _coefficients(jnp.asarray(temperature))
    excess = lambda x: float(_balance(rates, background, x * hydrogen, helium).electrons) - x  # noqa: E731
    return brentq(excess, 1e-9, 1.0 + 2.0 * helium + 1e-9, xtol=1e-12)


@pytest.mark.parametrize("log_n", [-5.0, -3.0, -1.5])
@pytest.mark.parametrize("log_t", [3.8, 4.2, 5.0])
def test_electrons_are_those_of_ionisation_equilibrium(log_n, log_t):
    background = physics.FaucherGiguere20()(1.0)
    ions = primordial.ion_fractions(10.0**log_t, 10.0**log_n, 0.08, background)
    exact = equilibrium_electrons(10.0**log_t, 10.0**log_n, 0.08, background)
    assert float(ions.electrons) == pytest.approx(exact, rel=2e-3)
    assert float(ions.hi + ions.hii) == pytest.approx(1.0) and float(
        ions.hei + ions.heii + ions.heiii
    ) == pytest.approx(0.08)


def test_gas_settles_near_ten_thousand_kelvin_in_the_background():
    law, log_t = physics.PhotoionisedCooling(), jnp.linspace(3.0, 5.0, 401)
    for redshift, log_n in [(0.0, -5.0), (0.0, -3.0), (2.0, -3.0), (6.0, -2.0)]:
        net = np.asarray(jax.vmap(lambda t, z=redshift, n=log_n: law.net(t, -1.0, n, z))(log_t))
        (crossing,) = np.flatnonzero((net[:-1] < 0.0) & (net[1:] >= 0.0))
        assert 3.9 < log_t[crossing] < 4.35


def test_tables_of_wiersma_are_read(tmp_path):
    """A small file of that layout: values at the nodes, linear in metallicity, edges held."""
    temperature, hydrogen = np.array([1e3, 1e5, 1e7]), np.array([1e-6, 1e-3])
    rng = np.random.default_rng(0)
    for redshift in ("0.000", "2.013"):
        with h5py.File(tmp_path / f"z_{redshift}.hdf5", "w") as file:
            file["Metal_free/Net_Cooling"] = rng.normal(size=(7, 3, 2)) * 1e-23
            file["Metal_free/Temperature_bins"], file["Metal_free/Hydrogen_density_bins"] = temperature, hydrogen
            file["Total_Metals/Net_Cooling"] = rng.normal(size=(3, 2)) * 1e-23
    (tmp_path / "z_collis.hdf5").write_bytes(b"not read")
    law = co.physics.read_wiersma09(tmp_path)
    share = np.log10(2.0 + 3.0 * (1 - 0.752) / (4 * 0.752))
    at_node = float(law.net(5.0, 0.0, -3.0 + share, 2.013))
    assert at_node == pytest.approx(float(law.primordial[1, 1, 1] + law.metals[1, 1, 1]))
    halfway = float(law.net(5.0, -np.inf, -4.5 + share, 2.013))
    assert halfway == pytest.approx(float(law.primordial[1, 1].mean()))
    assert float(law.net(2.0, 0.0, -9.0, 5.0)) == pytest.approx(float(law.net(3.0, 0.0, -6.0 + share, 2.013)))
    assert np.isfinite(models.TurbulentCGM(cooling=law).cooling.net(4.4, -1.0, -4.0, 1.0))
    with pytest.raises(ValueError, match="at least two are needed"):
        co.physics.read_wiersma09(tmp_path / "nowhere")


# ---- the turbulent model


def test_turbulent_flows_match_the_equations_of_the_paper():
    """The eight equations of Pandya et al. 2023 written out by hand, with its sharp switches."""
    model = models.TurbulentCGM(
        condensing=HardPositivePart(),
        halo_outflow=physics.OverpressureOutflow(excess=HardPositivePart(), speed=physics.VirialEscape()),
        thermal_accretion=physics.Fire2ThermalAccretion(limit=Unlimited()),
        onset=physics.Pandya23Onset(),
    )
    for seed in (4, 11, 12):
        state, halo = draw_galaxy(model, np.random.default_rng(seed))
        forcing = model.forcing(halo, COSMOLOGY)
        flows, extra = model.fluxes(state, forcing)
        change = derivative(model, state, forcing)
        v, z, r = halo.vvir, halo.redshift, halo.rvir
        x_c = lambda y: np.log1p(y) - y / (1 + y)  # noqa: E731
        r_ff = model.free_fall.radius(halo.concentration)
        v_c = v * np.sqrt(x_c(halo.concentration * r_ff) / (r_ff * x_c(halo.concentration)))
        v_turb = np.sqrt(2 * state.eturb / (state.mcgm * MSUN_G)) / 1e5
        scale = r_ff * r + (1 - r_ff) * r / (1 + np.exp(2.0 * (halo.time - 7.0)))
        kpc_kms = 0.97779222
        dissipated = state.eturb / (scale / v_turb * kpc_kms)  # [erg/Gyr]
        radiated = flows["radiation"].energy * GYR_S
        t_ff = r_ff * r / v_c * kpc_kms * np.sqrt(1 + (v_turb / v_c) ** 2)
        rate = max(float((radiated - dissipated) / state.eth), 0.0)
        cooled = state.mcgm * rate / (1 + rate * t_ff)
        sfr = extra["sfr"] * GYR_YR
        wind, wind_energy = extra["mass_loading"] * sfr, extra["energy_loading"] * 1e49 * sfr
        entering = flows["accretion"].mass * GYR_YR
        e_vir = forcing.specific_energy
        energy = state.eth + state.eturb
        leaving = max(float(energy - e_vir * state.mcgm), 0.0) / (r / v * kpc_kms)
        f_acc, f_wind = extra["thermal_accretion"], extra["thermal_wind"]
        by_hand = dict(
            mstar=0.6 * sfr,
            mism=cooled - 0.6 * sfr - wind,
            mcgm=entering - cooled + wind - leaving * state.mcgm / energy,
            eth=f_acc * entering * e_vir + dissipated - radiated + f_wind * wind_energy - leaving * state.eth / energy,
            eturb=(1 - f_acc) * entering * e_vir - dissipated + (1 - f_wind) * wind_energy
            - leaving * state.eturb / energy,
        )  # fmt: skip
        for name, value in by_hand.items():
            parts = abs(float(value)) + 1e-6 * abs(float(getattr(state, name)))
            assert abs(float(getattr(change, name)) - float(value)) < 1e-6 * parts, name
        assert float(z) >= 0.0


def test_thermal_model_is_the_turbulent_one_without_turbulence():
    """All energy thermal, a seed without turbulence, the same cooling: the same derivative, flow by flow."""
    thermal = models.ThermalCGM()
    turbulent = models.TurbulentCGM(
        mass_loading=thermal.mass_loading,
        wind_energy=physics.LoadedWind(),
        depletion_time=thermal.depletion_time,
        metal_loading=thermal.metal_loading,
        inflow_metallicity=thermal.inflow_metallicity,
        thermal_accretion=physics.ConstantLoading(1.0),
        thermal_wind=physics.ConstantLoading(1.0),
        profile=thermal.profile,
        cooling=thermal.cooling,
        densities=thermal.densities,
        cooling_limit=thermal.cooling_limit,
        condensing=HardPositivePart(),
        onset=physics.MassOnset(1e-10),
    )
    for seed in range(5):
        state, halo = draw_galaxy(thermal, np.random.default_rng(seed))
        still = models.TurbulentState(**state._asdict(), eturb=1e-12 * state.eth)
        one = thermal.fluxes(state, thermal.forcing(halo, COSMOLOGY)).flows
        other = turbulent.fluxes(still, turbulent.forcing(halo, COSMOLOGY)).flows
        for name, rates in one.items():
            for rate, its in zip(rates, other[name], strict=True):
                if rate is not None:
                    np.testing.assert_allclose(its, rate, rtol=1e-5, err_msg=name)
        for name in ("stirring", "wind_stirring"):
            assert float(other[name].energy) == 0.0


def test_an_interstellar_medium_is_not_emptied_faster_than_its_massive_stars_explode():
    """Whatever the mass loading: and where gas falls in, stars balance it as they would without the limit."""
    halos = smooth_halos([10.0, 11.0], late=0.5)
    free, held = (
        co.replace(models.ThermalCGM(emptying=law), {"mass_loading.amplitude": 3e3})
        for law in (physics.UnlimitedEmptying(), physics.GradualEmptying())
    )
    galaxies, without = (co.evolve(model, halos, [2.0, 0.0]) for model in (held, free))
    locked = 1.0 - held.stellar_return.recycled_fraction

    def rate(galaxies):
        return galaxies["sfr"] * (locked + galaxies["mass_loading"]) * 1e9 / galaxies["mism"]  # [1/Gyr]

    assert np.all(rate(galaxies) < 100.0) and np.all(rate(without) > 140.0)
    np.testing.assert_allclose(galaxies["sfr"], without["sfr"], rtol=0.05)
    assert np.all(galaxies["mism"] > 1.4 * without["mism"])


@pytest.fixture(scope="module")
def transition():
    """The turbulent model in halos of 10^10, 10^11 and 10^12 Msun, with its energy kept account of."""
    halos = smooth_halos([10.0, 11.0, 12.0], late=0.5)
    model = models.TurbulentCGM()
    return halos, model, co.evolve(model, halos, [6.0, 4.0, 2.0, 1.0, 0.5, 0.0])


def test_cgm_goes_from_cool_and_turbulent_to_hot(transition):
    """Early every CGM is turbulent and far below its virial temperature; that of 10^12 Msun is hot today."""
    _, _, galaxies = transition
    assert galaxies.status_counts() == {"solved": 3}
    thermal, turbulent = (np.asarray(galaxies[name] / galaxies["binding_energy"]) for name in ("eth", "eturb"))
    relative = np.asarray(galaxies["temperature"] / galaxies["tvir"])
    assert np.all(turbulent[1:, :3] > 2.0 * thermal[1:, :3]) and np.all(relative[2, :3] < 0.2)
    assert thermal[2, -1] > turbulent[2, -1] and 0.7 < relative[2, -1] < 2.0
    assert np.all(thermal[:, -1] > thermal[:, 1])


def test_published_choices_show_the_transition_too():
    """Cooling is five times stronger in `pandya23()`, so that only a halo that formed early has turned by now."""
    galaxies = co.evolve(models.pandya23(), smooth_halos([12.0], late=0.35), [2.0, 1.0, 0.0])
    thermal, turbulent = (np.asarray(galaxies[name] / galaxies["binding_energy"])[0] for name in ("eth", "eturb"))
    relative = np.asarray(galaxies["temperature"] / galaxies["tvir"])[0]
    assert np.all(turbulent[:2] > 10.0 * thermal[:2]) and np.all(relative[:2] < 0.1)
    assert thermal[2] > turbulent[2] and 0.8 < relative[2] < 1.3


def test_switches_can_be_sharp_and_make_little_difference(transition):
    halos, model, smooth = transition
    sharp = eqx.tree_at(
        lambda m: (m.condensing, m.halo_outflow.excess, m.onset),
        model,
        (HardPositivePart(), HardPositivePart(), physics.Pandya23Onset()),
    )
    galaxies = co.evolve(sharp, halos, [0.0])
    assert galaxies.status_counts() == {"solved": 3}
    apart = np.log10(np.asarray(galaxies["mstar"][:, -1] / smooth["mstar"][:, -1]))
    assert np.all(np.abs(apart) < 0.15)


# ---- the minimal regulator


def test_regulator_tends_to_its_algebraic_equilibrium():
    """Under constant accretion in a halo that stays as it is, ISM and specific energy reach the algebraic solution."""
    model = models.MinimalRegulator(stiffness=4.0, depletion_time=physics.DepletionTime(amplitude=1.0, slope=0.0))
    halo = co.halos.Halo(*map(jnp.asarray, (10.0, 0.3, 1e11, 120.0, 60.0, 8.0, 8.0)))
    forcing = model.forcing(halo, COSMOLOGY)

    def step(held):
        """One step; with `held`, accretion adds energy per mass but no mass, as the equilibrium assumes."""

        def advance(state, _):
            rate = derivative(model, state, forcing)
            specific = rate.ecgm - state.ecgm / state.mcgm * rate.mcgm  # M de/dt
            rate = rate._replace(mcgm=0.0 * rate.mcgm, ecgm=specific) if held else rate
            return jax.tree.map(lambda x, dx: x + 2e-2 * dx, state, rate), None

        return advance

    for held, error in ((True, 1e-6), (False, 0.06)):
        state, _ = jax.lax.scan(step(held), model.own_initial(halo, COSMOLOGY), length=10_000)  # 200 Gyr
        settled = model.equilibrium(forcing, state.mcgm)
        sfr = state.mism / forcing.depletion_time / GYR_YR
        assert float(state.ecgm / state.mcgm / settled.specific_energy) == pytest.approx(1.0, abs=error)
        assert float(sfr / settled.sfr) == pytest.approx(1.0, abs=3 * error)
    # Linear in A where specific energies are given: F = A (e - e_acc) / (eta_E e_SN + (1-R) e - (1-R+eta_M) loss), with
    # the smooth minimum of e and e_loss for the loss.
    e = settled.specific_energy / forcing.virial_energy
    supernova = forcing.energy_loading * 1e49 / forcing.virial_energy
    locked, eta = 0.6, forcing.mass_loading
    loss = (e**-4 + 1.5**-4) ** -0.25
    by_hand = forcing.accretion * (e - 1.0) / (supernova + locked * e - (locked + eta) * loss)
    assert float(settled.sfr) == pytest.approx(float(by_hand), rel=1e-6)


def test_mass_loading_makes_the_regulator_form_more_stars_at_the_same_expansion():
    """The flip side of mass loading (Voit et al. 2024): at a given specific energy the SFR rises with eta_M."""
    e, supernova, locked = 1.4, 30.0, 0.6
    sfr = [(e - 1.0) / (supernova + locked * e - (locked + eta) * 1.5) for eta in (0.5, 2.0, 8.0)]
    assert sfr[0] < sfr[1] < sfr[2]


def test_supply_takes_no_more_energy_than_the_atmosphere_holds():
    """Where it is much, supply takes `supplied_energy` per mass; where it is less than that, what there is."""
    model = models.MinimalRegulator()
    halo = co.halos.Halo(*map(jnp.asarray, (10.0, 0.3, 1e11, 120.0, 60.0, 8.0, 8.0)))
    forcing = model.forcing(halo, COSMOLOGY)
    specific = jnp.array([1e-3, 0.1, 1.0, 1.5, 3.0, 30.0])
    state = models.RegulatorState(*(1e9 * jnp.ones(6),) * 3, 1e9 * specific * forcing.virial_energy)
    flows = model.own_fluxes(state, forcing)[0].flows
    taken = flows["radiation"].energy * YEAR_S / (flows["cooling"].mass * forcing.virial_energy)
    np.testing.assert_allclose(taken[:2], specific[:2], rtol=1e-5)
    np.testing.assert_allclose(taken[3], 1.5 / 2**0.25)  # the corner of the smooth minimum
    np.testing.assert_allclose(taken[-1], 1.5, rtol=1e-5)
    assert np.all(np.asarray(taken) < np.minimum(specific, 1.5))


def test_the_regulator_solves_every_built_in_halo():
    """With its default parameters; without the limit on the energy of supply, half of the atmospheres reach e = 0."""
    halos = co.halos.diffmah_population(200)
    population = co.evolve(models.MinimalRegulator(), halos, [0.0])
    assert population.status_counts() == {"solved": 200}
    unlimited = models.MinimalRegulator(loss_limit=co.numerics.Unlimited())
    assert (np.asarray(co.evolve(unlimited, halos, [0.0]).status) != 0).sum() > 20


# ---- composition


def test_what_does_not_fit_is_refused_with_the_reason():
    with pytest.raises(ValueError, match=r"given per n_H\^2 but ElectronIonDensities"):
        models.TurbulentCGM(densities=physics.ElectronIonDensities())
    with pytest.raises(ValueError, match="does not depend on density"):
        models.TurbulentCGM(profile=physics.IsothermalCGM())
    with pytest.raises(ValueError, match="use TurbulentCGM"):
        models.ThermalCGM(
            cooling=physics.PhotoionisedCooling(),
            densities=physics.HydrogenDensitySquared(),
            profile=physics.IsothermalShells(),
        )
    with pytest.raises(ValueError, match="needs a reservoir of ism metals, which MinimalRegulator does not have"):
        models.MinimalRegulator(processes={"black_hole": models.BlackHole()})
    with pytest.raises(ValueError, match="one process of a kind is enough"):
        models.ThermalCGM(processes={"a": models.BlackHole(), "b": models.BlackHole()})
    with pytest.raises(ValueError, match="there is no flow wid"):
        models.ThermalCGM(channels={"wid": 0.0})


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_a_pytree_with_named_numbers_and_citations(name, tmp_path):
    model = MODELS[name]()
    leaves, structure = jax.tree.flatten(model)
    assert eqx.tree_equal(jax.tree.unflatten(structure, leaves), model)
    known = co.describe(model)
    assert all(number.unit and number.meaning and number.source for number in known.values())
    for parameter, number in known.items():
        assert number.bounds[0] <= float(number.value) <= number.bounds[1], parameter
    assert {f"channels.{flow}" for flow in model.ledger.names} <= set(known)
    cited = models.citations(model)
    assert cited and all(entry.startswith("@article{" + key) for key, entry in cited.items())


def test_processes_are_stored_and_come_back(tmp_path):
    from corundum.storage.components import read_component, read_parameters, write_component

    model = MODELS["thermal_with_everything"]()
    with h5py.File(tmp_path / "model.h5", "w") as file:
        write_component(file.create_group("model"), model)
        assert eqx.tree_equal(read_component(file["model"]), model)
        assert list(read_parameters(file["model"])) and set(read_parameters(file["model"])) == set(co.describe(model))


def test_order_of_processes_does_not_matter():
    one = models.ThermalCGM(processes={"b": models.BlackHole(), "a": models.HaloRecycling()})
    other = models.ThermalCGM(processes={"a": models.HaloRecycling(), "b": models.BlackHole()})
    assert one.ledger is other.ledger and eqx.tree_equal(one, other)


# ---- black holes


def test_black_hole_grows_by_what_the_galaxy_loses():
    """It gains, or radiates, what ISM and CGM lose to it, at no more than the Eddington rate."""
    model = models.ThermalCGM(processes={"black_hole": models.BlackHole()})
    bare = models.ThermalCGM()
    for seed in range(4):
        state, halo = draw_galaxy(model, np.random.default_rng(seed))
        own = models.ThermalState(*[getattr(state, name) for name in models.ThermalState._fields])
        with_hole = derivative(model, state, model.forcing(halo, COSMOLOGY))
        without = derivative(bare, own, bare.forcing(halo, COSMOLOGY))
        flows, extra = model.fluxes(state, model.forcing(halo, COSMOLOGY))
        lost = -(with_hole.mism - without.mism) - (with_hole.mcgm - without.mcgm)
        taken = extra["black_hole_accretion"] * GYR_YR
        assert float(lost) == pytest.approx(float(taken), rel=1e-6, abs=1e-9 * abs(float(without.mcgm)))
        assert float(with_hole.mbh) == pytest.approx(0.9 * float(taken), rel=1e-9)
        assert float(extra["eddington_ratio"]) <= 1.0
        power = flows["agn_heating"].energy / (extra["black_hole_accretion"] * MSUN_G * 2.99792458e10**2 / 3.15576e7)
        assert 0.0 < float(power) <= 0.2 * (1.0 + 1e-6)


@pytest.fixture(scope="module")
def massive():
    """Halos of 10^11 to 10^14 Msun with a black hole, and with one that heats nothing."""
    halos = smooth_halos(np.linspace(11.0, 14.0, 7))
    model = models.ThermalCGM(processes={"black_hole": models.BlackHole()})
    pair = (co.evolve(m, halos, [0.0]) for m in (model, co.replace(model, {"channels.agn_heating": 0.0})))
    return [{name: np.asarray(galaxies[name][:, 0]) for name in ("mvir", "mstar", "mbh", "sfr")} for galaxies in pair]


def test_black_holes_lower_the_stellar_fraction_above_1e12_and_quench(massive):
    with_, without = massive
    lower = np.log10(with_["mstar"] / without["mstar"])
    high = with_["mvir"] > 2e12
    assert np.all(np.abs(lower[with_["mvir"] < 5e11]) < 0.1)
    assert np.all(lower[with_["mvir"] > 8e12] < -0.25) and np.all(np.diff(lower[high]) < 0.0)
    fraction = with_["mstar"] / with_["mvir"]
    assert 12.0 < np.log10(with_["mvir"][np.argmax(fraction)]) < 13.0
    assert np.all(with_["sfr"][with_["mvir"] > 8e12] < 0.1 * without["sfr"][with_["mvir"] > 8e12])


def test_black_holes_lie_near_the_local_relation(massive):
    """Within 0.6 dex of Reines & Volonteri 2015 (eq. 5, scatter 0.55 dex) for the default parameters."""
    stars, holes = (np.log10(massive[0][name]) for name in ("mstar", "mbh"))
    relation = 7.45 + 1.05 * (stars - 11.0)
    assert np.all(np.abs(holes - relation) < 0.6)


def test_modes_change_over_smoothly_at_the_published_eddington_ratio():
    law = physics.TwoModeFeedback()
    for mass, critical in [(1e7, 2e-5), (1e8, 2e-3), (1e10, 0.1)]:
        assert float(law.kinetic_share(mass, critical)) == pytest.approx(0.5, abs=0.01)
        assert float(law(mass, critical * 1e-3)) == pytest.approx(float(law.kinetic), rel=0.01)
        assert float(law(mass, critical * 1e3)) == pytest.approx(float(law.radiative), rel=0.01)


def test_maximal_cooling_rate_is_that_of_nulsen_and_fabian():
    """kappa (15/16) pi G mu m_p k T / Lambda M: 2e-4 Msun/yr for 10^7 K, 10^-23 erg cm^3/s and 10^6 Msun."""
    state = type("State", (), {"mbh": jnp.asarray(1e6)})
    known = {"temperature": jnp.asarray(1e7), "cooling_function": jnp.asarray(1e-23)}
    rate = physics.MaximalCoolingFeeding(1.0)(physics.Galaxy(state, None, known, {}))
    by_hand = 15 / 16 * np.pi * 6.6743e-8 * 0.59 * 1.67262192e-24 * 1.380649e-16 * 1e7 / 1e-23 * 1e6 * 3.15576e7
    assert float(rate) == pytest.approx(by_hand, rel=1e-4)
