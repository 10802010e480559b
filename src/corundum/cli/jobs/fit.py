"""The job behind ``corundum fit``: point estimate, Gaussian approximation, posterior, predictive checks, report.

Each combination of data is one fit.  Its mode is kept when it is found and its chains at least every minute, so that an
interrupted run resumes and makes the same draws bit for bit.
"""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ... import inference, io
from ...inference.evaluate import with_correction
from ...inference.posterior import PERCENTILES
from ...inference.tables import csv_table, findings, latex_table
from ...inference.text import interval_lines
from ...plots.names import short_names, symbol
from ...plots.reports.fit import Fitted, fit_sections
from ...storage.checkpoints import CheckpointFolder
from ..progress import chain_bar
from ..runfile.reader import RunFile
from .fit_plan import FitPlan, plan_fit
from .parts.many_halos import corrected_to_many
from .parts.modes import NOT_CONVERGED, Mode, mode_of
from .scaffold import AbstractJob, Run

__all__ = ["JOB", "FitResults"]


class FitResults(NamedTuple):
    """What a run has fitted.

    Attributes
    ----------
    target : Target
        With the data that the model reaches.
    unreached : dict of str to int
        How many points of each measurement lie beyond the model's galaxies and were left out.
    fits : list of Fitted
        One for each combination of data.
    sentences : list of str
        What the numbers say.
    """

    target: Any
    unreached: dict[str, int]
    fits: list[Fitted]
    sentences: list[str]


class _FitJob(AbstractJob):
    def plan(self, run_file: RunFile) -> FitPlan:
        return plan_fit(run_file, many_halos=True)

    def compute(self, plan: FitPlan, run: Run) -> FitResults:
        with run.stage("data within reach"):
            target, unreached = plan.target.within_reach()
        fits = [_fit(plan, target, combination, run) for combination in plan.combinations]
        with run.stage("predictive checks") as part:
            fits = [_predicted(plan, target, fit, part) for fit in fits]
        return FitResults(target, unreached, fits, _sentences(plan, target, unreached, fits))

    def save(self, plan: FitPlan, results: FitResults, run: Run) -> None:
        _save(plan, results, run)

    def summary(self, plan: FitPlan, results: FitResults, run: Run) -> list[str]:
        fits = f"{len(results.fits)} fits of {len(plan.target.names)} parameters"
        lines = [f"{plan.job.title}: {fits} in {_halos(plan)}"]
        for fit in results.fits:
            lines += [f"  {fit.label}", f"    mode     {fit.summary}"]
            if fit.posterior is not None:
                lines.append(f"    chains   {fit.posterior.verdict.sentence}")
            lines.append(
                f"    parameters: median and 68% interval of the {'Gaussian' if fit.posterior is None else 'chains'}"
            )
            levels = np.percentile(fit.theta, PERCENTILES, axis=0)
            lines += [f"    {line}" for line in interval_lines(fit.target.names, fit.target.units, levels)]
        return [*lines, *(f"  {sentence}" for sentence in results.sentences)]


JOB = _FitJob()
"""``corundum fit``."""


def _halos(plan: FitPlan) -> str:
    """How many halos stand for the universe, in words."""
    many = plan.settings.many_halos
    return f"{len(plan.job.halos)} halos" + ("" if many is None else f" corrected to {len(many)}")


def _label(plan: FitPlan, number: int, combination: tuple[str, ...]) -> str:
    """The data of a fit by their short names, or its number where these are too many; the report lists them all."""
    names = short_names(plan.measurements)
    label = " + ".join(names[name] for name in combination)
    return label if len(label) < 64 else f"fit {number + 1}"


def _fit(plan: FitPlan, all_data: Any, combination: tuple[str, ...], run: Run) -> Fitted:
    """The fit of one combination of data, without its predictive checks."""
    number, store = plan.combinations.index(combination), run.checkpoints()
    target, label = all_data.using(combination), _label(plan, number, combination)
    if plan.settings.many_halos is not None:
        with run.stage(f"many halos of {label}"):
            target = corrected_to_many(target, plan.settings, store, f"many-halos-{number}")
    with run.stage(f"mode of {label}"):
        mode = mode_of(target, plan.settings, store, f"mode-{number}")
    if not mode.converged:
        warnings.warn(f"the mode of {label} {NOT_CONVERGED}", stacklevel=2)
    with run.stage(f"posterior of {label}"):
        posterior = _posterior(plan, target, mode, number, label, store)
    if posterior is None:
        u = mode.gauss.coordinate_draws(4000, key=plan.settings.key)  # those that are saved
    else:
        u = posterior.u.reshape(-1, len(target.names))
    return Fitted(
        label=label, combination=combination, target=target, gauss=mode.gauss, summary=mode.sentence, u=u,
        converged=mode.converged,
        theta=np.asarray(target.theta(u)), posterior=posterior,
        identifiability=inference.identifiability(target, mode.gauss.u),
    )  # fmt: skip


def _posterior(plan: FitPlan, target: Any, mode: Mode, number: int, label: str, store: CheckpointFolder) -> Any:
    """Draws from the posterior; None where the Gaussian is to stand for it."""
    if not plan.settings.sample:
        return None
    with chain_bar(label) as progress:
        posterior = inference.sample(
            target, mode.gauss, sampler=plan.settings.sampler, key=plan.settings.key + number,
            store=store.part(f"chains-{number}"), progress=progress,
        )  # fmt: skip
    return posterior


def _predicted(plan: FitPlan, whole: Any, fit: Fitted, part: Callable[[str], None]) -> Fitted:
    """A fit with its predictive checks and feedback indices; `part` is called with the label of the fit."""
    part(fit.label)
    settings, whole = plan.settings, with_correction(whole, fit.target.correction)
    rows = np.random.default_rng(settings.key).choice(len(fit.u), min(settings.predictive, len(fit.u)), replace=False)
    draws = fit.u[rows]
    # Against all data of the run file, also those that this combination leaves out.
    prediction = inference.predictive(whole, draws, key=settings.key)
    unseen = inference.predict_unfitted(whole, draws, plan.checks, key=settings.key) if plan.checks else None
    indices = None
    if settings.indices:
        try:
            indices = inference.feedback_indices(whole, draws[: settings.indices])
        except ValueError:
            indices = None  # a model without these reservoirs has no such indices
    posterior = fit.posterior
    if posterior is not None:
        posterior = inference.add_predictive(fit.target, posterior, settings.predictive, key=settings.key)
    return fit._replace(
        predictive=prediction,
        unfitted=unseen,
        indices=indices,
        extras=inference.unfitted_quantities(whole, draws),
        posterior=posterior,
    )


def _parameter_draws(fits: list[Fitted]) -> dict[str, np.ndarray]:
    return {fit.label: fit.theta for fit in fits}


def _prior_draws(target: Any) -> np.ndarray:
    return np.asarray(target.theta(target.prior_draws(4000)))


def _sentences(plan: FitPlan, target: Any, unreached: dict[str, int], fits: list[Fitted]) -> list[str]:
    """What the numbers say, a sentence each."""
    labels = short_names(plan.measurements)
    sentences = [
        f"{number} {'points' if number > 1 else 'point'} of {labels[name]} beyond the model's galaxies: left out."
        for name, number in unreached.items()
    ]
    for fit in fits:
        fewer = np.isfinite(np.asarray(target.using(fit.combination).data.y)).sum()
        fewer -= np.isfinite(np.asarray(fit.target.data.y)).sum()
        if fewer:
            sentences.append(
                f"{fewer} {'points' if fewer > 1 else 'point'} of {fit.label} beyond the galaxies of most of the "
                "posterior: left out, because many halos say nothing there."
            )
    sentences += [f"The mode of {fit.label} {NOT_CONVERGED}." for fit in fits if not fit.converged]
    return sentences + findings(
        _parameter_draws(fits), target.names, _prior_draws(target),
        effective={fit.label: fit.identifiability.fisher.effective for fit in fits},
        p_values={
            fit.label: {labels[n]: p for n, p in fit.predictive.p_value.items() if n in fit.combination}
            for fit in fits
        },
        indices={fit.label: fit.indices for fit in fits if fit.indices is not None},
        verdicts={fit.label: fit.posterior.verdict for fit in fits if fit.posterior is not None},
    )  # fmt: skip


def _save(plan: FitPlan, results: FitResults, run: Run) -> None:
    target, fits, sentences = results.target, results.fits, results.sentences
    draws, names = _parameter_draws(fits), target.names
    with run.stage("saving results", "save"):
        for number, fit in enumerate(fits):
            posterior = fit.posterior or inference.gaussian_posterior(fit.target, fit.gauss, key=plan.settings.key)
            posterior.data.posterior.attrs |= {"mode": fit.summary, "mode_converged": int(fit.converged)}
            inference.keep_mode(posterior.data, fit.gauss)
            io.save_posterior(run.output.file(f"posterior-{number + 1}.nc"), posterior.data)
        run.write_text("parameters.csv", csv_table(draws, names))
        run.write_text("parameters.tex", latex_table(draws, names, {name: symbol(name) for name in names}))
        run.write_text("findings.txt", "\n".join(sentences) + "\n")
    with run.stage("drawing figures", "figures") as part:
        sections, drawings = fit_sections(plan.measurements, plan.checks, fits, _prior_draws(target), sentences, target)
        run.save_figures(drawings, part)
    subtitle = f"{_halos(plan)}, {len(names)} parameters, {len(fits)} fits"
    run.write_report(sections, title="fit", subtitle=subtitle, measurements=(*plan.measurements, *plan.checks))
