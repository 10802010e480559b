"""Reading measured halo histories from a table with one row per halo and snapshot, in a text or an HDF5 file.

The header of the table names its columns.  Three of them are needed: the halo that a row belongs to, a time (cosmic
age, redshift or scale factor) and a mass.  Radius, velocity and concentration are optional.  Units are checked: the
reader refuses a column whose numbers cannot be what its unit says, and names the likely reason.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import strategy
from ...cosmology import Cosmology, as_cosmology
from ...messages import did_you_mean, one_line
from ...parameters import require_float64
from ..branches.branch import Branch, smooth_branches
from ..branches.smoothing import AbstractMassLoss, AbstractSmoothing, GaussianInLogTime, RunningMaximum
from ..concentration import AbstractConcentration, Diemer19
from ..definitions import VirialQuantities, definition_note, virial_quantities
from ..histories import HaloHistories
from .checks import check_masses, check_times
from .columns import COLUMNS, Unit, convert, find_unit, match_columns
from .files import RawTable, column_names, read_file

__all__ = ["is_table", "read_table"]

_MISSING = ("", "--", "-", "nan", "na", "n/a", "null", "none", "masked")
"""How programs write that a number is missing, in small letters."""
_LOWEST_H, _HIGHEST_H = 0.3, 1.2  # a Hubble constant outside is not over 100 km/s/Mpc


def is_table(path: str | Path) -> bool:
    """Whether a file has the columns of a table of main branches under their usual names.

    Examples
    --------
    >>> from pathlib import Path
    >>> from corundum.halos.tables.reader import is_table
    >>> _ = Path("halos.csv").write_text("halo_id,redshift,mvir\\n")
    >>> is_table("halos.csv")
    True
    """
    try:
        match_columns(column_names(Path(path)), None)
    except ValueError:
        return False
    return True


def read_table(
    path: str | Path,
    *,
    columns: Mapping[str, str | None] | None = None,
    units: Mapping[str, str] | None = None,
    h: float | None = None,
    cosmology: Cosmology | None = None,
    mass_definition: str | None = None,
    mass_loss: AbstractMassLoss | None = None,
    smoothing: AbstractSmoothing | None = None,
    concentration: AbstractConcentration | None = None,
    times: Sequence[float] | Float[Array, " t"] | None = None,
    drop_bad: bool = False,
) -> HaloHistories:
    """Halo histories from a table of main branches.

    Parameters
    ----------
    path : path
        Text with a header row (commas or white space; lines starting with # are comments), or HDF5 with one
        dataset per column.  Snapshots of a halo may run forwards or backwards in time.
    columns : mapping of str to str or None, optional
        Names in the table by quantity, where they are not the usual ones; None leaves a column out, as in
        ``{"z": None}``.  The quantities are halo_id; time, redshift
        or scale_factor; mvir or log_mvir; and optionally rvir, vvir, concentration, rs, vmax, weight, isolated (1 or
        0) or separation (see `HaloHistories`), mass_definition.
    units : mapping of str to str, optional
        Units by quantity, such as ``{"mvir": "Msun/h", "rvir": "ckpc/h"}``; they take precedence over those in the
        file.  Without any, masses are in Msun, lengths in proper kpc, velocities in km/s and times in Gyr.
    h : float, optional
        Hubble constant over 100 km/s/Mpc for units with /h, from 0.3 to 1.2; default that of `cosmology` if one is
        given.
    cosmology : Cosmology, optional
        Default `pandya26_cosmology()`.  Where the table has redshift or scale factor, they set the cosmic time.
    mass_definition : str, optional
        "bn98" (the default), "vir" (the same), or such as "200c", "500c", "200m", converted with NFW profiles.
    mass_loss : AbstractMassLoss, optional
        Default `RunningMaximum()`.
    smoothing : AbstractSmoothing, optional
        Default `GaussianInLogTime(0.1)`.
    concentration : AbstractConcentration, optional
        Relation that fills missing concentrations; default `Diemer19()`.  The table may have a concentration, a scale
        radius rs or a peak velocity vmax.
    times : array, shape (t,), optional
        Cosmic ages [Gyr] of the histories; default 128, uniform in ln(t), from first to last snapshot.
    drop_bad : bool
        Leave out halos that cannot be used, and record them in the provenance, instead of refusing the table.

    Returns
    -------
    HaloHistories
        In the order in which the halos first appear in the table.

    Raises
    ------
    ValueError
        The file cannot be read, a column is missing or misspelt, a unit is unknown or cannot be right, or a
        halo has repeated or disordered times, a mass that is not a positive number, too few snapshots, or ends before
        the last time.

    Examples
    --------
    A halo that grows as a power law of time:

    >>> from pathlib import Path
    >>> rows = [f"7,{age},{1e12 * (age / 13.0) ** 2}" for age in np.geomspace(1.0, 13.0, 20)]
    >>> _ = Path("halos.csv").write_text("\\n".join(["halo_id,time,mvir", *rows]))
    >>> histories = co.halos.read_table("halos.csv")
    >>> round(float(histories.log_mvir[0, -1]), 3)
    12.0
    """
    require_float64()
    if h is not None and not _LOWEST_H < h < _HIGHEST_H:
        raise ValueError(f"h: got {h:g}; give the Hubble constant over 100 km/s/Mpc, such as 0.6774")
    if h is None and cosmology is not None:
        h = float(cosmology.h)
    cosmology = as_cosmology(cosmology)
    raw = read_file(path)
    try:
        names = match_columns(raw.columns, columns)
        column_units = _find_units(raw, names, units, h)
    except ValueError as error:
        raise ValueError(one_line(f"{path}: {error}")) from None
    _check_halo_ids(raw, names["halo_id"], path)
    definition = _mass_definition(raw, names, mass_definition, path)
    relation = strategy("concentration", concentration, Diemer19())
    numbers = {quantity: _numbers(raw, names[quantity], path) for quantity in column_units}
    age, virial = _virial_quantities(numbers, column_units, h or 1.0, definition, cosmology, relation, names, path)
    try:
        return smooth_branches(
            _branches(raw, names, age, virial, numbers.get("weight"), _separations(numbers, path), path),
            cosmology=cosmology,
            concentration=relation,
            mass_loss=strategy("mass_loss", mass_loss, RunningMaximum()),
            smoothing=strategy("smoothing", smoothing, GaussianInLogTime()),
            times=times,
            drop_bad=drop_bad,
            provenance={
                "source": f"table {Path(path).name}, {len(raw.rows)} rows",
                "columns": _describe_columns(raw, names, column_units),
                "mass definition": definition_note(definition, virial.assumed, relation),
                "radius": "Bryan & Norman 1998" if virial.log_radius_ratio is None else "from the table",
            },
        ).halos
    except ValueError as error:
        raise ValueError(one_line(f"{path}: {error}")) from None


def _find_units(
    raw: RawTable, names: dict[str, str], chosen: Mapping[str, str] | None, h: float | None
) -> dict[str, tuple[str, Unit]]:
    """Name and meaning of the unit of every column of numbers."""
    chosen = dict(chosen or {})
    for quantity in chosen:
        if quantity not in COLUMNS:
            hint = did_you_mean(quantity, COLUMNS, number=1, cutoff=0.5)
            raise ValueError(f"units: got the quantity {quantity!r}; {hint}allowed {', '.join(COLUMNS)}")
        if quantity not in names:
            raise ValueError(f"units: the table has no column for {quantity}; it has one for {', '.join(names)}")
    units = {
        quantity: find_unit(quantity, chosen.get(quantity, raw.units.get(name)))
        for quantity, name in names.items()
        if COLUMNS[quantity].kind != "label"
    }
    with_h = [f"{quantity} [{text}]" for quantity, (text, unit) in units.items() if unit.h_power]
    if with_h and h is None:
        raise ValueError(
            f"units: {', '.join(with_h)} cannot be read without the Hubble constant; give h=..., such as 0.6774"
        )
    return units


def _numbers(raw: RawTable, name: str, path: str | Path) -> Float[np.ndarray, " n"]:
    """A column as numbers, NaN where a field is empty."""
    values = raw.columns[name]
    if values.dtype.kind != "U":
        return values.astype(float)
    try:
        return np.where(np.isin(np.char.lower(values), _MISSING), "nan", values).astype(np.float64)
    except ValueError:
        row = next(row for row, value in enumerate(values) if not _is_number(value.lower()))
        message = f"{path}: {raw.place(row)} has {str(values[row])!r} for {name}; it must be a number"
        raise ValueError(message) from None


def _is_number(text: str) -> bool:
    try:
        float("nan" if text in _MISSING else text)
    except ValueError:
        return False
    return True


def _check_halo_ids(raw: RawTable, name: str, path: str | Path) -> None:
    ids = raw.columns[name]
    missing = np.isin(np.char.lower(ids), _MISSING) if ids.dtype.kind == "U" else np.isnan(ids.astype(float))
    if np.any(missing):
        row = int(np.argmax(missing))
        raise ValueError(
            f"{path}: {raw.place(row)} has no {name}, so the halo it belongs to is not known ({np.sum(missing)} such "
            "rows); fill it in or remove these rows"
        )


def _weights(weight: Float[np.ndarray, " n"], owner: np.ndarray, ids: np.ndarray, path: str | Path):
    """Weight of each halo, which all of its rows must state alike."""
    low, high = np.full(owner.max() + 1, np.inf), np.full(owner.max() + 1, -np.inf)
    with np.errstate(invalid="ignore"):  # a missing weight stays NaN
        np.minimum.at(low, owner, weight)
        np.maximum.at(high, owner, weight)
    differ = ~(np.isclose(low, high, rtol=1e-6, atol=0.0) | np.isnan(low))
    if np.any(differ):
        halo = int(np.argmax(differ))
        raise ValueError(
            f"{path}: halo {ids[halo]} has weights from {low[halo]:.6g} to {high[halo]:.6g}; a halo has one weight, "
            "the same in all of its rows"
        )
    return low


def _mass_definition(raw: RawTable, names: dict[str, str], chosen: str | None, path: str | Path) -> str:
    if "mass_definition" not in names:
        return chosen or "bn98"
    stated = np.unique(raw.columns[names["mass_definition"]])
    if len(stated) > 1:
        raise ValueError(
            f"{path}: mass_definition has {', '.join(map(str, stated))}; all rows of a table must have the same one"
        )
    if chosen is not None and chosen.lower() != str(stated[0]).lower():
        raise ValueError(
            f"mass_definition: got {chosen!r} but {path} says {stated[0]}; leave the keyword out or correct the table"
        )
    return str(stated[0])


def _virial_quantities(
    numbers: dict[str, Float[np.ndarray, " n"]],
    units: dict[str, tuple[str, Unit]],
    h: float,
    definition: str,
    cosmology: Cosmology,
    relation: AbstractConcentration,
    names: dict[str, str],
    path: str | Path,
) -> tuple[Float[np.ndarray, " n"], VirialQuantities]:
    """Cosmic age [Gyr], and virial mass, concentration and radius, of every row."""
    age, scale = check_times(numbers, units, cosmology, path)
    converted = {}
    for quantity in ("rvir", "vvir", "rs", "vmax"):
        if quantity in numbers:
            values = convert(numbers[quantity], units[quantity][1], h, scale)
            converted[quantity] = np.where(values > 0.0, values, np.nan)
    mass = check_masses(numbers, units, h, names, path)
    redshift = 1.0 / scale - 1.0
    return age, virial_quantities(numbers | converted, mass, redshift, definition, cosmology, relation, path)


def _branches(
    raw: RawTable,
    names: dict[str, str],
    age: Float[np.ndarray, " n"],
    virial: VirialQuantities,
    weight: Float[np.ndarray, " n"] | None,
    separation: Float[np.ndarray, " n"] | None,
    path: str | Path,
) -> list[Branch]:
    """The halos of the table in the order they appear."""
    halo_ids = raw.columns[names["halo_id"]]
    distinct, first, owner = np.unique(halo_ids, return_index=True, return_inverse=True)
    rows_of_halo = np.split(np.argsort(owner, kind="stable"), np.cumsum(np.bincount(owner))[:-1])
    weights = None if weight is None else _weights(weight, owner, distinct, path)
    branches = []
    for number in np.argsort(first):
        rows = rows_of_halo[number]
        last = rows[np.argmax(age[rows])]
        branches.append(
            Branch(
                name=str(halo_ids[rows[0]]),
                time=age[rows],
                log_mvir=virial.log_mvir[rows],
                log_concentration=virial.log_concentration[rows],
                log_radius_ratio=None if virial.log_radius_ratio is None else virial.log_radius_ratio[rows],
                weight=1.0 if weights is None else float(weights[number]),
                separation=None if separation is None else float(separation[last]),
            )
        )
    return branches


def _separations(numbers: dict[str, Float[np.ndarray, " n"]], path: str | Path) -> Float[np.ndarray, " n"] | None:
    """Distance of each row from a heavier halo, from the column separation or from isolated, which is 1 or 0."""
    if "isolated" not in numbers:
        return numbers.get("separation")
    isolated = numbers["isolated"]
    if "separation" in numbers or not np.all(np.isin(isolated, (0.0, 1.0)) | np.isnan(isolated)):
        raise ValueError(f"{path}: isolated must be 1 or 0 in every row, and a table has it or separation, not both")
    return np.where(np.isnan(isolated), np.nan, np.where(isolated > 0.0, np.inf, 0.0))


def _describe_columns(raw: RawTable, names: dict[str, str], units: dict[str, tuple[str, Unit]]) -> str:
    used = [f"{quantity} = {names[quantity]} [{text}]" for quantity, (text, _) in units.items()]
    unused = ", ".join(name for name in raw.columns if name not in names.values())
    return f"halo_id = {names['halo_id']}, {', '.join(used)}; not used: {unused or 'none'}"
