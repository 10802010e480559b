"""Names and units of the columns of a halo table, and the checks that catch a wrong one.

A column is found by its name or one of a few other spellings, in any case; its unit comes from the reader's
`units`, from the header (``mvir [Msun/h]``) or from an HDF5 attribute, and else is the default: Msun, proper
kpc, km/s, Gyr.
"""

import difflib
import warnings
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

__all__ = ["Column", "COLUMNS", "Unit", "UNITS", "match_columns", "find_unit", "convert", "nearest"]


class Column(NamedTuple):
    """A quantity of a halo table: what kind of unit it has and how it may be spelt."""

    kind: str
    meaning: str
    spellings: tuple[str, ...]


COLUMNS = {
    "halo_id": Column(
        "label",
        "which halo a row belongs to",
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
    "weight": Column("number", "number or number density of halos each stands for", ("weights",)),
    "isolated": Column("number", "1 where no heavier halo is near at the end, 0 where one is", ("is_isolated",)),
    "separation": Column("number", "distance from a heavier halo at the end, in its virial radii", ()),
    "mass_definition": Column("label", "mass definition, the same in all rows", ("mdef",)),
}


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
"""Allowed units by kind of column; the first of each is the default."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint naming the closest of the `known` names, or nothing."""
    by_lower = {option.lower(): option for option in known}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return f"; did you mean {by_lower[found[0]]!r}?" if found else ""


def match_columns(present: Iterable[str], asked: Mapping[str, str] | None) -> dict[str, str]:
    """Which name in the table each quantity has.

    Parameters
    ----------
    present : iterable of str
        Names in the table.
    asked : mapping of str to str, optional
        Names in the table by quantity, for those the reader should not look for.

    Raises
    ------
    ValueError
        A name is unknown, missing or fits twice, or the table lacks what a history needs.
    """
    present, asked = list(present), dict(asked or {})
    for quantity, name in asked.items():
        if quantity not in COLUMNS:
            raise ValueError(f"columns: {quantity!r} is none of {', '.join(COLUMNS)}{nearest(quantity, COLUMNS)}")
        if name not in present:
            raise ValueError(
                f"columns: {quantity} should be {name!r} but the table has {', '.join(present)}{nearest(name, present)}"
            )
    found = dict(asked)
    for quantity, column in COLUMNS.items():
        fits = [name for name in present if name.lower() in (quantity, *column.spellings)]
        fits = [name for name in fits if name not in asked.values()]
        if quantity in asked or not fits:
            continue
        if quantity in (name.lower() for name in fits):
            fits = [name for name in fits if name.lower() == quantity]
        if len(fits) > 1:
            raise ValueError(
                f"columns: {' and '.join(fits)} could both be {quantity}; say which, as "
                f"columns={{{quantity!r}: {fits[0]!r}}}"
            )
        found[quantity] = fits[0]
    _warn_of_near_misses(found, present)
    _require(found, present, "halo_id")
    _require(found, present, "mvir", "log_mvir")
    _require(found, present, "time", "redshift", "scale_factor")
    if "mvir" in found and "log_mvir" in found:
        raise ValueError(
            f"columns: {found['mvir']} and {found['log_mvir']} are both masses; keep one of them in the table"
        )
    return found


def _warn_of_near_misses(found, present):
    for name in (name for name in present if name not in found.values()):
        options = [q for q in ("rvir", "vvir", "concentration", "vmax", "weight", "mass_definition") if q not in found]
        like = difflib.get_close_matches(name.lower(), options, n=1, cutoff=0.8)
        if like:
            warnings.warn(
                f"column {name!r} is not used; if it is the {COLUMNS[like[0]].meaning}, give "
                f"columns={{{like[0]!r}: {name!r}}}",
                stacklevel=4,
            )


def _require(found, present, *quantities):
    if any(quantity in found for quantity in quantities):
        return
    free = [name.lower() for name in present if name not in found.values()]
    hints = (
        (name, quantity)
        for quantity in quantities
        for spelling in (quantity, *(s for s in COLUMNS[quantity].spellings if len(s) > 2))
        for name in difflib.get_close_matches(spelling, free, n=1, cutoff=0.7)
    )
    lower, quantity = next(hints, (None, quantities[0]))
    like = next((name for name in present if name.lower() == lower), None)
    example = f"did you mean {like!r}? then give" if like else "give the name it has there, as"
    raise ValueError(
        f"columns: no {' or '.join(quantities)} among {', '.join(present) or 'no columns at all'}; "
        f"{example} columns={{{quantity!r}: {like or 'name'!r}}}"
    )


def find_unit(quantity: str, text: str | None) -> tuple[str, Unit]:
    """Canonical name and meaning of the unit `text` of a quantity; the default if there is none.

    Raises
    ------
    ValueError
        The unit is not one of those allowed for this quantity.
    """
    allowed = UNITS[COLUMNS[quantity].kind]
    if text is None or not text.strip():
        return next(iter(allowed.items()))
    plain = _plain(text)
    for name, unit in allowed.items():
        if _plain(name) == plain:
            return name, unit
    raise ValueError(f"units: {quantity} has unit {text!r}; allowed {', '.join(allowed)}{nearest(text, allowed)}")


def _plain(text: str) -> str:
    plain = text.lower().replace(" ", "").replace("*", "")
    if plain.startswith(("log10(", "dex(")) and plain.endswith(")"):
        plain = plain[plain.index("(") + 1 : -1]
    for long, short in (
        ("comoving", "c"),
        ("proper", ""),
        ("physical", ""),
        ("dimensionless", "1"),
        ("none", "1"),
    ):
        plain = plain.replace(long, short)
    for long, short in (
        ("solmass", "msun"),
        ("msol", "msun"),
        ("m_sun", "msun"),
        ("kms^-1", "km/s"),
        ("kms-1", "km/s"),
    ):
        plain = plain.replace(long, short)
    return plain.replace("h^-1", "/h") if plain.endswith("h^-1") else plain


def convert(values: Float[np.ndarray, " n"], unit: Unit, h: float, scale_factor: Float[np.ndarray, " n"]):
    """`values` in the default unit."""
    return values * (unit.factor * h**unit.h_power) * scale_factor**unit.a_power
