r"""Where a model is wrong: which law wants to change, and in which galaxies, from one linearisation.

Every law may depart from itself by a spline whose values at knots have a normal prior of stated amplitude.  With s the
slope of the log posterior with respect to these values in units of the amplitude and F the expected information of the
data, both after the parameters that were free already have been marginalised, the evidence for letting a set of values
vary is, to second order,

    ln B = 1/2 s^T (1 + F)^-1 s - 1/2 ln det(1 + F).

The values then wanted are (1 + F)^-1 s, with covariance (1 + F)^-1; the width over that of the prior, which is one, is
small where the data determine the law and one where they say nothing; tr[F (1 + F)^-1] combinations are determined.

References
----------
MacKay 2003, Information Theory, Inference, and Learning Algorithms, ch. 27 and 28; Rao 1948 (score tests).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from ...physics.learned.departures import as_knots
from ...physics.learned.features import as_features
from ..batches import in_batches
from ..evaluate import linearise
from ..laplace import data_information, prior_information
from ..target import Target
from ..vectors import one_vector
from .departures import with_departures

__all__ = ["Criticism", "criticise"]

_KNOTS = ((1.5, 1.8, 2.1, 2.4), (0.0, 2.0, 5.0))


class Criticism(NamedTuple):
    """Which law wants to change, and where; `print` shows the laws in the order of their gain.

    Attributes
    ----------
    laws : tuple of str, (L,)
        Places of the model.
    features : tuple of str
    units : tuple of str
        Of the features.
    knots : tuple of tuples of float
        Of each feature.
    amplitude : float
        Standard deviation of the prior of a departure [dex].
    gain : array, (L,)
        ln of the evidence with this law free to depart over that without.
    gain_at : array, (L, knots ...)
        The same for a departure at one knot alone.
    score : array, (L, knots ...)
        Slope of the log posterior [1/dex].
    departure : array, (L, knots ...)
        The departure that the data ask of each law alone [dex].
    shrinkage : array, (L, knots ...)
        Its standard deviation over that of the prior: 0 where data determine the law, 1 where they say nothing.
    data : tuple of str, (D,)
    effective : array, (L, D)
        Combinations of a law's departures that each data set determines better than the prior does.
    effective_all : array, (L,)
        The same for all data together.

    Examples
    --------
    >>> criticism = co.inference.Criticism(
    ...     ("mass_loading",), ("log_vvir",), ("dex(km/s)",), ((1.5, 2.5),), 0.3, np.array([4.2]),
    ...     np.array([[0.1, 4.0]]), np.array([[1.0, 9.0]]), np.array([[0.02, 0.31]]), np.array([[0.9, 0.4]]),
    ...     ("shmr",), np.array([[1.1]]), np.array([1.1]),
    ... )
    >>> print(criticism.table().splitlines()[-1])
    | mass_loading | +4.2 | 1.1 | +0.31 at log_vvir = 2.5 | +4.0 |
    """

    laws: tuple[str, ...]
    features: tuple[str, ...]
    units: tuple[str, ...]
    knots: tuple[tuple[float, ...], ...]
    amplitude: float
    gain: np.ndarray
    gain_at: np.ndarray
    score: np.ndarray
    departure: np.ndarray
    shrinkage: np.ndarray
    data: tuple[str, ...]
    effective: np.ndarray
    effective_all: np.ndarray

    def __repr__(self) -> str:
        return self.table()

    @property
    def order(self) -> list[int]:
        """Positions of the laws, the one that gains most first."""
        return [int(position) for position in np.argsort(-self.gain)]

    def table(self) -> str:
        """The laws as a Markdown table, the one that gains most first."""
        head = [
            "law",
            "gain in ln evidence",
            "combinations determined",
            "departure where it gains most [dex]",
            "gain there",
        ]
        lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
        for k in self.order:
            best = np.unravel_index(np.argmax(self.gain_at[k]), self.gain_at[k].shape)
            place = ", ".join(
                f"{name} = {knots[i]:g}" for name, knots, i in zip(self.features, self.knots, best, strict=True)
            )
            cells = [self.laws[k], f"{self.gain[k]:+.1f}", f"{self.effective_all[k]:.1f}"]
            cells += [f"{self.departure[k][best]:+.2f} at {place}", f"{self.gain_at[k][best]:+.1f}"]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines)


def criticise(
    target: Target,
    u: Any = None,
    *,
    laws: Sequence[str] | None = None,
    features: Sequence[Any] | str = ("log_vvir", "redshift"),
    knots: Sequence[Any] = _KNOTS,
    amplitude: float = 0.3,
) -> Criticism:
    """Ask which laws of a model the data want to depart from their form, and where.

    One linearisation answers for all laws at once; no fit is made.

    Parameters
    ----------
    target : Target
        Of a model; its free parameters are marginalised.
    u : PointEstimate or array (P,), optional
        Where to linearise: the mode, if a fit was made; default the model as it is.
    laws : sequence of str, optional
        Places of the model; default all that take a law of the galaxy.
    features : sequence of Feature or str
        What the departures are functions of.
    knots : sequence
        Values of each feature at which there are departures.
    amplitude : float
        Standard deviation of the prior of a departure [dex].

    Returns
    -------
    Criticism

    Raises
    ------
    ValueError
        A law, a feature or the knots do not fit, the target is that of a function, or the model fails at this point.

    Examples
    --------
    >>> criticism = co.inference.criticise(
    ...     co.inference.Target(model, halos, ["shmr_behroozi19_sf"], ["mass_loading.amplitude"]),
    ...     laws=["mass_loading", "depletion_time"], features="log_vvir", knots=(1.6, 2.1),
    ... )
    >>> criticism.laws, criticism.departure.shape
    (('mass_loading', 'depletion_time'), (2, 2))
    """
    extended, places = with_departures(target, laws, features, knots, amplitude)
    start = np.asarray(target.start() if u is None else one_vector("u", u, target.names))
    grid = as_knots(knots)
    shape, number = tuple(len(one) for one in grid), len(start)
    point = np.concatenate([start, np.zeros(len(extended.free) - number)])
    linearised = in_batches(linearise, extended, point[None])
    slope = np.asarray(linearised.gradient[0])
    if not (np.isfinite(linearised.ln_density[0]) and np.all(np.isfinite(slope))):
        raise ValueError("criticise: the model fails at this point; give a point where its galaxies are solved")
    prior = np.asarray(prior_information(extended, jnp.asarray(point)))
    sets = {name: np.isin(np.arange(len(extended.data)), extended.data.positions(name)) for name in extended.data.names}
    masked = [np.where(used, extended.data.y, np.nan) for used in sets.values()]
    everything, *alone = (
        _marginalised(slope, data_information(extended, linearised, y)[0], prior, number)
        for y in (np.asarray(extended.data.y), *masked)
    )
    rows = np.split(np.arange(len(everything[0])), len(places))
    results = [_gain(everything[0][row], everything[1][np.ix_(row, row)]) for row in rows]
    single = [_gain(everything[0][[k]], everything[1][np.ix_([k], [k])])[0] for row in rows for k in row]
    effective = [[_effective(information[np.ix_(row, row)]) for _, information in alone] for row in rows]
    inputs = as_features(features)
    return Criticism(
        laws=places,
        features=tuple(feature.name for feature in inputs),
        units=tuple(feature.unit for feature in inputs),
        knots=grid,
        amplitude=float(amplitude),
        gain=np.array([gain for gain, _, _ in results]),
        gain_at=np.reshape(single, (-1, *shape)),
        score=np.reshape(everything[0], (-1, *shape)) / amplitude,
        departure=np.reshape([amplitude * value for _, value, _ in results], (-1, *shape)),
        shrinkage=np.reshape([width for _, _, width in results], (-1, *shape)),
        data=extended.data.names,
        effective=np.array(effective),
        effective_all=np.array([_effective(everything[1][np.ix_(row, row)]) for row in rows]),
    )


def _marginalised(slope, information, prior, number):
    """Slope and information of the departures once the first `number` parameters are marginalised."""
    free, added = np.arange(number), np.arange(number, len(slope))
    own = information[np.ix_(free, free)] + prior[np.ix_(free, free)]
    cross = information[np.ix_(added, free)]
    weights = np.linalg.solve(own, cross.T).T if number else np.zeros((len(added), 0))
    return slope[added] - weights @ slope[free], information[np.ix_(added, added)] - weights @ cross.T


def _gain(slope, information):
    """ln of the ratio of evidences, the departures wanted, and their widths, in units of the prior's."""
    total = np.eye(len(slope)) + information
    covariance = np.linalg.inv(total)
    gain = 0.5 * slope @ covariance @ slope - 0.5 * np.linalg.slogdet(total)[1]
    return gain, covariance @ slope, np.sqrt(np.diag(covariance))


def _effective(information):
    values = np.maximum(np.linalg.eigvalsh(information), 0.0)
    return float(np.sum(values / (1.0 + values)))
