"""The report of ``corundum fit``: parameters, predictions compared with data, quantities not fitted, chains."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...inference import UNFITTED_QUANTITIES
from ...observables import Measurement
from ..names import bars_in_words, short_names
from ..posteriors.chains import trace_and_rank
from ..posteriors.corner import corner, decimals
from ..posteriors.predictions import extras_bands, index_bands, loading_factors, predictive_band
from .page import Drawing, Facts, Section, Table

__all__ = ["Fitted", "fit_sections"]

_LAWS = {
    "mass_loading": r"$\eta_M$",
    "energy_loading": r"$\eta_E$",
    "metal_loading": r"$\eta_Z$",
    "depletion_time": r"$t_{\rm dep}$ [Gyr]",
}
_SPEEDS = np.geomspace(30.0, 200.0, 40)


class Fitted(NamedTuple):
    """One fit of a run.

    Attributes
    ----------
    label : str
    combination : tuple of str
        Measurements it used.
    target, gauss, identifiability, posterior
        Of `corundum.inference`; `posterior` is None where only the Gaussian approximation was made.
    summary : str
        One sentence on the optimum.
    converged : bool
        Whether the optimiser reached it.
    u, theta : arrays, (S, P)
        Draws, as coordinates and as parameter values.
    predictive, unfitted, indices, extras
        Its predictions.
    """

    label: str
    combination: tuple[str, ...]
    target: Any
    gauss: Any
    summary: str
    u: np.ndarray
    theta: np.ndarray
    posterior: Any
    identifiability: Any
    converged: bool = True
    predictive: Any = None
    unfitted: Any = None
    indices: Any = None
    extras: Any = None


def fit_sections(
    measurements: Sequence[Measurement],
    checks: Sequence[Measurement],
    fits: Sequence[Fitted],
    prior: np.ndarray,
    findings: Sequence[str],
    target: Any,
) -> tuple[list[Section], list[Drawing]]:
    """Sections of the report, and all of its figures."""
    names = target.names
    corner_drawing = Drawing(
        corner({fit.label: fit.theta for fit in fits}, names, prior=prior)[0, 0].figure,
        "Posterior of every parameter and pair: 68% and 95% regions of each combination of data; grey: prior. "
        "Numbers above the diagonal: medians and 68% intervals, in the colour of each fit. Densities are smoothed by "
        "a Gaussian kernel of Scott's width, about a quarter of a standard deviation.",
        "corner",
    )
    bands = [_fitted_data(m, fits) for m in measurements]
    bands += [_unfitted_data(m, fits) for m in checks]
    others = [*_scalings(fits, names), *_other_predictions(fits)]
    chains = [
        Drawing(
            trace_and_rank(fit.posterior)[0, 0].figure,
            f"Chains of {fit.label} (the first eight), and ranks of their draws among all: flat where chains agree.",
            f"chains_{number + 1}",
        )
        for number, fit in enumerate(fits)
        if fit.posterior is not None
    ]
    sections = [
        Section("What the fit says", [Facts(_facts(fits, target)), _data_of(measurements, fits), *findings]),
        Section("Parameters", [corner_drawing, *_tables(fits, names)]),
        Section("Over the data", [*bands, _p_values(measurements, fits)]),
        Section("What was not fitted", others or ["This model has no such quantities."]),
        Section("Can it be trusted", [*chains, *_trust(fits)]),
    ]
    return sections, [corner_drawing, *bands, *others, *chains]


def _data_of(measurements, fits):
    """Which data each fit has used."""
    labels = short_names(measurements)
    rows = [(fit.label, "; ".join(f"{labels[name]} ({name})" for name in fit.combination)) for fit in fits]
    return Table(("fit", "data"), rows, "Data of each fit, with the names by which they are loaded.")


def _facts(fits, target):
    last = fits[-1]
    return [
        (len(target.names), "parameters"),
        (int(np.isfinite(np.asarray(target.data.y)).sum()), "data points used"),
        (len(fits), "fits"),
        (
            f"{last.identifiability.fisher.effective:.1f}",
            f"combinations better known than from the prior ({last.label})",
        ),
        (f"{last.identifiability.fisher.bits:.1f} bits", "information gained"),
    ]


def _fitted_data(measurement, fits):
    predictions = {fit.label: fit.predictive.mean[measurement.name] for fit in fits}
    data = fits[-1].target.data
    used = np.isfinite(np.asarray(data.y)[data.positions(measurement.name)])
    ax = predictive_band(measurement, predictions, used=used)
    caption = (
        f"{measurement.relation.title[:1].upper()}{measurement.relation.title[1:]}: median and 68% band of the model's "
        f"relation under each posterior, and {measurement.citation}. Bars: {bars_in_words(measurement)}."
    )
    return Drawing(ax.figure, caption, f"data_{measurement.name}")


def _unfitted_data(measurement, fits):
    predictions = {fit.label: fit.unfitted.mean[measurement.name] for fit in fits}
    ax = predictive_band(measurement, predictions, used=np.zeros(len(measurement), bool))
    caption = f"Not fitted: {measurement.relation.title} at z = {measurement.redshift:g}, {measurement.citation}."
    return Drawing(ax.figure, caption, f"check_{measurement.name}")


def _scalings(fits, names):
    """Scalings at z = 0 that the parameters describe, as power laws of virial velocity."""
    curves = {}
    for fit in fits:
        laws = {}
        for law, label in _LAWS.items():
            pair = [f"{law}.amplitude", f"{law}.slope"]
            if all(name in names for name in pair):
                amplitude, slope = (fit.theta[:, names.index(name), None] for name in pair)
                laws[label] = 10.0**amplitude * (_SPEEDS / 125.0) ** slope
        curves[fit.label] = laws
    if not next(iter(curves.values())):
        return []
    axes = loading_factors(curves, _SPEEDS)
    return [Drawing(axes[0].figure, "The fitted scalings against virial velocity at z = 0, before ceilings; 68% bands.",
                    "loading_factors")]  # fmt: skip


def _other_predictions(fits):
    drawings = []
    if fits[0].extras:
        labels = {name: quantity.label for name, quantity in UNFITTED_QUANTITIES.items()}
        axes = extras_bands({fit.label: fit.extras for fit in fits}, labels)
        drawings.append(Drawing(axes[0, 0].figure, "Quantities that were not fitted at z = 0; 68% bands.", "extras"))
    if fits[0].indices is not None:
        axes = index_bands({fit.label: fit.indices for fit in fits})
        caption = (
            "Prevention index (baryons of f_b Mvir that were never in the galaxy), ejection index (baryons ejected "
            "from it) and the preventive fraction of the missing baryons, against halo mass; 68% bands."
        )
        drawings.append(Drawing(axes[0].figure, caption, "feedback_indices"))
    return drawings


def _tables(fits, names):
    rows = [[name, *(_interval(fit.theta[:, i]) for fit in fits)] for i, name in enumerate(names)]
    caption = "Medians and 68% intervals, amplitudes in log10."
    tables = [Table(["parameter", *(fit.label for fit in fits)], rows, caption)]
    for fit in fits:
        information = fit.identifiability
        rows = [
            [k + 1, float(1.0 / np.sqrt(1.0 + max(value, 0.0))), information.fisher.leading_terms(k)]
            for k, value in enumerate(information.fisher.eigenvalues)
        ]
        caption = (
            f"{fit.label}: combinations of parameters, in prior standard deviations, best first. Condition number "
            f"of the information matrix {information.condition_fisher:.3g}, of the correlation matrix "
            f"{information.condition_correlation:.3g}."
        )
        tables.append(Table(["combination", "width over prior", "direction"], rows, caption))
    return tables


def _interval(draws):
    """Median and 68% interval in one cell: ``0.34 +0.07 −0.06``."""
    low, middle, high = np.percentile(draws, (15.865, 50.0, 84.135))
    digits = decimals(high - middle, middle - low)
    return f"{middle:.{digits}f} +{high - middle:.{digits}f} −{middle - low:.{digits}f}".replace("-", "−", 1)


def _p_values(measurements, fits):
    labels = short_names(measurements)
    names = list(fits[0].predictive.p_value)
    rows = [[fit.label, *(float(fit.predictive.p_value[n]) for n in names)] for fit in fits]
    caption = (
        "Posterior predictive p-values; near 0 the data are further from the model than their errors allow. A "
        "measurement that a fit leaves out is predicted."
    )
    return Table(["fit", *(labels[name] for name in names)], rows, caption)


def _trust(fits):
    blocks = []
    for fit in fits:
        blocks.append(f"{fit.label}: the mode {fit.summary}.")
        if fit.posterior is None:
            continue
        verdict = fit.posterior.verdict
        blocks.append(f"{fit.label}: {verdict.sentence}.")
        rows = [
            [name, *(float(verdict.table[key][i]) for key in ("rhat", "ess_bulk", "ess_tail"))]
            for i, name in enumerate(fit.posterior.names)
        ]
        blocks.append(Table(["parameter", "R-hat", "bulk sample size", "tail sample size"], rows, fit.label))
    return blocks
