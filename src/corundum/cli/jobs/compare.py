"""The job behind ``corundum compare``: evidences, cross-validation and checks of several models of the same data.

All variants are fitted to the points that the galaxies of every one of them reach.  Modes are kept when they are
found and chains at least every minute, so that an interrupted run resumes and makes the same draws bit for bit.
"""

import csv
import io as text_io
from typing import Any, NamedTuple

import numpy as np

from ... import inference, io
from ...plots.posteriors.comparison import model_comparison
from ...plots.reports.page import Drawing, Section, Table
from ...storage.checkpoints import fingerprint
from ..progress import chain_bar
from ..runfile.errors import RunFileError
from ..runfile.job import Job
from ..runfile.reader import RunFile
from ..runfile.variants import GROUP, variants_of
from .fit_plan import FitPlan, plan_fit
from .parts.modes import mode_of
from .scaffold import AbstractJob, Run

__all__ = ["JOB", "ComparePlan", "CompareResults"]


class ComparePlan(NamedTuple):
    """Checked variants of a run file.

    Attributes
    ----------
    fits : dict of str to FitPlan
    tables : dict
        The resolved run file of the first variant, with all in its group [variants].
    identity : str
    """

    fits: dict[str, FitPlan]
    tables: dict[str, Any]
    identity: str

    @property
    def job(self) -> Job:
        """What the first variant describes apart from [fit]."""
        return next(iter(self.fits.values())).job


class CompareResults(NamedTuple):
    """The comparison, and the posteriors that it is made from.

    Attributes
    ----------
    comparison : Comparison
    posteriors : dict of str to Posterior
    sentences : list of str
        What the numbers say.
    """

    comparison: inference.Comparison
    posteriors: dict[str, Any]
    sentences: list[str]


class _CompareJob(AbstractJob):
    def plan(self, run_file: RunFile) -> ComparePlan:
        fits = {label: plan_fit(variant) for label, variant in variants_of(run_file).items()}
        (first_label, first), *others = fits.items()
        for label, fit in others:
            same = fit.target.data.names == first.target.data.names
            if not same or not np.array_equal(fit.target.data.covariance, first.target.data.covariance):
                with run_file.located():
                    raise RunFileError(
                        (GROUP, label), f"is fitted to other data than {first_label}; evidences compare models of the "
                        "same data, so give all the same fit.data and fit.covariance",
                    )  # fmt: skip
        title = run_file.tables.get("title", " against ".join(fits))
        resolved = {
            label: {key: value for key, value in fit.tables.items() if key != "title"} for label, fit in fits.items()
        }
        tables = {**first.tables, "title": title, GROUP: resolved}
        identity = fingerprint(tuple(np.frombuffer(fit.identity.encode(), np.uint8) for fit in fits.values()), [])
        return ComparePlan(fits, tables, identity)

    def compute(self, plan: ComparePlan, run: Run) -> CompareResults:
        with run.stage("data within reach"):
            targets, lost = inference.common_points({label: fit.target for label, fit in plan.fits.items()})
        fitted = {}
        for number, (label, fit) in enumerate(plan.fits.items()):
            target, store, settings = targets[label], run.checkpoints(), fit.settings
            with run.stage(f"mode of {label}"):
                mode = mode_of(target, settings, store, f"mode-{number}")
            with run.stage(f"posterior of {label}"), chain_bar(label) as progress:
                posterior = inference.sample(
                    target, mode.gauss, sampler=settings.sampler, key=settings.key + number,
                    store=store.part(f"chains-{number}"), progress=progress,
                )  # fmt: skip
            inference.keep_mode(posterior.data, mode.gauss)
            fitted[label] = (target, posterior, mode)
        with run.stage("evidences and cross-validation"):
            comparison = inference.compare(
                {label: pair[:2] for label, pair in fitted.items()}, key=next(iter(plan.fits.values())).settings.key
            )
        sentences = comparison.sentences()
        sentences += [
            f"{number} {'points' if number > 1 else 'point'} beyond the galaxies of {label}: left out for all."
            for label, number in lost.items()
            if number
        ]
        for label, (_, posterior, mode) in fitted.items():
            if not mode.converged:
                sentences.append(f"The mode of {label} {mode.sentence}.")
            if not posterior.verdict.good:
                sentences.append(f"The chains of {label} are {posterior.verdict.sentence}.")
        return CompareResults(comparison, {label: pair[1] for label, pair in fitted.items()}, sentences)

    def save(self, plan: ComparePlan, results: CompareResults, run: Run) -> None:
        rows = results.comparison.rows()
        with run.stage("saving results", "save"):
            for number, posterior in enumerate(results.posteriors.values()):
                io.save_posterior(run.output.file(f"posterior-{number + 1}.nc"), posterior.data)
            run.write_text("comparison.csv", _csv(rows))
            run.write_text("findings.txt", "\n".join(results.sentences) + "\n")
        with run.stage("drawing figures", "figures") as part:
            drawing = Drawing(
                model_comparison(results.comparison)[0].figure,
                "Left: ln of the evidence of each model over that of the best, with its error from sampling; within "
                "the shaded range, 20 to 1, the data hardly decide. Right: ln density of points that are left out, "
                "each given all others, minus that of the best, with its standard error over the points.",
                "model_comparison",
            )
            run.save_figures([drawing], part)
        sections = [
            Section("Findings", results.sentences),
            Section("Which model the data prefer", [drawing, *_tables(rows)]),
            Section("The models", [_models(plan, results)]),
            Section("How to read this", [_EXPLANATION]),
        ]
        subtitle = f"{len(plan.fits)} models of {len(plan.job.halos)} halos"
        measurements = next(iter(plan.fits.values())).measurements
        run.write_report(sections, title="compare", subtitle=subtitle, measurements=measurements)

    def summary(self, plan: ComparePlan, results: CompareResults, run: Run) -> list[str]:
        table = str(results.comparison).splitlines()[: 1 + len(plan.fits)]
        return [plan.tables["title"], *(f"  {line}" for line in table), *(f"  {line}" for line in results.sentences)]


JOB = _CompareJob()
"""``corundum compare``."""

_EXPLANATION = (
    "The evidence is the probability of the data averaged over the prior: it rewards a model that predicted them and "
    "charges it for what it might have predicted instead, so that it depends on the ranges of the priors. A Bayes "
    "factor is the ratio of two evidences. Cross-validation depends little on priors: it asks how well each point is "
    "predicted from all others. Its estimate is doubtful for points with Pareto k above 0.7. A p-value near 0 says "
    "that a model fits a measurement worse than its own realisations would be fitted: the best of several models can "
    "still be wrong."
)


def _models(plan, results):
    """What each model is, and medians and 68% intervals of its free parameters."""
    rows = []
    for label, fit in plan.fits.items():
        posterior = results.posteriors[label]
        low, middle, high = posterior.percentiles()
        values = [
            f"{name} {m:.3g} -{m - lower:.2g} +{upper - m:.2g}"
            for name, lower, m, upper in zip(posterior.names, low, middle, high, strict=True)
        ]  # fmt: skip
        rows.append((label, fit.tables["model"]["kind"], "; ".join(values), posterior.verdict.sentence))
    return Table(
        ("model", "kind", "free parameters: median and 68% interval", "chains"), rows,
        "Amplitudes in their logarithm. All settings of each model are in the run file below, under its name.",
    )  # fmt: skip


def _csv(rows):
    text = text_io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({
        key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()
    } for row in rows)  # fmt: skip
    return text.getvalue()


def _tables(rows):
    def with_error(row, name):
        return f"{row[name]:.2f} +- {row[f'{name}_error']:.2f}"

    evidence = Table(
        ("model", "ln evidence", "ln Bayes factor", "left-out points", "difference", "parameters", "doubtful points"),
        [
            (row["model"], *(with_error(row, name) for name in ("ln_evidence", "ln_bayes_factor", "elpd_loo",
             "elpd_difference")), f"{row['p_loo']:.1f}", f"{row['doubtful_loo']:.0%}")
            for row in rows
        ],
        "Evidence, and expected ln density of points that are left out with its effective number of parameters.",
    )  # fmt: skip
    names = [key.removeprefix("p_value ") for key in rows[0] if key.startswith("p_value ")]
    checks = Table(
        ("model", *names), [(row["model"], *(f"{row[f'p_value {name}']:.2f}" for name in names)) for row in rows],
        "Posterior predictive p-value of each measurement.",
    )  # fmt: skip
    return [evidence, checks]
