"""Figures of fits, mocks and forecasts: what is drawn equals the numbers, and what is drawn is explained."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_hex

from corundum import inference, plots
from corundum.plots.names import short_names
from corundum.plots.reports.fit import _interval
from measured import MEASURED, SPREAD

NAMES = ("mass_loading.amplitude", "mass_loading.slope")


@pytest.fixture(scope="module")
def draws():
    return np.random.default_rng(0).normal(size=(900, 2)) * [0.05, 1.0] + [0.4, -2.0]


def test_three_fits_differ_in_line_and_hatch_and_not_only_in_colour():
    values = np.asarray(MEASURED.y) + np.linspace(-0.1, 0.1, 30)[:, None]
    ax = plots.predictive_band(MEASURED, {"a": values, "b": values + 0.1, "c": values}, used=np.array([1, 1, 0], bool))
    lines = [line for line in ax.get_lines() if line.get_label() in "abc"]
    assert len({line.get_linestyle() for line in lines}) == 3
    assert len({band.get_hatch() for band in ax.collections[:3]}) == 3
    assert np.allclose(lines[1].get_ydata(), np.median(values, axis=0) + 0.1)
    (box,) = ax.figure.legends
    words = [text.get_text() for text in box.get_texts()]
    assert words == ["a", "b", "c", "Author+20; bars: statistical error", "open: not fitted"]
    hollow = ax.get_lines()[-1]
    assert hollow.get_markerfacecolor() == "white" and hollow.get_xdata().tolist() == [11.5]


def test_every_line_of_the_indices_is_explained():
    draws = np.full((20, 4), 0.5)
    curves = dict.fromkeys(("prevention", "ejection", "preventive_fraction"), draws)
    axes = plots.index_bands({"fit": (np.linspace(10.0, 12.0, 4), curves)})
    (box,) = axes[0].figure.legends
    words = [text.get_text() for text in box.get_texts()]
    assert words == ["fit", "half of the missing baryons: as many prevented as ejected"]


def test_a_corner_states_medians_and_intervals(draws):
    axes = plots.corner({"one": draws, "two": draws + 0.1}, NAMES)
    low, middle, high = np.percentile(draws[:, 0], (15.865, 50.0, 84.135))
    first, second = axes[0, 0].texts
    assert first.get_text() == f"${middle:.3f}^{{+{high - middle:.3f}}}_{{-{middle - low:.3f}}}$"
    assert to_hex(first.get_color()) == to_hex(axes[0, 0].get_lines()[0].get_color())
    assert second.get_text().startswith(f"${middle + 0.1:.3f}")
    peaks = [line.get_ydata().max() for line in axes[1, 1].get_lines()]
    assert np.allclose(peaks, 1.0)


def test_intervals_are_one_cell(draws):
    value, above, below = _interval(draws[:, 1]).split(" ")
    low, middle, high = np.percentile(draws[:, 1], (15.865, 50.0, 84.135))
    assert (value, above, below) == (f"−{-middle:.2f}", f"+{high - middle:.2f}", f"−{middle - low:.2f}")


def forecast(shift):
    scenarios = [SimpleNamespace(name="as is", shift={}), SimpleNamespace(name="half", shift={})]
    scenarios += [SimpleNamespace(name="off", shift={"data": 0.1})] if shift else []
    sigma = np.array([[0.2, 2.0], [0.1, 0.5], [0.2, 2.0]])[: len(scenarios)]
    bias = np.array([[0.0, 0.0], [0.0, 0.0], [0.1, -1.0]])[: len(scenarios)]
    return SimpleNamespace(
        names=NAMES, units=("dex", "1"), scenarios=scenarios, sigma_fisher=sigma,
        sigma_sampled=np.full_like(sigma, np.nan), bias=bias,
    )  # fmt: skip


def test_forecasts_are_ratios_in_the_row_of_their_parameter():
    axes = plots.forecast_bars(forecast(shift=True))
    labels = [text.get_text() for text in axes[0].get_yticklabels()]
    assert [label.split("\n")[1] for label in labels] == ["0.2 dex", "2"]
    drawn = {line.get_label(): line for ax in axes for line in ax.get_lines()}
    assert drawn["as is"].get_xdata().tolist() == [1.0, 1.0]
    assert drawn["half"].get_xdata().tolist() == [0.5, 0.25]
    assert np.allclose(drawn["off"].get_xdata(), [0.5, -0.5])
    rows = axes[0].get_yticks()
    assert all(np.all(np.abs(drawn[name].get_ydata() - rows) < 0.5) for name in ("as is", "half", "off"))
    assert plots.forecast_bars(forecast(shift=False)).shape == (1,)


def test_four_mocks_are_points_beside_the_intervals():
    accuracy = np.array([[0.5, -1.0], [0.1, 3.0], [9.0, 9.0], [-0.4, 0.0]])
    result = SimpleNamespace(names=NAMES, accuracy=accuracy, fitted=np.array([1, 1, 0, 1], bool))
    ax = plots.pull_figure(result)
    points = [line for line in ax.get_lines() if line.get_marker() == "o"]
    assert np.array_equal([line.get_xdata() for line in points], accuracy[[0, 1, 3]])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["95%", "68%"]


def test_names_of_data_differ_where_the_data_do():
    assert short_names([MEASURED, SPREAD]) == {"made_up": "Author+20", "spread": "Single & Pair 99"}


def test_a_law_is_drawn_with_its_draws_its_base_and_others():
    velocity, levels = np.array([50.0, 100.0, 200.0]), np.array([0.5, 0.8, 1.0, 1.3, 2.0])[:, None]
    bands = inference.LawBands("energy_loading", 2.0, velocity, levels * np.array([0.3, 0.2, 0.1]), np.full(3, 0.2))
    ax = plots.law_band(bands, also={"planted": np.array([0.1, 0.2, 0.3])})
    lines = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
    assert list(lines) == ["median at z = 2", "base law", "planted"]
    assert np.allclose(lines["median at z = 2"], [0.3, 0.2, 0.1]) and np.allclose(lines["planted"], [0.1, 0.2, 0.3])
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words == ["95%", "68%", *lines]


def test_maps_of_a_law_show_the_numbers_of_each_knot():
    departure, shrinkage = np.arange(6.0).reshape(1, 3, 2) / 10, np.linspace(0.1, 0.9, 6).reshape(1, 3, 2)
    criticism = SimpleNamespace(
        laws=("energy_loading",), features=("log_vvir", "redshift"), units=("dex(km/s)", "1"), amplitude=0.2,
        knots=((1.5, 2.0, 2.5), (0.0, 3.0)), departure=departure, shrinkage=shrinkage,
    )  # fmt: skip
    ax = plots.departure_map(criticism, "energy_loading")
    texts = {tuple(text.get_position()): text.get_text() for text in ax.texts}
    assert texts[2, 1] == f"+0.50\n±{0.2 * 0.9:.2f}" and texts[0, 1] == f"+0.10\n±{0.2 * shrinkage[0, 0, 1]:.2f}"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1.5", "2", "2.5"]
    image = plots.shrinkage_map(criticism, "energy_loading").get_images()[0]
    assert np.allclose(image.get_array(), shrinkage[0].T)
    with pytest.raises(ValueError, match="did you mean energy_loading"):
        plots.departure_map(criticism, "energy_loadin")
