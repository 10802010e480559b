"""From a run file to the objects of a run: everything that can be checked is checked before anything is computed."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np

from ... import observables
from ...halos import HaloHistories
from ...models import AbstractModel
from ...numerics import AbstractSolver
from ...observables import AbstractRelation, Measurement, Survey
from ...observables.abundance import check_counted, counted_at, outputs_until_end
from ...observables.files import is_file_name
from ...observables.histories import missing_from
from ...observables.redshifts import comparable, redshift_distance
from ...parameters import describe
from ...storage.checkpoints import fingerprint
from ..progress import stage
from .builder import Built, build, build_model, construct
from .errors import RunFileError, allowed_names
from .kinds import source_files
from .paths import absolute_path
from .reader import RunFile
from .schema import Compare, Output

__all__ = ["Job", "halo_labels", "has_quantities", "measurement_at", "name_or_path", "prepare", "survey_at"]

_FURTHER_HALOS = ("compare_halos", "earlier_halos")


class Job(NamedTuple):
    """What a run file asks for.

    Attributes
    ----------
    title : str
    note : str
        What readers of the results should know; may be empty.
    halos : HaloHistories
    model : AbstractModel
    solver : AbstractSolver
    output : Output
    measurements : tuple of (Measurement, float)
        What to compare with, and the output redshift to do it at.
    survey : Survey, optional
        Measurements with tolerances to compare with.
    compare_halos : HaloHistories, optional
    earlier_halos : HaloHistories, optional
        Counted at an earlier redshift than `halos`, for measurements of then.
    tables : dict
        The resolved run file.
    identity : str
        Fingerprint of all inputs.
    defaults : dict of str to float
        Parameters of the model of that kind with components of these kinds, before any number was changed.
    """

    title: str
    note: str
    halos: HaloHistories
    model: AbstractModel
    solver: AbstractSolver
    output: Output
    measurements: tuple[tuple[Measurement, float], ...]
    survey: Survey | None
    compare_halos: HaloHistories | None
    earlier_halos: HaloHistories | None
    tables: dict[str, Any]
    identity: str
    defaults: Mapping[str, Any] = {}

    @property
    def seeds(self) -> dict[str, Any]:
        """Every random key in the run file, by path."""
        return dict(_seeds(self.tables, ""))


def prepare(run_file: RunFile) -> Job:
    """Make all components of a run file.

    Raises
    ------
    ValueError
        Something in it is wrong; the message opens with the position.
    """
    tables = run_file.tables
    with run_file.located():
        output = construct(Output, tables.get("output", {}), ("output",))
        _check_redshifts(output.value)
        compare = construct(Compare, tables.get("compare", {}), ("compare",))
        model = build_model(tables["model"], ("model",))
        _check_measurement_names(compare.value)
        solver_table = {"kind": "numerics.LaneSolver", **tables.get("solver", {})}
        solver = build(solver_table, ("solver",), (AbstractSolver,))
        halos = _build_halos(tables, "halos")
        measurements = _measurements(compare.value, output.value, model.value, halos.value)
        compared = _with_paths(compare.value, measurements)
        further = {group: _build_halos(tables, group) for group in _FURTHER_HALOS if group in tables}
        compare_halos, earlier_halos = (further[group].value if group in further else None for group in _FURTHER_HALOS)
        if earlier_halos is not None:
            _check_earlier(halos.value, earlier_halos)
        survey = _survey(compare.value, output.value, model.value, halos.value, earlier_halos)
    resolved = {
        "title": tables.get("title", run_file.path.stem),
        **({"note": tables["note"]} if tables.get("note") else {}),
        "halos": halos.table,
        "model": model.table,
        "solver": solver.table,
        "output": output.table,
        "compare": {"measurements": compared, **({"survey": name_or_path(compare.value.survey)} if survey else {})},
    }
    resolved |= {group: built.table for group, built in further.items()}
    inputs = (halos.value, compare_halos, *(() if earlier_halos is None else (earlier_halos,)))
    return Job(
        title=resolved["title"],
        note=resolved.get("note", ""),
        halos=halos.value,
        model=model.value,
        solver=solver.value,
        output=output.value,
        measurements=measurements,
        survey=survey,
        compare_halos=compare_halos,
        earlier_halos=earlier_halos,
        tables=resolved,
        identity=fingerprint(inputs if survey is None else (inputs, survey), source_files(resolved)),
        defaults=_default_parameters(tables["model"]),
    )


def _build_halos(tables: Mapping[str, Any], group: str) -> Built:
    with stage(f"making {group}", name="halos"):
        return build(tables[group], (group,), (HaloHistories,))


def _check_earlier(halos: HaloHistories, earlier: HaloHistories) -> None:
    ends = [counted_at(sample) for sample in (earlier, halos)]
    if ends[0] <= ends[1]:
        raise RunFileError(
            ("earlier_halos",),
            f"they are counted at z = {ends[0]:.2f}, and [halos] at {ends[1]:.2f}; give halos that are counted "
            "earlier, such as complete_forest with redshift = 2.2",
        )


def _default_parameters(table: Any) -> dict[str, Any]:
    """Every number of the model of these kinds; none where a component cannot be made without its numbers."""
    try:
        model = build(_kinds_alone(table), ("model",), (AbstractModel,)).value
    except RunFileError:
        return {}
    return {name: np.asarray(number.value) for name, number in describe(model).items()}


def _kinds_alone(table: Any) -> Any:
    """A table of a component without its numbers: its kind, its texts, and the same of its own components."""
    if not isinstance(table, Mapping):
        return table
    return {
        name: _kinds_alone(value)
        for name, value in table.items()
        if name != "parameters" and not isinstance(value, int | float | list)
    }


def _check_redshifts(output: Output) -> None:
    if not output.redshifts:
        raise RunFileError(("output", "redshifts"), "got an empty list; give at least one redshift")
    if len(set(output.redshifts)) < len(output.redshifts):
        raise RunFileError(("output", "redshifts"), "a redshift is given twice; give each once")


def has_quantities(relation: AbstractRelation, model: AbstractModel, halos: HaloHistories) -> bool:
    """Whether the galaxies of `model` in `halos` have all quantities and histories that `relation` reads."""
    if not relation.single_galaxies:
        return False  # a sum over galaxies, which the figures of a run do not draw
    return missing_from(relation, model, halos) is None


def _check_measurement_names(compare: Compare) -> None:
    known = observables.available()
    for name in compare.measurements or ():
        if not is_file_name(name) and name not in known:
            problem = f"unknown measurement {name!r}; {allowed_names(name, known)}"
            raise RunFileError(("compare", "measurements"), problem)


def measurement_at(
    name: str, redshifts: Sequence[float], keys: tuple[str, ...] = ("compare", "measurements")
) -> tuple[Measurement, float]:
    """A measurement by the name or the path that a run file gives, and the output redshift nearest to its own."""
    try:
        data = observables.load(name_or_path(name))
    except ValueError as error:
        raise RunFileError(keys, str(error)) from error
    return data, min(redshifts, key=partial(redshift_distance, data))


def halo_labels(tables: Mapping[str, Any]) -> tuple[str, str]:
    """What figures call the two sets of halos of a resolved run file."""
    first, second = (str(tables[group]["kind"]) for group in ("halos", "compare_halos"))
    return (first, second) if first != second else ("halos", "compare_halos")


def _with_paths(compare: Compare, measurements: tuple[tuple[Measurement, float], ...]) -> list[str]:
    """Names of what is compared, and the absolute paths of files."""
    files = {PurePath(name).stem: absolute_path(name) for name in compare.measurements or () if is_file_name(name)}
    return [files.get(measurement.name, measurement.name) for measurement, _ in measurements]


def _measurements(
    compare: Compare, output: Output, model: AbstractModel, halos: HaloHistories
) -> tuple[tuple[Measurement, float], ...]:
    keys, named = ("compare", "measurements"), compare.measurements is not None
    chosen = []
    for name in observables.available() if compare.measurements is None else compare.measurements:
        data, redshift = measurement_at(name, output.redshifts, keys)
        fits = has_quantities(data.relation, model, halos)
        if comparable(data, redshift) and fits:
            chosen.append((data, redshift))
        elif named and not fits:
            raise RunFileError(
                keys,
                f"{name!r} compares number densities, or what {type(model).__name__} does not have; remove it",
            )
        elif named:
            raise RunFileError(
                keys, f"{name!r} is at z = {data.redshift:g}, which is not kept; add it to output.redshifts"
            )
    return tuple(chosen)


def survey_at(name: str, keys: tuple[str, ...] = ("compare", "survey")) -> Survey:
    """A survey by the name or the path that a run file gives."""
    try:
        return observables.survey(name_or_path(name))
    except ValueError as error:
        raise RunFileError(keys, str(error)) from error


def name_or_path(name: str) -> str:
    """What a run file gives as a name or as a path: a path is made absolute."""
    return absolute_path(name) if is_file_name(name) else name


def _survey(
    compare: Compare, output: Output, model: AbstractModel, halos: HaloHistories, earlier: HaloHistories | None
) -> Survey | None:
    """The survey that the galaxies are compared with, if any, after everything that can be wrong with it."""
    if compare.survey is None:
        return None
    keys = ("compare", "survey")
    survey = survey_at(compare.survey, keys)
    for test in survey.tests:
        relation, name = test.measurement.relation, test.measurement.name
        redshift = min(output.redshifts, key=partial(redshift_distance, test.measurement))
        if not comparable(test.measurement, redshift):
            kept = ", ".join(f"{z:g}" for z in survey.redshifts)
            raise RunFileError(
                keys, f"{name} is at z = {test.redshift:g}, which is not kept; output.redshifts = [{kept}]"
            )
        if missing := missing_from(relation, model, halos):
            raise RunFileError(keys, f"{name}: {missing}")
        if test.galaxies == "satellites" and halos.satellites is None:
            raise RunFileError(keys, f"{name} is about satellites, and these halos have none; draw complete_forest")
        if not relation.single_galaxies:
            sample = earlier if earlier is not None and outputs_until_end(earlier, [redshift]) else halos
            try:
                check_counted(sample, redshift)
            except ValueError as error:
                problem = f"compares number densities at z = {redshift:g}, and these halos have none"
                raise RunFileError(keys, f"{name} {problem}: {error}") from error
    return survey


def _seeds(table: Mapping[str, Any], prefix: str):
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _seeds(value, f"{prefix}{key}.")
        elif key in ("key", "seed"):
            yield prefix + key, value
