"""A model, or other measurements, beside those of a survey, a panel for each."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from ...observables import Measurement, OtherSource, Residual, Residuals, SurveyTest
from ..names import short_citation
from ..style import COLORS, CYCLE, finish, legend_above, new_panels, styled

__all__ = ["source_panels", "survey_panels"]

_COLUMNS = 4


@styled
def survey_panels(after: Residuals, before: Residuals | None = None) -> np.ndarray:
    """Data and model of each test of a survey; filled points are data that the model was fitted to, open ones test it.

    Parameters
    ----------
    after : Residuals
        Of the model.
    before : Residuals, optional
        Of another one, such as where a calibration started, in grey.

    Returns
    -------
    array of Axes, (rows, 4)
        Panels that are left over are empty.

    Examples
    --------
    >>> halos = co.halos.complete_roots(0.0, 30, log_mvir=(10.5, 13.0))
    >>> survey = co.observables.survey("reference").at([0.0])
    >>> stars = survey._replace(tests=tuple(t for t in survey.tests if "shmr" in t.measurement.name))
    >>> axes = co.plots.survey_panels(co.observables.residuals(stars, co.evolve(model, halos, [0.0])))
    >>> axes.shape, axes[0, 0].get_title()
    ((1, 4), 'z = 0: Behroozi et al. 2019, centrals')
    """
    axes = _panels(len(after.rows))
    earlier: tuple[Residual | None, ...] = (None,) * len(after.rows) if before is None else before.rows
    for ax, row, old in zip(axes.flat, after.rows, earlier, strict=False):
        if old is not None:
            _line(ax, old, "0.6", "where it started")
        _line(ax, row, COLORS["model"], "model")
        _data(ax, row)
        galaxies = "" if row.test.galaxies == "all" else f", {row.test.galaxies}"
        _name(ax, row.test, f"{short_citation(row.test.measurement.citation)}{galaxies}")
    legend_above(axes, columns=4)
    return axes


@styled
def source_panels(pairs: Sequence[OtherSource]) -> np.ndarray:
    """Measurements of a survey (points) and other measurements of the same relations (lines), a panel for each test.

    Parameters
    ----------
    pairs : sequence of OtherSource
        Of `corundum.observables.other_sources`.

    Returns
    -------
    array of Axes, (rows, 4)

    Raises
    ------
    ValueError
        There is no pair.

    Examples
    --------
    >>> pairs = co.observables.other_sources(co.observables.survey("reference").at([2.2]))
    >>> axes = co.plots.source_panels(pairs)
    >>> axes[0, 0].get_title()
    'z = 2.2: passive fraction'
    """
    if not len(pairs):
        raise ValueError("source_panels: got no pair; the survey has no measurement that another source has as well")
    tests = {pair.test.measurement.name: pair.test for pair in pairs}
    axes = _panels(len(tests))
    for ax, (name, test) in zip(axes.flat, tests.items(), strict=False):
        others = [pair.measurement for pair in pairs if pair.test.measurement.name == name]
        own = short_citation(test.measurement.citation)
        for number, other in enumerate(others):
            citation = short_citation(other.citation)
            order = np.argsort(np.asarray(other.x))
            ax.plot(
                np.asarray(other.x)[order], np.asarray(other.y)[order], color=CYCLE[number % len(CYCLE)], lw=1.6,
                ls=("-", "--", ":")[number % 3], label=citation if citation != own else other.name,
            )  # fmt: skip
        _points(ax, test.measurement, filled=True, label=own)
        _name(ax, test, test.measurement.relation.title)
        ax.legend(fontsize=7.5)
    return axes


def _panels(number: int) -> np.ndarray:
    """Rows of panels, of which those that are left over are empty."""
    rows = -(-number // _COLUMNS)
    axes = new_panels(rows, _COLUMNS, size=(3.1 * _COLUMNS, 2.6 * rows + 0.4), squeeze=False)
    for ax in axes.flat[number:]:
        ax.set_axis_off()
    return axes


def _name(ax: Axes, test: SurveyTest, words: str) -> None:
    ax.set_title(f"z = {test.redshift:g}: {words}", fontsize=9)
    ax.set_xlabel(test.measurement.relation.x_axis.meaning, fontsize=9)
    ax.set_ylabel(test.measurement.relation.y_axis.meaning, fontsize=9)
    finish(ax)
    ax.tick_params(labelsize=8.5)


def _line(ax: Axes, row: Residual, color: str, label: str) -> None:
    if row.prediction is None:
        return
    x, mean, error, reached = (
        np.asarray(getattr(row.prediction, name)) for name in ("nodes", "mean", "standard_error", "reached")
    )
    used = reached & np.isfinite(mean)
    ax.plot(x[used], mean[used], color=color, lw=1.6, label=label)
    ax.fill_between(x[used], (mean - error)[used], (mean + error)[used], color=color, alpha=0.2, lw=0)


def _data(ax: Axes, row: Residual) -> None:
    fitted = row.test.calibrates
    _points(ax, row.test.measurement, filled=fitted, label="fitted" if fitted else "test")


def _points(ax: Axes, data: Measurement, *, filled: bool, label: str) -> None:
    ax.errorbar(
        np.asarray(data.x), np.asarray(data.y), np.asarray(data.error), fmt="o", ms=3.5, color="#111111",
        elinewidth=0.9, mfc="#111111" if filled else "white", label=label, zorder=5,
    )  # fmt: skip
