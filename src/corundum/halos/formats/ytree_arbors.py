"""Any merger trees that ytree reads (Smith & Lang 2019, JOSS 4, 1881): AHF, TreeFrog, Moria, its own arbors, ...

ytree walks trees one by one, which takes minutes where the readers of this package take seconds; it is the way for
formats that have no reader here.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..forests import Forest, rows_of_ids
from .base import AbstractTreeFormat, Simulation, checked_mass

__all__ = ["YtreeArbor"]


class YtreeArbor(AbstractTreeFormat):
    """Trees read by ytree, an optional package (the extra ``trees``); every tree counts as that of a central halo.

    Parameters
    ----------
    definition : str
        Definition of ytree's ``mass``.
    mass : str
        The field to take.
    """

    definition: str = "vir"
    mass: str = "mass"

    def recognises(self, path: Path) -> bool:
        return False  # never guessed: ask for it with format=halos.YtreeArbor()

    def files(self, path: Path) -> list[Path]:
        return [path]

    def simulation(self, path: Path) -> Simulation:
        arbor = _load(path)
        words = f"mass = {self.mass} by ytree; most massive progenitors"
        return Simulation(_known(arbor, "hubble_constant"), _known(arbor, "omega_matter"), self.definition, words)

    def forests(self, path: Path, h: float, chunk: int) -> Iterator[Forest]:
        arbor = _load(path)
        parts: list[dict[str, np.ndarray]] = []
        count = 0
        for tree in arbor[:]:
            parts.append(_columns(tree, self.mass, path))
            count += len(parts[-1]["id"])
            if count >= chunk:
                yield _forest(parts, str(path))
                parts, count = [], 0
        if parts:
            yield _forest(parts, str(path))


def _load(path: Path):
    try:
        import ytree
    except ImportError:
        raise ImportError(
            f"{path}: reading arbors takes the package ytree, which is not installed; pip install 'corundum[trees]'"
        ) from None
    try:
        return ytree.load(str(path))
    except Exception as error:  # ytree raises whatever its many readers raise
        told = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path}: ytree cannot read it ({told})") from None


def _known(arbor, name: str) -> float | None:
    value = getattr(arbor, name, None)
    return None if value is None else float(value)


def _columns(tree, mass: str, path: Path) -> dict[str, np.ndarray]:
    def field(name, unit=None):
        try:
            values = tree["forest", name]
        except Exception as error:
            told = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(f"{path}: ytree has no {name!r} for it ({told}); give YtreeArbor(mass=...)") from None
        if unit and not hasattr(values, "to"):
            raise ValueError(f"{path}: ytree knows no unit of {name!r}; the header of the file must state it")
        return np.asarray(values.to(unit) if unit else values)

    found = {
        "id": field("uid").astype(np.int64),
        "descendant": field("desc_uid").astype(np.int64),
        "scale": 1.0 / (1.0 + field("redshift")),
        "mass": field(mass, "Msun").astype(float),
    }
    try:
        found["position"] = np.column_stack([tree["forest", f"position_{axis}"].to("Mpccm") for axis in "xyz"])
    except Exception:  # whatever ytree raises for a field or a unit it does not have: not every arbor has positions
        pass
    return found


def _forest(parts: list[dict[str, np.ndarray]], place: str) -> Forest:
    names = set.intersection(*(set(part) for part in parts))
    rows = {name: np.concatenate([part[name] for part in parts]) for name in names}
    return Forest(
        place=place,
        name=rows["id"],
        descendant=rows_of_ids(rows["id"], rows["descendant"], place, "descendant"),
        scale_factor=rows["scale"],
        mass=checked_mass(rows["mass"], place),
        central=np.ones(len(rows["id"]), bool),
        preferred=np.zeros(len(rows["id"]), bool),
        columns={},
        position=rows.get("position"),
    )
