"""Cooling tables: published numbers, an independent calculation, and the conventions that belong to each table."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import physics
from corundum.physics.cooling import primordial
from corundum.physics.cooling.sutherland_dopita93 import equilibrium_table
from corundum.physics.cooling.tables import read_csv, uniform_cell

FILES = {"right": "sutherland_dopita93_cie.csv", "shifted": "sutherland_dopita93_shifted.csv"}


def test_the_table_has_the_numbers_of_its_authors():
    table = read_csv("cooling", FILES["right"])
    assert table.shape == (91, 25)
    np.testing.assert_allclose(table[:, 0], 4.0 + 0.05 * np.arange(91), atol=1e-9)
    solar = {4.05: -22.46, 4.10: -22.17, 4.20: -21.79, 4.25: -21.80}
    for log_t, value in solar.items():
        assert table[round((log_t - 4.0) / 0.05), 7] == value
    empty = np.argwhere(np.isnan(table))
    assert {tuple(cell) for cell in empty} == {(row, column) for row in (0, 1) for column in (8, 16, 24)}


def test_the_shifted_table_is_the_right_one_moved_by_one_row():
    right, shifted = (read_csv("cooling", name) for name in FILES.values())
    rows = np.round((shifted[1:, 0] - 4.0) / 0.05).astype(int)
    np.testing.assert_array_equal(shifted[1:, 2:8], right[rows - 1, 2:8])
    np.testing.assert_array_equal(shifted[1:, 8], right[rows, 8])  # the last column is not moved


def _residual(name):
    """log10 T, and the cooling that rates of hydrogen and helium give over the primordial column [dex]."""
    table = read_csv("cooling", FILES[name])
    log_t, published = table[:, 0], table[:, 1]
    nothing = primordial.Background(*[jnp.zeros(())] * 6)
    helium = 0.064  # n_t = 1.064 of the table
    temperature = 10.0 ** jnp.asarray(log_t)
    cooling, _ = primordial.primordial_cooling(temperature, 1e-2, helium, nothing, 0.0)
    electrons = primordial.ion_fractions(temperature, 1e-2, helium, nothing).electrons
    return log_t, np.log10(np.asarray(cooling / (electrons * (1.0 + helium)))) - published


def test_the_table_agrees_with_an_independent_calculation_and_the_shifted_one_does_not():
    """Where Lambda is steep, 10^4.1 K, neutral hydrogen alone cools and the answer is clear: 0.02 against 0.49 dex."""
    (log_t, right), (log_t_shifted, shifted) = _residual("right"), _residual("shifted")
    cold = [np.argmin(np.abs(grid - 4.1)) for grid in (log_t, log_t_shifted)]
    assert abs(right[cold[0]]) < 0.03 and abs(shifted[cold[1]]) > 0.45
    hot, hot_shifted = (right[(log_t > 4.95) & (log_t < 8.0)], shifted[(log_t_shifted > 4.95) & (log_t_shifted < 8.0)])
    assert np.sqrt(np.mean(hot**2)) < 0.45 * np.sqrt(np.mean(hot_shifted**2))  # 0.04 and 0.10 dex
    whole = (log_t > 4.0) & (log_t < 8.0)
    assert np.median(np.abs(right[whole])) < 0.03 and np.abs(right[whole]).max() < 0.28


def test_cells_that_the_authors_leave_empty_follow_from_metals_that_cool_in_proportion():
    """The rule that fills two cells reproduces the published cells above them."""
    table = read_csv("cooling", FILES["right"])
    primordial_part, solar, rich = (10.0 ** table[:6, column] for column in (1, 7, 8))
    by_rule = np.log10(primordial_part + 10.0**0.5 * (solar - primordial_part))
    np.testing.assert_allclose(by_rule[2:5], np.log10(rich[2:5]), atol=0.02)
    np.testing.assert_allclose(equilibrium_table().log_lambda[:2, -1], by_rule[:2], rtol=1e-12)
    assert np.all(np.diff(equilibrium_table().log_lambda, axis=1) >= 0.0)  # more metals never cool less


def test_the_surface_passes_through_the_table_and_shuts_off_below_ten_thousand_kelvin():
    smooth, table = physics.SutherlandDopita93(), equilibrium_table()
    for column, log_z in enumerate((-3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5)):
        values = jnp.log10(jax.vmap(smooth, (0, None))(jnp.asarray(table.log_temperature), log_z))
        np.testing.assert_allclose(values, table.log_lambda[:, column], atol=1e-9)
    assert smooth(3.89, 0.0) == 0.0 and 0.0 < smooth(3.95, 0.0) < smooth(4.0, 0.0)
    assert smooth(5.0, -4.0) == smooth(5.0, -3.0)


@pytest.mark.parametrize(
    "quantity",
    [
        lambda t, z: jnp.log10(physics.SutherlandDopita93()(t, z)),
        lambda t, z: jnp.log10(physics.EquilibriumDensities().fraction(t, z)),
        lambda t, z: jnp.log10(physics.ShiftedSutherlandDopita93()(t, z)),
    ],
    ids=["lambda", "densities", "shifted"],
)
def test_surfaces_have_continuous_first_and_second_derivatives(quantity):
    slope, curvature = jax.grad(quantity, argnums=(0, 1)), jax.hessian(quantity, argnums=(0, 1))
    for point in [(4.05, -1.0), (5.5, -0.5), (7.3, 0.25), (6.2, -2.5)]:
        (lower, upper) = ([x + sign * 1e-9 for x in point] for sign in (-1.0, 1.0))
        np.testing.assert_allclose(slope(*lower), slope(*upper), atol=1e-5)
        np.testing.assert_allclose(curvature(*lower), curvature(*upper), atol=1e-3)


def test_pandya26_reads_the_shifted_table_bilinearly():
    smooth, bilinear = physics.ShiftedSutherlandDopita93(), co.models.pandya26().cooling
    assert isinstance(bilinear, physics.ShiftedSutherlandDopita93Bilinear)
    spots = {(6.0, -1.0): -22.59, (5.0, 0.0): -20.98, (4.0, -3.0): -23.41, (4.3, -2.0): -21.92}
    for (log_t, log_z), value in spots.items():
        for law in (smooth, bilinear):
            assert float(jnp.log10(law(log_t, log_z))) == pytest.approx(value, abs=1e-9)
    grid_t, grid_z = jnp.meshgrid(jnp.linspace(4.1, 8.5, 300), jnp.linspace(-3, 0.5, 50))
    apart = jnp.abs(jnp.log10(smooth(grid_t, grid_z) / bilinear(grid_t, grid_z)))
    assert float(apart.max()) < 0.13 and float(jnp.median(apart)) < 0.01


# ---- densities


def test_density_convention_is_electrons_times_ions():
    # X = 0.76: n_e = 1.158 n_H, n_i = 1.079 n_H.
    helium = 0.24 / (4 * 0.76)
    expected = (1 + 2 * helium) * (1 + helium) / (2 + 3 * helium) ** 2
    assert float(physics.ElectronIonDensities().fraction(6.0, -1.0)) == pytest.approx(expected)
    assert 4.0 < 1.0 / expected < 4.01


def test_equilibrium_densities_are_those_of_the_table():
    """n_e n_t over the square of the particles of the same gas when ionised; that limit is reached when it is hot."""
    law, ionised = physics.EquilibriumDensities(), float(physics.ElectronIonDensities().fraction(8.0, -1.0))
    # Solar columns by hand: n_e = 0.5678 at 10^4.2 K and 1.209 when ionised, n_t = 1.099.
    assert float(law.fraction(4.2, 0.0)) == pytest.approx(0.5678 * 1.099 / (1.209 + 1.099) ** 2, rel=1e-9)
    for log_z in (-3.0, -1.0, 0.0):
        assert float(law.fraction(8.0, log_z)) == pytest.approx(ionised, rel=5e-3)
        assert float(law.fraction(6.0, log_z)) == pytest.approx(ionised, rel=1e-2)


def test_electrons_of_the_table_are_those_of_ionisation_equilibrium():
    """Against the balance of hydrogen and helium with other rates: 0.16 apart where half are bound, 3% when few are."""
    table, nothing = read_csv("cooling", FILES["right"]), primordial.Background(*[jnp.zeros(())] * 6)
    log_t, published = table[:, 0], table[:, 9]
    electrons = np.asarray(primordial.ion_fractions(10.0 ** jnp.asarray(log_t), 1e-2, 0.064, nothing).electrons)
    assert np.abs(electrons - published).max() < 0.17
    np.testing.assert_allclose(electrons[log_t > 4.34], published[log_t > 4.34], rtol=0.03)


# ---- what solar means


@pytest.mark.parametrize(
    ("kind", "at_points", "log_metallicity"),
    [
        (
            "SutherlandDopita93",
            [1.6218100973589217e-22, 9.871160215116523e-23, 1.5383786794675603e-24],
            -0.28780172993022596,
        ),
        (
            "ShiftedSutherlandDopita93",
            [1.2022644346173997e-22, 1.6588004414131283e-22, 1.0440098296811907e-25],
            -0.30102999566398114,
        ),
        (
            "ShiftedSutherlandDopita93Bilinear",
            [1.2022644346173997e-22, 1.5922087270511645e-22, 7.90678627999815e-25],
            -0.30102999566398114,
        ),
    ],
)
def test_cooling_functions_keep_their_values(kind, at_points, log_metallicity):
    """Saved values: solar gas at 10^4.2 K, metal-poor gas at 10^5.5 K, and below the edge of the table."""
    cooling = getattr(physics, kind)()
    values = [float(cooling(*point)) for point in ((4.2, 0.0), (5.5, -1.2), (3.95, 0.7))]
    np.testing.assert_allclose(values, at_points, rtol=1e-12)
    assert float(cooling.log_metallicity(0.01)) == pytest.approx(log_metallicity, rel=1e-12)


def test_each_table_says_what_solar_is():
    """Mass fractions of Anders & Grevesse 1989 (number per hydrogen, dex) and of the tables of Wiersma et al. 2009."""
    abundances = {
        "He": (10.99, 4.0026), "C": (8.56, 12.011), "N": (8.05, 14.007), "O": (8.93, 15.999), "Ne": (8.09, 20.18),
        "Na": (6.33, 22.99), "Mg": (7.58, 24.305), "Al": (6.47, 26.982), "Si": (7.55, 28.085), "S": (7.21, 32.06),
        "Ar": (6.56, 39.95), "Ca": (6.36, 40.078), "Fe": (7.67, 55.845), "Ni": (6.25, 58.693),
    }  # fmt: skip
    mass = {name: 10.0 ** (dex - 12.0) * weight for name, (dex, weight) in abundances.items()}
    metals = sum(value for name, value in mass.items() if name != "He")
    assert metals / (1.008 + mass["He"] + metals) == pytest.approx(0.0194, abs=1e-4)
    sutherland_dopita = co.models.ThermalCGM().cooling
    assert float(sutherland_dopita.log_metallicity(0.0194)) == pytest.approx(0.0, abs=1e-12)
    wiersma = physics.TabulatedNetCooling(
        jnp.array([0.0, 1.0]), jnp.array([4.0, 8.0]), jnp.array([-6.0, 0.0]), jnp.zeros((2, 2, 2)), jnp.ones((2, 2, 2))
    )
    assert float(wiersma.solar_metallicity) == pytest.approx(1.0 - 0.70649785 - 0.28055534, abs=1e-4)
    for preset in (co.models.pandya23(), co.models.pandya26()):
        assert float(preset.cooling.log_metallicity(0.02)) == 0.0
    assert float(physics.PhotoionisedCooling().log_metallicity(0.0194)) == pytest.approx(0.0, abs=1e-12)


def test_a_model_counts_metals_in_the_solar_units_of_its_cooling_function():
    """Gas of one metal mass fraction cools 0.19 dex more by metals in the tables of Wiersma et al. than with 0.02."""
    tables = jnp.zeros((2, 2, 2)), jnp.full((2, 2, 2), 1e-23)
    axes = jnp.array([0.0, 1.0]), jnp.array([4.0, 8.0]), jnp.array([-6.0, 0.0])
    halo = co.halos.Halo(*map(jnp.asarray, (13.8, 0.0, 1e12, 260.0, 130.0, 10.0, 30.0)))
    state = co.models.TurbulentState(*map(jnp.asarray, (1e10, 5e9, 4e10, 1e58, 3e57, 1e8, 5e7, 2e8)))

    def radiated(solar):
        cooling = physics.TabulatedNetCooling(*axes, *tables, solar_metallicity=solar)
        model = co.models.TurbulentCGM(cooling=cooling)
        forcing = model.forcing(halo, co.cosmology.Cosmology())
        return float(model.own_fluxes(state, forcing)[0].flows["radiation"].energy)

    assert np.log10(radiated(0.0129) / radiated(0.02)) == pytest.approx(np.log10(0.02 / 0.0129), abs=1e-9)
    assert np.log10(0.02 / 0.0129) == pytest.approx(0.19, abs=0.005)


def test_compiled_cooling_at_the_temperatures_of_the_table_is_that_of_the_table():
    """XLA rounds a temperature to either side of a row; index and position in the cell still belong together."""
    law = physics.SutherlandDopita93()
    value = lambda temperature: law(jnp.log10(temperature), -1.0)  # noqa: E731
    compiled = jax.jit(value)
    for temperature in 10.0 ** np.round(np.arange(4.5, 8.4, 0.05), 2):
        at = jnp.asarray(temperature)
        assert float(compiled(at)) == pytest.approx(float(value(at)), rel=1e-9)


def test_rounding_does_not_tell_in_which_cell_a_row_of_the_table_lies():
    """XLA rounds a position either way in different uses; index and position in the cell must belong together."""
    for x in (np.nextafter(40.0, 0.0), 40.0, np.nextafter(40.0, 50.0)):
        i, position, beyond = uniform_cell(jnp.asarray(x), 90)
        assert int(i) == 40 and float(position) == pytest.approx(0.0, abs=1e-13) and float(beyond) == 0.0
    assert [int(uniform_cell(jnp.asarray(x), 90)[0]) for x in (-1.0, 0.0, 39.999, 90.0, 95.0)] == [0, 0, 39, 89, 89]
