"""What ``corundum fit``, ``mocks`` and ``forecast`` share: the target that a run file describes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ... import inference, observables
from ...halos import HaloHistories
from ...models import PANDYA26_FREE
from ...observables import Measurement, NadarayaWatson
from ...parameters import describe as describe_parameters
from ...storage.checkpoints import fingerprint
from ..runfile.builder import build, construct
from ..runfile.errors import RunFileError, allowed_names
from ..runfile.job import Job, prepare
from ..runfile.reader import RunFile
from ..runfile.schema import Fit

__all__ = ["FitPlan", "plan_fit", "load_measurement", "sampler_of", "spare_halos"]


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
    tables : dict, the resolved run file
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


def load_measurement(name: str, keys: tuple[str, ...]) -> Measurement:
    """A measurement of the package by name, or of the user's by path."""
    try:
        return observables.read(name) if "/" in name or name.endswith(".txt") else observables.load(name)
    except ValueError as error:
        raise RunFileError(keys, str(error)) from error


def plan_fit(run_file: RunFile, extra: tuple[str, ...] = (), extra_keys: tuple[str, ...] = ()) -> FitPlan:
    """Make everything a run file names and check what is asked of it; `extra` measurements join the data.

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
        settings = built.value
        if not settings.data:
            raise RunFileError(("fit", "data"), "got an empty list; name at least one measurement")
        measurements = [load_measurement(name, ("fit", "data")) for name in settings.data]
        measurements += [load_measurement(name, extra_keys) for name in extra]
        checks = tuple(load_measurement(name, ("fit", "check")) for name in settings.check)
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
        kernel = NadarayaWatson(0.2, inference.FEWEST_GALAXIES) if settings.published_kernel else None
        try:
            target = inference.Target(
                job.model, job.halos, measurements, names, _priors(settings.priors),
                likelihood=inference.StudentT(settings.degrees) if settings.likelihood == "student" else None,
                monte_carlo_error=settings.monte_carlo_error, redshifts=redshifts,
                regression=kernel, solver=job.solver,
            )  # fmt: skip
            target.start()
        except RunFileError:
            raise
        except ValueError as error:
            raise RunFileError(("fit",), str(error)) from error
    resolved = {**built.table, "free": list(names), "combinations": [list(each) for each in combinations]}
    tables = {**job.tables, "fit": {key: value for key, value in resolved.items() if value is not None}}
    identity = fingerprint((np.frombuffer(job.identity.encode(), np.uint8), target.data, checks), [])
    return FitPlan(job, settings, target, tuple(measurements), combinations, checks, tables, identity)


def sampler_of(method: str, settings: Fit, numbers: Any) -> inference.AbstractSampler:
    """The sampler of `method`, with the chains, warm-up and draws of `numbers`."""
    lengths = dict(warmup=numbers.warmup, draws=numbers.draws)
    if method == "ensemble":
        return inference.AffineInvariant(**lengths)
    how = dict(chains=numbers.chains, target_accept=settings.target_accept, **lengths)
    return inference.NUTS(**how) if method == "nuts" else inference.HMC(trajectory=settings.trajectory, **how)


def _combinations(settings: Fit, measurements: list[Measurement]) -> tuple[tuple[str, ...], ...]:
    names = tuple(m.name for m in measurements)
    given = dict(zip(settings.data, names, strict=True))
    if settings.combinations is None:
        return (names,)
    found = []
    for each in settings.combinations:
        for name in each:
            if name not in given and name not in names:
                raise RunFileError(("fit", "combinations"), f"{name!r} is not among data; {allowed_names(name, names)}")
        found.append(tuple(given.get(name, name) for name in each))
    if not found or not all(found) or len(set(found)) < len(found):
        raise RunFileError(("fit", "combinations"), "each must name some of the data, and be there once")
    return tuple(found)


def _priors(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Priors by name from tables, in which dotted names may be nested."""
    found: dict[str, Any] = {}
    for name, value in tables.items():
        if isinstance(value, Mapping) and "kind" not in value:
            found |= _priors(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = _distribution(prefix + name, value) if isinstance(value, Mapping) else tuple(value)
    return found


def _distribution(name: str, table: Mapping[str, Any]) -> Any:
    keys = ("fit", "priors", *name.split("."))
    numbers = {key: value for key, value in table.items() if key != "kind"}
    try:
        return inference.distribution(str(table["kind"]), numbers)
    except ValueError as error:
        raise RunFileError(keys, str(error)) from error


def spare_halos(job: Job, run_file: RunFile, number: int | None = None, turn: int = 1) -> HaloHistories:
    """Halos of the same source as those of the run file, with another key for each turn, and another number if given.

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
