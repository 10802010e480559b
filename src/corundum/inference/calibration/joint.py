"""One posterior of several targets that share their free parameters.

Number densities are sums over halos that are counted at one redshift, and main branches of these halos are not all
halos at another.  Mass functions at several redshifts therefore need several samples of halos, each with its data; the
same holds for data of field galaxies beside those of a single cluster, or for a population beside a plain function.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp

from ..data import Data
from ..evaluate import refuse_corrected
from ..summaries import AbstractSummaries, Prediction
from ..target import Target

__all__ = ["JointSummaries", "joint"]


class JointSummaries(AbstractSummaries):
    """Predictions of several targets, one after the other.

    Parameters
    ----------
    parts : tuple of AbstractSummaries
    error_factors : tuple of float
        The Monte-Carlo error of each over that of independent halos, as ``monte_carlo_error`` of a target.

    Examples
    --------
    >>> line = co.inference.FunctionSummaries(lambda theta: theta[0] * jnp.arange(3.0), ("slope",))
    >>> co.inference.JointSummaries((line, line), (1.0, 1.0))({"slope": 2.0}).mean.tolist()
    [0.0, 2.0, 4.0, 0.0, 2.0, 4.0]
    """

    parts: tuple[AbstractSummaries, ...]
    error_factors: tuple[float, ...] = eqx.field(static=True)

    def __call__(self, values: Mapping[str, Any]) -> Prediction:
        """Predict all points; the share of failed solves is that of the part where it is largest."""
        predictions = [part(values) for part in self.parts]
        errors = [f * prediction.error for f, prediction in zip(self.error_factors, predictions, strict=True)]
        joined = {
            name: jnp.concatenate([getattr(prediction, name) for prediction in predictions])
            for name in ("mean", "scatter", "reached")
        }
        return Prediction(
            **joined,
            error=jnp.concatenate(errors),
            failed=jnp.max(jnp.stack([prediction.failed for prediction in predictions])),
        )

    def for_forward_mode(self) -> "JointSummaries":
        return JointSummaries(tuple(part.for_forward_mode() for part in self.parts), self.error_factors)

    def subject(self) -> str:
        return " and ".join(part.subject() for part in self.parts)


def joint(targets: Sequence[Target]) -> Target:
    """The posterior of the data of all targets, whose free parameters are the same.

    The log likelihoods add up; the prior counts once.  Data of different targets are independent: measurements that
    share galaxies, or errors, belong in one target.

    Parameters
    ----------
    targets : sequence of Target
        With the same free parameters and priors, the same kind of likelihood, and different measurements.

    Raises
    ------
    ValueError
        There is no target, or their free parameters, likelihoods or scatter differ, a measurement is in two of them, or
        one is corrected to many halos.

    Examples
    --------
    >>> x = np.linspace(0.0, 1.0, 5)
    >>> lines = [
    ...     co.inference.Target.of_function(
    ...         lambda theta: theta[0] + theta[1] * x, y=1.0 + 2.0 * x, covariance=np.full(5, error**2),
    ...         priors={"intercept": (0.0, 5.0), "slope": (-5.0, 5.0)}, name=name,
    ...     )
    ...     for name, error in {"old": 0.2, "new": 0.1}.items()
    ... ]
    >>> both = co.inference.joint(lines)
    >>> both.data.names, len(both.data)
    (('old', 'new'), 10)
    """
    targets = tuple(targets)
    if not targets:
        raise ValueError("joint: got no target; give at least one")
    first = targets[0]
    for target in targets:
        refuse_corrected("joint", target)
    for number, target in enumerate(targets[1:], 2):
        _check_same(first, target, number)
    summaries = JointSummaries(
        tuple(target.summaries for target in targets), tuple(target.monte_carlo_error for target in targets)
    )
    return Target._of(
        summaries=summaries, free=first.free, data=Data.join([target.data for target in targets]),
        likelihood=first.likelihood, scatter=first.scatter, monte_carlo_error=1.0,
    )  # fmt: skip


def _check_same(first, other, number):
    if other.names != first.names:
        differ = sorted(set(first.names) ^ set(other.names)) or "their order"
        raise ValueError(f"joint: targets 1 and {number} differ in free parameters: {differ}; give them the same")
    for one, two in zip(first.free, other.free, strict=True):
        if one.log10 != two.log10 or not eqx.tree_equal(one.prior, two.prior):  # not all numbers show in their words
            raise ValueError(
                f"joint: targets 1 and {number} have different priors of {one.name}: {one.support()} and "
                f"{two.support()}; give them the same"
            )
    for what in ("likelihood", "scatter"):
        if not eqx.tree_equal(getattr(first, what), getattr(other, what)):
            raise ValueError(f"joint: targets 1 and {number} have a different {what}; give them the same")
