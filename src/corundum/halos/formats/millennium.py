"""Answers of the Millennium database (Lemson & the Virgo Consortium 2006) to queries of its halo trees, as CSV.

The columns are those of the table ``MPAHaloTrees..MHalo``: haloId, descendantId, firstHaloInFOFgroupId, a mass, and a
redshift; lines beginning with # are the query.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..forests import Forest, rows_of_ids
from ..table_files import read_file
from .base import AbstractTreeFormat, Simulation, checked_mass

__all__ = ["MillenniumCSV"]

_NEEDED = ("haloid", "descendantid", "redshift")
DEFINITIONS = {"m_tophat": "vir", "m_crit200": "200c", "m_mean200": "200m"}


class MillenniumCSV(AbstractTreeFormat):
    """CSV files downloaded from the Millennium database.

    Parameters
    ----------
    mass : str
        Which mass: ``"m_tophat"`` (Bryan & Norman), ``"m_crit200"`` or ``"m_mean200"``; only central halos have one.
    """

    mass: str = "m_tophat"

    def recognises(self, path: Path) -> bool:
        files = self.files(path)
        try:
            with files[0].open(encoding="utf-8") as file:
                lines = (line for _, line in zip(range(500), file, strict=False))
                header = next((line for line in lines if line.strip() and not line.startswith("#")), "")
        except (IndexError, OSError, ValueError):
            return False
        return {"haloid", "descendantid"} <= {name.strip().lower() for name in header.split(",")}

    def files(self, path: Path) -> list[Path]:
        return sorted(path.glob("*.csv")) if path.is_dir() else [path]

    def simulation(self, path: Path) -> Simulation:
        if self.mass.lower() not in DEFINITIONS:
            raise ValueError(f"MillenniumCSV: got mass={self.mass!r}; allowed {', '.join(DEFINITIONS)}")
        words = f"mass = {self.mass} [1e10 Msun/h], vmax = vMax [km/s]; main progenitors by firstProgenitorId or mass"
        return Simulation(0.73, 0.25, DEFINITIONS[self.mass.lower()], words)  # Springel et al. 2005

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        raw = read_file(path)
        spelt = {name.lower(): name for name in raw.columns}
        missing = [name for name in (*_NEEDED, self.mass.lower()) if name not in spelt]
        if missing:
            raise ValueError(
                f"{path}: has no column {missing[0]!r}; it has {', '.join(raw.columns)} (needed are "
                f"{', '.join((*_NEEDED, self.mass))})"
            )

        def column(name, kind):
            values = raw.columns[spelt[name]]
            try:
                return values.astype(kind)
            except ValueError:
                bad = next(row for row, value in enumerate(values) if not _is(value, kind))
                raise ValueError(f"{path}: {raw.place(bad)} has {str(values[bad])!r} for {name}") from None

        ids = column("haloid", np.int64)
        host = column("firsthaloinfofgroupid", np.int64) if "firsthaloinfofgroupid" in spelt else ids
        preferred = np.zeros(len(ids), bool)
        if "firstprogenitorid" in spelt:
            first = np.isin(ids, column("firstprogenitorid", np.int64))
            preferred[first] = True
        central = host == ids
        mass = column(self.mass.lower(), float) * (1e10 / h)
        vmax = {"vmax": np.where(central, column("vmax", float), np.nan)} if "vmax" in spelt else {}
        yield Forest(
            place=str(path),
            name=ids,
            descendant=rows_of_ids(ids, column("descendantid", np.int64), str(path), "descendant"),
            scale_factor=1.0 / (1.0 + column("redshift", float)),
            mass=checked_mass(np.where(central, mass, np.nan), str(path)),
            central=central,
            preferred=preferred,
            columns=vmax,
        )


def _is(value: str, kind: type) -> bool:
    try:
        kind(value)
    except ValueError:
        return False
    return True
