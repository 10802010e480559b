"""What a source of merger trees consists of: its files, the simulation they agree on, and the cosmology to use."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ...cosmology import Cosmology, pandya26_cosmology
from .format_detection import recognise
from .formats import AbstractTreeFormat, Simulation

__all__ = ["TreeSource", "find_trees", "tree_files", "common_simulation", "chosen_cosmology"]


class TreeSource(NamedTuple):
    """Merger trees that have been found and told apart, before any tree is read.

    Attributes
    ----------
    path : what was asked for, a file or a directory
    form : its format
    files : its parts
    simulation : what they all say of their simulation
    cosmology : the one to use
    said : in words, where that comes from
    """

    path: Path
    form: AbstractTreeFormat
    files: list[Path]
    simulation: Simulation
    cosmology: Cosmology
    said: str


def find_trees(path: str | Path, form: AbstractTreeFormat | None, cosmology: Cosmology | None) -> TreeSource:
    """The merger trees at `path`, in a format told from their content unless it is given.

    Raises
    ------
    ValueError
        There are none, the format is not clear, the files disagree, or the cosmology given is not theirs.
    """
    path = Path(path)
    form = recognise(path) if form is None else form
    files = tree_files(form, path)
    simulation = common_simulation(form, files)
    return TreeSource(path, form, files, simulation, *chosen_cosmology(simulation, cosmology, files[0]))


def tree_files(form: AbstractTreeFormat, path: Path) -> list[Path]:
    """The parts of a source, at least one."""
    if not path.exists():
        raise ValueError(f"{path}: no such file or directory")
    files = form.files(path)
    if not files:
        raise ValueError(f"{path}: has no files of the format {type(form).__name__}")
    return files


def common_simulation(form: AbstractTreeFormat, files: Sequence[Path]) -> Simulation:
    """What the files say of their simulation, all the same.

    Raises
    ------
    ValueError
        Two files come from different simulations.
    """
    first = form.simulation(files[0])
    for file in files[1:]:
        other = form.simulation(file)
        if other[:3] != first[:3]:
            raise ValueError(
                f"{file}: states h = {other.h}, Omega_m = {other.omega_m} where {files[0]} states h = {first.h}, "
                f"Omega_m = {first.omega_m}; these are different simulations, so read them one at a time"
            )
    return first


def chosen_cosmology(simulation: Simulation, given: Cosmology | None, file: Path) -> tuple[Cosmology, str]:
    """The cosmology to use, and in words where it comes from.

    Raises
    ------
    ValueError
        The one given is not that of the simulation.
    """
    stated = {"h": simulation.h, "omega_m": simulation.omega_m}
    stated = {name: value for name, value in stated.items() if value is not None}
    if given is not None:
        for name, value in stated.items():
            if abs(float(getattr(given, name)) / value - 1.0) > 5e-3:
                raise ValueError(
                    f"cosmology: has {name} = {float(getattr(given, name)):g} but {file} states {value:g}; leave it "
                    "out or give that of the simulation"
                )
        return given, "as given"
    if not stated:
        return pandya26_cosmology(), "not stated by the files, that of Pandya et al. 2026 assumed; give cosmology=..."
    chosen = Cosmology(**stated)
    told = ", ".join(f"{name} = {value:g}" for name, value in stated.items())
    return chosen, f"{told} as the files state, omega_b = {float(chosen.omega_b):g} assumed"
