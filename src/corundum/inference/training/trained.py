"""What training returns: the models, their losses, and the band of an ensemble of them."""

from typing import Any, NamedTuple

import numpy as np

__all__ = ["Trained"]


class Trained(NamedTuple):
    """Models trained from several starts, each as it was where its validation loss was lowest.

    Attributes
    ----------
    names : tuple of str
        Free parameters.
    theta : array, shape (S, P)
        Their values in their natural scale, for S seeds.
    models : tuple of S models
        With trained weights and parameters; `corundum.save` keeps one, and it can be trained further.
    losses : array, shape (S, steps)
        At every step, on the halos of that step; NaN after a seed has stopped.
    checked : integer array, shape (C,)
        Steps after which validation was looked at.
    validation : array, shape (S, C)
    best_step : integer array, shape (S,)
    endings : tuple of S str
        Why each seed ended.
    weights : int
        How many weights were trained.

    Examples
    --------
    >>> trained = co.inference.train(objective, steps=2, seeds=1)
    >>> trained.losses.shape, type(trained.model).__name__
    ((1, 2), 'LearningGrowth')
    """

    names: tuple[str, ...]
    theta: np.ndarray
    models: tuple[Any, ...]
    losses: np.ndarray
    checked: np.ndarray
    validation: np.ndarray
    best_step: np.ndarray
    endings: tuple[str, ...]
    weights: int

    @property
    def best(self) -> int:
        """The seed whose validation loss is lowest."""
        return int(np.nanargmin(np.nanmin(self.validation, axis=1)))

    @property
    def model(self) -> Any:
        """The model of the best seed."""
        return self.models[self.best]

    def in_words(self) -> str:
        """What happened, in one sentence."""
        first, lowest = self.validation[self.best, 0], np.nanmin(self.validation[self.best])
        counts = ((len(self.models), "seed"), (self.weights, "weight"), (len(self.names), "parameter"))
        seeds, weights, parameters = (f"{number} {noun}{'s' * (number != 1)}" for number, noun in counts)
        return (
            f"{seeds} of {weights} and {parameters}: validation loss {first:.3g} before training, {lowest:.3g} after "
            f"{self.best_step[self.best]} steps of the best one, which {self.endings[self.best]}"
        )

    def __repr__(self) -> str:
        return f"Trained: {self.in_words()}"
