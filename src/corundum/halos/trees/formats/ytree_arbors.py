"""Any merger trees that ytree reads (Smith & Lang 2019, JOSS 4, 1881): AHF, TreeFrog, Moria, its own arbors, ...

ytree walks trees one by one, which takes minutes where the readers of this package take seconds; it is the way for
formats that have no reader here.  What ytree has to be told beside the path (the Hubble constant of AHF, the
parameters of LHaloTree) it is told once: an arbor loaded and saved by ytree keeps it.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..forests import Forest, rows_of_ids
from .base import AbstractTreeFormat, Simulation, checked_mass

__all__ = ["YtreeArbor"]

_AXES = ("position_x", "position_y", "position_z")
_RADII = ("virial_radius", "scale_radius")


class YtreeArbor(AbstractTreeFormat):
    """Trees read by ytree, an optional package (the extra ``trees``).

    Parameters
    ----------
    definition : str
        Definition of ytree's ``mass``.
    mass : str
        The field to take.
    host : str, optional
        A field with the id of the halo that each lies in, negative or 0 for none (``pid`` of Consistent-Trees,
        ``hostHalo`` of AHF); ytree has no such notion of its own.  Default: every tree counts as a central halo's.
    """

    definition: str = "vir"
    mass: str = "mass"
    host: str | None = None

    def recognises(self, path: Path) -> bool:
        return False  # never guessed: ask for it with format=halos.YtreeArbor()

    def files(self, path: Path) -> list[Path]:
        return [path]

    def simulation(self, path: Path) -> Simulation:
        arbor = _load(path)
        centrals = "every tree taken for that of a central halo" if self.host is None else f"centrals by {self.host}"
        words = f"mass = {self.mass} by ytree{_of_radii(arbor, self.mass)}; most massive progenitors; {centrals}"
        h, omega_m, box = (_known(arbor, name) for name in ("hubble_constant", "omega_matter", "box_size"))
        return Simulation(h, omega_m, self.definition, words, box)

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

    def _columns(self, arbor, tree, path: Path) -> dict[str, np.ndarray]:
        found = {
            "id": _field(arbor, tree, "uid", path).astype(np.int64),
            "descendant": _field(arbor, tree, "desc_uid", path).astype(np.int64),
            "scale": 1.0 / (1.0 + _field(arbor, tree, "redshift", path).astype(float)),
            "mass": _field(arbor, tree, self.mass, path, "Msun").astype(float),
        }
        if self.host is not None:
            found["central"] = _field(arbor, tree, self.host, path) <= 0
        if all(_has_unit(arbor, name) for name in _AXES):
            found["position"] = np.column_stack([_field(arbor, tree, name, path, "Mpc") for name in _AXES])
        if _of_radii(arbor, self.mass):
            # Both are comoving in some of ytree's formats and proper in others; their ratio is the same.
            outer, inner = (_field(arbor, tree, name, path, "kpc").astype(float) for name in _RADII)
            found["concentration"] = outer / np.where(inner > 0.0, inner, np.nan)
        return found


def _load(path: Path):
    try:
        import ytree
    except ImportError:
        raise ImportError(
            f"{path}: reading arbors takes the package ytree, which is not installed; pip install 'corundum[trees]'"
        ) from None
    told_more = "what it must be told beside the path is kept by an arbor that ytree has saved"
    with _named(path, "open it", told_more), contextlib.redirect_stdout(sys.stderr):  # it prints advice
        return ytree.load(str(path))


@contextlib.contextmanager
def _named(path: Path, doing: str, hint: str = "copy it again if it is cut short") -> Iterator[None]:
    """Errors with the name of the file; ytree raises whatever its dozen readers raise, down to bare `Exception`."""
    try:
        yield
    except Exception as error:
        told = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise ValueError(f"{path}: ytree cannot {doing} ({told}); {hint}") from error


def _trees(arbor, path: Path) -> Iterator:
    with _named(path, "list its trees"):
        trees = iter(arbor[:])
    while True:
        with _named(path, "read its trees"):
            tree = next(trees, None)
        if tree is None:
            return
        yield tree


def _known(arbor, name: str) -> float | None:
    value = getattr(arbor, name, None)
    if value is None:
        return None
    return float(value.to("Mpc") if hasattr(value, "to") else value)  # ytree writes comoving lengths as plain ones


def _has_unit(arbor, name: str) -> bool:
    """Whether an arbor has a field and knows its unit, which fields of text files have only where the header says."""
    field = arbor.field_info[name] if name in arbor.field_info else {}
    stored = [arbor.field_info[other] for other in field.get("dependencies", ()) if other in arbor.field_info]
    return bool(field.get("units")) and all(other.get("units") for other in stored)


def _of_radii(arbor, mass: str) -> str:
    """How concentrations are told, in words; nothing where they are not."""
    told = mass == "mass" and all(_has_unit(arbor, name) for name in _RADII)  # the radii are those of this mass
    return ", concentrations from virial_radius / scale_radius" if told else ""


def _field(arbor, tree, name: str, path: Path, unit: str | None = None) -> np.ndarray:
    if name not in arbor.field_info:
        known = ", ".join([*arbor.derived_field_list, *arbor.field_list][:30])
        raise ValueError(f"{path}: ytree has no field {name!r} for it but {known}; name another in YtreeArbor(...)")
    if unit and not _has_unit(arbor, name):
        raise ValueError(f"{path}: ytree knows no unit of {name!r}; the header of the file must state it")
    with _named(path, f"read {name!r} of it"):
        values = tree["forest", name]
        return np.asarray(values.to(unit) if unit else values)


def _forest(parts: list[dict[str, np.ndarray]], place: str) -> Forest:
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    concentration = {"concentration": rows["concentration"]} if "concentration" in rows else {}
    return Forest(
        place=place,
        name=rows["id"],
        descendant=rows_of_ids(rows["id"], rows["descendant"], place, "descendant"),
        scale_factor=rows["scale"],
        mass=checked_mass(rows["mass"], place),
        central=rows.get("central", np.ones(len(rows["id"]), bool)),
        preferred=np.zeros(len(rows["id"]), bool),
        columns=concentration,
        position=rows.get("position"),
    )
