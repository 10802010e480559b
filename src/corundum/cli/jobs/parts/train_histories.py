"""``corundum train`` on a table of galaxies through time, in the place of the data of [fit]."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from .... import inference
from ....inference.training.plan import halos_apart
from ....storage.checkpoints import fingerprint
from ...runfile.builder import Built
from ...runfile.errors import RunFileError
from ...runfile.inference_settings import Train
from ...runfile.job import Job, prepare
from ...runfile.paths import absolute_path
from ...runfile.reader import RunFile

__all__ = ["HistoriesPlan", "history_misfits", "plan_histories"]


class HistoriesPlan(NamedTuple):
    """A checked run file whose galaxies are trained on histories.

    Attributes
    ----------
    job : Job
    settings : Train
    target : HistoryObjective
    tables : dict
        The resolved run file.
    identity : str
        Fingerprint of all inputs.
    """

    job: Job
    settings: Train
    target: Any
    tables: dict[str, Any]
    identity: str


def plan_histories(run_file: RunFile, built: Built) -> HistoriesPlan:
    """Read the table that [train] names, and check it against halos and model.

    Raises
    ------
    ValueError
        Something in it is wrong; the message opens with the position.
    """
    settings, tables = built.value, run_file.tables
    with run_file.located():
        if "fit" in tables:
            raise RunFileError(
                ("train", "histories"), "the group [fit] names data as well; keep [fit] or histories, and with "
                "histories give free = [...] in [train]",
            )  # fmt: skip
        if settings.held_out:
            raise RunFileError(("train", "held_out"), "a table of histories has no measurements; leave it out")
    job = prepare(
        run_file._replace(tables={**tables, "solver": {"tolerance": inference.TOLERANCE, **tables.get("solver", {})}})
    )
    with run_file.located():
        path = absolute_path(settings.histories)
        try:
            states = inference.read_states(path, len(job.halos))
            errors = {**states.errors, **settings.errors}
            target = inference.HistoryObjective.of_states(
                job.model, job.halos, states, errors=errors, names=settings.free, solver=job.solver
            )
        except (OSError, ValueError) as error:
            raise RunFileError(("train", "histories"), str(error)) from error
    resolved = {**job.tables, "train": {**built.table, "histories": path}}
    identity = fingerprint((np.frombuffer(job.identity.encode(), np.uint8), target.log_states, target.errors), [])
    return HistoriesPlan(job, settings, target, resolved, identity)


def history_misfits(plan: HistoriesPlan, trained: Any) -> tuple[list[tuple[str, int, float, float]], list[str]]:
    """chi^2 over the number of points of each quantity before and after, and the names of what no step has seen."""
    objective, settings = plan.target, plan.settings
    seen, unseen = halos_apart(len(objective.halos()), settings.validation, settings.key)
    starts = jnp.asarray([free.start for free in objective.free])
    theta = jnp.asarray(trained.theta[trained.best])
    residuals = [
        np.asarray(objective.residuals(at, model)).reshape(len(objective.log_states), len(objective.halos()), -1)
        for at, model in ((starts, objective.model()), (theta, trained.model))
    ]
    misfits, apart = [], []
    for rows, which in ((seen, "halos of the steps"), (unseen, "halos kept apart")):
        for k, name in enumerate(objective.log_states):
            points = int(np.sum(np.isfinite(np.asarray(objective.log_states[name])[rows])))
            if points:
                label = f"{name}, {which}"
                before, after = (float(np.sum(r[k, rows] ** 2) / points) for r in residuals)
                misfits.append((label, points, before, after))
                apart += [label] if rows is unseen else []
    return misfits, apart
