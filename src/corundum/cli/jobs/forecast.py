"""The job behind ``corundum forecast``: what better or other data would tell, Fisher and sampling side by side."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ... import inference, io
from ...plots import forecast_bars, save_figure, write_report
from ...plots.reports.page import Code, Drawing, Section, Table
from ...storage.files import atomic_path
from ..errors import RunFileError
from ..output import claim
from ..progress import chain_bar
from ..runfile.builder import construct
from ..runfile.reader import read_run_file
from ..runfile.schema import Forecast
from ..runfile.toml import write_toml
from ..stages import finished_before, recorded_run, timed
from .fit_plan import plan_fit, sampler_of

__all__ = ["check", "run"]


def _plan(file: Path, overrides: Sequence[str]):
    run_file = read_run_file(file, overrides)
    with run_file.located():
        built = construct(Forecast, run_file.tables.get("forecast", {}), ("forecast",))
        twice = set(built.value.add) & set(run_file.tables.get("fit", {}).get("data", ()))
        if twice:
            raise RunFileError(("forecast", "add"), f"{', '.join(sorted(twice))} is in fit.data already")
    made = plan_fit(run_file, built.value.add, ("forecast", "add"))
    return made, built.value, {**made.tables, "forecast": built.table}


def check(file: Path, overrides: Sequence[str] = ()) -> str:
    """The resolved run file; nothing is computed and nothing written."""
    return write_toml(_plan(file, overrides)[2])


def scenarios_of(base: tuple[str, ...], added: Sequence[str], settings: Forecast) -> list[inference.Scenario]:
    """Scaled errors, added measurements, and each relation shifted."""
    found = [s._replace(use=base) for s in inference.scaled_scenarios(settings.factors)]
    found += [inference.Scenario(f"with {name}", use=(*base, name)) for name in added]
    if settings.shift:
        found += [
            inference.Scenario(f"{name} {settings.shift:+g} dex", use=base, shift={name: settings.shift})
            for name in base
        ]
    return found


def run(file: Path, directory: Path, overrides: Sequence[str] = (), *, overwrite: bool = False) -> str:
    """Forecast about the best fit of a run file's data and return a summary in words.

    Parameters
    ----------
    file, directory, overrides, overwrite
        As for `corundum.cli.jobs.run.run`.
    """
    timing: dict[str, float] = {}
    with timed(timing, "prepare"):
        made, settings, tables = _plan(file, overrides)
    output = claim(directory, tables, made.identity, overwrite=overwrite)
    if told := finished_before(output):
        return told
    base = made.target.data.names[: len(made.settings.data)]
    added = made.target.data.names[len(base) :]
    about = dict(title=made.job.title, identity=made.identity, seeds=made.job.seeds)
    with recorded_run(output, tables, timing, **about) as info:
        with timed(timing, "mode"):
            target, _ = made.target.using(base).within_reach()
            best = inference.maximise(target, starts=made.settings.starts, key=made.settings.key)
        scenarios = scenarios_of(base, added, settings)
        sample = [s.name for s in scenarios[: len(settings.factors)]] if settings.sample else []
        store = io.StateFolder(output.folder("checkpoint"))
        with timed(timing, "forecasts"), chain_bar("forecast", settings.warmup + settings.draws) as bar:
            told = inference.forecast(
                made.target, best.u, scenarios, sample=sample,
                sampler=sampler_of(settings.method, made.settings, settings), key=settings.key,
                progress=lambda name, state: bar(state), store=store,
            )  # fmt: skip
        with timed(timing, "save, figures and report"):
            _save(told, made, output, info)
    lines = [f"{made.job.title}: {len(scenarios)} forecasts about {best.in_words()}"]
    lines += [f"  {s.name}: {b:.1f} bits" for s, b in zip(scenarios, told.bits, strict=True)]
    lines += [
        f"  time     {sum(timing.values()):.1f} s, compilation included",
        f"  report   {directory / 'report.html'}",
    ]
    return "\n".join(lines)


def _save(told, made, output, info):
    header = [
        "scenario",
        "parameter",
        "theta",
        "sigma Fisher",
        "precision Fisher",
        "sigma sampled",
        "precision sampled",
        "bias",
    ]
    rows = []
    fisher, sampled = told.precision(told.sigma_fisher), told.precision(told.sigma_sampled)
    for k, scenario in enumerate(told.scenarios):
        for i, name in enumerate(told.names):
            numbers = (
                told.theta[i],
                told.sigma_fisher[k, i],
                fisher[k, i],
                told.sigma_sampled[k, i],
                sampled[k, i],
                told.bias[k, i],
            )
            rows.append([scenario.name, name, *map(float, numbers)])
    text = [",".join(header), *(f'"{r[0]}",{r[1]},' + ",".join(f"{v:.6g}" for v in r[2:]) for r in rows)]
    with atomic_path(output.file("forecast.csv")) as scratch:
        scratch.write_text("\n".join(text) + "\n", encoding="utf-8")
    drawing = Drawing(
        forecast_bars(told)[0].figure,
        "Half of the 68% interval of each parameter: filled, from Fisher information; large and hollow, sampled. "
        "Below, how far a shift of one relation moves each. Data lie on the model at the best fit.", "forecast",
    )  # fmt: skip
    bits = Table(
        ["scenario", "bits over the prior"],
        [[s.name, float(b)] for s, b in zip(told.scenarios, told.bits, strict=True)],
    )
    moved = np.abs(told.bias) / told.sigma_fisher
    worst = [
        f"{s.name}: moves {told.names[int(np.argmax(m))]} most, by {m.max():.2f} of its error."
        for s, m in zip(told.scenarios, moved, strict=True) if s.shift
    ]  # fmt: skip
    sections = [
        Section("Forecasts", [drawing, bits, *worst, Table(header, rows, "Precision: sigma / (1 + |theta|).")]),
        Section("How to reproduce", [Code(info["run_file"])]),
    ]
    for kind in made.job.output.figures:
        save_figure(drawing.figure, output.folder("figures") / f"{drawing.name}.{kind}")
    write_report(output.file("report.html"), sections, title=f"{made.job.title}: forecast",
                 subtitle=f"{len(told.scenarios)} scenarios")  # fmt: skip
