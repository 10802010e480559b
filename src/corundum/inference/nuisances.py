"""Nuisance parameters of data: what a fit may adjust in addition to the model, by name.

====================================  =====================================================================
``offset.MEASUREMENT``                calibration: added to all points of the prediction [dex].  It takes the
                                      place of the measurement's own systematic covariance.
``mass_scale``                        lg of observed over true stellar mass [dex], in every measurement
``mass_scale.MEASUREMENT``            the same of one measurement
``discrepancy.MEASUREMENT``           standard deviation [dex] of the error of the model in a relation,
                                      correlated over 0.5 dex in x, added to the covariance
``relation.MEASUREMENT.NUMBER``       a number of the relation, such as ``solar_metallicity``, the conversion of
                                      metals to oxygen
====================================  =====================================================================
"""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpyro.distributions as dist

from ..observables import Measurement
from ..parameters import Parameter, describe, replace

__all__ = [
    "NUISANCES",
    "DISCREPANCY_LENGTH",
    "is_nuisance",
    "nuisance_parameter",
    "default_prior",
    "adjusted",
    "observed",
]

NUISANCES = ("offset", "mass_scale", "discrepancy", "relation")
"""First words of the names of nuisances."""

DISCREPANCY_LENGTH = 0.5
"""Distance in x over which a discrepancy stays the same [dex]."""

_SIZES = {"offset": 0.1, "mass_scale": 0.1, "discrepancy": 0.1}
_MEANINGS = {
    "offset": "calibration offset of the measurement",
    "mass_scale": "observed over true stellar mass",
    "discrepancy": "standard deviation of the error of the model",
}


def is_nuisance(name: str) -> bool:
    """Whether a name is that of a nuisance rather than of a model's number."""
    return name.partition(".")[0] in NUISANCES


def nuisance_parameter(name: str, measurements: Sequence[Measurement]) -> Parameter:
    """What is known about a nuisance.

    Raises
    ------
    ValueError
        It names no measurement of the fit, or no number of its relation.
    """
    kind, _, rest = name.partition(".")
    if name == "mass_scale":
        return Parameter(0.0, "dex", _MEANINGS[kind], "choice", (-0.3, 0.3), "linear")
    known = {measurement.name: measurement for measurement in measurements}
    measurement, _, number = rest.partition(".") if kind == "relation" else (rest, "", "")
    if measurement not in known:
        raise ValueError(
            f"free parameter {name!r}: no measurement {measurement!r} in this fit; it has {', '.join(known)}"
        )
    if kind != "relation":
        return Parameter(0.0, "dex", f"{_MEANINGS[kind]} {measurement}", "choice", (-0.5, 0.5), "linear")
    numbers = describe(known[measurement].relation)
    if number not in numbers:
        names = f"it has {', '.join(numbers)}" if numbers else "it has none"
        raise ValueError(f"free parameter {name!r}: the relation of {measurement} has no number {number!r}; {names}")
    return numbers[number]


def default_prior(name: str, about: Parameter, measurements: Sequence[Measurement]) -> dist.Distribution:
    """Normal offsets of the size of the stated systematic, half-normal discrepancies, uniform ranges otherwise."""
    kind, _, rest = name.partition(".")
    if kind == "relation":
        return dist.Uniform(*(jnp.float64(edge) for edge in about.bounds))
    size = _SIZES[kind]
    if kind == "offset":
        size = next((float(m.systematic) for m in measurements if m.name == rest), 0.0) or size
    return dist.HalfNormal(jnp.float64(size)) if kind == "discrepancy" else dist.Normal(0.0, jnp.float64(size))


def adjusted(measurement: Measurement, values: Mapping[str, Any]) -> Measurement:
    """The measurement with its relation's free numbers set."""
    prefix = f"relation.{measurement.name}."
    numbers = {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
    if not numbers:
        return measurement
    return eqx.tree_at(lambda m: m.relation, measurement, replace(measurement.relation, numbers))


class _Observed:
    """Galaxies whose stellar masses are multiplied by a calibration factor; all else is that of the galaxies."""

    def __init__(self, galaxies: Any, log_scale: Any):
        self.galaxies, self.factor = galaxies, 10.0**log_scale

    def __getattr__(self, name: str):
        return getattr(self.galaxies, name)

    def __getitem__(self, name: str):
        return self._scaled(name, self.galaxies[name])

    def history(self, name: str, *arguments: Any):
        return self._scaled(name, self.galaxies.history(name, *arguments))

    def _scaled(self, name, value):
        return value * self.factor if name in ("mstar", "mzstar") else value


def observed(galaxies: Any, measurement: Measurement, values: Mapping[str, Any]) -> Any:
    """The galaxies with the stellar masses that this measurement would give them."""
    names = ("mass_scale", f"mass_scale.{measurement.name}")
    scale = [values[name] for name in names if name in values]
    return _Observed(galaxies, sum(scale)) if scale else galaxies
