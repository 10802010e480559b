"""The job behind ``corundum fit``: point estimate, Gaussian approximation, posterior, predictive checks, report.

Each combination of data is one fit.  Its mode is kept when it is found and its chains at least every minute, so that an
interrupted run resumes and makes the same draws bit for bit.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ... import inference, io
from ...inference.samplers.chains import fingerprints, ingredients
from ...inference.tables import csv_table, findings, latex_table
from ...plots import save_figure, write_report
from ...plots.reports.fit import Fitted, fit_sections
from ...plots.sensitivity.prior import symbol
from ...storage.files import atomic_path
from ..output import OutputDirectory, claim
from ..progress import chain_bar
from ..runfile.reader import read_run_file
from ..runfile.toml import write_toml
from ..stages import finished_before, recorded_run, timed
from .fit_plan import Plan, plan_fit, sampler_of

__all__ = ["check", "run"]


class _Mode(NamedTuple):
    gauss: Any
    words: str
    converged: bool


def check(file: Path, overrides: Sequence[str] = ()) -> str:
    """The resolved run file; nothing is computed and nothing written."""
    return write_toml(plan_fit(read_run_file(file, overrides)).tables)


def run(file: Path, directory: Path, overrides: Sequence[str] = (), *, overwrite: bool = False) -> str:
    """Fit what a run file says and return a summary in words.

    Parameters
    ----------
    file, directory, overrides, overwrite
        As for `corundum.cli.jobs.run.run`.
    """
    timing: dict[str, float] = {}
    with timed(timing, "prepare"):
        made = plan_fit(read_run_file(file, overrides))
    output = claim(directory, made.tables, made.identity, overwrite=overwrite)
    if told := finished_before(output):
        return told
    about = dict(title=made.job.title, identity=made.identity, seeds=made.job.seeds)
    with recorded_run(output, made.tables, timing, **about) as info:
        folder = output.folder("checkpoint")
        with timed(timing, "data within reach"):
            target, lost = made.target.within_reach()
        fits = [_fit(made, target, combination, folder, timing) for combination in made.combinations]
        with timed(timing, "predictive checks"):
            fits = [_predicted(made, target, fit) for fit in fits]
        with timed(timing, "save, figures and report"):
            said = _save(made, target, fits, lost, output, info)
    return _summary(made, fits, said, timing, directory)


def _label(number: int, combination: tuple[str, ...]) -> str:
    return " + ".join(combination) if sum(map(len, combination)) < 60 else f"data set {number + 1}"


def _fit(made: Plan, whole: Any, combination: tuple[str, ...], folder: Path, timing: dict[str, float]) -> Fitted:
    number = made.combinations.index(combination)
    target, settings = whole.using(combination), made.settings
    label = _label(number, combination)
    with timed(timing, f"mode of {label}"):
        mode = _mode(target, settings, io.StateFile(folder / f"mode-{number}.npz"))
    store = io.StateFile(folder / f"chains-{number}.npz")
    begin = time.perf_counter()
    if settings.method == "laplace":
        posterior = None
    else:
        sampler = sampler_of(settings.method, settings, settings)
        with chain_bar(label, settings.warmup + settings.draws) as progress:
            posterior = inference.sample(
                target, mode.gauss, sampler=sampler, key=settings.key + number, store=store, progress=progress
            )
    timing[f"posterior of {label}"] = round(time.perf_counter() - begin, 3)
    u = mode.gauss.coordinate_draws(4000) if posterior is None else posterior.u.reshape(-1, len(target.names))
    return Fitted(
        label=label, combination=combination, target=target, gauss=mode.gauss, words=mode.words, u=u,
        theta=np.asarray(target.theta(u)), posterior=posterior,
        identifiability=inference.identifiability(target, mode.gauss.u),
    )  # fmt: skip


def _mode(target: Any, settings: Any, store: io.StateFile) -> _Mode:
    """The point estimate and its Gaussian, from an earlier sitting if one of this very fit was kept."""
    identity = "".join(fingerprints({**ingredients(target), "starts": settings.starts}).values())
    kept = store.load()
    if kept is not None and str(kept["identity"]) == identity:
        arrays = {name: kept[name] for name in ("u", "theta", "covariance", "observed", "expected")}
        gauss = inference.Laplace(target.names, target.units, *arrays.values(), str(kept["kind"]), target.theta)
        return _Mode(gauss, str(kept["words"]), bool(kept["converged"]))
    best = inference.maximise(target, starts=settings.starts, key=settings.key)
    gauss = inference.laplace(target, best)
    words = f"{best.in_words()}; Gaussian of the {gauss.kind} information"
    store.save({
        "identity": np.array(identity), "words": np.array(words), "kind": np.array(gauss.kind),
        "converged": np.array(best.converged),
        **{name: getattr(gauss, name) for name in ("u", "theta", "covariance", "observed", "expected")},
    })  # fmt: skip
    return _Mode(gauss, words, best.converged)


def _predicted(made: Plan, whole: Any, fit: Fitted) -> Fitted:
    settings = made.settings
    rows = np.random.default_rng(settings.key).choice(len(fit.u), min(settings.predictive, len(fit.u)), replace=False)
    some = fit.u[rows]
    # Against all data that were named, also those this combination leaves out.
    told = inference.predictive(whole, some, key=settings.key)
    unseen = inference.unfitted(whole, some, made.checks, key=settings.key) if made.checks else None
    indices = None
    if settings.indices:
        try:
            indices = inference.feedback_indices(whole, some[: settings.indices])
        except ValueError:
            indices = None  # a model without these reservoirs has no such indices
    posterior = fit.posterior
    if posterior is not None:
        posterior = inference.add_predictive(fit.target, posterior, settings.predictive, key=settings.key)
    return fit._replace(
        predictive=told, unfitted=unseen, indices=indices, extras=inference.extras(whole, some), posterior=posterior
    )


def _save(
    made: Plan, target: Any, fits: list[Fitted], lost: dict[str, int], output: OutputDirectory, info: dict
) -> list[str]:
    for number, fit in enumerate(fits):
        if fit.posterior is not None:
            io.save_posterior(output.file(f"posterior-{number + 1}.nc"), fit.posterior.data)
    prior = np.asarray(target.theta(target.prior_draws(4000)))
    draws = {fit.label: fit.theta for fit in fits}
    said = [
        f"{number} points of {name} lie beyond the model's galaxies and were left out." for name, number in lost.items()
    ]
    said += findings(
        draws, target.names, prior,
        effective={fit.label: fit.identifiability.fisher.effective for fit in fits},
        p_values={fit.label: {n: p for n, p in fit.predictive.p_value.items() if n in fit.combination} for fit in fits},
        indices={fit.label: fit.indices for fit in fits if fit.indices is not None},
        verdicts={fit.label: fit.posterior.verdict for fit in fits if fit.posterior is not None},
    )  # fmt: skip
    _write(output.file("parameters.csv"), csv_table(draws, target.names))
    _write(output.file("parameters.tex"), latex_table(draws, target.names, {n: symbol(n) for n in target.names}))
    _write(output.file("findings.txt"), "\n".join(said) + "\n")
    sections, drawings = fit_sections(made.measurements, made.checks, fits, prior, said, info, target)
    folder = output.folder("figures")
    for drawing in drawings:
        for kind in made.job.output.figures:
            save_figure(drawing.figure, folder / f"{drawing.name}.{kind}")
    subtitle = f"{len(made.job.halos)} halos, {len(target.names)} parameters, {len(fits)} fits"
    write_report(output.file("report.html"), sections, title=f"{made.job.title}: fit", subtitle=subtitle)
    return said


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as scratch:
        scratch.write_text(text, encoding="utf-8")


def _summary(made: Plan, fits: list[Fitted], said: list[str], timing: dict[str, float], directory: Path) -> str:
    lines = [
        f"{made.job.title}: {len(fits)} fits of {len(made.target.names)} parameters in {len(made.job.halos)} halos"
    ]
    for fit in fits:
        lines += [f"  {fit.label}", f"    mode     {fit.words}"]
        if fit.posterior is not None:
            lines.append(f"    chains   {fit.posterior.verdict.sentence}")
    lines += [f"  {sentence}" for sentence in said]
    lines += [
        f"  time     {sum(timing.values()):.1f} s, compilation included",
        f"  report   {directory / 'report.html'}",
    ]
    return "\n".join(lines)
