"""What is inferred: named parameters with priors, and the coordinates in which samplers and optimisers move.

A free parameter is a number of the model by its dotted name, of the cosmology (``cosmology.*``), or a nuisance of the
data (see `corundum.inference.nuisances`).  It is measured in its natural scale theta: the log10 of amplitudes, the
number itself otherwise.  Every method works in u, which has no bounds: Phi(u) is the cumulative prior of theta, so
that the prior of u is the standard normal, whatever the prior of theta is.  So no method has to respect an edge, and
a direction that the data do not constrain is exactly Gaussian.  A prior without a quantile function goes through
numpyro's bijection instead.
"""

import dataclasses
import functools
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Float
from numpyro.distributions.transforms import biject_to

from ..annotations import Array
from ..arguments import in_words
from ..cosmology import Cosmology
from ..messages import did_you_mean
from ..models import AbstractModel
from ..observables import Measurement
from ..parameters import Parameter
from ..printing import Component
from ..sensitivity import Natural, choose_parameters, known_parameters, natural_range
from .nuisances import default_prior, is_nuisance, nuisance_parameter

__all__ = ["FreeParameter", "free_parameters", "prior_of", "has_quantiles", "distribution"]

_UNKNOWN = Parameter(0.0, "1", "", "", (-np.inf, np.inf), "linear")  # a number about which nothing is declared
_LN_NORMAL = -0.5 * float(np.log(2.0 * np.pi))


class FreeParameter(Component):
    """One number to infer.

    Attributes
    ----------
    name : str
    prior : numpyro Distribution
        Of theta, a scalar.
    log10 : bool
        Whether theta is the log10 of the number.
    unit : str
        Of theta.
    meaning : str
    start : float
        theta of the model as it is.
    has_quantiles : bool
        Whether the prior has cumulative and quantile functions that JAX can compute.

    Examples
    --------
    >>> (free,) = co.inference.free_parameters(model, halos.cosmology, ["mass_loading.amplitude"])
    >>> free.log10, free.support()
    (True, 'Uniform, -2 to 1')
    >>> round(float(free.theta(jnp.zeros(()))), 3)  # the median of the prior
    -0.5
    """

    name: str = eqx.field(static=True)
    prior: Any
    log10: bool = eqx.field(static=True, default=False)
    unit: str = eqx.field(static=True, default="1")
    meaning: str = eqx.field(static=True, default="")
    start: float = eqx.field(static=True, default=0.0)
    has_quantiles: bool = eqx.field(static=True, default=True)

    def theta(self, u: Float[Array, "..."]) -> Float[Array, "..."]:
        """theta at the unbounded coordinate `u`."""
        if not self.has_quantiles:
            return biject_to(self.prior.support)(u)
        if isinstance(self.prior, dist.Normal):
            return self.prior.loc + self.prior.scale * u
        # Beyond 8 sigma a probability rounds to 0 or 1, where quantiles may be infinite.
        return self.prior.icdf(jnp.clip(ndtr(u), 1e-15, 1.0 - 1e-15))

    def coordinate(self, theta: Float[Array, "..."]) -> Float[Array, "..."]:
        """The unbounded coordinate of `theta`, inside the support."""
        if not self.has_quantiles:
            return biject_to(self.prior.support).inv(theta)
        if isinstance(self.prior, dist.Normal):
            return (theta - self.prior.loc) / self.prior.scale
        return ndtri(jnp.clip(self.prior.cdf(theta), 1e-15, 1.0 - 1e-15))

    def coordinate_inside(self, theta: np.ndarray) -> Float[Array, "..."]:
        """The unbounded coordinate of known `theta`; a ValueError where it lies outside the prior."""
        if not np.all(self.prior.support(theta)):
            raise ValueError(
                f"free parameter {self.name}: {np.ravel(theta)[0]:g} {self.unit} lies outside its prior "
                f"({self.support()}); widen the prior or change the value"
            )
        return self.coordinate(theta)

    def draws(self, key: Any, number: int) -> Float[Array, " n"]:
        """Coordinates of draws from the prior."""
        if self.has_quantiles:
            return jax.random.normal(key, (number,))
        return self.coordinate(self.prior.sample(key, (number,)))

    def ln_density(self, u: Float[Array, "..."]) -> Float[Array, "..."]:
        """ln of the prior density of `u`."""
        if self.has_quantiles:
            return _LN_NORMAL - 0.5 * u**2
        transform = biject_to(self.prior.support)
        theta = transform(u)
        return self.prior.log_prob(theta) + transform.log_abs_det_jacobian(u, theta)

    def value(self, theta: Float[Array, "..."]) -> Float[Array, "..."]:
        """The number itself: 10**theta for parameters measured in decades."""
        return 10.0**theta if self.log10 else theta

    def support(self) -> str:
        """The prior and its range, in words."""
        if isinstance(self.prior, dist.Normal):
            return f"Normal, {float(self.prior.loc):g} with standard deviation {float(self.prior.scale):g}"
        ends = [getattr(self.prior.support, name, None) for name in ("lower_bound", "upper_bound")]
        low, high = (f"{float(end):g}" if end is not None else "unbounded" for end in ends)
        return f"{type(self.prior).__name__}, {low} to {high}"


def prior_of(name: str, prior: Any, about: Parameter | None = None) -> dist.Distribution:
    """A prior as a distribution: a numpyro one as it is, a range as uniform in the natural scale.

    Parameters
    ----------
    name : str
    prior : numpyro Distribution, (float, float) or dict
        A range is given as `corundum.sensitivity.natural_range` takes it.
    about : Parameter, optional
        What is known about it: the range has to lie within its bounds.

    Raises
    ------
    ValueError
        It is none of these, is not of one number, or its range is empty or outside the bounds.
    """
    if isinstance(prior, dist.Distribution):
        shape = prior.batch_shape + prior.event_shape
        if shape:
            raise ValueError(f"prior of {name}: got a distribution of shape {shape}; give that of one number")
        return prior
    if not isinstance(prior, Mapping | Sequence | np.ndarray) or isinstance(prior, str):
        raise ValueError(
            f"prior of {name}: got {in_words(prior)}; give (low, high) for a uniform prior, or a numpyro distribution"
        )
    low, high = natural_range(f"prior of {name}", _UNKNOWN if about is None else about, prior)
    return _uniform(low, high)


def _uniform(low, high):
    return dist.Uniform(jnp.asarray(np.float64(low)), jnp.asarray(np.float64(high)))


def distribution(kind: str, numbers: Mapping[str, float]) -> dist.Distribution:
    """A scalar distribution of numpyro by name.

    Parameters
    ----------
    kind : str
        The name of its class, such as ``"Normal"``.
    numbers : mapping of str to float
        Its arguments, such as ``{"loc": 0.0, "scale": 0.1}``.

    Raises
    ------
    ValueError
        numpyro has no distribution of that name, or it does not take these numbers.

    Examples
    --------
    >>> prior = co.inference.distribution("Normal", {"loc": 0.0, "scale": 0.1})
    >>> round(float(prior.icdf(0.84134)), 3)
    0.1
    """
    known = [name for name in dist.__all__ if isinstance(getattr(dist, name), type)]
    if kind not in known:
        hint = did_you_mean(kind, known, cutoff=0.5) or "did you mean Normal or Uniform? "
        raise ValueError(f"no distribution {kind!r} in numpyro; {hint.strip()}")
    accepted = [name for name in inspect.signature(getattr(dist, kind)).parameters if name != "validate_args"]
    arguments = {name: jnp.float64(value) for name, value in numbers.items()}
    try:
        getattr(dist, kind)(**arguments, validate_args=True)
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise ValueError(f"distribution {kind} takes {', '.join(accepted)}; got {dict(numbers)} ({reason})") from None
    return getattr(dist, kind)(**arguments)


def free_parameters(
    model: AbstractModel,
    cosmology: Cosmology,
    names: Sequence[str],
    priors: Mapping[str, Any] | None = None,
    measurements: Sequence[Measurement] = (),
) -> tuple[FreeParameter, ...]:
    """Free parameters by name, with priors of the user or those that follow from declared ranges.

    Parameters
    ----------
    model : AbstractModel
    cosmology : Cosmology
    names : sequence of str
        Numbers of the model, ``cosmology.*``, or nuisances.
    priors : mapping of str to (float, float), dict or numpyro Distribution, optional
        In the natural scale of the parameter: decades for amplitudes.  ``{"low": 0.01, "high": 1.0, "scale":
        "linear"}`` gives the ends of the range as plain numbers.
    measurements : sequence of Measurement
        Those that nuisances may refer to.

    Raises
    ------
    ValueError
        A name is unknown or occurs twice, a prior belongs to no free parameter, is no prior, or reaches outside the
        declared range of its parameter.

    Examples
    --------
    >>> names = ["mass_loading.slope", "cosmology.omega_m"]
    >>> free = co.inference.free_parameters(model, halos.cosmology, names, {"cosmology.omega_m": (0.25, 0.35)})
    >>> [(p.name, p.support()) for p in free]
    [('mass_loading.slope', 'Uniform, -4 to 0'), ('cosmology.omega_m', 'Uniform, 0.25 to 0.35')]
    """
    if not isinstance(priors, Mapping | None):
        raise ValueError(
            f"priors: got {in_words(priors)}; give them by name, such as {{'mass_loading.slope': (-2.0, 0.0)}}"
        )
    names, priors = (names,) if isinstance(names, str) else tuple(names), dict(priors or {})
    if len(set(names)) < len(names):
        raise ValueError(f"free: {', '.join(sorted({n for n in names if names.count(n) > 1}))} named twice")
    of_model = [name for name in names if not is_nuisance(name)]
    if of_model or not names:
        choose_parameters(model, cosmology, of_model)
    spare = sorted(set(priors) - set(names))
    if spare:
        raise ValueError(f"priors: {', '.join(spare)} not among the free parameters {', '.join(names)}")
    known = known_parameters(model, cosmology)
    parameters = []
    for name in names:
        if is_nuisance(name):
            about = nuisance_parameter(name, measurements)
            prior = priors.get(name)
            within = about if name.startswith("relation.") else None
            prior = default_prior(name, about, measurements) if prior is None else prior_of(name, prior, within)
        else:
            about = known[name]
            prior = prior_of(name, priors[name], about) if name in priors else _uniform(*Natural().span(name, about))
        parameters.append(_free_parameter(name, about, prior))
    return tuple(parameters)


def _free_parameter(name: str, about: Parameter, prior: dist.Distribution) -> FreeParameter:
    log10 = about.scale == "log10"
    start = float(np.log10(about.value) if log10 else about.value)
    free = FreeParameter(
        name, ordered(prior), log10, Natural().unit(name, about), about.meaning, start, has_quantiles(prior)
    )
    if is_nuisance(name) and not prior.support(start):
        # The model as it is has no such nuisance, and the prior excludes zero: start at its median.
        free = dataclasses.replace(free, start=float(free.theta(jnp.zeros(()))))
    return free


def parameters_of_function(priors: Mapping[str, Any], start: Mapping[str, float]) -> tuple[FreeParameter, ...]:
    """Free parameters of a plain function, which start at the median of their prior where `start` says nothing else."""
    free = []
    # A target may be made while JAX traces the function that asks for it; its priors are known numbers all the same.
    with jax.ensure_compile_time_eval():
        for name, prior in priors.items():
            prior = prior_of(name, prior)
            blank = FreeParameter(name, prior, has_quantiles=has_quantiles(prior))
            free.append(dataclasses.replace(blank, start=start.get(name, float(blank.theta(jnp.zeros(()))))))
    return tuple(free)


def ordered(prior: dist.Distribution) -> dist.Distribution:
    """The same distribution, whose numbers JAX sees in the same order in every process.

    numpyro lists them in the order of a set of texts, which differs from process to process; a program that has them as
    arguments would then be another program each time, and not be loaded from disk.

    Examples
    --------
    >>> prior = ordered(dist.Uniform(0.0, 1.0))
    >>> type(prior).__name__, isinstance(prior, dist.Uniform), float(prior.high)
    ('Uniform', True, 1.0)
    """
    if isinstance(prior, _Ordered):
        return prior
    copied: Any = object.__new__(_ordered_kind(type(prior)))  # type: ignore[arg-type]
    for name, value in vars(prior).items():
        copied.__dict__[name] = ordered(value) if isinstance(value, dist.Distribution) else value
    return copied


class _Ordered:
    """What a class of numpyro is given to list its numbers by name."""

    @classmethod
    def gather_pytree_data_fields(cls) -> tuple[str, ...]:
        return tuple(sorted(super().gather_pytree_data_fields()))  # type: ignore[misc]

    @classmethod
    def gather_pytree_aux_fields(cls) -> tuple[str, ...]:
        return tuple(sorted(super().gather_pytree_aux_fields()))  # type: ignore[misc]


@functools.cache
def _ordered_kind(kind: Any) -> type:
    return type(kind)(kind.__name__, (_Ordered, kind), {"__module__": kind.__module__, "__doc__": kind.__doc__})


def has_quantiles(prior: dist.Distribution) -> bool:
    """Whether a prior has cumulative and quantile functions that JAX can compute."""
    # numpyro has no flag for it: a distribution without them raises, one that needs an optional package cannot import
    # it, and one whose functions leave JAX fails on a traced number.
    try:
        jax.eval_shape(lambda share: prior.cdf(prior.icdf(share)), np.float64(0.5))
    except (NotImplementedError, ImportError, AttributeError, TypeError):
        return False
    return True
