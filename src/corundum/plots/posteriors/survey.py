"""A model beside every measurement of a survey, a panel for each."""

import numpy as np
from matplotlib.axes import Axes

from ...observables import Residual, Residuals
from ..names import short_citation
from ..style import COLORS, finish, legend_above, new_panels, styled

__all__ = ["survey_panels"]

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
    rows = -(-len(after.rows) // _COLUMNS)
    axes = new_panels(rows, _COLUMNS, size=(3.1 * _COLUMNS, 2.6 * rows + 0.4), squeeze=False)
    for ax in axes.flat[len(after.rows) :]:
        ax.set_axis_off()
    earlier: tuple[Residual | None, ...] = (None,) * len(after.rows) if before is None else before.rows
    for ax, row, old in zip(axes.flat, after.rows, earlier, strict=False):
        if old is not None:
            _line(ax, old, "0.6", "where it started")
        _line(ax, row, COLORS["model"], "model")
        _data(ax, row)
        galaxies = "" if row.test.galaxies == "all" else f", {row.test.galaxies}"
        ax.set_title(
            f"z = {row.test.redshift:g}: {short_citation(row.test.measurement.citation)}{galaxies}", fontsize=9
        )
        ax.set_xlabel(row.test.measurement.relation.x_axis.meaning, fontsize=9)
        ax.set_ylabel(row.test.measurement.relation.y_axis.meaning, fontsize=9)
        finish(ax)
        ax.tick_params(labelsize=8.5)
    legend_above(axes, columns=4)
    return axes


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
    data, fitted = row.test.measurement, row.test.calibrates
    ax.errorbar(
        np.asarray(data.x), np.asarray(data.y), np.asarray(data.error), fmt="o", ms=3.5, color="#111111",
        elinewidth=0.9, mfc="#111111" if fitted else "white", label="fitted" if fitted else "test", zorder=5,
    )  # fmt: skip
