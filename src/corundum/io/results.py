"""The results file: all results of one run in one HDF5 file, read back as the same objects."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..arguments import instance
from ..halos import HaloHistories
from ..halos.files import read_halos, write_halos
from ..parameters import Parameter, describe
from ..population import Population
from ..storage.arrays import read_values, write_values
from ..storage.components import read_component, read_parameters, write_component
from ..storage.files import content_of, create_hdf5, open_hdf5
from .galaxies import read_population, write_population
from .relations import read_relations, write_relations
from .training import load_training

__all__ = ["Results", "save", "load"]


class Results(NamedTuple):
    """What a results file, or the file of a training, holds; parts that were not saved are None or empty.

    Attributes
    ----------
    population : Population
        None in the file of a training.
    halos : HaloHistories or None
    model : model object or None
        None too where a class of the model is not imported; its numbers are in `parameters` all the same.
    parameters : dict of str to Parameter
        Every physical number of the model, by dotted name.
    relations : dict
        Regressed relations, nested as they were saved.
    run_info : dict
        What was run, with which versions, and how long it took.
    trained : Trained or None
        All models of a training with their losses; `model` is that of the best seed.

    Examples
    --------
    >>> co.save("results.h5", population, halos, model=model)
    >>> results = co.load("results.h5")
    >>> results.population["mstar"].shape
    (8, 2)
    >>> results.halos.log_mvir.shape[0]
    8
    """

    population: Population
    halos: HaloHistories | None
    model: Any
    parameters: dict[str, Parameter]
    relations: dict[str, Any]
    run_info: dict[str, Any]
    trained: Any = None

    def __repr__(self) -> str:
        return "\n".join(["Results of a run", *(f"  {name:<11} {text}" for name, text in _lines(self))])


def _lines(results: Results) -> list[tuple[str, str]]:
    """What each part holds, in a few words."""
    if results.population is None:
        lines = [("training", results.trained.in_words())]
    else:
        redshifts = ", ".join(f"{redshift:g}" for redshift in results.population.redshifts.tolist())
        lines = [("population", f"{len(results.population)} galaxies at z = {redshifts}")]
    if results.halos is not None:
        lines.append(("halos", f"{len(results.halos)} histories at {len(results.halos.time)} times"))
    numbers = f"{len(results.parameters)} parameters"
    if results.model is not None:
        lines.append(("model", f"{type(results.model).__name__} with {numbers}"))
    elif results.parameters:
        lines.append(("model", f"not restored, as one of its classes is not imported; {numbers}"))
    if results.relations:
        lines.append(("relations", ", ".join(results.relations)))
    if results.run_info:
        title, started = results.run_info.get("title"), results.run_info.get("started")
        words = [str(title)] if title else []
        words += [f"started {started}"] if started else []
        lines.append(("run_info", ", ".join(words) or ", ".join(results.run_info)))
    return lines


def save(
    path: str | os.PathLike,
    population: Population,
    halos: HaloHistories | None = None,
    relations: Mapping[str, Any] | None = None,
    run_info: Mapping[Any, Any] | None = None,
    *,
    model: Any = None,
) -> None:
    """Write a results file, in one step: a file that was there before stays whole until the new one is.

    Parameters
    ----------
    path : path
    population : Population
    halos : HaloHistories, optional
        The histories that the galaxies were evolved in.
    relations : mapping, optional
        Names to `RegressedRelation`, nested to any depth; `corundum run` nests relation, then ``"z=0.0"``.
    run_info : mapping, optional
        Texts, numbers, arrays, lists and mappings of them.
    model : AbstractModel, optional
        The model of the population.

    Raises
    ------
    OSError
        The folder is missing or not writable, or the disk is full.
    TypeError
        The path or the population is something else.
    ValueError
        A value cannot be stored; the message names it.

    Examples
    --------
    >>> co.save("results.h5", population, halos, run_info={"title": "eight halos"}, model=model)
    >>> co.load("results.h5").run_info["title"]
    'eight halos'
    """
    instance("path", path, (str, os.PathLike), expected="the path of a file first, then the population")
    instance("population", population, Population, expected="a population, as evolve returns it")
    meanings = {} if model is None else {flow.name: flow.meaning for flow in model.ledger.flows}
    with create_hdf5(path, "results") as file:
        write_values(file.create_group("run_info", track_order=True), run_info or {}, "run")
        if model is not None:
            write_component(file.create_group("model"), model)
        if halos is not None:
            write_halos(file.create_group("halos"), halos)
        write_population(file.create_group("galaxies"), population, meanings)
        write_relations(file.create_group("relations", track_order=True), relations or {})


def load(path: str | os.PathLike) -> Results:
    """Open a results file written by `save`, or the file of a training written by `save_training`.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file was not written by corundum, or is cut short, damaged or too new; the message says which.

    Examples
    --------
    >>> co.save("results.h5", population, model=model)
    >>> print(co.load("results.h5"))  # doctest: +ELLIPSIS
    Results of a run
      population  8 galaxies at z = 0, 2
      model       ThermalCGM with ... parameters

    A trained model evolves, has derivatives, and can be trained further:

    >>> co.io.save_training("trained.h5", co.inference.train(objective, steps=2))
    >>> type(co.load("trained.h5").model).__name__
    'LearningGrowth'
    """
    if content_of(path) == "training":
        trained, run_info = load_training(path)
        population: Any = None  # as for other parts that were not saved
        return Results(population, None, trained.model, describe(trained.model), {}, run_info, trained)
    with open_hdf5(path, "results") as file:
        model = file.get("model")
        halos = file.get("halos")
        return Results(
            population=read_population(file["galaxies"]),
            halos=None if halos is None else read_halos(halos),
            model=None if model is None else read_component(model),
            parameters={} if model is None else read_parameters(model),
            relations=read_relations(file["relations"]),
            run_info=read_values(file["run_info"]),
        )
