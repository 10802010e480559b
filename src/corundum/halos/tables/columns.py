"""Names and units of the columns of a halo table.

A column is recognised by the name of its quantity or one of a few other spellings, in any case.  Its unit is the one
that the caller states, else the one in the header (``mvir [Msun/h]``) or in an HDF5 attribute, else the default: Msun,
proper kpc, km/s, Gyr.
"""

import warnings
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ...messages import did_you_mean, similar_names

__all__ = ["Column", "COLUMNS", "Unit", "UNITS", "match_columns", "find_unit", "convert"]


class Column(NamedTuple):
    """A quantity of a halo table: the kind of unit it has, its meaning, and how its column may be spelt."""

    kind: str
    meaning: str
    spellings: tuple[str, ...]


COLUMNS = {
    "halo_id": Column(
        "label",
        "the halo that a row belongs to",
        ("haloid", "halo", "branch", "rootid", "root_id", "tree_root_id", "id"),
    ),
    "time": Column("time", "cosmic age", ("t", "age", "cosmic_age")),
    "redshift": Column("number", "redshift", ("z",)),
    "scale_factor": Column("number", "scale factor", ("a", "scale", "aexp")),
    "mvir": Column("mass", "halo mass", ("m", "m_vir", "mass", "halo_mass")),
    "log_mvir": Column("mass", "log10 of halo mass", ("logm", "log_m", "logmvir", "log10_mvir", "lgm")),
    "rvir": Column("length", "halo radius", ("r", "r_vir")),
    "vvir": Column("velocity", "circular velocity at the halo radius", ("v", "v_vir")),
    "concentration": Column("number", "NFW concentration", ("c", "cvir", "c_vir", "cnfw")),
    "rs": Column("length", "NFW scale radius", ("r_s", "scale_radius")),
    "vmax": Column("velocity", "peak circular velocity", ("v_max",)),
    "weight": Column("number", "number or number density of halos that a halo represents", ("weights",)),
    "isolated": Column("number", "1 if no heavier halo is near at the end, 0 otherwise", ("is_isolated",)),
    "separation": Column("number", "distance from a heavier halo at the end, in virial radii of that halo", ()),
    "mass_definition": Column("label", "mass definition, the same in all rows", ("mdef",)),
}
"""Every quantity that a halo table may have."""

_OFTEN_MISSPELT = ("rvir", "vvir", "concentration", "vmax", "weight", "mass_definition")


class Unit(NamedTuple):
    """A unit as `factor` * h^`h_power` * a^`a_power` of the default one."""

    factor: float
    h_power: int = 0
    a_power: int = 0


_MASSES = {"Msun": Unit(1.0), "Msun/h": Unit(1.0, -1), "1e10 Msun": Unit(1e10), "1e10 Msun/h": Unit(1e10, -1)}
_LENGTHS = {
    f"{comoving}{scale}{per_h}": Unit(factor, -1 if per_h else 0, 1 if comoving else 0)
    for scale, factor in (("kpc", 1.0), ("Mpc", 1e3))
    for comoving in ("", "c")
    for per_h in ("", "/h")
}
UNITS = {
    "mass": _MASSES,
    "length": _LENGTHS,
    "velocity": {"km/s": Unit(1.0)},
    "time": {"Gyr": Unit(1.0), "Myr": Unit(1e-3), "yr": Unit(1e-9)},
    "number": {"1": Unit(1.0)},
}
"""Allowed units by kind of column; the first of each kind is the default."""

_SHORT_FORMS = (
    ("comoving", "c"),
    ("proper", ""),
    ("physical", ""),
    ("dimensionless", "1"),
    ("none", "1"),
    ("solmass", "msun"),
    ("msol", "msun"),
    ("m_sun", "msun"),
    ("kms^-1", "km/s"),
    ("kms-1", "km/s"),
)


_OTHER_MEANINGS = (({"x", "y", "z"}, "positions"), ({"a", "b", "c"}, "axis ratios"))
"""Names of columns that, where all of them are in a table, are none of the quantities that one of them may spell."""


def match_columns(names: Iterable[str], columns: Mapping[str, str | None] | None) -> dict[str, str]:
    """The name in the table of each quantity that the table has.

    Parameters
    ----------
    names : iterable of str
        Names of the columns of the table.
    columns : mapping of str to str or None, optional
        Names in the table by quantity, where the caller states them; None (or an empty text) for a quantity, or for the
        name of a column, leaves that column out.

    Returns
    -------
    dict of str to str

    Raises
    ------
    ValueError
        A name is unknown, missing or fits twice, or the table lacks a quantity that a history needs.

    Examples
    --------
    >>> from corundum.halos.tables.columns import match_columns
    >>> match_columns(["Tree", "A", "logM"], {"halo_id": "Tree"})
    {'halo_id': 'Tree', 'scale_factor': 'A', 'log_mvir': 'logM'}
    """
    names = list(names)
    left_out = {name for name, column in (columns or {}).items() if not column}
    for name in left_out:
        if name not in names and name not in COLUMNS:
            raise ValueError(f"columns: got {name!r} to leave out; the table has {', '.join(names)}")
    chosen = {quantity: name for quantity, name in (columns or {}).items() if name}
    for quantity, name in chosen.items():
        if quantity not in COLUMNS:
            hint = did_you_mean(quantity, COLUMNS, number=1, cutoff=0.5)
            raise ValueError(f"columns: got the quantity {quantity!r}; {hint}allowed {', '.join(COLUMNS)}")
        if name not in names:
            hint = did_you_mean(name, names, number=1, cutoff=0.5)
            raise ValueError(f"columns: got {name!r} for {quantity}; {hint}the table has {', '.join(names)}")
    matches = dict(chosen)
    lower = {name.lower() for name in names}
    left_out |= {name for group, _ in _OTHER_MEANINGS if group <= lower for name in names if name.lower() in group}
    for quantity, column in COLUMNS.items():
        if quantity in left_out and quantity not in names:
            continue
        fits = [name for name in names if name.lower() in (quantity, *column.spellings)]
        fits = [name for name in fits if name not in chosen.values() and name not in left_out]
        if quantity in chosen or not fits:
            continue
        if quantity in (name.lower() for name in fits):
            fits = [name for name in fits if name.lower() == quantity]
        if len(fits) > 1:
            raise ValueError(
                f"columns: {' and '.join(fits)} could both be {quantity}; say which, as "
                f"columns={{{quantity!r}: {fits[0]!r}}}"
            )
        matches[quantity] = fits[0]
    _warn_of_misspelt_columns(matches, [name for name in names if name not in left_out])
    _require_one_of(matches, names, "halo_id")
    _require_one_of(matches, names, "mvir", "log_mvir")
    _require_one_of(matches, names, "time", "redshift", "scale_factor")
    if "mvir" in matches and "log_mvir" in matches:
        raise ValueError(
            f"columns: {matches['mvir']} and {matches['log_mvir']} are both masses; keep one of them in the table"
        )
    return matches


def _warn_of_misspelt_columns(matches: dict[str, str], names: list[str]) -> None:
    absent = [quantity for quantity in _OFTEN_MISSPELT if quantity not in matches]
    for name in (name for name in names if name not in matches.values()):
        for quantity in similar_names(name.lower(), absent, number=1, cutoff=0.8):
            warnings.warn(
                f"column {name!r} is not used; if it is the {COLUMNS[quantity].meaning}, give "
                f"columns={{{quantity!r}: {name!r}}}",
                stacklevel=4,
            )


def _require_one_of(matches: dict[str, str], names: list[str], *quantities: str) -> None:
    if any(quantity in matches for quantity in quantities):
        return
    free = [name.lower() for name in names if name not in matches.values()]
    hints = (
        (name, quantity)
        for quantity in quantities
        for spelling in (quantity, *(other for other in COLUMNS[quantity].spellings if len(other) > 2))
        for name in similar_names(spelling, free, number=1, cutoff=0.7)
    )
    lower, quantity = next(hints, (None, quantities[0]))
    similar = next((name for name in names if name.lower() == lower), None)
    for group, meaning in _OTHER_MEANINGS:
        spelt = [(q, name) for q in quantities for name in free if name in group and name in COLUMNS[q].spellings]
        if spelt and group <= set(free):
            quantity, similar = spelt[0]
            raise ValueError(
                f"columns: no {' or '.join(quantities)} among {', '.join(names)}, where {', '.join(sorted(group))} are "
                f"taken as {meaning}; if {similar} is the {COLUMNS[quantity].meaning}, give "
                f"columns={{{quantity!r}: {similar!r}}}"
            )
    advice = f"did you mean {similar!r}? then give" if similar else "give the name it has in the table, as"
    raise ValueError(
        f"columns: no {' or '.join(quantities)} among {', '.join(names) or 'no columns at all'}; "
        f"{advice} columns={{{quantity!r}: {similar or 'name'!r}}}"
    )


def find_unit(quantity: str, text: str | None) -> tuple[str, Unit]:
    """Canonical name and meaning of the unit of a quantity.

    Parameters
    ----------
    quantity : str
        One of `COLUMNS`.
    text : str or None
        The unit as somebody has written it; empty or None for the default.

    Raises
    ------
    ValueError
        The unit is not one of those allowed for this quantity.

    Examples
    --------
    >>> from corundum.halos.tables.columns import find_unit
    >>> find_unit("rvir", "comoving kpc / h")
    ('ckpc/h', Unit(factor=1.0, h_power=-1, a_power=1))
    """
    allowed = UNITS[COLUMNS[quantity].kind]
    if text is None or not text.strip():
        return next(iter(allowed.items()))
    normalised = _normalise(text)
    for name, unit in allowed.items():
        if _normalise(name) == normalised:
            return name, unit
    hint = did_you_mean(text, allowed, number=1, cutoff=0.5)
    raise ValueError(f"units: {quantity} has unit {text!r}; {hint}allowed {', '.join(allowed)}")


def _normalise(text: str) -> str:
    """A unit in small letters, without spaces and in the shortest of its usual spellings."""
    unit = text.lower().replace(" ", "").replace("*", "")
    if unit.startswith(("log10(", "dex(")) and unit.endswith(")"):
        unit = unit[unit.index("(") + 1 : -1]
    for long, short in _SHORT_FORMS:
        unit = unit.replace(long, short)
    return unit.replace("h^-1", "/h") if unit.endswith("h^-1") else unit


def convert(
    values: Float[np.ndarray, " n"] | float, unit: Unit, h: float, scale_factor: Float[np.ndarray, " #n"] | float
) -> Float[np.ndarray, " n"] | float:
    """Values in the default unit of their kind.

    Examples
    --------
    >>> from corundum.halos.tables.columns import Unit, convert
    >>> float(convert(70.0, Unit(1e3, h_power=-1, a_power=1), h=0.7, scale_factor=0.5))
    50000.0
    """
    return values * (unit.factor * h**unit.h_power) * scale_factor**unit.a_power
