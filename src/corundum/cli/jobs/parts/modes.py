"""The mode of a fit and the Gaussian about it, kept when they are found so that an interrupted run has them."""

from typing import Any, NamedTuple

import numpy as np

from .... import inference
from ....storage.checkpoints import CheckpointFolder

__all__ = ["NOT_CONVERGED", "Mode", "mode_of"]

NOT_CONVERGED = (
    "did NOT converge, so that the Gaussian is not about the highest density; give more starts, or another optimiser"
)


class Mode(NamedTuple):
    """The Gaussian about a mode, how it was reached in words, and whether the optimiser converged."""

    gauss: Any
    words: str
    converged: bool

    @property
    def sentence(self) -> str:
        """Whether the mode was reached, and what to do where it was not."""
        return f"{'converged' if self.converged else NOT_CONVERGED}; {self.words}"


def mode_of(target: Any, settings: Any, store: CheckpointFolder, name: str) -> Mode:
    """The point estimate and its Gaussian, from the checkpoint where it holds them."""
    fields = ("u", "theta", "covariance", "observed", "expected")
    kept = store.load(name)
    if kept is not None:
        arrays = {field: kept[field] for field in fields}
        gauss = inference.Laplace(target.names, target.units, **arrays, kind=str(kept["kind"]), decode=target.theta)
        return Mode(gauss, str(kept["words"]), bool(kept["converged"]))
    best = inference.maximise(target, starts=settings.starts, key=settings.key, optimiser=settings.optimiser)
    gauss = inference.laplace(target, best)
    words = f"{best.in_words()}; Gaussian of the {gauss.kind} information"
    store.save(name, {
        "words": np.array(words), "kind": np.array(gauss.kind), "converged": np.array(best.converged),
        **{field: getattr(gauss, field) for field in fields},
    })  # fmt: skip
    return Mode(gauss, words, best.converged)
