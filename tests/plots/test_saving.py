"""Figures as files: what is drawn is what matplotlib draws, with one layout for all formats."""

import io

import numpy as np
import pytest
from matplotlib import style
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from corundum import plots
from corundum.plots.saving import figure_files
from corundum.plots.style import STYLE, new_panels
from measured import MEASURED


def pixels(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


@pytest.fixture
def layouts(monkeypatch):
    """One entry for each layout that is computed."""
    computed, execute = [], ConstrainedLayoutEngine.execute
    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", lambda *args: (computed.append(1), execute(*args)))
    return computed


@pytest.mark.parametrize(
    "make",
    [
        lambda g: plots.scaling_relation(g.at(0.0), MEASURED.relation, [MEASURED]).figure,
        lambda g: plots.mass_budget(g).figure,
        lambda g: plots.growth_histories(g, [0, 3])[0, 0].figure,
        lambda g: _labelled_minor_ticks(),
    ],
    ids=["relation", "budget", "histories", "minor labels"],
)
def test_images_are_those_that_matplotlib_draws_tick_by_tick(grown, make):
    plain = io.BytesIO()
    with style.context(["default", STYLE]):
        make(grown).savefig(plain, format="png", facecolor="white")
    assert np.array_equal(pixels(plots.figure_bytes(make(grown))), pixels(plain.getvalue()))


def _labelled_minor_ticks():
    """Less than a decade, where minor ticks have labels."""
    with style.context(["default", STYLE]):
        ax = new_panels(1, 1, size=(3.0, 2.0))[0]
        ax.plot([1.0, 2.0], [2.0, 7.0])
        ax.set_yscale("log")
        assert any(label.get_text() for label in ax.get_yticklabels(minor=True))
    return ax.figure


def test_all_formats_of_a_figure_share_one_layout(galaxies, layouts):
    figure = plots.baryon_budget(galaxies).figure
    assert list(figure_files(figure, ("png", "pdf"))) == ["png", "pdf"]
    assert len(layouts) == 1


def test_a_saved_figure_is_given_back_as_it_was(grown):
    axes = plots.growth_histories(grown, [0, 3])
    before = [_ticks_of(ax) for ax in axes.flat]
    plots.figure_bytes(axes)
    assert [_ticks_of(ax) for ax in axes.flat] == before
    figure = axes[0, 0].figure
    assert isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine) and figure.dpi == STYLE["figure.dpi"]


def _ticks_of(ax):
    shown = [
        (
            axis.get_visible(),
            axis.get_minor_locator(),
            axis.get_tick_params("major"),
            axis.get_major_ticks(1)[0].tick2line.get_visible(),
        )
        for axis in (ax.xaxis, ax.yaxis)
    ]
    return shown, ax.get_children(), [spine.get_in_layout() for spine in ax.spines.values()]


def test_images_are_no_wider_than_a_page_can_show(grown):
    image = pixels(plots.figure_bytes(plots.growth_histories(grown, list(range(8)))))
    assert image.shape[1] == 2400


def test_unknown_formats_are_refused(galaxies):
    with pytest.raises(ValueError, match="got the format 'gif'; figures are written as png, pdf or svg"):
        plots.figure_bytes(plots.baryon_budget(galaxies), "gif")
