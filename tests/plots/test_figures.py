"""Figures: what is drawn is right, what must not be is not, and matplotlib's state is left alone."""

import dataclasses

import equinox as eqx
import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corundum as co
from corundum import plots
from corundum.plots import binning, comparison
from corundum.plots.halo_histories import halo_growth
from measured import MEASURED, SHMR, SPREAD
from synthetic import histories
from synthetic import population as made


def labels(ax):
    return ax.get_legend_handles_labels()[1]


def test_growth_histories(grown):
    axes = plots.growth_histories(grown, rows=[10, 50])
    assert axes.shape == (4, 2)
    assert [ax.get_ylabel() for ax in axes[:, 0]] == [
        r"mass [${\rm M}_\odot$]",
        r"rate [${\rm M}_\odot\,\mathrm{yr}^{-1}$]",
        r"metallicity [${\rm Z}_\odot$]",
        "temperature [K]",
    ]
    stars = axes[0, 1].get_lines()[3]
    order = np.argsort(np.asarray(grown["time"])[50])
    assert np.array_equal(stars.get_ydata(), np.asarray(grown["mstar"])[50][order])
    assert np.all(np.diff(stars.get_xdata()) > 0)
    ism = axes[2, 0].get_lines()[1].get_ydata()
    assert np.allclose(ism * 0.02, np.asarray(grown["z_ism"])[10][order])
    assert "cosmic time [Gyr]" == axes[3, 0].get_xlabel()


def test_redshifts_stand_at_the_ages_of_the_population_s_own_cosmology(grown):
    top = plots.growth_histories(grown, rows=[10])[0, 0].figure.axes[-1]
    labels = [text.get_text() for text in top.get_xticklabels()]
    assert labels == ["0", "0.5", "1", "2", "3", "6"]
    expected = co.cosmology.pandya26_cosmology().age(np.array([float(text) for text in labels]))
    assert np.allclose(top.get_xticks(), expected, atol=0.01)


def test_a_halo_that_starts_late_is_drawn_from_its_start(grown):
    early = np.asarray(grown.redshifts) > 2.0
    values = {name: np.where(early, np.nan, np.asarray(grown[name])) for name in grown.halo._fields if name != "extras"}
    late = eqx.tree_at(lambda p: p.halo, grown, grown.halo._replace(**values))
    axes = plots.growth_histories(late, rows=[10])
    line = axes[0, 0].get_lines()[0]
    times = line.get_xdata()[np.isfinite(line.get_xdata())]
    assert len(times) == 3 and np.all(np.diff(times) > 0)
    final = np.log10(np.asarray(grown["mvir"])[10, 3])
    assert f"= {final:.2f}" in axes[0, 0].get_title()


@pytest.mark.parametrize(("low", "high"), [(6.0, 9.0), (4.0, 25.0)])
def test_concentrations_within_a_decade_have_numbers_on_their_axis(low, high):
    plain = histories(30)
    log_c = np.linspace(np.log10(low), np.log10(high), 30)[:, None] + 0.0 * np.asarray(plain.log_mvir)
    halos = co.halos.HaloHistories(plain.time, plain.log_mvir, log_c, cosmology=plain.cosmology)
    ax = halo_growth(halos)[2]
    bottom, top = ax.get_ylim()
    shown = [text.get_text() for text in ax.get_yticklabels() if bottom <= text.get_position()[1] <= top]
    assert len(set(shown)) == len(shown) >= 3 and all(bottom <= float(text) <= top for text in shown)


def test_growth_histories_of_a_model_without_metals_have_fewer_panels(trees):
    population = co.evolve(co.models.MinimalRegulator(), trees[:2], [3.0, 1.0, 0.0])
    axes = plots.growth_histories(population, rows=[0, 1])
    assert [ax.get_ylabel().partition(" ")[0] for ax in axes[:, 0]] == ["mass", "rate"]


def test_growth_histories_need_a_time_axis(galaxies):
    with pytest.raises(ValueError, match="got 2 output redshifts"):
        plots.growth_histories(galaxies)


def test_halos_are_spread_over_mass(grown):
    rows = plots.spread_rows(grown, 4)
    final = np.log10(np.asarray(grown["mvir"])[:, 3])
    assert len(set(rows)) == 4 and 3 not in rows
    span = np.nanmax(final) - np.nanmin(final)
    assert np.allclose(final[rows], np.nanmin(final) + span * np.array([0.125, 0.375, 0.625, 0.875]), atol=0.15)


def test_the_redshift_axis_agrees_with_the_cosmology():
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    ax.set_xlim(0.5, 14.0)
    cosmology = co.cosmology.planck18()
    top = plots.redshift_axis(ax, cosmology)
    ticks = [
        (float(text.get_text()), place) for text, place in zip(top.get_xticklabels(), top.get_xticks(), strict=True)
    ]
    assert [z for z, _ in ticks] == [0, 0.5, 1, 2, 3, 6]
    assert np.allclose([float(cosmology.age(z)) for z, _ in ticks], [place for _, place in ticks])


def test_the_mass_budget_is_over_the_baryon_supply(galaxies):
    ax = plots.mass_budget(galaxies, redshift=2.0, baryon_fraction=0.16)
    lines = {line.get_label(): line for line in ax.get_lines()}
    drawn = lines["accretion"].get_ydata()
    now = galaxies.at(2.0)
    share = np.asarray(galaxies.flows["accretion"].mass)[:, 0] / (0.16 * np.asarray(now["growth"]))
    reference = np.nanmedian(share[np.asarray(now.valid)])
    assert np.nanmin(drawn) <= reference <= np.nanmax(drawn)
    assert labels(ax) == ["accretion", "cooling", "star formation", "wind", "outflow"]


def test_the_budget_of_a_model_with_many_flows_shows_the_largest(galaxies):
    """More flows than colours: each shown has a style of its own, and the legend says how many are not shown."""
    many = {f"flow_{k:02d}": (k + 1.0) * galaxies.flows["wind"].mass for k in range(30)}
    flows = galaxies.flows | {name: co.models.FlowRates(mass) for name, mass in many.items()}
    crowded = dataclasses.replace(galaxies, flows=flows)
    ax = plots.mass_budget(crowded, redshift=2.0)
    shown = labels(ax)
    assert "flow 29" in shown and "flow 00" not in shown and "wind" in shown
    assert shown[-1] == f"and {30 + 5 - (len(shown) - 1)} smaller ones"
    styles = {(line.get_color(), line.get_linestyle()) for line in ax.get_lines() if line.get_label() in shown[:-1]}
    assert len(styles) == len(shown) - 1


def test_the_energy_that_heats_adds_up_to_one(galaxies):
    ax = plots.energy_budget(galaxies)
    lines = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
    total = lines["accretion"] + lines["wind heating"]
    assert np.allclose(total[np.isfinite(total)], 1.0, atol=0.05)  # medians of shares that add up to one
    with pytest.raises(ValueError, match="no energy in wind; give supply=... from accretion"):
        plots.energy_budget(galaxies, supply=("wind",))


def test_the_baryon_budget_stacks_to_the_baryons(galaxies):
    ax = plots.baryon_budget(galaxies, baryon_fraction=0.16)
    now = galaxies.at(0.0)
    good = np.asarray(now.valid)
    whole = sum(np.asarray(now[name])[good] for name in ("mstar", "mism", "mcgm")) / (
        0.16 * np.asarray(now["mvir"])[good]
    )
    stack = ax.collections[2].get_paths()[0].vertices[:, 1]
    assert whole.min() <= stack.max() <= whole.max()
    assert [handle.get_text() for handle in ax.get_legend().get_texts()] == [
        "never accreted or lost",
        "CGM",
        "ISM",
        "stars",
    ]


def test_a_set_of_histories_does_not_differ_from_itself(trees):
    means = comparison.compared_means(trees, trees)
    for row in plots.history_differences(*means):
        assert all(pair[0] == 0.0 for pair in row[3:])


def test_faster_growth_is_measured(trees):
    # log M = log M0 - rate z / ln 10, so the difference in mean log mass at redshift z is exactly -0.2 z / ln
    # 10
    faster = histories(late=1.0)
    rows = plots.history_differences(*comparison.compared_means(trees, faster), redshift=2.0)
    near = comparison.compared_means(trees, faster)[0].redshift
    z = near[np.argmin(np.abs(near - 2.0))]
    for _, n, m, (mass, error), (growth, _), (concentration, _) in rows:
        assert n == m and 0 < error < 0.1
        assert mass == pytest.approx(-0.2 * z / np.log(10.0), abs=1e-6)
        assert growth > 0.05 and abs(concentration) < 1e-6


def test_compared_histories_state_the_difference(trees):
    axes = plots.compare_histories(trees, histories(late=1.0), ("slow", "fast"))
    assert axes.shape == (2, 3)
    texts = [text.get_text() for text in axes[0, 0].get_legend().get_texts()]
    assert len(texts) == 3 and all("dex" in text and "pm" in text for text in texts)
    assert labels(axes[0, 2]) == ["slow", "fast"]
    assert axes[1, 0].get_title(loc="left") == "fast minus slow"


def test_sets_that_share_nothing_are_refused(trees):
    with pytest.raises(ValueError, match="share no final masses"):
        plots.compare_histories(trees, histories(low=13.0, high=14.0))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), number=st.integers(5, 200))
def test_running_statistics_agree_with_numpy(seed, number):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 1, number), rng.normal(size=number)
    result = binning.running(x, y, np.ones(number), np.array([0.0, 0.5, 1.0]))
    for k, here in enumerate((x < 0.5, x >= 0.5)):
        assert result.counts[k] == here.sum()
        if here.sum() >= 3:
            assert np.isclose(result.mean[k], y[here].mean())
            # halves of the neighbouring order statistics are all that definitions of a median differ by
            assert np.isclose(result.median[k], np.median(y[here]))
        else:
            assert np.isnan(result.median[k])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), repeats=st.lists(st.integers(1, 4), min_size=6, max_size=12))
def test_a_weight_is_a_number_of_copies(seed, repeats):
    values = np.random.default_rng(seed).normal(size=len(repeats))
    weights = np.array(repeats, float)
    low, high = binning.weighted_quantiles(values, weights, (0.0, 1.0))
    assert (low, high) == (values.min(), values.max())
    (median,) = binning.weighted_quantiles(values, weights, (0.5,))
    copies = np.repeat(values, repeats)
    inside = np.sort(values)
    width = np.max(np.diff(inside))
    assert abs(median - np.median(copies)) <= width


def test_figures_are_written_in_every_format_the_same_each_time(tmp_path, galaxies):
    for kind, start in (("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")):
        contents = []
        for name in "ab":
            plots.save_figure(plots.baryon_budget(galaxies), tmp_path / f"{name}.{kind}")
            contents.append((tmp_path / f"{name}.{kind}").read_bytes())
        assert contents[0].startswith(start) and contents[0] == contents[1]
    with pytest.raises(ValueError, match="written as .png, .pdf or .svg"):
        plots.save_figure(plots.baryon_budget(galaxies), tmp_path / "figure.jpg")


@pytest.mark.parametrize(
    "make",
    [
        lambda g, h: plots.scaling_relation(g.at(0.0), SHMR, [MEASURED, SPREAD]),
        lambda g, h: plots.mass_budget(g),
        lambda g, h: plots.energy_budget(g),
        lambda g, h: plots.compare_histories(h, h)[0, 0],
    ],
)
def test_figures_do_not_depend_on_the_reader_s_settings(galaxies, trees, make):
    plain = plots.figure_bytes(make(galaxies, trees).figure)
    with matplotlib.rc_context(
        {"font.size": 30, "lines.linewidth": 9, "axes.facecolor": "red", "xtick.color": "green"}
    ):
        changed = plots.figure_bytes(make(galaxies, trees).figure)
    assert changed == plain


def test_a_population_too_small_for_any_bin_still_draws():
    few = plots.baryon_budget(made(histories(4), failed=()))
    assert few.get_ylabel() and np.all(np.isfinite(few.get_xlim()))
