"""What ``corundum fit``, ``mocks`` and ``forecast`` share: the target that a run file describes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ... import inference, observables
from ...halos import HaloHistories
from ...inference.surrogates.control import in_other_halos
from ...models import PANDYA26_FREE
from ...observables import Measurement
from ...parameters import describe as describe_parameters
from ...storage.checkpoints import fingerprint
from ..runfile.builder import build, construct
from ..runfile.errors import RunFileError, allowed_names
from ..runfile.inference_settings import Fit
from ..runfile.job import Job, name_or_path, prepare
from ..runfile.reader import RunFile

__all__ = ["FitPlan", "PlanOnFit", "plan_fit", "measurement_of", "priors_in", "spare_halos"]


class FitPlan(NamedTuple):
    """A checked run file and its [fit] settings.

    Attributes
    ----------
    job : Job
    settings : Fit
    target : Target
        With all data.
    measurements : tuple of Measurement
    combinations : tuple of tuples of str
    checks : tuple of Measurement
        Not fitted.
    tables : dict
        The resolved run file.
    identity : str
    """

    job: Job
    settings: Fit
    target: Any
    measurements: tuple[Measurement, ...]
    combinations: tuple[tuple[str, ...], ...]
    checks: tuple[Measurement, ...]
    tables: dict[str, Any]
    identity: str


class PlanOnFit(NamedTuple):
    """A checked run file whose command does more with the target of [fit], as a group of its own says.

    Attributes
    ----------
    fit : FitPlan
    settings : object
        That group.
    tables : dict
        The resolved run file.
    """

    fit: FitPlan
    settings: Any
    tables: dict[str, Any]

    @property
    def job(self) -> Job:
        """What the run file describes apart from [fit] and the group."""
        return self.fit.job

    @property
    def identity(self) -> str:
        """Fingerprint of all inputs."""
        return self.fit.identity


def measurement_of(data: str | Measurement, keys: tuple[str, ...]) -> Measurement:
    """A measurement of the package by its name, of a file by its path, or the one that a table describes."""
    if isinstance(data, Measurement):
        return data
    try:
        return observables.load(name_or_path(data))
    except ValueError as error:
        raise RunFileError(keys, str(error)) from error


def _with_paths(table: dict[str, Any]) -> dict[str, Any]:
    """The resolved [fit] table with absolute paths of its measurements."""
    lists = {key: table[key] for key in ("data", "check") if table.get(key)}
    return table | {
        key: [name_or_path(data) if isinstance(data, str) else data for data in entries]
        for key, entries in lists.items()
    }


def plan_fit(
    run_file: RunFile,
    extra: tuple[str | Measurement, ...] = (),
    extra_keys: tuple[str, ...] = (),
    *,
    many_halos: bool = False,
) -> FitPlan:
    """Make everything that a run file names and check its [fit] settings; `extra` measurements join the data.

    Only with `many_halos` may the settings have these.

    Raises
    ------
    ValueError
        Something in it is wrong; the message opens with the position.
    """
    solver = {"tolerance": inference.TOLERANCE, **run_file.tables.get("solver", {})}
    fitted = run_file._replace(tables={**run_file.tables, "solver": solver})
    with fitted.located():
        if "fit" not in fitted.tables:
            raise RunFileError((), "the group [fit] is missing; it says which data to fit, as data = [...]")
        built = construct(Fit, fitted.tables["fit"], ("fit",))
        settings, table = built.value, _with_paths(built.table)
        if settings.many_halos is not None and not many_halos:
            raise RunFileError(("fit", "many_halos"), "only corundum fit corrects predictions to many halos; remove it")
        if not settings.data:
            raise RunFileError(("fit", "data"), "got an empty list; name at least one measurement")
        measurements = [measurement_of(data, ("fit", "data")) for data in settings.data]
        measurements += [measurement_of(data, extra_keys) for data in extra]
        checks = tuple(measurement_of(data, ("fit", "check")) for data in settings.check)
        combinations = _combinations(settings, measurements[: len(settings.data)])
    job = prepare(fitted)
    with fitted.located():
        names = settings.free
        if names is None:
            known = describe_parameters(job.model)
            names = tuple(name for name in PANDYA26_FREE if name in known)
        if settings.covariance == "diagonal":
            measurements = [m.diagonal() for m in measurements]
        redshifts = settings.redshifts
        if redshifts is not None:
            redshifts = (*redshifts, *(m.redshift for m in measurements[len(settings.data) :]))
        try:
            target = inference.Target(
                job.model, job.halos, measurements, names, priors_in(settings.priors),
                likelihood=settings.likelihood, scatter=settings.scatter,
                monte_carlo_error=settings.monte_carlo_error, redshifts=redshifts,
                regression=settings.regression, solver=job.solver,
            )  # fmt: skip
            target.start()
            if settings.many_halos is not None:
                in_other_halos(target, settings.many_halos, settings.many_halos_error)
        except RunFileError:
            raise
        except ValueError as error:
            raise RunFileError(("fit",), str(error)) from error
    resolved = {**table, "free": list(names), "combinations": [list(combination) for combination in combinations]}
    tables = {**job.tables, "fit": {key: value for key, value in resolved.items() if value is not None}}
    inputs = (np.frombuffer(job.identity.encode(), np.uint8), target.data, checks)
    further = () if settings.many_halos is None else (settings.many_halos,)
    identity = fingerprint((*inputs, *further), [])
    return FitPlan(job, settings, target, tuple(measurements), combinations, checks, tables, identity)


def _combinations(settings: Fit, measurements: list[Measurement]) -> tuple[tuple[str, ...], ...]:
    """The names of the data of each fit."""
    names = tuple(measurement.name for measurement in measurements)
    if settings.combinations is None:
        return (names,)
    name_of = {name: name for name in names}
    name_of |= {data: name for data, name in zip(settings.data, names, strict=True) if isinstance(data, str)}
    for combination in settings.combinations:
        for data in combination:
            if data not in name_of:
                raise RunFileError(("fit", "combinations"), f"{data!r} is not among data; {allowed_names(data, names)}")
    combinations = [tuple(name_of[data] for data in combination) for combination in settings.combinations]
    if not combinations or not all(combinations) or len(set(combinations)) < len(combinations):
        raise RunFileError(("fit", "combinations"), "each must name some of the data, and be there once")
    return tuple(combinations)


def priors_in(tables: Mapping[str, Any], prefix: str = "", group: str = "fit") -> dict[str, Any]:
    """Priors by name from the tables of a group, in which dotted names may be nested.

    Raises
    ------
    RunFileError
        A table describes no distribution.
    """
    priors: dict[str, Any] = {}
    for name, value in tables.items():
        if isinstance(value, Mapping) and "kind" in value:
            priors[prefix + name] = _distribution(prefix + name, value, group)
        elif isinstance(value, Mapping) and not {"low", "high"} & set(value):
            priors |= priors_in(value, f"{prefix}{name}.", group)
        else:
            priors[prefix + name] = value
    return priors


def _distribution(name: str, table: Mapping[str, Any], group: str) -> Any:
    keys = (group, "priors", *name.split("."))
    numbers = {key: value for key, value in table.items() if key != "kind"}
    try:
        return inference.distribution(str(table["kind"]), numbers)
    except ValueError as error:
        raise RunFileError(keys, str(error)) from error


def spare_halos(job: Job, run_file: RunFile, number: int | None = None, turn: int = 1) -> HaloHistories:
    """Halos of the same source as those of the run file, with another key for each turn.

    Parameters
    ----------
    job : Job
    run_file : RunFile
    number : int, optional
        How many; by default as many as the run file says.
    turn : int
        Halos of different turns are independent.

    Raises
    ------
    ValueError
        The source takes no key, so it cannot make others.
    """
    table = dict(run_file.tables["halos"])
    table["key"] = int(job.tables["halos"].get("key", 0) or 0) + 7919 * turn
    if number is not None and "n" in job.tables["halos"]:
        table["n"] = number
    with run_file.located():
        if "key" not in job.tables["halos"]:
            raise RunFileError(
                ("mocks", "independent_halos"),
                f"halos of kind {table['kind']!r} take no key, so there are no others; set independent_halos = false",
            )
        return build(table, ("halos",), (HaloHistories,)).value
