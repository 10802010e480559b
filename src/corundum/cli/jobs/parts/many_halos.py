"""The correction of a fit to many halos; what they predict is kept, so that a resumed run does not solve them again."""

from typing import Any

import numpy as np

from ....inference import Prediction
from ....inference.surrogates.control import (
    BothPredictions,
    both_predictions,
    in_other_halos,
    posterior_points,
    with_learned,
)
from ....storage.checkpoints import CheckpointFolder

__all__ = ["corrected_to_many"]


def corrected_to_many(target: Any, settings: Any, store: CheckpointFolder, name: str) -> Any:
    """`target` with the predictions of ``fit.many_halos``, from the checkpoint where it holds those at the points."""
    kept = store.load(name)
    if kept is not None:
        few, many = (Prediction(*(kept[f"{of}/{part}"] for part in Prediction._fields)) for of in ("few", "many"))
        return with_learned(target, BothPredictions(kept["u"], few, many))
    u = posterior_points(target, settings.many_halos_points, settings.key)
    known = both_predictions(target, in_other_halos(target, settings.many_halos, settings.many_halos_error), u)
    arrays = {
        f"{of}/{part}": np.asarray(array)
        for of, prediction in (("few", known.few), ("many", known.many))
        for part, array in prediction._asdict().items()
    }
    store.save(name, {"u": known.u, **arrays})
    return with_learned(target, known)
