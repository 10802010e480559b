"""The job behind ``corundum forecast``: what better or other data would tell, Fisher and sampling side by side."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import inference, plots
from ...plots.names import short_names
from ...plots.reports.page import Drawing, Section, Table
from ..progress import chain_bar
from ..runfile.builder import construct
from ..runfile.errors import RunFileError
from ..runfile.inference_settings import Forecast
from ..runfile.reader import RunFile
from .fit_plan import PlanOnFit, plan_fit
from .scaffold import AbstractJob, Run

__all__ = ["JOB", "ForecastResults"]


class ForecastResults(NamedTuple):
    """The best fit, about which data are forecast, and the forecasts."""

    best: Any
    forecast: Any


class _ForecastJob(AbstractJob):
    def plan(self, run_file: RunFile) -> PlanOnFit:
        with run_file.located():
            built = construct(Forecast, run_file.tables.get("forecast", {}), ("forecast",))
            fitted = run_file.tables.get("fit", {}).get("data", ())
            for data in built.value.add:
                if isinstance(data, str) and data in fitted:
                    raise RunFileError(("forecast", "add"), f"{data} is in fit.data already")
        fit = plan_fit(run_file, built.value.add, ("forecast", "add"))
        return PlanOnFit(fit, built.value, {**fit.tables, "forecast": built.table})

    def compute(self, plan: PlanOnFit, run: Run) -> ForecastResults:
        fit, settings = plan.fit, plan.settings
        names = fit.target.data.names
        base, added = names[: len(fit.settings.data)], names[len(fit.settings.data) :]
        with run.stage("mode"):
            target, _ = fit.target.using(base).within_reach()
            best = inference.maximise(
                target, starts=fit.settings.starts, key=fit.settings.key, optimiser=fit.settings.optimiser
            )
        scenarios = _scenarios(base, added, settings, short_names(fit.measurements))
        sample = [scenario.name for scenario in scenarios[: len(settings.factors)]] if settings.sample else []
        with run.stage("forecasts"), chain_bar("forecast") as progress:
            forecast = inference.forecast(
                fit.target, best.u, scenarios, sample=sample,
                sampler=settings.sampler, key=settings.key,
                progress=lambda name, state: progress(state), store=run.checkpoints().part,
            )  # fmt: skip
        return ForecastResults(best, forecast)

    def save(self, plan: PlanOnFit, results: ForecastResults, run: Run) -> None:
        _save(results.forecast, plan, run)

    def summary(self, plan: PlanOnFit, results: ForecastResults, run: Run) -> list[str]:
        scenarios, bits = results.forecast.scenarios, results.forecast.bits
        return [
            f"{plan.job.title}: {len(scenarios)} forecasts about {results.best.in_words()}",
            *(f"  {scenario.name}: {gain:.1f} bits" for scenario, gain in zip(scenarios, bits, strict=True)),
        ]


JOB = _ForecastJob()
"""``corundum forecast``."""


def _scenarios(
    base: tuple[str, ...], added: Sequence[str], settings: Forecast, labels: Mapping[str, str]
) -> list[inference.Scenario]:
    """Scaled errors, added measurements, and each relation shifted, by the short names of their data."""
    scenarios = [s._replace(use=base) for s in inference.scaled_scenarios(settings.factors)]
    scenarios += [inference.Scenario(f"with {labels[name]}", use=(*base, name)) for name in added]
    if settings.shift:
        scenarios += [
            inference.Scenario(f"{labels[name]} {settings.shift:+g} dex", use=base, shift={name: settings.shift})
            for name in base
        ]
    return scenarios


def _caption(forecast: Any) -> str:
    """What is drawn, and no more."""
    text = (
        f'Half of the 68% interval of each parameter over that of "{forecast.scenarios[0].name}", which is written on '
        "below each name: from the Fisher information"
    )
    text += "; open symbols: sampled" if np.isfinite(forecast.sigma_sampled).any() else ""
    if any(scenario.shift for scenario in forecast.scenarios):
        text += ". Right panel: how far a shift of one measurement moves each parameter"
    return f"{text}. Data lie on the model at the best fit."


def _tables(forecast: Any) -> list[Table]:
    """A row for each parameter and a column for each scenario: widths, and biases where data are shifted."""
    tables = []
    sampled = np.isfinite(forecast.sigma_sampled)
    shifted = [k for k, scenario in enumerate(forecast.scenarios) if scenario.shift]
    kept = [k for k in range(len(forecast.scenarios)) if k not in shifted]

    def width(k: int, i: int) -> str:
        text = f"{forecast.sigma_fisher[k, i]:.3g}"
        return f"{text} ({forecast.sigma_sampled[k, i]:.3g})" if sampled[k, i] else text

    names = [
        f"{name} [{unit}]" if unit != "1" else name for name, unit in zip(forecast.names, forecast.units, strict=True)
    ]
    if kept:
        header = ["parameter", "best fit", *(forecast.scenarios[k].name for k in kept)]
        rows = [[name, float(forecast.theta[i]), *(width(k, i) for k in kept)] for i, name in enumerate(names)]
        caption = "Half of the 68% interval of each parameter from the Fisher information"
        tables.append(Table(header, rows, f"{caption}{', in brackets from samples' if sampled.any() else ''}."))
    if shifted:
        header = ["parameter", *(forecast.scenarios[k].name for k in shifted)]
        rows = [[name, *(float(forecast.bias[k, i]) for k in shifted)] for i, name in enumerate(names)]
        tables.append(Table(header, rows, "Bias of each parameter where one measurement is off."))
    return tables


def _save(forecast: Any, plan: PlanOnFit, run: Run) -> None:
    """Write a row for each parameter of each scenario, the figure and the report."""
    header = ["scenario", "parameter", "theta", "sigma Fisher", "precision Fisher", "sigma sampled",
              "precision sampled", "bias"]  # fmt: skip
    rows = []
    fisher, sampled = forecast.precision(forecast.sigma_fisher), forecast.precision(forecast.sigma_sampled)
    for k, scenario in enumerate(forecast.scenarios):
        for i, name in enumerate(forecast.names):
            columns = (forecast.sigma_fisher, fisher, forecast.sigma_sampled, sampled, forecast.bias)
            numbers = (forecast.theta[i], *(column[k, i] for column in columns))
            rows.append([scenario.name, name, *map(float, numbers)])
    text = [
        ",".join(header),
        *(f'"{row[0]}",{row[1]},' + ",".join(f"{value:.6g}" for value in row[2:]) for row in rows),
    ]
    run.write_text("forecast.csv", "\n".join(text) + "\n")
    with run.stage("drawing figures", "figures") as part:
        drawing = Drawing(plots.forecast_bars(forecast)[0].figure, _caption(forecast), "forecast")
        run.save_figures([drawing], part)
    bits = Table(
        ["scenario", "bits over the prior"],
        [[s.name, float(b)] for s, b in zip(forecast.scenarios, forecast.bits, strict=True)],
    )
    moved = np.abs(forecast.bias) / forecast.sigma_fisher
    worst = [
        f"{s.name}: moves {forecast.names[int(np.argmax(m))]} most, by {m.max():.2f} of its error."
        for s, m in zip(forecast.scenarios, moved, strict=True) if s.shift
    ]  # fmt: skip
    sections = [Section("Forecasts", [drawing, bits, *worst, *_tables(forecast)])]
    run.write_report(
        sections, title="forecast", subtitle=f"{len(forecast.scenarios)} scenarios", measurements=plan.fit.measurements
    )
