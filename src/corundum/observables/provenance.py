"""What a measurement may be: the kinds of errors, the checks of its numbers, and a summary of it in words."""

import textwrap
from typing import Any

import numpy as np

__all__ = ["CORRELATIONS_IGNORED", "ERROR_KINDS", "check_values", "error_parts", "summarise"]

ERROR_KINDS = {
    "standard error": "uncertainty of the mean or median of the galaxies in a bin",
    "posterior": "68% posterior uncertainty of a model fitted to many data",
    "residual": "departures of the points from a smooth curve, used because the published errors do not cover them",
    "scatter": "spread between galaxies, used as the error because the error of the mean is not published",
}
"""Kinds of errors that a paper may give, and what each means."""


CORRELATIONS_IGNORED = "correlations between points ignored"
"""Note of a measurement whose errors have the systematic in them and are taken as independent."""


def error_parts(measurement: Any) -> str:
    """What the error bars of a `Measurement` are made of, in a few words, the larger part first.

    Examples
    --------
    >>> from corundum.observables.provenance import error_parts
    >>> [error_parts(co.observables.load(name)) for name in ("shmr_moster18", "gasmzr_curti20")]
    ['scatter of galaxies', '0.1 dex systematic, 0.01 dex residual']
    """
    m = measurement
    kind = {"scatter": "scatter of galaxies", "posterior": "68% posterior"}.get(m.error_kind, m.error_kind)
    systematic = float(m.systematic)
    if systematic == 0:
        return kind
    usual = float(np.median(np.sqrt(np.diag(np.asarray(m.covariance)))))
    parts = sorted([(systematic, "systematic"), (usual, kind)], reverse=True)
    return ", ".join(f"{size:.2g} dex {name}" for size, name in parts)


def check_values(measurement: Any) -> None:
    """Raise `ValueError` unless the numbers of a `Measurement` are finite, ordered and a proper covariance."""
    where = f"measurement {measurement.name}"
    for name in ("x", "y", "covariance", "scatter", "correlation", "systematic", "systematic_length", "bandwidth"):
        value = getattr(measurement, name)
        if value is not None and not np.all(np.isfinite(value)):
            raise ValueError(f"{where}: {name} has a value that is not finite; remove that point")
    x, covariance = np.asarray(measurement.x), np.asarray(measurement.covariance)
    if np.any(np.diff(x) <= 0):
        raise ValueError(f"{where}: x does not increase; sort the points and merge equal ones")
    widths = (measurement.bandwidth, measurement.systematic, measurement.systematic_length)
    bandwidth, size, length = (float(width) for width in widths)
    if not (bandwidth > 0 and size >= 0 and length > 0):
        raise ValueError(
            f"{where}: got bandwidth {bandwidth}, systematic {size}, systematic_length {length} [dex]; widths are "
            "positive, errors not negative"
        )
    asymmetry = np.abs(covariance - covariance.T)
    if asymmetry.max() > 1e-6 * np.abs(covariance).max():
        i, j = np.unravel_index(np.argmax(asymmetry), covariance.shape)
        raise ValueError(
            f"{where}: covariance is not symmetric: [{i}, {j}] is {covariance[i, j]:.6g} but [{j}, {i}] is "
            f"{covariance[j, i]:.6g}"
        )
    lowest = np.linalg.eigvalsh(measurement.total_covariance).min()
    if not lowest > 0:
        raise ValueError(
            f"{where}: covariance is not positive definite (lowest eigenvalue {lowest:.3g} dex^2); errors must be "
            "positive and correlations below 1"
        )


def summarise(measurement: Any) -> str:
    """What a `Measurement` is, in lines of text."""
    m = measurement
    error, covariance = np.sqrt(np.diag(m.total_covariance)), np.asarray(m.covariance)
    spread = np.sqrt(np.diag(covariance))
    correlated = bool(np.any(covariance != np.diag(np.diag(covariance))))
    galaxies_at = "" if m.redshift_range is None else " (galaxies at {:g}-{:g})".format(*m.redshift_range)
    lines = [
        f"{m.name}: {m.relation.title}, {len(m)} points over {m.x[0]:.2f} <= x <= {m.x[-1]:.2f}",
        f"  citation     {m.citation} {m.bibcode}".rstrip(),
        f"  redshift     {m.redshift:g}{galaxies_at}",
        f"  statistic    {m.statistic}; kernel {float(m.bandwidth):g} dex",
        f"  selection    {m.selection}",
        f"  error        {error.min():.3f}-{error.max():.3f} dex in total: {error_parts(m)}",
        f"  {m.error_kind:<12} {spread.min():.3f}-{spread.max():.3f} dex: {ERROR_KINDS[m.error_kind]}"
        + ("; correlated between points" if correlated else "; independent points"),
    ]
    if m.systematic > 0:
        lines.append(f"  systematic   {float(m.systematic):g} dex, correlated over {float(m.systematic_length):g} dex")
    if m.scatter is not None and m.error_kind != "scatter":
        lines.append(f"  scatter      {float(m.scatter.min()):.3f}-{float(m.scatter.max()):.3f} dex")
    if m.correlation is not None:
        low, high = float(m.correlation.min()), float(m.correlation.max())
        lines.append(f"  correlation  {low:.2f} to {high:.2f} with {m.shared_with}, of the same galaxies")
    lines += [f"  {key:<12} {getattr(m, key)}" for key in ("imf", "h", "calibration", "source", "licence")]
    lines += [f"  note         {note}" for note in m.notes]
    return "\n".join(textwrap.fill(line, 110, subsequent_indent=" " * 15) for line in lines)
