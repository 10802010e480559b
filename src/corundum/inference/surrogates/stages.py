"""What a stage of annealing begins with, kept in a file so that an interrupted run resumes at its last stage."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...storage.checkpoints import Checkpoint
from .known_points import KnownPoints

__all__ = ["KeptStages", "Stage"]


class Stage(NamedTuple):
    """All that the stages after this moment depend on.

    Attributes
    ----------
    population : KnownPoints
        Of N points.
    ln_prior : array, (N,)
        Of the population.
    known : KnownPoints
        All points whose predictions are known.
    known_ln_prior : array
        Of these.
    power : float
        To which the likelihood counted last.
    ln_step : float
        Of trajectories on the surrogate.
    number : int
        Stages that are done.
    """

    population: KnownPoints
    ln_prior: np.ndarray
    known: KnownPoints
    known_ln_prior: np.ndarray
    power: float
    ln_step: float
    number: int


class KeptStages:
    """The file of the latest stage, next to the checkpoint of the chains; nothing is kept where these have none.

    Parameters
    ----------
    store : Checkpoint or None
        Of the chains.
    identity : mapping of str to str
        Fingerprints of all that the chains depend on.
    """

    def __init__(self, store: Checkpoint | None, identity: Mapping[str, str]):
        self._file = None if store is None else Checkpoint(store.path.with_name(f"stages-of-{store.path.name}"))
        self._identity = identity

    def load(self) -> Stage | None:
        """The stage to go on with, or None where annealing is to begin.

        Raises
        ------
        ValueError
            The file is damaged or belongs to another run.
        """
        kept = None if self._file is None else self._file.load(self._identity)
        if kept is None:
            return None
        points = {part: KnownPoints(*(kept[f"{part}/{name}"] for name in KnownPoints._fields)) for part in _POINTS}
        return Stage(
            points["population"], kept["ln_prior"], points["known"], kept["known_ln_prior"], float(kept["power"]),
            float(kept["ln_step"]), int(kept["number"]),
        )  # fmt: skip

    def save(self, stage: Stage) -> None:
        """Replace what was kept by this stage, in one step."""
        if self._file is None:
            return
        arrays = {name: np.asarray(value) for name, value in stage._asdict().items() if name not in _POINTS}
        for part in _POINTS:
            points = getattr(stage, part)
            arrays |= {f"{part}/{name}": np.asarray(value) for name, value in points._asdict().items()}
        self._file.save(arrays, self._identity)

    def remove(self) -> None:
        """Remove the file: the checkpoint of the chains holds what annealing has left."""
        if self._file is not None:
            self._file.path.unlink(missing_ok=True)


_POINTS = ("population", "known")
