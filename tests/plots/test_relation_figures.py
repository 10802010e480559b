"""Figures of relations: galaxies, data and their distance are drawn as they are, and the legend says what is drawn."""

import dataclasses

import equinox as eqx
import numpy as np
import pytest
from matplotlib.figure import Figure

import corundum as co
from corundum import plots
from corundum.plots.data_points import data_points
from corundum.plots.names import bars_in_words, short_citation, short_name
from corundum.plots.regressed import regress, spread_about
from measured import MEASURED, SHMR, SPREAD
from synthetic import population as made


def labels(ax):
    return ax.get_legend_handles_labels()[1]


def test_a_relation_over_data(galaxies):
    now = galaxies.at(0.0)
    ax = plots.scaling_relation(now, SHMR, [MEASURED, SPREAD])
    below = ax.figure.axes[1]
    assert below.get_xlabel() == SHMR.x_axis.meaning and ax.get_ylabel() == SHMR.y_axis.meaning
    points = ax.collections[0].get_offsets()
    assert len(points) == 59  # one of sixty failed
    (box,) = ax.figure.legends
    spread = plots.residual(now, SPREAD, redshift_tolerance=np.inf)
    words = [text.get_text().replace("\n", " ") for text in box.get_texts()]
    assert words == [
        "59 galaxies",
        "model: mean ± standard error",
        "model: 16th to 84th percentile of galaxies",
        f"Single & Pair 1999 at z = 1, open symbols; bars: scatter of galaxies {spread.sentence}",
        f"Author et al. 2020; bars: statistical error {plots.residual(now, MEASURED).sentence}",
    ]
    assert "no p" in words[3] and f"p = {plots.residual(now, MEASURED).p_value:.2g}" in words[4]
    ax.figure.draw_without_rendering()
    assert box.get_window_extent().y0 >= ax.get_window_extent().y1  # clear of the points
    bars = [container for container in ax.containers if len(container[0:1]) and container.has_yerr]
    lengths = [np.ptp(segment[:, 1]) for c in bars for segment in c.lines[2][0].get_segments()]
    assert np.allclose(sorted(lengths), [0.2, 0.2, 0.4, 0.6, 0.6])
    low, high = ax.get_ylim()
    assert low < -2.7 and high > -1.7
    first = below.containers[0].lines[0]
    model = MEASURED.predict(now)
    assert np.allclose(first.get_ydata(), np.asarray(model.mean - MEASURED.y)[np.asarray(model.reached)])


def test_bars_are_named_for_what_they_are():
    ax, data = Figure().subplots(), MEASURED.with_systematic(0.3)
    data_points(ax, data)
    (label,) = labels(ax)
    assert label.replace("\n", " ") == (
        "Author et al. 2020; bars: total error: 0.3 dex systematic, 0.1 dex statistical, thick part: without the "
        "systematic"
    )
    total, inner = ([np.ptp(s[:, 1]) / 2 for s in bars.lines[2][0].get_segments()] for bars in ax.containers)
    assert np.allclose(total, data.error) and np.allclose(inner, [0.1, 0.1, 0.2])


def test_errors_that_hold_the_systematic_are_called_total():
    assert bars_in_words(MEASURED.with_systematic(0.3).diagonal()) == "total error, points taken as independent"
    assert bars_in_words(SPREAD.diagonal()) == "scatter of galaxies"


def test_upper_limits_are_arrows_and_no_part_of_chi2(galaxies):
    limited = dataclasses.replace(MEASURED, upper_limit=(False, True, False))
    now = galaxies.at(0.0)
    assert np.asarray(MEASURED.predict(now).reached).all()
    assert plots.residual(now, limited).reached == 2
    ax = plots.scaling_relation(now, SHMR, [limited])
    assert "arrows: upper limits" in labels(ax)[-1].replace("\n", " ") and "1 of 3 points left out" in labels(ax)[-1]


def test_the_band_is_as_skew_as_the_galaxies():
    x = np.linspace(10.0, 12.0, 4000)
    skew = -np.random.default_rng(0).exponential(0.4, x.size)
    galaxies = {"mvir": 10.0**x, "mstar": 10.0 ** (2.0 * x - 14.0 + skew)}
    estimate = regress(galaxies, SHMR, co.observables.LocalLinear())
    spread = spread_about(galaxies, SHMR, estimate, 0.2)
    middle = slice(15, 45)
    # of an exponential distribution with scale s: ln(1/0.84) s and ln(1/0.16) s below its end, and the mean at s
    assert np.allclose((spread.high - estimate.mean)[middle], 0.4 * (1 + np.log(0.84)), atol=0.05)
    assert np.allclose((spread.low - estimate.mean)[middle], 0.4 * (1 + np.log(0.16)), atol=0.08)


def test_galaxies_without_stars_do_not_stretch_the_axes():
    x = np.linspace(10.0, 12.0, 50)
    log_stars = np.where(np.arange(50) == 7, 0.0, 2.0 * x - 14.0)
    ax = plots.scaling_relation({"mvir": 10.0**x, "mstar": 10.0**log_stars}, SHMR)
    assert ax.get_ylim()[0] > -7.0
    assert labels(ax)[0] == "50 galaxies, 1 of them beyond the axes"


@pytest.mark.parametrize("number", [1, 12])
def test_a_few_galaxies_give_readable_figures(trees, number):
    few = made(trees[np.linspace(5, 55, number).astype(int)], failed=())
    ax = plots.scaling_relation(few.at(0.0), SHMR, [MEASURED])
    assert len(ax.collections[0].get_offsets()) == number
    assert "points left out" in labels(ax)[-1] or "none of its 3 points" in labels(ax)[-1]
    budget = plots.baryon_budget(few)
    heights = [sum(bar[k].get_height() for bar in budget.containers) for k in range(number)]
    assert np.allclose(heights, 1.0)
    assert [text.get_text() for text in budget.get_xticklabels()] == [f"{m:.2f}" for m in np.log10(few.at(0.0)["mvir"])]
    flow = plots.mass_budget(few, baryon_fraction=0.16).get_lines()[0]
    share = np.asarray(few.flows["accretion"].mass)[:, 1] / (0.16 * np.asarray(few.at(0.0)["growth"]))
    assert np.allclose(flow.get_ydata(), share)


def test_relations_are_drawn_at_every_redshift(grown):
    (ax,) = plots.relation_evolution(grown, [SHMR])
    assert {"z = 0", "z = 6"} <= set(labels(ax))
    curve = next(line for line in ax.get_lines() if line.get_label() == "z = 6")
    estimate = regress(grown.at(6.0), SHMR, co.observables.LocalLinear())
    assert np.allclose(curve.get_ydata()[estimate.reached], estimate.mean[estimate.reached])
    assert np.isnan(curve.get_ydata()[~estimate.reached]).all()


def test_given_axes_are_used(galaxies):
    ax = Figure().subplots()
    assert plots.scaling_relation(galaxies.at(0.0), SHMR, ax=ax) is ax
    assert plots.mass_budget(galaxies, ax) is ax


def test_nodes_that_no_galaxy_reaches_are_not_drawn(galaxies):
    now = galaxies.at(0.0)
    ax = plots.scaling_relation(now, SHMR, regression=co.observables.NadarayaWatson(bandwidth=0.02, minimum_count=2.0))
    (line,) = [line for line in ax.get_lines() if line.get_label().startswith("model")]
    estimate = regress(now, SHMR, co.observables.NadarayaWatson(bandwidth=0.02, minimum_count=2.0))
    assert 0 < estimate.reached.sum() < estimate.reached.size
    assert np.array_equal(np.isfinite(line.get_ydata()), estimate.reached)
    for band in ax.collections[1:3]:
        drawn = np.concatenate([path.vertices[:, 0] for path in band.get_paths()])
        assert set(np.round(drawn, 9)) <= set(np.round(estimate.nodes[estimate.reached], 9))


def test_a_crowd_is_drawn_as_a_density(galaxies, monkeypatch):
    monkeypatch.setattr("corundum.plots.relations._MOST_POINTS", 10)
    ax = plots.scaling_relation(galaxies.at(0.0), SHMR)
    counts = ax.collections[0].get_array()
    assert 10 < len(counts) < 60 and counts.sum() == 59


def test_a_relation_without_galaxies_is_refused(galaxies):
    nothing = eqx.tree_at(lambda g: g.valid, galaxies.at(0.0), np.zeros(60, bool))
    with pytest.raises(ValueError, match="no galaxy has values on both axes"):
        plots.scaling_relation(nothing, SHMR)


@pytest.mark.parametrize(
    ("citation", "short"),
    [
        ("Behroozi, Wechsler, Hearin & Conroy 2019, MNRAS 488, 3143", "Behroozi et al. 2019"),
        ("Andrews & Martini 2013, ApJ 765, 140", "Andrews & Martini 2013"),
        ("Gallazzi et al. 2005, MNRAS 362, 41", "Gallazzi et al. 2005"),
        ("Koprowski et al. 2024, arXiv:2403.06575", "Koprowski et al. 2024"),
        ("Lee 2006", "Lee 2006"),
        ("no year at all", "no year at all"),
    ],
)
def test_short_citations(citation, short):
    assert short_citation(citation) == short


def test_short_names_say_the_survey():
    names = {name: short_name(co.observables.load(name)) for name in ("coldgas_xgass", "gasmzr_sanders21_z2")}
    assert names == {"coldgas_xgass": "xGASS (Catinella+18)", "gasmzr_sanders21_z2": "MOSDEF (Sanders+21)"}
    assert short_name(co.observables.load("gasmzr_sami22")) == "Fraser-McKelvie+22"


def test_compared_relations(galaxies):
    axes = plots.compare_relation((galaxies.at(0.0), galaxies.at(0.0)), SHMR, ("a", "b"), measurements=[MEASURED])
    difference = axes[1].get_lines()[1].get_ydata()
    assert np.nanmax(np.abs(difference)) == 0.0 and np.isfinite(difference).sum() > 20
    words = [
        f"{name}: {what}" for name in "ab" for what in ("mean ± standard error", "16th to 84th percentile of galaxies")
    ]
    assert labels(axes[0]) == [*words, "Author et al. 2020; bars: statistical error"]
    assert axes[1].get_title(loc="left") == "b minus a"


def test_a_mass_function_is_a_line_over_its_data():
    mstar = 10.0 ** np.linspace(8.0, 11.5, 351)
    galaxies = co.Galaxies(0.06, {"mstar": mstar}, np.ones(351, bool), np.full(351, 1e-4))
    data = co.observables.load("smf_baldry12").between(9.0, 11.0)
    ax = plots.scaling_relation(galaxies, data.relation, [data])
    (line,) = [line for line in ax.lines if line.get_label() == "model: mean ± standard error"]
    middle = (line.get_xdata() > 9.0) & (line.get_xdata() < 10.5)
    np.testing.assert_allclose(line.get_ydata()[middle], -2.0, atol=0.01)  # 100 galaxies per dex, 10^-4 per Mpc^3 each
    assert not ax.collections or all(len(drawn.get_offsets()) <= 1 for drawn in ax.collections)  # no single galaxies
    below = ax.figure.axes[1]
    assert below.get_ylabel().startswith("model minus") and len(below.containers) == 1


def test_a_cosmic_density_is_a_line_over_its_data():
    data = co.observables.load("csfrd_driver18")
    history = co.observables.CosmicHistory(np.array([0.0, 2.0]), {"sfr": np.array([0.01, 0.1])}, *[None] * 3)
    ax = plots.scaling_relation(history, data.relation, [data])
    (line,) = [line for line in ax.lines if line.get_label() == "model: mean ± standard error"]
    np.testing.assert_allclose(line.get_ydata()[[0, -1]], [-2.0, -1.0])
    assert ax.figure.axes[1].get_xlabel() == data.relation.x_axis.meaning
    assert "5 of 19 points left out" in plots.residual(history, data).sentence


def test_a_legend_on_given_axes_fits_into_them(galaxies):
    axes = plots.style.new_panels(1, 2, size=(5.0, 2.6))
    for ax in axes:
        plots.scaling_relation(galaxies.at(0.0), SHMR, [MEASURED], ax=ax)
    for ax in axes:
        ax.figure.draw_without_rendering()
        assert ax.get_legend().get_window_extent().width <= ax.get_window_extent().width


def test_a_comparison_of_few_galaxies_shows_each_of_them(galaxies):
    few = galaxies.at(0.0)[:3]
    upper, lower = plots.compare_relation([few, few], SHMR, ("one", "other"))
    drawn = [line for line in upper.lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in drawn] == [int(np.sum(few.valid))] * 2
    assert [text.get_text() for text in lower.texts] == ["too few galaxies at the same masses for a difference"]
