"""Forecasts: what better or other data would tell, and what a systematic error in them would do.

All scenarios are variations of one target that holds every measurement in question: which of them count, by what their
errors are multiplied, by how much they are shifted.  So nothing is solved or compiled more than once for the Fisher
forecasts, and samplers compile once for all.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..storage.checkpoints import Checkpoint
from .batches import in_batches
from .evaluate import Linearised, linearise
from .laplace import gaussian_at, information_of, rows_of
from .posterior import Posterior
from .samplers.base import AbstractSampler
from .samplers.nuts import NUTS
from .samplers.sample import sample as sample_posterior
from .target import Target

__all__ = ["Scenario", "Forecast", "forecast", "scaled_scenarios", "shift_scenarios"]


class Scenario(NamedTuple):
    """Data that might be.

    Attributes
    ----------
    name : str
    use : tuple of str, optional
        Measurements that count; default all of the target.
    errors : float or mapping of str to float
        By what errors are multiplied, systematic included: 0.5 is also a sample four times as large.
    shift : mapping of str to float
        By how much a measurement is off [dex].
    """

    name: str
    use: tuple[str, ...] | None = None
    errors: float | Mapping[str, float] = 1.0
    shift: Mapping[str, float] = {}


class Forecast(NamedTuple):
    """What scenarios give.

    Attributes
    ----------
    names, units : tuples of str
    scenarios : tuple of Scenario
    theta : array, (P,)
        The truth assumed.
    sigma_fisher : array, (scenarios, P)
        Half of the 68% interval of each theta, from the expected information.
    sigma_sampled : array, (scenarios, P)
        The same from sampling; NaN where it was not done.
    bias : array, (scenarios, P)
        By how much a shift moves each theta, to first order.
    bits : array, (scenarios,)
        Information gained over the prior.
    posteriors : dict of str to Posterior
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

    def precision(self, sigma: np.ndarray) -> np.ndarray:
        """sigma / (1 + |theta|), the measure of Pandya et al. 2026."""
        return sigma / (1.0 + np.abs(self.theta))


def scaled_scenarios(factors: Sequence[float] = (1.0, 0.5, 0.1)) -> list[Scenario]:
    """The errors of all data multiplied by each factor."""
    return [Scenario("errors as they are" if f == 1.0 else f"errors x {f:g}", errors=float(f)) for f in factors]


def shift_scenarios(target: Target, size: float = 0.1) -> list[Scenario]:
    """Each relation in turn off by `size` [dex]."""
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
    """Forecast each scenario about the truth at coordinates u, (P,).

    Parameters
    ----------
    target : Target
        With every measurement that a scenario uses.
    u : array, shape (P,)
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
        Gives the store of a scenario that is sampled.

    Raises
    ------
    ValueError
        A scenario names an unknown measurement, or `sample` an unknown scenario.
    """
    u = np.asarray(u, float)
    sampler = NUTS(warmup=150, draws=300) if sampler is None else sampler
    known = [scenario.name for scenario in scenarios]
    missing = [name for name in sample if name not in known]
    if missing or not known or len(set(known)) < len(known):
        raise ValueError(f"forecast: got scenarios {', '.join(known) or 'none'} and to sample {', '.join(missing)}; "
                         "name each scenario once, and sample only those")  # fmt: skip
    for scenario in scenarios:
        for name in (*(scenario.use or ()), *scenario.shift, *_named(scenario.errors)):
            if name not in target.data.names:
                raise ValueError(
                    f"forecast: scenario {scenario.name!r} names {name!r}; data are {', '.join(target.data.names)}"
                )
    told = Linearised(*next(zip(*rows_of(in_batches(linearise, target, u[None])), strict=True)))
    used = np.isfinite(np.asarray(target.data.y)) & np.asarray(told.prediction.reached)
    centre = told.prediction.mean + told.shift
    sigma, sampled, bias, bits, posteriors = [], [], [], [], {}
    for scenario in scenarios:
        case = _case(target, scenario, np.where(used, centre, np.nan))
        there = told._replace(covariance=told.covariance - np.asarray(target.data.covariance - case.data.covariance))
        counts = np.isfinite(np.asarray(case.data.y))
        information = information_of(case, there, counts)
        gauss = gaussian_at(target, u, np.eye(len(u)) + information)
        sigma.append(gauss.sigma)
        bits.append(0.5 * np.linalg.slogdet(gauss.expected)[1] / np.log(2.0))
        bias.append(_bias(target, u, there, counts, gauss, scenario))
        if scenario.name in sample:
            told_of = None if progress is None else (lambda state, name=scenario.name: progress(name, state))
            keeping = dict(progress=told_of, store=None if store is None else store(scenario.name))
            post = sample_posterior(case, gauss, sampler=sampler, key=key, **keeping)
            posteriors[scenario.name] = post
            sampled.append(post.sigma)
        else:
            sampled.append(np.full(len(u), np.nan))
    theta, arrays = np.asarray(target.theta(u)), map(np.array, (sigma, sampled, bias, bits))
    return Forecast(target.names, target.units, tuple(scenarios), theta, *arrays, posteriors)


def _named(errors):
    return tuple(errors) if isinstance(errors, Mapping) else ()


def _case(target, scenario, y):
    case = target.with_data(y).scaled_errors(scenario.errors)
    return case if scenario.use is None else case.using(scenario.use)


def _bias(target, u, told, counts, gauss, scenario):
    if not scenario.shift:
        return np.zeros(len(u))
    off = np.zeros(len(target.data))
    for name, size in scenario.shift.items():
        off[target.data.places(name)] = size
    at = np.intersect1d(target.data.measured, np.flatnonzero(counts))
    slope, covariance = told.mean_slope[at], told.covariance[np.ix_(at, at)]
    moved = gauss.covariance @ (slope.T @ np.linalg.solve(covariance, off[at]))
    return np.asarray(target.theta(u + moved)) - gauss.theta
