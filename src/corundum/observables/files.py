"""Measurement files: those that come with the package, and your own in the same format.

A file holds lines ``# key: value`` and a table.  The keys `relation`, `citation`, `error_kind`, `redshift`, `imf`, `h`,
`calibration`, `statistic` and `bandwidth` are required; `Measurement` describes them and the optional ones, and `note`
may be repeated.  `relation` is the name of a class of `corundum.observables`, and a key such as
`relation.solar_metallicity` sets a parameter of it.  The columns are `x`, `y` and either `sigma` (independent errors)
or `c1` ... `cn` (rows of the covariance), `scatter` if known, and `limit`, 1 where `y` is an upper limit and 0
elsewhere.  Where another measurement uses the same galaxies, the key `shared_with` names it, and the column
`correlation` gives the correlation of the errors of points at the same x.  A new file in the folder of measurements is
available by its name; nothing else needs changing.
"""

import os
import pathlib
from collections.abc import Iterable
from importlib import resources
from typing import Any

import numpy as np

from .. import parameters
from ..messages import did_you_mean
from . import cosmic_densities, mass_functions, relations
from .clustering import correlation
from .measurement import Measurement
from .relations import AbstractRelation
from .structure import black_holes, passive, sizes
from .tables import Table, read_table

__all__ = ["available", "is_file_name", "load", "measurements_of", "read"]

_NUMBERS = ("redshift", "bandwidth", "systematic", "systematic_length")
_TEXTS = ("imf", "h", "calibration", "statistic", "citation", "error_kind")
_OPTIONAL_TEXTS = ("selection", "bibcode", "source", "licence", "shared_with")
_REQUIRED = ("relation", "redshift", "bandwidth", *_TEXTS)
_KEYS = ("relation", *_NUMBERS, *_TEXTS, *_OPTIONAL_TEXTS, "redshift_range", "note")


def _folder():
    return resources.files("corundum") / "data" / "measurements"


def available() -> list[str]:
    """Names of the measurements that come with the package, sorted.

    Examples
    --------
    >>> "shmr_moster18" in co.observables.available()
    True
    """
    return sorted(entry.name.removesuffix(".txt") for entry in _folder().iterdir() if entry.name.endswith(".txt"))


def is_file_name(name: Any) -> bool:
    """Whether a text names a file, such as ``mine.txt`` or ``data/mine``, and no measurement of the package.

    Examples
    --------
    >>> from corundum.observables.files import is_file_name
    >>> is_file_name("mine.txt"), is_file_name("shmr_moster18")
    (True, False)
    """
    return not isinstance(name, str) or any(letter in name for letter in "./\\")


def measurements_of(entries: Measurement | str | os.PathLike | Iterable) -> tuple[Measurement, ...]:
    """Measurements as they are given: objects, names of those that come with the package, or paths of files.

    Examples
    --------
    >>> from corundum.observables.files import measurements_of
    >>> [measurement.name for measurement in measurements_of("shmr_moster18")]
    ['shmr_moster18']
    """
    entries = (entries,) if isinstance(entries, Measurement | str | os.PathLike) else entries
    return tuple(entry if isinstance(entry, Measurement) else load(entry) for entry in entries)


def load(name: str | os.PathLike) -> Measurement:
    """A measurement that comes with the package, or one of your own from a file.

    Parameters
    ----------
    name : str or path
        One of `available()`, or the path of a file, which has a suffix or a folder in it (see `read`).

    Raises
    ------
    ValueError
        There is none of that name; the message lists the right ones.  A file cannot be read.

    Examples
    --------
    >>> measurement = co.observables.load("shmr_moster18")
    >>> measurement.relation.title
    'stellar-to-halo mass ratio'
    """
    if is_file_name(name):
        return read(name)
    known = available()
    if name not in known:
        raise ValueError(
            f"unknown measurement {name!r}: {did_you_mean(name, known)}there are {', '.join(known)}; "
            "a file of your own is given by its path, such as ./mine.txt"
        )
    return read(_folder() / f"{name}.txt")


def read(path, relation: AbstractRelation | None = None) -> Measurement:
    """A measurement from a file of the format described in `corundum.observables.files`.

    Parameters
    ----------
    path : str or path
        The file; its name without suffix becomes the name of the measurement.
    relation : AbstractRelation, optional
        Takes the place of the file's `relation`, for a relation defined outside the package.

    Raises
    ------
    ValueError
        The file cannot be read, misses a key, has an unknown one, or holds bad numbers; the message says where.

    Examples
    --------
    >>> from pathlib import Path
    >>> keys = dict(relation="StarFormingMainSequence", citation="A et al. 2030", error_kind="standard error")
    >>> keys |= dict(redshift=0.1, imf="Chabrier", h=0.7, calibration="Ha", statistic="median", bandwidth=0.2)
    >>> header = [f"# {key}: {value}" for key, value in keys.items()]
    >>> _ = Path("sfms.txt").write_text("\\n".join([*header, "x y sigma", "9.5 -0.4 0.1", "10.5 0.3 0.1"]))
    >>> len(co.observables.read("sfms.txt"))
    2
    """
    table = read_table(path)
    keys = _keys(table, has_relation=relation is not None)
    texts: dict[str, Any] = {key: keys[key] for key in (*_TEXTS, *_OPTIONAL_TEXTS) if key in keys}
    numbers: dict[str, Any] = {key: _number(table, key, keys[key]) for key in _NUMBERS if key in keys}
    if "redshift_range" in keys:
        limits = keys["redshift_range"].split()
        if len(limits) != 2:
            raise ValueError(f"{table.path}: got redshift_range {keys['redshift_range']!r}; give two redshifts")
        numbers["redshift_range"] = tuple(_number(table, "redshift_range", limit) for limit in limits)
    covariance, scatter = _errors(table)
    return Measurement(
        name=pathlib.PurePath(table.path).stem,
        relation=_relation(table, keys) if relation is None else relation,
        x=table.column("x"),
        y=table.column("y"),
        covariance=covariance,
        scatter=scatter,
        upper_limit=_limits(table),
        correlation=table.column("correlation") if "correlation" in table.names else None,
        notes=tuple(value for _, key, value in table.header if key == "note"),
        **texts,
        **numbers,
    )


def _keys(table: Table, has_relation: bool) -> dict[str, str]:
    keys: dict[str, str] = {}
    for line, key, value in table.header:
        if key not in _KEYS and not key.startswith("relation."):
            hint = did_you_mean(key, _KEYS, number=1, cutoff=0.6)
            raise ValueError(f"{table.path}, line {line}: unknown key {key!r}: {hint}allowed {', '.join(_KEYS)}")
        if key in keys and key != "note":
            raise ValueError(f"{table.path}, line {line}: key {key!r} is given twice")
        keys[key] = value
    missing = [key for key in _REQUIRED if not keys.get(key) and not (key == "relation" and has_relation)]
    if missing:
        raise ValueError(f"{table.path}: misses {', '.join(missing)}; add a line '# {missing[0]}: ...' at the top")
    return keys


def _number(table: Table, key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise ValueError(f"{table.path}: got {key} {text!r}; it must be a finite number")
    return value


def _relation(table: Table, keys: dict[str, str]) -> AbstractRelation:
    modules = (relations, mass_functions, cosmic_densities, sizes, black_holes, passive, correlation)
    known = {name: module for module in modules for name in module.__all__ if not name.startswith("Abstract")}
    name = keys["relation"]
    if name not in known:
        hint = did_you_mean(name, known, number=2)
        raise ValueError(
            f"{table.path}: unknown relation {name!r}: {hint}allowed {', '.join(known)}; pass any other as relation=..."
        )
    values = {
        key.removeprefix("relation."): _number(table, key, value)
        for key, value in keys.items()
        if key.startswith("relation.")
    }
    try:
        return parameters.replace(getattr(known[name], name)(), values)
    except ValueError as error:
        raise ValueError(f"{table.path}: {error}") from None


def _limits(table: Table) -> tuple[bool, ...] | None:
    if "limit" not in table.names:
        return None
    flags = table.column("limit")
    if not np.isin(flags, (0.0, 1.0)).all():
        raise ValueError(f"{table.path}: column limit holds {flags[~np.isin(flags, (0.0, 1.0))][0]:g}; give 1 or 0")
    return tuple(bool(flag) for flag in flags)


def _errors(table: Table) -> tuple[np.ndarray, np.ndarray | None]:
    n = len(table.rows)
    rows = [f"c{i}" for i in range(1, n + 1)]
    known = ("x", "y", "sigma", "scatter", "limit", "correlation", *rows)
    unknown = [name for name in table.names if name not in known]
    if unknown:
        raise ValueError(
            f"{table.path}: unknown column {unknown[0]!r}; allowed x, y, scatter, limit, correlation and either sigma "
            f"or c1 ... c{n}"
        )
    correlated = [name for name in rows if name in table.names]
    if bool(correlated) == ("sigma" in table.names) or (correlated and len(correlated) < n):
        present = [name for name in table.names if name in ("sigma", *rows)]
        raise ValueError(
            f"{table.path}: got error columns {', '.join(present) or 'none'}; "
            f"give either sigma or all of c1 ... c{n} (one per row), not both"
        )
    scatter = table.column("scatter") if "scatter" in table.names else None
    if correlated:
        return np.stack([table.column(name) for name in rows], axis=1), scatter
    sigma = table.column("sigma")
    if np.any(sigma <= 0):
        line = table.rows[int(np.flatnonzero(sigma <= 0)[0])][0]
        raise ValueError(f"{table.path}, line {line}: got sigma {sigma[sigma <= 0][0]:g}; it must be positive [dex]")
    return np.diag(sigma**2), scatter
