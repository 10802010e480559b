"""A posterior as an ArviZ data set, with names, units and coordinates, and a verdict on whether to trust it.

`Posterior.data` is what the installed ArviZ keeps posteriors in, an `xarray.DataTree` or, before ArviZ 1.0, an
`arviz.InferenceData`, with the groups posterior, sample_stats, prior, observed_data and constant_data: errors of the
data and, after `keep_mode`, the mode and the Gaussian about it.  `corundum.inference.add_predictive` adds predictive
groups and log likelihoods.  All tools of ArviZ work on it.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arguments import whole_number
from ..numerics.random_keys import seed
from ..printing import in_short
from ..storage.arviz_data import arviz, arviz_data
from .laplace import Laplace
from .samplers.chains import Chains
from .samplers.diagnostics import ESS, RHAT, diagnostics
from .target import Target
from .text import interval_lines

__all__ = [
    "Posterior", "Verdict", "check_names", "gaussian_posterior", "keep_mode", "posterior_of", "verdict", "PERCENTILES",
]  # fmt: skip

PERCENTILES = (15.865, 50.0, 84.135)
"""Median and 68% interval."""

_PRIOR_DRAWS = 4000
_GAUSSIAN_CHAINS = 4
_LEAST_BFMI = 0.3
_APART = 2.0


class Verdict(NamedTuple):
    """Whether chains can be trusted.

    Attributes
    ----------
    good : bool
    sentence : str
        The verdict in words: what is wrong and what to do about it, or the decisive numbers.
    table : dict of str to array, (P,)
        ``rhat`` (rank-normalised), ``ess_bulk``, ``ess_tail``.
    divergences : int
    bfmi : float
        Lowest energy Bayesian fraction of missing information over chains; NaN for samplers without energies.

    Examples
    --------
    >>> verdict = posterior.verdict
    >>> verdict.divergences, sorted(verdict.table)
    (0, ['ess_bulk', 'ess_tail', 'rhat'])
    """

    good: bool
    sentence: str
    table: dict[str, np.ndarray]
    divergences: int
    bfmi: float

    def __repr__(self) -> str:
        return in_short(self)


class Posterior(NamedTuple):
    """Draws from a posterior; `print` shows medians, intervals and the verdict on the chains.

    Attributes
    ----------
    names, units : tuples of str
    theta : array, (chains, draws, P)
        In the natural scale of each parameter.
    u : array, (chains, draws, P)
    data : xarray.DataTree or arviz.InferenceData
    verdict : Verdict
    seconds : float
        Time spent sampling.

    Examples
    --------
    >>> posterior.theta.shape, posterior.flat.shape
    ((2, 200, 2), (400, 2))
    >>> print(posterior)
    Posterior: 2 chains of 200 draws of 2 parameters...
    >>> posterior.percentiles().round(0).tolist()
    [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    theta: np.ndarray
    u: np.ndarray
    data: Any
    verdict: Verdict
    seconds: float

    def __repr__(self) -> str:
        chains, draws, size = self.theta.shape
        first = f"Posterior: {chains} chains of {draws} draws of {size} parameters; {self.verdict.sentence}"
        return "\n".join([first, *interval_lines(self.names, self.units, self.percentiles())])

    @property
    def flat(self) -> np.ndarray:
        """theta of all draws, (S, P)."""
        return self.theta.reshape(-1, self.theta.shape[-1])

    def percentiles(self, levels: Any = PERCENTILES) -> np.ndarray:
        """Percentiles of each theta, (levels, P)."""
        return np.percentile(self.flat, levels, axis=0)

    @property
    def sigma(self) -> np.ndarray:
        """Half the 68% interval of each theta."""
        low, _, high = self.percentiles()
        return 0.5 * (high - low)

    def thinned(self, number: int, *, key: int = 0) -> np.ndarray:
        """u of `number` draws taken at random without repeating one, (number, P)."""
        flat = self.u.reshape(-1, self.u.shape[-1])
        number = min(whole_number("number", number, least=0, meaning="draws"), len(flat))
        return flat[np.random.default_rng(seed(key)).choice(len(flat), number, replace=False)]


def posterior_of(target: Target, chains: Chains, about: dict[str, Any]) -> Posterior:
    """Chains in the coordinates u as a posterior of theta."""
    theta = np.asarray(target.theta(chains.u))
    prior = np.asarray(target.theta(target.prior_draws(_PRIOR_DRAWS)))[None]
    groups = {
        "posterior": _named(target, theta),
        "sample_stats": chains.stats,
        "prior": _named(target, prior),
        "observed_data": {name: np.asarray(target.data.y)[target.data.positions(name)] for name in target.data.names},
        "constant_data": _constant(target),
    }
    attrs = {key: _plain(value) for key, value in about.items()}
    data = arviz_data(groups, coords=coordinates(target), dims=dimensions(target), attrs=attrs)
    for group in (data.posterior, data.prior):
        for free in target.free:
            group[free.name].attrs |= {"units": free.unit, "long_name": free.meaning, "log10": int(free.log10)}
    return Posterior(
        target.names, target.units, theta, chains.u, data, verdict(data, together=chains.interacting), chains.seconds
    )


def gaussian_posterior(target: Target, gauss: Laplace, *, draws: int = 4000, key: int = 0) -> Posterior:
    """Independent draws of the Gaussian about the mode as a posterior, for a fit without chains.

    Parameters
    ----------
    target : Target
    gauss : Laplace
    draws : int
        How many, in four chains; rounded up to a multiple of four.
    key : int

    Examples
    --------
    >>> gaussian = co.inference.laplace(target, best)
    >>> draws = co.inference.gaussian_posterior(target, gaussian, draws=400)
    >>> draws.theta.shape, draws.data.attrs["sampler"]
    ((4, 100, 2), 'none: independent draws of the Gaussian about the mode')
    """
    check_names(target)
    per_chain = -(-whole_number("draws", draws) // _GAUSSIAN_CHAINS)
    u = gauss.coordinate_draws(_GAUSSIAN_CHAINS * per_chain, key=key).reshape(_GAUSSIAN_CHAINS, per_chain, -1)
    about = {"sampler": "none: independent draws of the Gaussian about the mode", "key": key, "kind": gauss.kind}
    return posterior_of(target, Chains(u), about)


def check_names(target: Target) -> None:
    """Refuse names that no posterior can hold, before the time that its draws take.

    Raises
    ------
    ValueError
        A parameter or a measurement has a slash in its name, which ArviZ reads as that of a group.
    """
    slashed = [name for name in (*target.names, *target.data.names) if "/" in name]
    if slashed:
        raise ValueError(f"target: a posterior cannot hold {', '.join(slashed)}; give names without '/'")


def keep_mode(data: Any, gauss: Laplace) -> None:
    """Add the mode and the Gaussian about it to the group constant_data of `Posterior.data`.

    ``mode`` is in the scale of the parameters, ``mode_u`` and ``covariance_u`` in the coordinates u, in which it is a
    Gaussian.

    Examples
    --------
    >>> co.inference.keep_mode(posterior.data, co.inference.laplace(target, best))
    >>> posterior.data.constant_data["covariance_u"].shape
    (2, 2)
    """
    from xarray import DataArray  # it takes a second, and comes with ArviZ

    rows = ("parameter", "other_parameter")
    for name, values in (("mode", gauss.theta), ("mode_u", gauss.u), ("covariance_u", gauss.covariance)):
        array = np.asarray(values)
        data["constant_data"][name] = DataArray(array, {row: list(gauss.names) for row in rows[: array.ndim]})


def coordinates(target: Target) -> dict[str, np.ndarray]:
    """x of the points of each measurement, by the name of its dimension."""
    return {f"point_{name}": np.asarray(target.data.x)[target.data.positions(name)] for name in target.data.names}


def dimensions(target: Target) -> dict[str, list[str]]:
    """The dimension of each array with a value for every point of a measurement."""
    dims = {name: [f"point_{name}"] for name in target.data.names}
    return {**dims, **{f"error_{name}": dimension for name, dimension in dims.items()}}


def _constant(target):
    error = np.sqrt(np.diag(np.asarray(target.data.covariance)))
    return {f"error_{name}": error[target.data.positions(name)] for name in target.data.names}


def _named(target, theta):
    return {name: theta[..., i] for i, name in enumerate(target.names)}


def _plain(value):
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else str(value)


def verdict(data: Any, *, rhat: float = RHAT, ess: float = ESS, together: bool = False) -> Verdict:
    """Judge whether chains can be trusted.

    They can if every parameter has a rank-normalised R-hat below `rhat` and effective sample sizes in bulk and tails
    above `ess`, no draw diverged, and energies are explored fast enough (E-BFMI above 0.3).  Where chains stay in
    different modes, the sentence names them and the method that finds the share of each.

    Parameters
    ----------
    data : xarray.DataTree or arviz.InferenceData
    rhat, ess : float
        The limits.
    together : bool
        Whether the chains are walkers of one ensemble, which are not independent.  Sample sizes then follow from the
        autocorrelation of the mean of all walkers (Goodman & Weare 2010, section 4), where that gives less, and R-hat
        compares four groups of walkers, so that a group with a stray walker differs from the rest.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter & Buerkner 2021, Bayesian Analysis 16, 667; Betancourt 2016, arXiv:1604.00695.

    Examples
    --------
    >>> co.inference.verdict(posterior.data, ess=10.0, rhat=1.2).good
    True
    """
    az = arviz()
    draws = {
        str(name): values.transpose("chain", "draw").values for name, values in data["posterior"].data_vars.items()
    }
    names, (chains, length) = list(draws), next(iter(draws.values())).shape
    several = chains > 1
    table = diagnostics(list(draws.values()), [_groups(values) for values in draws.values()] if together else None)
    if together:
        share = np.array([_share_of_ensemble(az, values) for values in draws.values()])
        # The share is of all draws; a sample size that ArviZ finds smaller stands.
        table |= {
            key: table[key] * np.minimum(1.0, share * chains * length / table["ess_bulk"])
            for key in ("ess_tail", "ess_bulk")
        }
    stats = data["sample_stats"] if "sample_stats" in data else {}
    divergences = int(stats["diverging"].sum()) if "diverging" in stats else 0
    bfmi = float(np.min(az.bfmi(stats["energy"].values))) if "energy" in stats else np.nan
    faults = []
    for key, bad, sentence in (
        ("rhat", lambda v: ~(v < rhat), f"R-hat of {{}} is {{:.3f}}, above {rhat:g}: chains disagree, so run longer"),
        ("ess_bulk", lambda v: v < ess, f"{{}} has {{:.0f}} effective draws in the bulk, below {ess:g}: run longer"),
        ("ess_tail", lambda v: v < ess, f"{{}} has {{:.0f}} effective draws in the tails, below {ess:g}: run longer"),
    ):
        worst = np.nanargmax(table[key]) if key == "rhat" and several else np.argmin(table[key])
        if np.any(bad(table[key])):
            faults.append(sentence.format(names[worst], table[key][worst]))
    if several and not together:
        apart = [(_apart(draws[name]), name) for name in np.array(names)[~(table["rhat"] < rhat)]]
        apart = sorted(apart, key=lambda one: one[0].gap)[-1:]
        faults[:0] = [_division(*one) for one in apart if one[0].gap > _APART]
    if divergences:
        faults.append(f"{divergences} divergences: the sampler misses a narrow part; raise target_accept")
    if bfmi < _LEAST_BFMI:
        faults.append(f"E-BFMI is {bfmi:.2f}, below {_LEAST_BFMI}: energies explore slowly; reparametrise")
    good = not faults
    largest = f"largest R-hat {np.max(table['rhat']):.4f}, " if several else ""
    summary = f"{largest}smallest bulk sample size {np.min(table['ess_bulk']):.0f}, {divergences} divergences"
    sentence = f"trustworthy: {summary}" if good else f"not to be trusted yet: {'; '.join(faults)}"
    return Verdict(good, sentence, table, divergences, bfmi)


class _Apart(NamedTuple):
    """The chains of the smaller of two groups, where each lies, and the gap between them over the width of a chain."""

    gap: float
    few: Any
    median: float
    others: float
    chains: int


def _apart(values):
    """Chains (chains, draws) divided where their medians are farthest apart."""
    medians = np.median(values, axis=1)
    order = np.argsort(medians)
    gaps = np.diff(medians[order])
    cut = int(np.argmax(gaps)) + 1
    few, others = sorted((order[:cut], order[cut:]), key=len)
    width = np.median(np.std(values, axis=1)) + np.finfo(float).tiny
    return _Apart(
        float(gaps[cut - 1] / width), np.sort(few), float(np.median(values[few])), float(np.median(values[others])),
        len(values),
    )  # fmt: skip


def _division(apart, name):
    subject = "chain {} of {} stays" if len(apart.few) == 1 else "chains {} of {} stay"
    listed = ", ".join(str(chain + 1) for chain in apart.few)
    return (
        f"{subject.format(listed, apart.chains)} at {name} = {apart.median:.2g} and the others at {apart.others:.2g}: "
        f"modes between which chains do not move; NestedSampler gives each its share"
    )


def _groups(values, number=4):
    """Walkers (walkers, draws) in groups of one size, each as one chain with its draws in order of time.

    Up to three walkers that are left over are in none.
    """
    size = len(values) // number
    return np.stack([values[first::number][:size].T.ravel() for first in range(number)])


def _share_of_ensemble(az, values):
    """Effective share of all draws (walkers, draws), from the variance and the autocorrelation of the walkers' mean."""
    mean = values.mean(axis=0)
    return float(az.ess(mean[None])) * values.var() / mean.var() / values.size
