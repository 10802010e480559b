"""Tables of galaxies through time: what another model or a simulation says of the galaxies in given halos.

A table is a text file with a line of column names and a line for each galaxy and redshift:

    halo, redshift, mstar, mism, mstar_error
    0, 2.0, 3.1e8, 1.2e9, 0.05
    0, 0.0, 2.4e9, 2.0e9, 0.05

``halo`` is the row of the halo in its histories, counted from 0.  Other columns are quantities of the model by name,
in its units, or masses that its flows carry in Msun/yr, and ``<name>_error`` are standard deviations in dex.  Entries
that are nan, and lines that are missing, are not compared.  Columns are separated by commas or blanks; lines that begin
with ``#`` are comments, except for the names.
"""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...messages import did_you_mean
from ...printing import in_short
from ...storage.text_files import text_lines

__all__ = ["States", "read_states"]

_KEYS = ("halo", "redshift")
_ERROR = "_error"


class States(NamedTuple):
    """Quantities of galaxies at several redshifts; see `HistoryObjective.of_states`.

    Attributes
    ----------
    redshifts : array, shape (K,)
        From the highest to the lowest.
    values : dict of str to array, shape (N, K)
        NaN where a table says nothing.
    errors : dict of str to float
        Median of the errors in the table [dex]; only quantities with a column of errors.

    Examples
    --------
    >>> co.inference.States(np.array([0.0]), {"mstar": np.full((8, 1), 1e9)}, {"mstar": 0.1}).errors
    {'mstar': 0.1}
    """

    redshifts: np.ndarray
    values: dict[str, np.ndarray]
    errors: dict[str, float]

    def __repr__(self) -> str:
        return in_short(self)


def read_states(path: str | os.PathLike, halos: int) -> States:
    """Read a table of galaxies through time.

    Parameters
    ----------
    path : path
        A text file as above, compressed or not.
    halos : int
        Number of halos in the histories that the table belongs to.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        A column is missing, a line does not fit or is no number, a halo does not exist, or a halo has two lines at one
        redshift.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("states.txt").write_text("halo redshift mstar\\n0 2.0 1e9\\n1 2.0 3e9\\n0 0.0 4e9\\n")
    >>> states = co.inference.read_states("states.txt", halos=2)
    >>> states.redshifts.tolist(), states.values["mstar"].tolist()
    ([2.0, 0.0], [[1000000000.0, 4000000000.0], [3000000000.0, nan]])
    """
    path = Path(path)
    names, numbers = _table(path)
    for key in _KEYS:
        if key not in names:
            raise ValueError(
                f"{path}: there is no column {key!r}; {did_you_mean(key, names)}the first line must name halo, "
                "redshift and quantities of the model"
            )
    columns = dict(zip(names, numbers.T, strict=True))
    row = columns.pop("halo")
    if np.any((row != np.round(row)) | (row < 0) | (row >= halos)):
        wrong = row[(row != np.round(row)) | (row < 0) | (row >= halos)][0]
        raise ValueError(f"{path}: halo {wrong:g} does not exist; rows are whole numbers from 0 to {halos - 1}")
    redshift = columns.pop("redshift")
    redshifts = np.unique(redshift)[::-1]
    place = (row.astype(int), len(redshifts) - 1 - np.searchsorted(redshifts[::-1], redshift))
    _, first, count = np.unique(np.stack(place), axis=1, return_index=True, return_counts=True)
    if np.any(count > 1):
        twice = first[count > 1][0]
        raise ValueError(f"{path}: halo {row[twice]:g} has two lines at z = {redshift[twice]:g}; keep one")
    values, errors = {}, {}
    for name, column in columns.items():
        if name.endswith(_ERROR):
            errors[name.removesuffix(_ERROR)] = float(np.nanmedian(column))
            continue
        values[name] = np.full((halos, len(redshifts)), np.nan)
        values[name][place] = column
    alone = sorted(set(errors) - set(values))
    if alone:
        raise ValueError(f"{path}: errors of {alone[0]}, which has no column of its own; add it")
    return States(redshifts, values, errors)


def _table(path: Path) -> tuple[list[str], np.ndarray]:
    names, rows = None, []
    for number, line in enumerate(text_lines(path, whole=True), start=1):
        text = line.strip().lstrip("#").strip() if names is None else line.strip()
        if not text or text.startswith("#"):
            continue
        cells = text.replace(",", " ").split()
        if names is None:
            names = cells
            continue
        try:
            row = [float(cell) for cell in cells]
        except ValueError:
            raise ValueError(f"{path}, line {number}: got {text[:60]!r}; give numbers, or nan") from None
        if len(row) != len(names):
            raise ValueError(f"{path}, line {number}: {len(row)} numbers under {len(names)} names; give one for each")
        rows.append(row)
    if names is None or not rows:
        raise ValueError(f"{path}: holds no galaxies; give a line of column names and a line for each galaxy")
    return names, np.array(rows)
