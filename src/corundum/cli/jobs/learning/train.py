"""The job behind ``corundum train``: networks and free parameters fitted to data or histories by many small steps.

What was reached is kept at least every minute; a run that was interrupted resumes and takes the same steps bit for bit.
"""

from typing import Any, NamedTuple

import equinox as eqx
import numpy as np

from .... import inference, io
from ....inference.training.weights import number_of_weights
from ....plots.names import short_names
from ....plots.reports.train import train_sections
from ...progress import progress_bar
from ...runfile.builder import construct
from ...runfile.errors import RunFileError, allowed_names
from ...runfile.inference_settings import Train
from ...runfile.reader import RunFile
from ..fit_plan import PlanOnFit, plan_fit
from ..parts.train_histories import HistoriesPlan, history_misfits, plan_histories
from ..parts.train_posterior import Determined, determined
from ..scaffold import AbstractJob, Run

__all__ = ["JOB", "TrainResults"]


class TrainResults(NamedTuple):
    """What a training has reached.

    Attributes
    ----------
    trained : Trained
    predictions : dict of str to array, shape (S, M)
        Relations at all points of the data, before and after.
    misfits : list of (name, points, before, after)
    unseen : tuple of str
        Those names that no step has seen.
    sentences : list of str
    laws : Determined
        How well data determine the learned laws.
    """

    trained: Any
    predictions: dict[str, np.ndarray]
    misfits: list[tuple[str, int, float, float]]
    unseen: tuple[str, ...]
    sentences: list[str]
    laws: Determined = Determined([], [], [])


class _TrainJob(AbstractJob):
    def plan(self, run_file: RunFile) -> PlanOnFit | HistoriesPlan:
        with run_file.located():
            built = construct(Train, run_file.tables.get("train", {}), ("train",))
            if built.value.histories is None and (built.value.errors or built.value.free):
                key = "errors" if built.value.errors else "free"
                raise RunFileError(("train", key), 'belongs to histories = "..."; with data, it is in [fit]')
        if built.value.histories is not None:
            plan = plan_histories(run_file, built)
            with run_file.located():
                _check_network(plan.job.model)
            return plan
        fit = plan_fit(run_file)
        with run_file.located():
            names = [measurement.name for measurement in fit.measurements]
            for name in built.value.held_out:
                if name not in names:
                    raise RunFileError(
                        ("train", "held_out"), f"{name!r} is not among data; {allowed_names(name, names)}"
                    )
            _check_network(fit.job.model)
        return PlanOnFit(fit, built.value, {**fit.tables, "train": built.table})

    def compute(self, plan: PlanOnFit | HistoriesPlan, run: Run) -> TrainResults:
        settings, unreached = plan.settings, {}
        if isinstance(plan, HistoriesPlan):
            target = plan.target
        else:
            with run.stage("data within reach"):
                target, unreached = plan.fit.target.within_reach()
        total = settings.seeds * settings.steps
        with run.stage("training"), progress_bar(total, title="training", unit="steps") as update:
            trained = inference.train(
                target, steps=settings.steps, batch=settings.batch, data_batch=settings.data_batch,
                seeds=settings.seeds, validation=settings.validation, held_out=settings.held_out, rule=settings.rule,
                weight_scale=settings.weight_scale, every=settings.every, patience=settings.patience, key=settings.key,
                store=run.checkpoints().part("training"),
                progress=lambda at: update(at.seed * settings.steps + at.step, note=at.in_words()),
            )  # fmt: skip
        with run.stage("predictions"):
            if isinstance(plan, HistoriesPlan):
                misfits, apart = history_misfits(plan, trained)
                results = TrainResults(trained, {}, misfits, tuple(apart), _sentences(trained))
            else:
                results = _results(plan, target, unreached, trained)
        if not settings.posterior:
            return results
        with run.stage("posterior of the laws"):
            laws = determined(target, trained, settings.weight_scale, plan.job.halos, plan.job.output.redshifts)
            return results._replace(laws=laws, sentences=results.sentences + laws.sentences)

    def save(self, plan: PlanOnFit | HistoriesPlan, results: TrainResults, run: Run) -> None:
        trained, measurements = results.trained, _measurements(plan)
        with run.stage("saving results", "save"):
            io.save_training(run.output.file("trained.h5"), trained, {"title": plan.job.title})
            run.write_text("findings.txt", "\n".join(results.sentences) + "\n")
        with run.stage("drawing figures", "figures") as part:
            sections, drawings = train_sections(
                trained, measurements, results.unseen, results.predictions, results.misfits, results.sentences,
                results.laws.bands, results.laws.formulas,
            )  # fmt: skip
            run.save_figures(drawings, part)
        subtitle = f"{len(plan.job.halos)} halos, {trained.weights} weights, {len(trained.names)} parameters"
        run.write_report(sections, title="train", subtitle=subtitle, measurements=measurements)

    def summary(self, plan: PlanOnFit | HistoriesPlan, results: TrainResults, run: Run) -> list[str]:
        labels = short_names(_measurements(plan))
        misfits = [
            f"  {labels.get(name, name)}: chi2 of a point {before:.2f} before, {after:.2f} after"
            + ("; no step has seen it" if name in results.unseen else "")
            for name, _, before, after in results.misfits
        ]
        return [f"{plan.job.title}: {results.sentences[0]}", *misfits, *(f"  {s}" for s in results.sentences[1:])]


JOB = _TrainJob()
"""``corundum train``."""


def _check_network(model: Any) -> None:
    if not number_of_weights(model):
        raise RunFileError(
            ("model",), "it has no network; give a law one, such as kind = \"physics.neural_law\", or use corundum "
            "fit, which is made for parameters with names",
        )  # fmt: skip


def _measurements(plan: PlanOnFit | HistoriesPlan) -> tuple[Any, ...]:
    return () if isinstance(plan, HistoriesPlan) else plan.fit.measurements


def _sentences(trained: Any) -> list[str]:
    failed = [f"Seed {i + 1} {ending}." for i, ending in enumerate(trained.endings) if "not finite" in ending]
    return [trained.in_words() + ".", *failed]


def _results(plan: PlanOnFit, target: Any, unreached: dict[str, int], trained: Any) -> TrainResults:
    """Relations before and after, and how far both lie from the data."""
    before = inference.predict(target, np.asarray(target.start())[None])
    after = [
        inference.predict(
            eqx.tree_at(lambda one: one.summaries.model, target, model),
            np.asarray(target.coordinates(trained.theta[seed]))[None],
        )
        for seed, model in enumerate(trained.models)
    ]
    predictions = {
        "before": np.asarray(before.mean),
        "after": np.concatenate([np.asarray(one.mean) for one in after]),
    }
    misfits = []
    for name in target.data.names:
        points = target.data.positions(name)
        points = points[np.isfinite(np.asarray(target.data.y)[points])]
        misfits.append((name, len(points), *(
            _misfit(target, one, points) for one in (before, after[trained.best])
        )))  # fmt: skip
    labels = short_names(plan.fit.measurements)
    sentences = _sentences(trained) + [
        f"{number} {'points' if number > 1 else 'point'} of {labels[name]} beyond the model's galaxies: left out."
        for name, number in unreached.items()
    ]
    return TrainResults(trained, predictions, misfits, tuple(plan.settings.held_out), sentences)


def _misfit(target: Any, prediction: Any, points: np.ndarray) -> float:
    """chi^2 over the number of points, with the errors of data and model."""
    y, variance = np.asarray(target.data.y)[points], np.diagonal(np.asarray(target.data.covariance))[points]
    mean, of_model = np.asarray(prediction.mean)[0][points], np.asarray(prediction.error)[0][points]
    return float(np.mean((y - mean) ** 2 / (variance + of_model**2)))
