"""A source of merger trees: its format, its files, the simulation they agree on, and the cosmology to use."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ...cosmology import Cosmology, as_cosmology, pandya26_cosmology
from ...storage.files import missing_file_message
from .format_detection import recognise_format
from .formats import AbstractTreeFormat, Simulation

__all__ = ["TreeSource", "find_trees", "tree_files", "common_simulation", "choose_cosmology"]

_PARAMETERS = ("h", "omega_m", "omega_b", "n_eff")
_COSMOLOGY_TOLERANCE = 5e-3  # relative; published parameters are often rounded


class TreeSource(NamedTuple):
    """Merger trees whose format is known, before any tree is read.

    Attributes
    ----------
    path : Path
        The file or directory that was named.
    format : AbstractTreeFormat
    files : list of Path
        The parts that can be read one by one.
    simulation : Simulation
        What all files state of their simulation.
    cosmology : Cosmology
        The one to use.
    cosmology_origin : str
        Where that comes from, for the provenance.
    """

    path: Path
    format: AbstractTreeFormat
    files: list[Path]
    simulation: Simulation
    cosmology: Cosmology
    cosmology_origin: str


def find_trees(path: str | Path, tree_format: AbstractTreeFormat | None, cosmology: Cosmology | None) -> TreeSource:
    """The merger trees in a file or directory.

    Parameters
    ----------
    path : path
    tree_format : AbstractTreeFormat or None
        None to recognise it by the content.
    cosmology : Cosmology or None
        None to use the one that the files state.

    Raises
    ------
    ValueError
        There are no trees, the format is not clear, the files disagree, or the cosmology is not theirs.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.halos.trees.sources import find_trees
    >>> lines = ["#scale id desc_id pid mmp? mvir", "#Omega_M = 0.3; h0 = 0.7", "#tree 1", "1.0 1 -1 -1 1 7e11"]
    >>> _ = Path("tree_0_0_0.dat").write_text("\\n".join(lines))
    >>> source = find_trees("tree_0_0_0.dat", None, None)
    >>> type(source.format).__name__, source.simulation.h
    ('ConsistentTrees', 0.7)
    """
    path = Path(path)
    tree_format = recognise_format(path) if tree_format is None else tree_format
    files = tree_files(tree_format, path)
    simulation = common_simulation(tree_format, files)
    return TreeSource(path, tree_format, files, simulation, *choose_cosmology(simulation, cosmology, files[0]))


def tree_files(tree_format: AbstractTreeFormat, path: Path) -> list[Path]:
    """The files of a source that can be read one by one, at least one.

    Raises
    ------
    ValueError
        The path does not exist, or the directory has no files of this format.
    """
    if not path.exists():
        raise ValueError(missing_file_message(path))
    files = tree_format.files(path)
    if not files:
        raise ValueError(f"{path}: has no files of the format {type(tree_format).__name__}")
    return files


def common_simulation(tree_format: AbstractTreeFormat, files: Sequence[Path]) -> Simulation:
    """What the files state of their simulation, all the same.

    Raises
    ------
    ValueError
        Two files come from different simulations.
    """
    first = tree_format.simulation(files[0])
    for file in files[1:]:
        other = tree_format.simulation(file)
        if _stated(other) != _stated(first) or other.definition != first.definition:
            raise ValueError(
                f"{file}: states {_text(other)} where {files[0]} states {_text(first)}; these are different "
                "simulations, so read them one at a time"
            )
    return first


def _stated(simulation: Simulation) -> dict[str, float]:
    """The parameters of the cosmology that a file states, by the names of `Cosmology`."""
    numbers = {name: getattr(simulation, name) for name in _PARAMETERS}
    return {name: value for name, value in numbers.items() if value is not None}


def _text(simulation: Simulation) -> str:
    numbers = ", ".join(f"{name} = {value:g}" for name, value in _stated(simulation).items())
    return f"{numbers or 'no cosmology'} and masses of definition {simulation.definition}"


def choose_cosmology(simulation: Simulation, cosmology: Cosmology | None, file: Path) -> tuple[Cosmology, str]:
    """The cosmology to use for a simulation, and where it comes from.

    Parameters
    ----------
    simulation : Simulation
        What the files state.
    cosmology : Cosmology or None
        What the caller states; it must agree with the files.
    file : Path
        One of the files, for error messages.

    Raises
    ------
    ValueError
        The cosmology of the caller is not that of the simulation; or there is none, and the files do not state one.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.halos.trees.formats import Simulation
    >>> from corundum.halos.trees.sources import choose_cosmology
    >>> simulation = Simulation(h=0.7, omega_m=0.3, definition="vir", description="")
    >>> choose_cosmology(simulation, None, Path("tree_0_0_0.dat"))[1]
    'h = 0.7, omega_m = 0.3 as the files state, omega_b = 0.0486 assumed'
    """
    stated = _stated(simulation)
    if cosmology is not None:
        cosmology = as_cosmology(cosmology)
        origin = "as given"
        for name, value in stated.items() if not simulation.unclear else ():
            chosen = float(getattr(cosmology, name))
            if abs(chosen - value) <= _COSMOLOGY_TOLERANCE * value:
                continue
            if name in ("omega_b", "n_eff"):  # no mass and hardly a time of a tree depends on it
                origin += f", with {name} = {chosen:g} where the files state {value:g}"
            else:
                raise ValueError(
                    f"cosmology: has {name} = {chosen:g} but {file} states {value:g}; leave it out or give that of "
                    "the simulation"
                )
        return cosmology, origin
    if simulation.unclear:
        raise ValueError(f"{file}: {simulation.unclear}; give cosmology=..., the flat LCDM universe to use")
    missing = [name for name in ("h", "omega_m") if name not in stated]
    if missing and simulation.in_units_of_h:
        raise ValueError(
            f"{file}: does not state {' or '.join(missing)}, on which its masses (in Msun/h) and times depend; give "
            "cosmology=..., that of the simulation"
        )
    if not stated:
        return pandya26_cosmology(), "not stated by the files, that of Pandya et al. 2026 assumed; give cosmology=..."
    cosmology = Cosmology(**stated)
    values = ", ".join(f"{name} = {value:g}" for name, value in stated.items())
    shown = ("h", "omega_m", "omega_b")
    assumed = (f", {name} = {getattr(cosmology, name):g} assumed" for name in shown if name not in stated)
    origin = f"{values} as the files state{''.join(assumed)}"
    if simulation.departure:
        warnings.warn(
            f"{file}: {simulation.departure}; it is taken as flat LCDM with h = {cosmology.h:g} and omega_m = "
            f"{cosmology.omega_m:g}, whose ages may differ by per cents; give cosmology=... to choose another",
            stacklevel=2,
        )
        origin += f", taken as flat LCDM although the file {simulation.departure}"
    return cosmology, origin
