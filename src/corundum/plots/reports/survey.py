"""Tables of a model beside a survey, for reports."""

from ...observables import Residuals
from .page import Table

__all__ = ["residual_table"]


def residual_table(after: Residuals, before: Residuals | None = None) -> Table:
    """How far a model, and one before it, is from each measurement of a survey.

    Parameters
    ----------
    after : Residuals
    before : Residuals, optional

    Examples
    --------
    >>> from corundum.plots.reports.survey import residual_table
    >>> reference = co.observables.survey("reference")
    >>> rows = [co.observables.Residual(test, None, 10, 10, 0.0, 0.12) for test in reference.tests]
    >>> residual_table(co.observables.Residuals(reference, tuple(rows))).rows[0]
    ['smf_driver22', 0.0, 'fitted', '10 of 10', '+0.00', '0.12', '0.10', 'no']
    """
    earlier = [] if before is None else ["rms before"]
    header = ["measurement", "z", "use", "points", *earlier, "mean", "rms", "tolerance", "within"]
    rows = [
        [
            row.test.measurement.name, row.test.redshift, "fitted" if row.test.calibrates else "test",
            f"{row.reached} of {row.points}", *([] if before is None else [f"{before.rows[i].rms:.2f}"]),
            f"{row.bias:+.2f}", f"{row.rms:.2f}", f"{row.test.tolerance:.2f}", "yes" if row.within else "no",
        ]
        for i, row in enumerate(after.rows)
    ]  # fmt: skip
    return Table(
        header, rows, "Mean and root mean square of model minus data, in the unit of the data (dex, or shares)."
    )
