"""The results file: everything one run made, in one HDF5 file, and back as the same objects."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..halos import HaloHistories
from ..halos.files import read_halos, write_halos
from ..parameters import Parameter
from ..population import Population
from ..storage.arrays import read_values, write_values
from ..storage.components import read_component, read_parameters, write_component
from ..storage.files import create_hdf5, open_hdf5
from .galaxies import read_population, write_population
from .relations import read_relations, write_relations

__all__ = ["Results", "save", "load"]


class Results(NamedTuple):
    """What a results file holds; what was not saved is None or empty.

    Attributes
    ----------
    population : Population
    halos : HaloHistories or None
    model : model object or None
        None too where a class of the model is not imported; its numbers are in `parameters` all the same.
    parameters : dict of str to Parameter
        Every physical number of the model, by dotted name.
    relations : dict
        Regressed relations, nested as they were saved.
    run_info : dict
        What was run, by what, and how long it took.
    """

    population: Population
    halos: HaloHistories | None
    model: Any
    parameters: dict[str, Parameter]
    relations: dict[str, Any]
    run_info: dict[str, Any]


def save(
    path: str | os.PathLike,
    population: Population,
    halos: HaloHistories | None = None,
    relations: Mapping[str, Any] | None = None,
    run_info: Mapping[str, Any] | None = None,
    *,
    model: Any = None,
) -> None:
    """Write a results file, in one step: a file that was there before stays whole until the new one is.

    Parameters
    ----------
    path : path
    population : Population
    halos : HaloHistories, optional
        The histories the population was made from.
    relations : mapping, optional
        Names to `RegressedRelation`, nested as wanted; by habit relation, then ``"z=0.0"``.
    run_info : mapping, optional
        Texts, numbers, arrays, lists and mappings of them.
    model : AbstractModel, optional
        The model of the population.

    Raises
    ------
    OSError
        The folder is missing or not writable, or the disk is full.
    ValueError
        Something given cannot be stored; the message names it.
    """
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
    """Open a results file written by `save`.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is not one of ours, cut short, damaged or too new; the sentence says which.
    """
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
