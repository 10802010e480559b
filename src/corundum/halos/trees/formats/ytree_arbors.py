"""Any merger trees that ytree reads (Smith & Lang 2019, JOSS 4, 1881): AHF, TreeFrog, Moria, its own arbors, ...

ytree walks trees one by one, which takes minutes where the readers of this package take seconds, so that it is meant
for formats that have no reader here.  For some of them ytree needs more than the path (the Hubble constant of AHF, the
parameters of LHaloTree); an arbor that ytree has loaded with these and saved keeps them.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..forests import Forest, host_rows, rows_of_ids
from .base import AbstractTreeFormat, Simulation, checked_mass

__all__ = ["YtreeArbor"]

_AXES = ("position_x", "position_y", "position_z")
_RADII = ("virial_radius", "scale_radius")
_NAMES_IN_MESSAGE = 30


class YtreeArbor(AbstractTreeFormat):
    """Trees read by ytree, an optional package (the extra ``trees``).

    Parameters
    ----------
    definition : str
        Definition of ytree's ``mass``.
    mass : str
        The field to take.
    host : str, optional
        A field with the id of the halo that each halo lies in, negative or 0 for none (``pid`` of Consistent-Trees,
        ``hostHalo`` of AHF), since ytree itself does not distinguish satellites.  Default: every tree counts as that
        of a central halo.

    Examples
    --------
    ``co.halos.read_trees("arbor/arbor.h5", format=tree_format)`` reads an arbor that ytree has saved, with

    >>> tree_format = co.halos.YtreeArbor(definition="200c", host="hostHalo")
    >>> tree_format.mass
    'mass'
    """

    definition: str = "vir"
    mass: str = "mass"
    host: str | None = None

    def recognises(self, path: Path) -> bool:
        return False  # ytree opens many files that are no merger trees, so the user asks for it with format=

    def files(self, path: Path) -> list[Path]:
        return [path]

    def simulation(self, path: Path) -> Simulation:
        arbor = _load(path)
        centrals = "every tree taken for that of a central halo" if self.host is None else f"centrals by {self.host}"
        radii = ", concentrations from virial_radius / scale_radius" if _has_radii(arbor, self.mass) else ""
        description = f"mass = {self.mass} by ytree{radii}; most massive progenitors; {centrals}"
        h, omega_m, box = (_constant(arbor, name) for name in ("hubble_constant", "omega_matter", "box_size"))
        return Simulation(h, omega_m, self.definition, description, box, in_units_of_h=False)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        arbor = _load(path)
        parts: list[dict[str, np.ndarray]] = []
        count = 0
        for tree in _trees(arbor, path):
            parts.append(self._columns(arbor, tree, path))
            count += len(parts[-1]["id"])
            if count >= chunk:
                yield _forest(parts, str(path))
                parts, count = [], 0
        if parts:
            yield _forest(parts, str(path))

    def _columns(self, arbor: Any, tree: Any, path: Path) -> dict[str, np.ndarray]:
        columns = {
            "id": _field(arbor, tree, "uid", path).astype(np.int64),
            "descendant": _field(arbor, tree, "desc_uid", path).astype(np.int64),
            "scale": 1.0 / (1.0 + _field(arbor, tree, "redshift", path).astype(float)),
            "mass": _field(arbor, tree, self.mass, path, "Msun").astype(float),
        }
        if self.host is not None:
            columns["host"] = _field(arbor, tree, self.host, path).astype(np.int64)
        if all(_has_unit(arbor, name) for name in _AXES):
            columns["position"] = np.column_stack([_field(arbor, tree, name, path, "Mpc") for name in _AXES])
        if _has_radii(arbor, self.mass):
            # Both are comoving in some of ytree's formats and proper in others; their ratio is the same.
            outer, inner = (_field(arbor, tree, name, path, "kpc").astype(float) for name in _RADII)
            columns["concentration"] = outer / np.where(inner > 0.0, inner, np.nan)
        return columns


def _load(path: Path) -> Any:
    try:
        import ytree
    except ImportError:
        raise ImportError(
            f"{path}: reading arbors takes the package ytree, which is not installed; pip install 'corundum[trees]'"
        ) from None
    hint = "if ytree needs more than the path, load the file in ytree with that, save_arbor(), and read the saved arbor"
    with _errors_naming(path, "open it", hint), contextlib.redirect_stdout(sys.stderr):  # ytree prints advice
        return ytree.load(str(path))


@contextlib.contextmanager
def _errors_naming(path: Path, action: str, hint: str = "copy it again if it is cut short") -> Iterator[None]:
    """Every error inside becomes a `ValueError` that names the file, since ytree's readers raise errors of any kind."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise ValueError(f"{path}: ytree cannot {action} ({reason}); {hint}") from error


def _trees(arbor: Any, path: Path) -> Iterator[Any]:
    with _errors_naming(path, "list its trees"):
        trees = iter(arbor[:])
    while True:
        with _errors_naming(path, "read its trees"):
            tree = next(trees, None)
        if tree is None:
            return
        yield tree


def _constant(arbor: Any, name: str) -> float | None:
    """A constant of the simulation, lengths in comoving Mpc, which ytree writes as plain ones."""
    value = getattr(arbor, name, None)
    if value is None:
        return None
    return float(value.to("Mpc") if hasattr(value, "to") else value)


def _has_unit(arbor: Any, name: str) -> bool:
    """Whether an arbor has a field with a unit, which fields of text files have only where the header states it."""
    field = arbor.field_info[name] if name in arbor.field_info else {}
    stored = [arbor.field_info[other] for other in field.get("dependencies", ()) if other in arbor.field_info]
    return bool(field.get("units")) and all(other.get("units") for other in stored)


def _has_radii(arbor: Any, mass: str) -> bool:
    """Whether concentrations follow from the radii of an arbor, which are those of its field ``mass``."""
    return mass == "mass" and all(_has_unit(arbor, name) for name in _RADII)


def _field(arbor: Any, tree: Any, name: str, path: Path, unit: str | None = None) -> np.ndarray:
    if name not in arbor.field_info:
        known = ", ".join([*arbor.derived_field_list, *arbor.field_list][:_NAMES_IN_MESSAGE])
        raise ValueError(f"{path}: ytree has no field {name!r} for it but {known}; name another in YtreeArbor(...)")
    if unit and not _has_unit(arbor, name):
        raise ValueError(f"{path}: ytree knows no unit of {name!r}; the header of the file must state it")
    with _errors_naming(path, f"read {name!r} of it"):
        values = tree["forest", name]
        return np.asarray(values.to(unit) if unit else values)


def _forest(parts: list[dict[str, np.ndarray]], place: str) -> Forest:
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    central = rows["host"] <= 0 if "host" in rows else np.ones(len(rows["id"]), bool)
    return Forest(
        place=place,
        name=rows["id"],
        descendant=rows_of_ids(rows["id"], rows["descendant"], place, "descendant"),
        scale_factor=rows["scale"],
        mass=checked_mass(rows["mass"], place),
        central=central,
        preferred=np.zeros(len(rows["id"]), bool),
        columns={"concentration": rows["concentration"]} if "concentration" in rows else {},
        position=rows.get("position"),
        host=host_rows(rows["id"], rows["host"], central) if "host" in rows else None,
    )
