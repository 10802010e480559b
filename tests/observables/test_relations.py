"""Relations: the axes against a plain calculation, and safe logarithms."""

import inspect

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import observables, parameters
from corundum.cosmology import pandya26_cosmology
from corundum.observables import relations

FAMILY = [
    cls
    for cls in vars(relations).values()
    if inspect.isclass(cls) and issubclass(cls, relations.AbstractRelation) and not inspect.isabstract(cls)
]
NAMES = ("mvir", "mstar", "mism", "mcgm", "mzism", "mzstar", "sfr")


def galaxies(n=5, seed=0):
    rng = np.random.default_rng(seed)
    g = {"mvir": 10 ** rng.uniform(10, 12.5, n)}
    g["mstar"] = g["mvir"] * 10 ** rng.uniform(-4, -1.5, n)
    g["mism"] = g["mstar"] * 10 ** rng.uniform(-1, 1, n)
    g["mcgm"] = g["mvir"] * rng.uniform(0.0, 0.1, n)
    g["mzism"] = g["mism"] * 10 ** rng.uniform(-4, -1.5, n)
    g["mzstar"] = g["mstar"] * 10 ** rng.uniform(-4, -1.5, n)
    g["sfr"] = g["mstar"] * 1e-10
    return g


def test_every_relation_is_public():
    assert {cls.__name__ for cls in FAMILY} == {name for name in relations.__all__ if name != "AbstractRelation"}
    assert all(getattr(observables, cls.__name__) is cls for cls in FAMILY)


def test_axes_are_what_they_say():
    g = galaxies()
    lg = np.log10
    expected = {
        "StellarToHaloMass": (lg(g["mvir"]), lg(g["mstar"] / g["mvir"])),
        "ColdGasFraction": (lg(g["mstar"]), lg(g["mism"] / g["mstar"])),
        "GasMetallicity": (lg(g["mstar"]), 8.69 + lg(g["mzism"] / g["mism"] / 0.0134)),
        "StellarMetallicity": (lg(g["mstar"]), lg(g["mzstar"] / g["mstar"] / 0.02)),
        "StarFormingMainSequence": (lg(g["mstar"]), lg(g["sfr"])),
        "HaloBaryonFraction": (
            lg(g["mvir"]),
            lg((g["mcgm"] + g["mism"] + g["mstar"]) / (0.0486 / 0.3075 * g["mvir"])),
        ),
    }
    for cls in FAMILY:
        x, y = expected[cls.__name__]
        np.testing.assert_allclose(cls().x(g), x, rtol=1e-13)
        np.testing.assert_allclose(cls().y(g), y, rtol=1e-12, atol=1e-13)


def test_solar_gas_has_the_solar_oxygen_abundance():
    g = {"mstar": np.ones(1), "mism": np.ones(1), "mzism": np.array([0.0134])}
    assert observables.GasMetallicity().y(g)[0] == pytest.approx(8.69, abs=1e-12)
    g["mzism"] = np.array([0.02])
    assert observables.GasMetallicity(solar_metallicity=0.02).y(g)[0] == pytest.approx(8.69, abs=1e-12)


def test_a_halo_with_its_cosmic_share_of_baryons_has_zero():
    fraction = float(pandya26_cosmology().baryon_fraction)
    relation = observables.HaloBaryonFraction()
    assert float(relation.baryon_fraction) == pytest.approx(fraction, rel=1e-12)
    g = {"mvir": np.array([1e12]), "mstar": np.array([1e10]), "mism": np.array([2e10])}
    g["mcgm"] = fraction * g["mvir"] - g["mstar"] - g["mism"]
    assert relation.y(g)[0] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("cls", FAMILY)
@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_galaxies_without_a_logarithm_are_nan_with_finite_derivatives(cls, bad):
    g = {name: jnp.asarray(value).at[1].set(bad) for name, value in galaxies().items()}
    relation = cls()

    def total(g):
        y = relation.y(g)
        return jnp.sum(jnp.where(jnp.isfinite(y), y, 0.0))

    assert np.isnan(relation.x(g)[1]) and np.isnan(relation.y(g)[1])
    assert np.all(np.isfinite(np.delete(relation.y(g), 1)))
    slopes = jax.grad(total)(g)
    for name in NAMES:
        assert np.all(np.isfinite(np.delete(slopes[name], 1))), name
        if bad == 0.0:
            assert slopes[name][1] == 0.0


@pytest.mark.parametrize("cls", FAMILY)
def test_numbers_are_declared_parameters_and_axes_have_labels(cls):
    relation = cls()
    assert len(jax.tree.leaves(relation)) == len(parameters.describe(relation))
    for axis in (relation.x_axis, relation.y_axis):
        assert axis.unit == "dex" and axis.meaning.count("$") == 2


class MeanStellarAge(relations.AbstractRelation):
    """A relation that reads the past of its galaxies."""

    title = "mean stellar age"
    x_axis = relations.STELLAR_MASS
    y_axis = relations.STELLAR_MASS
    histories = ("sfr", "mstar")

    def x(self, galaxies):
        return jnp.log10(galaxies["mstar"])

    def y(self, galaxies):
        return jnp.log10(jnp.mean(galaxies.history("sfr"), axis=-1))


def test_histories_that_relations_and_measurements_need_are_collected_once():
    plain, measurement = observables.StellarToHaloMass(), observables.load("shmr_moster18")
    assert observables.histories_of(plain) == observables.histories_of([measurement, plain]) == ()
    aged = eqx.tree_at(lambda m: m.relation, measurement, MeanStellarAge())
    assert observables.histories_of(aged) == ("sfr", "mstar")
    assert observables.histories_of([plain, MeanStellarAge(), aged]) == ("sfr", "mstar")


def test_a_single_string_is_not_taken_letter_by_letter():
    class Careless(MeanStellarAge.__base__):
        title, x_axis, y_axis, histories = "", relations.STELLAR_MASS, relations.STELLAR_MASS, "sfr"
        x = y = MeanStellarAge.x

    with pytest.raises(TypeError, match=r"Careless.histories: got the string 'sfr'; give a tuple of names, \('sfr',\)"):
        observables.histories_of(Careless())


def test_a_measurement_hands_histories_to_its_relation():
    class Past(dict):
        def history(self, name):
            return jnp.ones((200, 3)) * 10.0 if name == "sfr" else None

    measurement = eqx.tree_at(lambda m: m.relation, observables.load("shmr_moster18"), MeanStellarAge())
    regressed = measurement.predict(Past(mstar=10 ** jnp.linspace(10.0, 13.0, 200)))
    np.testing.assert_allclose(regressed.mean, 1.0, rtol=1e-12)


def weighted_galaxies(number=4000, redshift=0.0):
    """Galaxies of a known mass function: phi = 10^(-2 - (lg M - 10)) per Mpc^3 and dex, by weights of even masses."""
    log_mstar = jnp.linspace(8.0, 12.0, number)
    weights = 10.0 ** (-2.0 - (log_mstar - 10.0)) * 4.0 / number
    return co.Galaxies(redshift, {"mstar": 10.0**log_mstar}, jnp.ones(number, bool), weights, root_redshift=0.0)


def test_a_mass_function_is_the_sum_of_number_densities():
    data = observables.load("smf_baldry12").between(9.0, 11.0)
    prediction = data.predict(weighted_galaxies())
    # A Gaussian kernel of width b multiplies phi = exp(-k x) by exp(k^2 b^2 / 2), k = ln 10.
    widened = 0.5 * np.log(10.0) * float(data.bandwidth) ** 2
    np.testing.assert_allclose(prediction.mean, -2.0 - (np.asarray(data.x) - 10.0) + widened, atol=2e-3)
    assert prediction.reached.all() and np.all(np.asarray(prediction.standard_error) < 0.05)


def test_a_mass_function_counts_failed_galaxies_and_refuses_plain_weights():
    data, galaxies = observables.load("smf_baldry12").between(9.0, 11.0), weighted_galaxies()
    every_other = jnp.arange(len(galaxies)) % 2 == 0
    half = eqx.tree_at(lambda g: g.valid, galaxies, every_other)
    np.testing.assert_allclose(data.predict(half).mean, data.predict(galaxies).mean, atol=5e-3)
    with pytest.raises(ValueError, match="every galaxy has weight 1"):
        data.predict(eqx.tree_at(lambda g: g.weights, galaxies, jnp.ones(len(galaxies))))


def test_a_mass_function_has_finite_slopes_where_there_are_no_galaxies():
    data, galaxies = observables.load("smf_baldry12"), weighted_galaxies(400)[150:200]

    def total(shift):
        shifted = eqx.tree_at(lambda g: g.values["mstar"], galaxies, galaxies["mstar"] * 10.0**shift)
        relation = data.relation.regressed(shifted, data.x, observables.LocalLinear(data.bandwidth))
        return jnp.sum(relation.mean), relation

    slope, relation = jax.grad(total, has_aux=True)(0.0)
    assert np.isfinite(slope) and np.isfinite(relation.mean).all() and not relation.reached.all()


def test_a_cosmic_density_is_read_between_the_redshifts_of_its_sums():
    data = observables.load("csfrd_driver18")
    density = {"sfr": 10.0 ** np.array([-1.0, -2.0])}
    history = observables.CosmicHistory(np.array([3.0, 0.0]), density, None, np.array([50, 30]), None)  # in any order
    prediction = data.predict(history)
    inside = np.asarray(data.x) <= np.log10(4.0)
    expected = -2.0 + np.asarray(data.x) / np.log10(4.0)
    np.testing.assert_allclose(prediction.mean[inside], expected[inside], rtol=1e-12)
    assert np.isnan(prediction.mean[~inside]).all() and prediction.reached.tolist() == inside.tolist()
    with pytest.raises(
        ValueError, match=r"got Galaxies; it is a sum .*cosmic_history\(model, redshifts, names='sfr'\)"
    ):
        data.predict(weighted_galaxies())


def test_a_fit_refuses_a_cosmic_density():
    halos = co.halos.diffmah_population(2, key=1)
    with pytest.raises(ValueError, match="csfrd_driver18: a cosmic star-formation density is a sum over halos counted"):
        co.inference.Target(co.models.ThermalCGM(), halos, ["csfrd_driver18"], ["energy_loading.amplitude"])
