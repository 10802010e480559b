"""The job behind ``corundum plot``: the figures of a run from the results that it has saved, without a solve."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ... import io
from ...messages import did_you_mean
from ...plots import Compared, standard_drawings
from ...plots.saving import figure_files
from ...storage.files import atomic_path
from ..progress import stage
from ..runfile.job import halo_labels, measurement_at
from .output import run_of

__all__ = ["draw_again", "drawn_from"]

_OTHER_JOBS = {
    "sensitivity.h5": "corundum sensitivity",
    "comparison.csv": "corundum compare",
    "posterior-*.nc": "corundum fit",
    "mocks.csv": "corundum mocks",
    "forecast.csv": "corundum forecast",
    "trained.h5": "corundum train",
}


def draw_again(directory: Path, formats: Sequence[str] = ("png",), only: Sequence[str] = ()) -> list[Path]:
    """Draw the figures of a ``corundum run`` from its files.

    Parameters
    ----------
    directory : Path
        Of the run; the files go into its folder ``figures``.
    formats : sequence of {"png", "pdf", "svg"}
    only : sequence of str
        Names of figures, as those of their files without the ending; all if empty.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    ValueError
        The directory holds no results of ``corundum run``, or it has no figure of such a name.
    OSError
        The directory cannot be written.
    """
    with stage("reading results", {}):
        population, shared = drawn_from(directory)
    folder, contents, names = directory / "figures", {}, []
    with stage("drawing figures", {}) as part:
        for drawing in standard_drawings(population, **shared):
            names.append(drawing.name)
            if not only or drawing.name in only:
                part(drawing.name.replace("_", " "))
                for kind, content in figure_files(drawing.figure, formats).items():
                    contents[folder / f"{drawing.name}.{kind}"] = content
    for name in only:
        if name not in names:
            similar = did_you_mean(name, names)
            raise ValueError(f"{directory}: has no figure {name!r}; {similar}it has {', '.join(names) or 'none'}")
    folder.mkdir(exist_ok=True)
    for path, content in contents.items():
        with atomic_path(path) as scratch:
            scratch.write_bytes(content)
    return list(contents)


def _refuse_without_results(directory: Path) -> None:
    if (directory / "results.h5").exists():
        return
    for name, command in _OTHER_JOBS.items():
        if any(directory.glob(name)):
            raise ValueError(
                f"{directory}: holds a {command}, whose files are not enough to draw its figures again; repeat it with "
                "output.figures set to the formats that you need"
            )
    raise ValueError(f"{directory}: holds a run file and no results; the command that started the run resumes it")


def drawn_from(directory: Path) -> tuple[Any, dict[str, Any]]:
    """What the figures of a ``corundum run`` are drawn from: the arguments of `standard_drawings`.

    Raises
    ------
    ValueError
        The directory holds no results of ``corundum run``.
    """
    tables = run_of(directory)
    _refuse_without_results(directory)
    results = io.load(directory / "results.h5")
    names = tables.get("compare", {}).get("measurements", ())
    redshifts = [float(redshift) for redshift in results.population.redshifts]
    shared: dict[str, Any] = {
        "halos": results.halos,
        "measurements": [measurement_at(name, redshifts) for name in names],
    }
    if (directory / "trajectories.h5").exists():
        shared["trajectories"] = io.load(directory / "trajectories.h5").population
    if (directory / "compared.h5").exists():
        second = io.load(directory / "compared.h5")
        if second.halos is not None:
            shared["compared"] = Compared(second.population, second.halos, halo_labels(tables))
    return results.population, shared
