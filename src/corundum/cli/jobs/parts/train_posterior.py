"""How well the data of ``corundum train`` determine what was learned: bands of its laws, and formulas for them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .... import inference
from ....plots.reports.train import learned_laws
from ....population import evolve

__all__ = ["Determined", "determined"]

_HALOS, _FEWEST = 40, 10  # halos whose galaxies formulas are fitted to, and the galaxies that a formula needs


class Determined(NamedTuple):
    """What is known of the laws of the best seed.

    Attributes
    ----------
    bands : list of LawBands
        Of each learned law that the halo alone determines, at the lowest and the highest redshift.
    formulas : list of Distillation
    sentences : list of str
    """

    bands: list[Any]
    formulas: list[Any]
    sentences: list[str]


def determined(target: Any, trained: Any, weight_scale: float, halos: Any, redshifts: Sequence[float]) -> Determined:
    """Bands and formulas of the learned laws of a training; a sentence says why where there are none.

    Parameters
    ----------
    target : Target or AbstractObjective
        What was trained on.
    trained : Trained
    weight_scale : float
    halos : HaloHistories
    redshifts : sequence of float
    """
    model, laws = trained.model, learned_laws([trained.model])
    redshifts = np.unique(np.asarray(redshifts, float)).tolist()
    try:
        posterior = inference.network_posterior(
            target, model, theta=trained.theta[trained.best], weight_scale=weight_scale
        )
    except ValueError as error:
        return Determined([], [], [f"How well data determine the laws is not known: {error}."])
    bands = [
        inference.law_bands(target, posterior, place, redshift=redshift)
        for place, (law,) in laws.items() if law.of_halo and hasattr(model, place)
        for redshift in dict.fromkeys((redshifts[0], redshifts[-1]))
    ]  # fmt: skip
    sentences = [
        f"Data determine {posterior.effective:.1f} combinations of weights and parameters; ln evidence "
        f"{posterior.ln_evidence:.1f}."
    ]
    galaxies = evolve(model, halos[:_HALOS], redshifts)
    formulas = [
        inference.distil(galaxies, place, law.features, link=law.link)
        for place, (law,) in laws.items()
        if place in galaxies and np.sum(np.asarray(galaxies.valid)) >= _FEWEST
    ]
    return Determined(bands, formulas, sentences)
