"""What every report says besides results: the model, its parameters, papers to cite, times, settings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ...models.citations import marked, papers_of
from ...observables import Measurement
from ...parameters import Parameter
from .page import Code, Section, Table

__all__ = ["model_fact", "papers", "parameter_table", "reproduction", "run_sections", "seconds"]

_SHOWN_APART = ("run_file", "timing_s", "timing", "title")


def model_fact(model: Any, preset: str = "") -> tuple[str, str]:
    """The name under which a model was made and its class, for `Facts`.

    Examples
    --------
    >>> from corundum.plots.reports.about import model_fact
    >>> model_fact(co.models.pandya26(), "models.pandya26")
    ('models.pandya26', 'model, of class ThermalCGM')
    """
    kind = type(model).__name__
    return (preset, f"model, of class {kind}") if preset.rpartition(".")[2] not in ("", kind) else (kind, "model")


def parameter_table(
    parameters: Mapping[str, Parameter], defaults: Mapping[str, Any] | None = None, preset: str = ""
) -> Table:
    """Every parameter with its range and, where they are known, its default; those that differ from it have a star.

    Parameters
    ----------
    parameters : mapping of str to Parameter
    defaults : mapping of str to float or array, optional
    preset : str
        What the defaults belong to, such as ``"models.pandya26"``.

    Examples
    --------
    >>> from corundum.plots.reports.about import parameter_table
    >>> table = parameter_table(co.describe(model), {"mass_loading.amplitude": 0.5})
    >>> [row[1:4] for row in table.rows if row[0] == "mass_loading.amplitude"]
    [('1 *', '0.5', '0.01 to 10')]
    """
    known = {} if defaults is None else defaults
    rows = []
    for name, parameter in parameters.items():
        differs = name in known and not np.array_equal(np.asarray(parameter.value), np.asarray(known[name]))
        low, high = parameter.bounds
        rows.append((
            name, f"{_numbers(parameter.value)}{' *' if differs else ''}", _numbers(known.get(name, ())),
            f"{low:g} to {high:g}", "" if parameter.unit == "1" else parameter.unit, parameter.meaning,
            marked(parameter.source),
        ))  # fmt: skip
    header = ["name", "value", "default", "range", "unit", "meaning", "source"]
    if not known:
        return Table([*header[:2], *header[3:]], [(*row[:2], *row[3:]) for row in rows])
    changed = sum(row[1].endswith("*") for row in rows)
    owner = f"those of {preset}" if preset else "the defaults"
    caption = f"{changed} of {len(rows)} numbers differ from {owner}; they have a star."
    return Table(header, rows, caption)


def _numbers(value):
    return " ".join(f"{number:.6g}" for number in np.ravel(value))


def papers(model: Any, halos: Any = None, measurements: Iterable[Measurement] = ()) -> Section:
    """The papers behind a model, its halos and the data: what to cite."""
    provenance = () if halos is None else (text for _, text in halos.provenance)
    entries = papers_of(*(() if model is None else (model,)), *provenance)
    blocks: list[Any] = []
    if entries:
        words = "Papers that the laws, the parameters and the halos of this run come from, as BibTeX:"
        blocks += [words, Code("\n\n".join(entries.values()))]
    sources = dict.fromkeys((data.citation, data.bibcode) for data in measurements)
    if sources:
        blocks.append(Table(("data", "bibcode"), list(sources), "Papers of the data in this report."))
    return Section("Papers to cite", blocks)


def seconds(timing: Mapping[str, float]) -> Table:
    """How long each stage took, and all of them together."""
    rows = [(stage, round(float(duration), 1)) for stage, duration in timing.items()]
    total = round(sum(map(float, timing.values())), 1)
    caption = "Wall time, compilation included, until this report was written; that of writing it is in run_info.json."
    return Table(("stage", "seconds"), [*rows, ("together", total)], caption)


def run_sections(info: Mapping[str, Any]) -> list[Section]:
    """The time of each stage, and versions, devices and random keys; what is not known or empty is left out."""
    timing = info.get("timing_s", info.get("timing", {}))
    settings = list(_flat({key: value for key, value in info.items() if key not in _SHOWN_APART}))
    sections = [Section("Time", [seconds(timing)])] if timing else []
    return [*sections, Section("Run", [Table(("name", "value"), settings)])] if settings else sections


def reproduction(command: str, run_file: str) -> Section:
    """The command and the run file that repeat a run."""
    blocks: list[Any] = []
    if command:
        blocks += ["This command reproduces the results", Code(command)]
    if run_file:
        blocks += ["with this run file, in which every default is written out:", Code(run_file)]
    return Section("How to reproduce", blocks)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif value is not None and not (isinstance(value, Sequence) and len(value) == 0):
            yield prefix + key, _text(value)


def _text(value):
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
