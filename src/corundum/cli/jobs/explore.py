"""The job behind ``corundum explore``: the explorer of a run file, and run files of what it shows."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...arguments import whole_number
from ...explorer import Explorer, view_of
from ...explorer.view import MOST_HALOS
from ...io import load_posterior
from ..runfile.builder import construct
from ..runfile.inference_settings import Fit
from ..runfile.job import prepare
from ..runfile.reader import RunFile
from ..runfile.toml import write_toml
from .fit_plan import priors_in

__all__ = ["explorer_of", "run_file_of"]


def explorer_of(run_file: RunFile | None, halos: int | None = None, posterior: Path | None = None) -> Explorer:
    """The explorer of a run file, by default of the published model beside two relations of today.

    Parameters
    ----------
    run_file : RunFile, optional
    halos : int, optional
        Halos on screen; default `MOST_HALOS`.
    posterior : Path, optional
        A netCDF file of a fit of this model.

    Raises
    ------
    ValueError
        Something in the run file is wrong, or none of its data can be shown.
    """
    most = MOST_HALOS if halos is None else whole_number("--halos", halos, meaning="halos")
    if run_file is None:
        run_file = RunFile(Path("explored.toml"), _published(most), {}, {})
    job = prepare(run_file)
    if not job.measurements:
        raise ValueError(
            f"{run_file.path}: no measurement fits the redshifts of output.redshifts and the model; name some in "
            "compare.measurements"
        )
    view = view_of(job.model, job.halos, job.measurements, most=most)
    data = None if posterior is None else load_posterior(posterior)
    about_fit: dict[str, Any] = {}
    if "fit" in run_file.tables:
        with run_file.located():
            settings = construct(Fit, run_file.tables["fit"], ("fit",)).value
            about_fit["priors"] = priors_in(settings.priors)
            if settings.free is not None:
                about_fit["free"] = settings.free
    return Explorer(view, job.title, lambda laws, values: run_file_of(job.tables, laws, values), data, **about_fit)


def run_file_of(tables: Mapping[str, Any], laws: Mapping[str, str], values: Mapping[str, float]) -> str:
    """The text of a resolved run file with other laws and numbers.

    Examples
    --------
    >>> tables = {"model": {"kind": "models.pandya26", "parameters": {"mass_loading.slope": -0.5}}}
    >>> print(run_file_of(tables, {}, {"mass_loading.slope": -1.0}))
    [model]
    kind = "models.pandya26"
    <BLANKLINE>
    [model.parameters]
    "mass_loading.slope" = -1.0
    <BLANKLINE>
    """
    changed = copy.deepcopy(dict(tables))
    model = changed["model"]
    for place, law in laws.items():
        model[place] = {"kind": f"physics.{law}"}
    of_other_laws = tuple(f"{place}." for place in laws)
    numbers = model.setdefault("parameters", {})
    model["parameters"] = {name: value for name, value in numbers.items() if not name.startswith(of_other_laws)}
    model["parameters"].update(values)
    return write_toml(changed)


def _published(halos: int) -> dict[str, Any]:
    return {
        "title": "The published model",
        "halos": {"kind": "halos.monte_carlo_trees", "n": halos},
        "model": {"kind": "models.pandya26"},
        "compare": {"measurements": ["shmr_behroozi19_sf", "coldgas_xgass"]},
    }
