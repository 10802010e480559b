"""Forecasts: what better or other data would add, and what a systematic error in them would change.

All scenarios are variations of one target that holds every measurement in question: which of them are used, by what
their errors are multiplied, by how much they are shifted.  So Fisher forecasts solve and compile only once, and a
sampler compiles once for all scenarios.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...arguments import strategy
from ...printing import in_short
from ...storage.checkpoints import Checkpoint
from ..batches import in_batches
from ..evaluate import linearise
from ..laplace import gaussian_at, information_of, points_of
from ..posterior import Posterior
from ..samplers.base import AbstractSampler
from ..samplers.nuts import NUTS
from ..samplers.sample import sample as sample_posterior
from ..target import Target
from ..vectors import one_vector

__all__ = ["Scenario", "Forecast", "forecast", "scaled_scenarios", "shift_scenarios"]


class Scenario(NamedTuple):
    """Data that might be available.

    Attributes
    ----------
    name : str
    use : tuple of str, optional
        Measurements that are used; default all of the target.
    errors : float or mapping of str to float
        By what errors are multiplied, systematic ones included: 0.5 also stands for a sample four times as large.
    shift : mapping of str to float
        By how much a measurement is off [dex].

    Examples
    --------
    >>> co.inference.Scenario("deep survey", errors=0.5).errors
    0.5
    """

    name: str
    use: tuple[str, ...] | None = None
    errors: float | Mapping[str, float] = 1.0
    shift: Mapping[str, float] = {}

    def __repr__(self) -> str:
        return in_short(self)


class Forecast(NamedTuple):
    """The results of all scenarios.

    Attributes
    ----------
    names, units : tuples of str
    scenarios : tuple of Scenario
    theta : array, (P,)
        The truth assumed.
    sigma_fisher : array, (scenarios, P)
        Half of the 68% interval of each theta, from the expected information.
    sigma_sampled : array, (scenarios, P)
        The same from sampling; NaN for scenarios that were not sampled.
    bias : array, (scenarios, P)
        By how much a shift moves each theta, to first order.
    bits : array, (scenarios,)
        Information gained over the prior.
    posteriors : dict of str to Posterior
        Of the scenarios that were sampled.

    Examples
    --------
    >>> result = co.inference.forecast(target, best.u, co.inference.scaled_scenarios((1.0, 0.5)))
    >>> result
    Forecast of 2 scenarios: errors as they are ... bits, errors x 0.5 ... bits
    >>> result.precision(result.sigma_fisher).shape
    (2, 2)
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    scenarios: tuple[Scenario, ...]
    theta: np.ndarray
    sigma_fisher: np.ndarray
    sigma_sampled: np.ndarray
    bias: np.ndarray
    bits: np.ndarray
    posteriors: dict[str, Posterior]

    def __repr__(self) -> str:
        bits = [f"{scenario.name} {bits:.1f} bits" for scenario, bits in zip(self.scenarios, self.bits, strict=True)]
        return f"Forecast of {len(self.scenarios)} scenarios: {', '.join(bits)}"

    def precision(self, sigma: np.ndarray) -> np.ndarray:
        """sigma / (1 + |theta|), the measure of Pandya et al. 2026."""
        return sigma / (1.0 + np.abs(self.theta))


def scaled_scenarios(factors: Sequence[float] = (1.0, 0.5, 0.1)) -> list[Scenario]:
    """The errors of all data multiplied by each factor.

    Examples
    --------
    >>> [scenario.name for scenario in co.inference.scaled_scenarios((1.0, 0.5))]
    ['errors as they are', 'errors x 0.5']
    """
    return [Scenario("errors as they are" if f == 1.0 else f"errors x {f:g}", errors=float(f)) for f in factors]


def shift_scenarios(target: Target, size: float = 0.1) -> list[Scenario]:
    """Each measurement in turn off by `size` [dex].

    Examples
    --------
    >>> [scenario.name for scenario in co.inference.shift_scenarios(target, 0.1)]
    ['data +0.1 dex']
    """
    return [Scenario(f"{name} {size:+g} dex", shift={name: float(size)}) for name in target.data.names]


def forecast(
    target: Target,
    u: Any,
    scenarios: Sequence[Scenario],
    *,
    sample: Sequence[str] = (),
    sampler: AbstractSampler | None = None,
    key: int = 0,
    progress: Callable[[str, Any], None] | None = None,
    store: Callable[[str], Checkpoint] | None = None,
) -> Forecast:
    """Forecast each scenario about an assumed truth.

    Parameters
    ----------
    target : Target
        With every measurement that a scenario uses.
    u : array, shape (P,)
        Coordinates of the truth.
    scenarios : sequence of Scenario
    sample : sequence of str
        Names of scenarios to sample as well, with data that lie on the model.
    sampler : AbstractSampler, optional
        Default `NUTS(warmup=150, draws=300)`.
    key : int
        Of the sampler.
    progress : callable, optional
        Called as ``progress(scenario, ChainProgress)``.
    store : callable, optional
        Gives the checkpoint of a scenario that is sampled, by name.

    Raises
    ------
    ValueError
        A scenario occurs twice or names an unknown measurement, or `sample` an unknown scenario.

    Examples
    --------
    >>> scenarios = co.inference.shift_scenarios(target, 0.1)
    >>> co.inference.forecast(target, best.u, scenarios).bias.round(2).tolist()
    [[0.1, 0.0]]
    """
    u = np.asarray(one_vector("u", u, target.names))
    sampler = strategy("sampler", sampler, NUTS(warmup=150, draws=300))
    _check(target, scenarios, sample)
    linearised = points_of(in_batches(linearise, target, u[None]))[0]
    used = np.isfinite(np.asarray(target.data.y)) & np.asarray(linearised.prediction.reached)
    centre = linearised.prediction.mean + linearised.shift
    sigma, sampled, bias, bits, posteriors = [], [], [], [], {}
    for scenario in scenarios:
        case = _case(target, scenario, np.where(used, centre, np.nan))
        removed = np.asarray(target.data.covariance - case.data.covariance)
        of_case = linearised._replace(covariance=linearised.covariance - removed)
        counts = np.isfinite(np.asarray(case.data.y))
        gaussian = gaussian_at(target, u, np.eye(len(u)) + information_of(case, of_case, counts))
        sigma.append(gaussian.sigma)
        bits.append(0.5 * np.linalg.slogdet(gaussian.expected)[1] / np.log(2.0))
        bias.append(_bias(target, u, of_case, counts, gaussian, scenario))
        if scenario.name in sample:
            posteriors[scenario.name] = sample_posterior(
                case, gaussian, sampler=sampler, key=key,
                progress=None if progress is None else (lambda state, name=scenario.name: progress(name, state)),
                store=None if store is None else store(scenario.name),
            )  # fmt: skip
            sampled.append(posteriors[scenario.name].sigma)
        else:
            sampled.append(np.full(len(u), np.nan))
    return Forecast(
        target.names,
        target.units,
        tuple(scenarios),
        np.asarray(target.theta(u)),
        np.array(sigma),
        np.array(sampled),
        np.array(bias),
        np.array(bits),
        posteriors,
    )


def _check(target, scenarios, sample):
    known = [scenario.name for scenario in scenarios]
    missing = [name for name in sample if name not in known]
    if missing or not known or len(set(known)) < len(known):
        raise ValueError(
            f"forecast: got scenarios {', '.join(known) or 'none'} and to sample {', '.join(missing)}; name each "
            "scenario once, and sample only those"
        )
    for scenario in scenarios:
        scaled = tuple(scenario.errors) if isinstance(scenario.errors, Mapping) else ()
        for name in (*(scenario.use or ()), *scenario.shift, *scaled):
            if name not in target.data.names:
                raise ValueError(
                    f"forecast: scenario {scenario.name!r} names {name!r}; data are {', '.join(target.data.names)}"
                )


def _case(target, scenario, y):
    case = target.with_data(y).scaled_errors(scenario.errors)
    return case if scenario.use is None else case.using(scenario.use)


def _bias(target, u, linearised, counts, gaussian, scenario):
    """Change of theta, to first order, if the measurements are off by the shifts of the scenario."""
    if not scenario.shift:
        return np.zeros(len(u))
    shift = np.zeros(len(target.data))
    for name, size in scenario.shift.items():
        shift[target.data.positions(name)] = size
    rows = np.intersect1d(target.data.measured, np.flatnonzero(counts))
    slope, covariance = linearised.mean_slope[rows], linearised.covariance[np.ix_(rows, rows)]
    moved = gaussian.covariance @ (slope.T @ np.linalg.solve(covariance, shift[rows]))
    return np.asarray(target.theta(u + moved)) - gaussian.theta
