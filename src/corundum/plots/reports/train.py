"""The report of ``corundum train``: losses, learned laws with bands and formulas, and the data before and after."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from ...observables import Measurement
from ...physics import LearnedLaw
from ..names import bars_in_words, short_names
from ..posteriors.laws import law_band
from ..posteriors.predictions import predictive_band
from ..posteriors.training import learned_departures, training_curves
from .page import Drawing, Facts, Section, Table

__all__ = ["learned_laws", "train_sections"]


def learned_laws(models: Sequence[Any]) -> dict[str, list[LearnedLaw]]:
    """The learned laws of a model and of its processes by their place, each as every one of `models` has it."""
    laws: dict[str, list[LearnedLaw]] = {}
    for model in models:
        parts = jax.tree_util.tree_leaves_with_path(model, is_leaf=lambda part: isinstance(part, LearnedLaw))
        for path, part in parts:
            if isinstance(part, LearnedLaw):
                laws.setdefault(jax.tree_util.keystr(path, simple=True, separator="."), []).append(part)
    return laws


def train_sections(
    trained: Any,
    measurements: Sequence[Measurement],
    held_out: Sequence[str],
    predictions: Mapping[str, np.ndarray],
    misfits: Sequence[tuple[str, int, float, float]],
    sentences: Sequence[str],
    bands: Sequence[Any] = (),
    formulas: Sequence[Any] = (),
) -> tuple[list[Section], list[Drawing]]:
    """Sections of the report, and all of its figures.

    Parameters
    ----------
    trained : Trained
    measurements : sequence of Measurement
        Empty where single galaxies were compared.
    held_out : sequence of str
        What no step has seen, among the names of `misfits`.
    predictions : mapping of str to array, shape (S, M)
        Means of the relations at all points, before and after training.
    misfits : sequence of (name, points, before, after)
        chi^2 over the number of points of each measurement.
    sentences : sequence of str
        What the numbers say.
    bands : sequence of LawBands
        Of the learned laws of the best seed.
    formulas : sequence of Distillation
    """
    labels = short_names(measurements)
    curves = Drawing(
        training_curves(trained).figure,
        "Thin: minus log posterior density over the number of points at each step. Dots: the same for halos and data "
        "that no step has seen, without priors. Star: where the model was kept.",
        "training",
    )  # fmt: skip
    laws = [
        Drawing(
            learned_departures(of_seeds)[0].figure,
            f"What {place} has learned: its departure from the base law along each feature, with the others in the "
            "middle of their ranges (grey). Thin lines: seeds; band: 68% of them, where there are three or more.",
            f"law_{place}",
        )
        for place, of_seeds in learned_laws(trained.models).items()
    ]
    known = [_band(one) for one in bands]
    over_data, first = [], 0
    for measurement in measurements:
        points = slice(first, first + len(measurement.x))
        first = points.stop
        apart = measurement.name in held_out
        over_data.append(
            Drawing(
                predictive_band(
                    measurement, {label: rows[:, points] for label, rows in predictions.items()},
                    used=np.zeros(len(measurement.x), bool) if apart else None,
                ).figure,
                f"{labels[measurement.name]} before and after training; bars: {bars_in_words(measurement)}."
                + (" No step has seen these data." if apart else ""),
                f"data_{measurement.name}",
            )
        )  # fmt: skip
    best = trained.best
    facts = Facts([
        (trained.weights, "weights"), (len(trained.names), "parameters"), (len(trained.models), "seeds"),
        (int(trained.best_step[best]), "steps of the best seed"),
    ])  # fmt: skip
    table = Table(
        ("data", "points", "chi2 / point before", "after", "seen"),
        [(labels.get(name, name), points, before, after, "no" if name in held_out else "yes")
         for name, points, before, after in misfits],
        "Misfit of the best seed, with the errors of data and model.",
    )  # fmt: skip
    rows = [[name, *map(float, trained.theta[:, i])] for i, name in enumerate(trained.names)]
    header = ("parameter", *(f"seed {seed + 1}" for seed in range(len(trained.models))))
    sections = [
        Section("What was learned", [facts, *sentences, table, curves]),
        Section("Laws", laws or ["The model has no learned law in a place of its own."]),
        *([Section("How well they are known", known)] if known else []),
        *([Section("As formulas", [_formulas(one) for one in formulas])] if formulas else []),
        *([Section("Over the data", over_data)] if over_data else []),
        Section("Parameters", [Table(header, rows, "In their natural scale.")] if rows else []),
    ]
    return sections, [curves, *laws, *known, *over_data]


def _band(bands: Any) -> Drawing:
    """A law of the best seed with its bands."""
    narrow = np.argmin(bands.shrinkage)
    return Drawing(
        law_band(bands).figure,
        f"{bands.place} at z = {bands.redshift:g} with the Gaussian of all weights of the best seed, to first order. "
        f"Data have made it narrower most at {bands.vvir[narrow]:.0f} km/s, to {bands.shrinkage[narrow]:.2g} of the "
        f"width under the prior, and at the ends to {bands.shrinkage[0]:.2g} and {bands.shrinkage[-1]:.2g}.",
        f"band_{bands.place}_z{bands.redshift:g}",
    )  # fmt: skip


def _formulas(distillation: Any) -> Table:
    """Formulas for a law, from the shortest to the most exact."""
    rows = [(one.size, one.error, one.written()) for one in distillation.formulas]
    return Table(
        ("size", "rms error [dex]", f"log10 of {distillation.quantity}, or of its odds for fractions"), rows,
        f"Short formulas for {distillation.quantity} of the best seed, fitted to its galaxies.",
    )  # fmt: skip
