"""Read measured halo histories from a table: one row per halo and snapshot, in a text or an HDF5 file.

The table names its columns; what it must hold is which halo a row belongs to, a time (cosmic age, redshift or
scale factor) and a mass.  Radius, velocity and concentration are optional.  Units are checked, not guessed: a
column whose numbers cannot be what its unit says stops the reader with the likely reason.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Array, Float

from ...cosmology import Cosmology, pandya26_cosmology
from ...parameters import require_float64
from ..branches.branch import Branch, smooth_branches
from ..branches.smoothing import AbstractMassLoss, AbstractSmoothing, GaussianInLogTime, RunningMaximum
from ..concentration import AbstractConcentration, Diemer19
from ..definitions import describe_definition, virial_quantities
from ..histories import HaloHistories
from .checks import check_masses, check_times
from .columns import COLUMNS, Unit, convert, find_unit, match_columns, nearest
from .files import RawTable, column_names, read_file

__all__ = ["is_table", "read_table"]


def is_table(path: str | Path) -> bool:
    """Whether a file has the columns of a table of main branches under their usual names."""
    try:
        match_columns(column_names(Path(path)), None)
    except ValueError:
        return False
    return True


def read_table(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    h: float | None = None,
    cosmology: Cosmology | None = None,
    mass_definition: str | None = None,
    mass_loss: AbstractMassLoss | None = None,
    smoothing: AbstractSmoothing | None = None,
    concentration: AbstractConcentration | None = None,
    times: Float[Array, " t"] | None = None,
    drop_bad: bool = False,
) -> HaloHistories:
    """Halo histories from a table.

    Parameters
    ----------
    path : path
        Text with a header row (commas or white space; lines starting with # are comments), or HDF5 with one
        dataset per column.  Snapshots of a halo may run forwards or backwards in time.
    columns : mapping of str to str, optional
        Names in the table by quantity, where they are not the usual ones: halo_id; time, redshift or
        scale_factor; mvir or log_mvir; optionally rvir, vvir, concentration, rs, vmax, weight, isolated (1 or
        0) or separation (see `HaloHistories`), mass_definition.
    units : mapping of str to str, optional
        Units by quantity, such as ``{"mvir": "Msun/h", "rvir": "ckpc/h"}``; they win over those in the file.
        Without any, masses are Msun, lengths proper kpc, velocities km/s and times Gyr.
    h : float, optional
        Hubble constant over 100 km/s/Mpc for units with /h; default that of `cosmology` if one is given.
    cosmology : Cosmology, optional
        Default `pandya26_cosmology()`.  Redshift or scale factor, where given, set the cosmic time.
    mass_definition : str, optional
        "bn98" (the default), "vir" (the same), or such as "200c", "500c", "200m", converted with NFW profiles.
    mass_loss : AbstractMassLoss, optional
        Default `RunningMaximum()`.
    smoothing : AbstractSmoothing, optional
        Default `GaussianInLogTime(0.1)`.
    concentration : AbstractConcentration, optional
        Fills missing concentrations; default `Diemer19()`.  In the table it may be given as such, by rs or by
        vmax.
    times : array, shape (t,), optional
        Cosmic ages [Gyr] of the histories; default 128, uniform in ln(t), from first to last snapshot.
    drop_bad : bool
        Leave out halos that cannot be used (and say so in the provenance) instead of refusing the table.

    Raises
    ------
    ValueError
        The file cannot be read, a column is missing or misspelt, a unit is unknown or cannot be right, or a
        halo has repeated or disordered times, a mass that is not a positive number, too few snapshots, or an
        early end.
    """
    require_float64()
    if h is not None and not 0.3 < h < 1.2:
        raise ValueError(f"h: got {h:g}; give the Hubble constant over 100 km/s/Mpc, such as 0.6774")
    if h is None and cosmology is not None:
        h = float(cosmology.h)
    cosmology = pandya26_cosmology() if cosmology is None else cosmology
    raw = read_file(path)
    names = match_columns(raw.columns, columns)
    found_units = _find_units(raw, names, units, h, path)
    definition = _definition(raw, names, mass_definition, path)
    relation = Diemer19() if concentration is None else concentration
    branches, has_radius, assumed = _branches(raw, names, found_units, h or 1.0, definition, cosmology, relation, path)
    words = describe_definition(definition, assumed, relation)
    return smooth_branches(
        branches,
        cosmology=cosmology,
        concentration=relation,
        mass_loss=RunningMaximum() if mass_loss is None else mass_loss,
        smoothing=GaussianInLogTime() if smoothing is None else smoothing,
        times=times,
        drop_bad=drop_bad,
        provenance=_provenance(raw, names, found_units, words, has_radius, path),
    ).halos


def _find_units(raw: RawTable, names, asked, h, path) -> dict[str, tuple[str, Unit]]:
    asked = dict(asked or {})
    for quantity in asked:
        if quantity not in COLUMNS:
            raise ValueError(f"units: {quantity!r} is none of {', '.join(COLUMNS)}{nearest(quantity, COLUMNS)}")
        if quantity not in names:
            raise ValueError(f"units: {path} has no column for {quantity}; it has one for {', '.join(names)}")
    found = {
        quantity: find_unit(quantity, asked.get(quantity, raw.units.get(name)))
        for quantity, name in names.items()
        if COLUMNS[quantity].kind != "label"
    }
    with_h = [f"{quantity} [{text}]" for quantity, (text, unit) in found.items() if unit.h_power]
    if with_h and h is None:
        raise ValueError(
            f"units: {', '.join(with_h)} cannot be read without the Hubble constant; give h=..., such as 0.6774"
        )
    return found


def _numbers(raw: RawTable, name, path) -> Float[np.ndarray, " n"]:
    values = raw.columns[name]
    try:
        return (
            np.where(values == "", "nan", values).astype(np.float64)
            if values.dtype.kind == "U"
            else values.astype(float)
        )
    except ValueError:
        for row, value in enumerate(values):
            try:
                float(value or "nan")
            except ValueError:
                raise ValueError(
                    f"{path}: {raw.place(row)} has {str(value)!r} for {name}; it must be a number"
                ) from None
        raise


def _definition(raw: RawTable, names, asked, path) -> str:
    if "mass_definition" not in names:
        return asked or "bn98"
    stated = np.unique(raw.columns[names["mass_definition"]])
    if len(stated) > 1:
        raise ValueError(
            f"{path}: mass_definition has {', '.join(map(str, stated))}; all rows of a table must have the same one"
        )
    if asked is not None and asked.lower() != str(stated[0]).lower():
        raise ValueError(
            f"mass_definition: got {asked!r} but {path} says {stated[0]}; leave the keyword out or correct the table"
        )
    return str(stated[0])


def _branches(raw: RawTable, names, units, h, definition, cosmology, relation, path) -> tuple[list[Branch], bool, int]:
    """The halos of the table in the order they appear, whether they have radii of their own, and for how many
    rows a concentration was assumed.
    """
    numbers = {quantity: _numbers(raw, names[quantity], path) for quantity in units}
    age, scale = check_times(numbers, units, cosmology, path)
    for quantity in ("rvir", "vvir", "rs", "vmax"):
        if quantity in numbers:
            values = convert(numbers[quantity], units[quantity][1], h, scale)
            numbers[quantity] = np.where(values > 0.0, values, np.nan)
    mass = check_masses(numbers, units, h, names, path)
    log_mvir, log_c, log_ratio, assumed = virial_quantities(
        numbers, mass, 1.0 / scale - 1.0, definition, cosmology, relation, path
    )
    weight = numbers.get("weight", np.ones(len(age)))
    separation = _separation(numbers, path)

    _, first, owner = np.unique(raw.columns[names["halo_id"]], return_index=True, return_inverse=True)
    rows_of = np.split(np.argsort(owner, kind="stable"), np.cumsum(np.bincount(owner))[:-1])
    branches = []
    for rows in (rows_of[k] for k in np.argsort(first)):
        name = str(raw.columns[names["halo_id"]][rows[0]])
        ratio = None if log_ratio is None else log_ratio[rows]
        last = rows[np.argmax(age[rows])]
        apart = None if separation is None else float(separation[last])
        branches.append(
            Branch(
                name, age[rows], log_mvir[rows], log_c[rows], ratio, float(weight[rows[0]]), separation=apart,
            )
        )  # fmt: skip
    return branches, log_ratio is not None, assumed


def _separation(numbers, path):
    """Distance of each row from a heavier halo, from either column that says something of it."""
    if "isolated" not in numbers:
        return numbers.get("separation")
    isolated = numbers["isolated"]
    if "separation" in numbers or not np.all(np.isin(isolated, (0.0, 1.0)) | np.isnan(isolated)):
        raise ValueError(f"{path}: isolated must be 1 or 0 in every row, and a table has it or separation, not both")
    return np.where(np.isnan(isolated), np.nan, np.where(isolated > 0.0, np.inf, 0.0))


def _provenance(raw, names, units, definition, has_radius, path):
    used = [f"{quantity} = {names[quantity]} [{text}]" for quantity, (text, _) in units.items()]
    ignored = ", ".join(name for name in raw.columns if name not in names.values())
    return {
        "source": f"table {Path(path).name}, {len(raw.rows)} rows",
        "columns": f"halo_id = {names['halo_id']}, {', '.join(used)}; not used: {ignored or 'none'}",
        "mass definition": definition,
        "radius": "from the table" if has_radius else "Bryan & Norman 1998",
    }
