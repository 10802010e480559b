"""Trained models on disk: every model of a training with its weights, and the course of the training, in one HDF5 file.

``/models/<seed>`` is a model as results files keep one; ``/losses``, ``/validation`` and the others are the arrays of
`corundum.inference.Trained`.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..storage.arrays import read_values, write_values
from ..storage.components import read_component, write_component
from ..storage.files import create_hdf5, open_hdf5

if TYPE_CHECKING:
    from ..inference import Trained

__all__ = ["load_training", "save_training"]


def save_training(path: str | os.PathLike, trained: "Trained", run_info: Mapping[Any, Any] | None = None) -> None:
    """Write all models of a training and their losses to an HDF5 file, in one step.

    Parameters
    ----------
    path : path
    trained : Trained
    run_info : mapping, optional
        What was run: texts, numbers, arrays, lists and mappings of them.

    Raises
    ------
    OSError
        The folder is missing or not writable, or the disk is full.

    Examples
    --------
    >>> trained = co.inference.train(objective, steps=2)
    >>> co.io.save_training("trained.h5", trained)
    >>> again, run_info = co.io.load_training("trained.h5")
    >>> np.array_equal(again.losses, trained.losses)
    True
    """
    course = trained._asdict()
    models = course.pop("models")
    with create_hdf5(path, "training") as file:
        write_values(file.create_group("run_info", track_order=True), run_info or {}, "run")
        write_values(file.create_group("course", track_order=True), _plain(course), "training")
        group = file.create_group("models", track_order=True)
        for seed, model in enumerate(models):
            write_component(group.create_group(str(seed)), model)


def load_training(path: str | os.PathLike) -> tuple["Trained", dict[str, Any]]:
    """The training and the run information of a file written by `save_training`.

    Raises
    ------
    FileNotFoundError, ValueError
        There is no such file, or it cannot be read; the message says why.

    Examples
    --------
    >>> co.io.save_training("trained.h5", co.inference.train(objective, steps=2))
    >>> trained, run_info = co.io.load_training("trained.h5")
    >>> type(trained.model).__name__
    'LearningGrowth'
    """
    from ..inference import Trained  # with numpyro, which saving the results of others does not need

    with open_hdf5(path, "training") as file:
        course, run_info = read_values(file["course"]), read_values(file["run_info"])
        models = tuple(read_component(group) for group in file["models"].values())
    texts = {name: tuple(course[name]) for name in ("names", "endings")}
    return Trained(**course | texts, models=models), run_info


def _plain(course: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in course.items()}
