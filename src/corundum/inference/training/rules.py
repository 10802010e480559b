"""How a training step follows from a gradient, and how large it is: rules of optax, and a rate that rises and falls."""

import abc
from typing import Any

import equinox as eqx
import numpy as np
import optax

from ...printing import Component

__all__ = ["AbstractTrainingRule", "AdamRule"]


class AbstractTrainingRule(Component):
    """A rule that turns gradients into steps.

    Examples
    --------
    Any transformation of optax, here with a constant rate:

    >>> import optax
    >>> class Momentum(co.inference.AbstractTrainingRule):
    ...     def transformation(self):
    ...         return optax.sgd(1.0, momentum=0.9)
    ...     def rate(self, share):
    ...         return 1e-3
    >>> trained = co.inference.train(objective, steps=1, rule=Momentum())
    """

    @abc.abstractmethod
    def transformation(self) -> Any:
        """The optax transformation that turns gradients of the loss into steps downwards, for a rate of 1."""

    @abc.abstractmethod
    def rate(self, share: float) -> float:
        """By what to multiply the step that is taken after this share, 0 to 1, of all steps."""


class AdamRule(AbstractTrainingRule):
    """Adam, whose rate rises over the first steps and then falls as half a cosine.

    Parameters
    ----------
    highest : float
        Highest rate: about the size of one step, in coordinates u of parameters and in weights.
    warmup : float
        Share of the steps over which the rate rises from a tenth of the highest.
    last : float
        Last rate over the highest.
    largest_gradient : float
        Gradients are scaled down to this length; the loss is one of a data point, so that they are of order one.

    Raises
    ------
    ValueError
        A number is out of range.

    References
    ----------
    Kingma & Ba 2015, arXiv:1412.6980; Loshchilov & Hutter 2017, arXiv:1608.03983.

    Examples
    --------
    >>> rule = co.inference.AdamRule(highest=0.03)
    >>> [round(rule.rate(share), 4) for share in (0.0, 0.05, 1.0)]
    [0.003, 0.03, 0.0006]
    """

    highest: float = eqx.field(static=True, default=0.02)
    warmup: float = eqx.field(static=True, default=0.05)
    last: float = eqx.field(static=True, default=0.02)
    largest_gradient: float = eqx.field(static=True, default=10.0)

    def __check_init__(self):
        for name, low, high in (
            ("highest", 1e-12, 10.0), ("warmup", 0.0, 1.0), ("last", 0.0, 1.0), ("largest_gradient", 1e-12, np.inf)
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name}: got {value}; give a number from {low:g} to {high:g}")

    def transformation(self) -> Any:
        """Clipping, then Adam."""
        return optax.chain(optax.clip_by_global_norm(self.largest_gradient), optax.scale_by_adam(), optax.scale(-1.0))

    def rate(self, share: float) -> float:
        """The rate after this share of all steps."""
        if share < self.warmup:
            return self.highest * (0.1 + 0.9 * share / self.warmup)
        fallen = (share - self.warmup) / max(1.0 - self.warmup, 1e-12)
        return self.highest * (self.last + (1.0 - self.last) * 0.5 * (1.0 + float(np.cos(np.pi * fallen))))
