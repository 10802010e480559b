"""What a fit would believe of each number before any data, for the sliders and for steps towards the data."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..inference.free import FreeParameter, free_parameters
from ..sensitivity import Natural, known_parameters
from .view import View

__all__ = ["EDGE", "Priors"]

EDGE = 2.5
"""Standard deviations of the unbounded coordinate between which nearly all of a prior lies, 98.8% of it."""

_POSITIONS = 61  # along a slider, at which a density is given


class Priors:
    """The priors of the numbers of a view, those that a fit of them takes.

    Parameters
    ----------
    view : View
    priors : mapping of str to (float, float), dict or numpyro Distribution, optional
        As for `corundum.inference.free_parameters`; by default uniform over declared ranges.  Names that the model
        does not have, such as nuisances of the data, are left out.

    Raises
    ------
    ValueError
        One of them is no prior, or reaches outside the declared range of its parameter.

    Examples
    --------
    >>> view = co.explorer.view_of(model, halos, ["shmr_behroozi19_sf"])
    >>> priors = Priors(view, {"mass_loading.slope": (-2.0, 0.0)})
    >>> priors.in_words("mass_loading.slope")
    'uniform from -2 to 0'
    >>> priors.in_words("mass_loading.amplitude")
    'uniform in decades from 0.01 to 10, the declared range'
    """

    def __init__(self, view: View, priors: Mapping[str, Any] | None = None):
        self._view = view
        self._known = known_parameters(view.model, view.halos.cosmology)
        self._chosen = {name: prior for name, prior in dict(priors or {}).items() if name in view.names}
        self._free: dict[str, FreeParameter] = {}
        for name in self._chosen:
            self.of(name)  # refuses what is no prior before anything is shown

    def of(self, name: str) -> FreeParameter:
        """A number as a fit takes it.

        Raises
        ------
        ValueError
            Nothing is declared or given about where it could be.
        """
        if name not in self._free:
            if not self.is_known(name):
                raise ValueError(
                    f"step: nothing says where {name} could be, because no range is declared for it; take its tick "
                    "away, or give it a prior"
                )
            chosen = {name: self._chosen[name]} if name in self._chosen else {}
            (self._free[name],) = free_parameters(self._view.model, self._view.halos.cosmology, [name], chosen)
        return self._free[name]

    def is_known(self, name: str) -> bool:
        """Whether a number has a prior."""
        return name in self._chosen or self._declared(name) is not None

    def is_given(self, name: str) -> bool:
        """Whether the prior of a number is another one than its declared range."""
        return name in self._chosen

    def in_words(self, name: str) -> str:
        """The prior of a number in a few words."""
        if name in self._chosen:
            return _in_words(self.of(name))
        declared = self._declared(name)
        if declared is None:
            return "none, because no range is declared"
        return f"{_uniform(*declared, self._known[name].scale == 'log10')}, the declared range"

    def width(self, name: str) -> tuple[float, float]:
        """The ends in the natural scale between which nearly all of the prior lies, those of a declared range exactly.

        Raises
        ------
        ValueError
            There is no prior.
        """
        declared = self._declared(name)
        if name not in self._chosen and declared is not None:
            return declared
        free = self.of(name)
        if free.has_quantiles:
            low, high = (float(free.theta(np.float64(edge))) for edge in (-EDGE, EDGE))
        else:
            middle, spread = float(free.prior.mean), float(free.prior.variance) ** 0.5
            low, high = middle - EDGE * spread, middle + EDGE * spread
        return low, high

    def density(self, name: str, low: float, high: float) -> list[float] | None:
        """The density along a slider from `low` to `high` in the natural scale, the highest being one.

        None where it is the same along the whole slider, or where there is no prior.
        """
        theta, declared = np.linspace(low, high, _POSITIONS), self._declared(name)
        if name in self._chosen:
            prior = self.of(name).prior
            inside = np.asarray(prior.support(theta))
            density = np.zeros(len(theta))
            if inside.any():
                ln_density = np.asarray(prior.log_prob(theta[inside]))
                density[inside] = np.exp(ln_density - ln_density.max())
        elif declared is not None:
            margin = 1e-9 * (high - low)
            density = ((declared[0] - margin <= theta) & (theta <= declared[1] + margin)).astype(float)
        else:
            return None
        return None if density.min() > 0.999 else np.round(density, 4).tolist()

    def _declared(self, name: str) -> tuple[float, float] | None:
        try:
            return Natural().span(name, self._known[name])
        except ValueError:
            return None


def _uniform(low: float, high: float, decades: bool) -> str:
    low, high = (10.0**low, 10.0**high) if decades else (low, high)
    return f"uniform {'in decades ' if decades else ''}from {low:.4g} to {high:.4g}"


def _in_words(free: FreeParameter) -> str:
    """The prior of a run file or of a user."""
    kind = type(free.prior).__name__
    if kind == "Uniform":
        return _uniform(float(free.prior.low), float(free.prior.high), free.log10)
    if kind == "Normal":
        middle, width = float(free.value(free.prior.loc)), float(free.prior.scale)
        return f"normal, {width:.3g}{' dex' if free.log10 else ''} around {middle:.4g}"
    low, middle, high = (float(free.value(free.theta(np.float64(at)))) for at in (-1.0, 0.0, 1.0))
    if not free.has_quantiles:
        return f"{kind}, {free.support()}"
    return f"{kind}, 68% from {low:.4g} to {high:.4g} around {middle:.4g}"
