"""Designs: which parameter sets to solve, over a whole prior.

A `Box` is a uniform prior over the natural scales of some parameters (decades for amplitudes).  `latin_hypercube` and
`sobol_sequence` fill it evenly, with SciPy's quasi-Monte Carlo; `saltelli` and `morris` are the structured designs that
Sobol indices and elementary effects are estimated from, with SALib.  The same key gives the same design.

References
----------
McKay, Beckman & Conover 1979, Technometrics 21, 239 (Latin hypercube); Saltelli et al. 2010, Comp. Phys. Comm. 181,
259; Morris 1991, Technometrics 33, 161; Herman & Usher 2017, JOSS 2, 97 (SALib).
"""

import dataclasses
import importlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy

from ...arguments import whole_number
from ...cosmology import Cosmology, as_cosmology
from ...models import AbstractModel
from ...numerics.random_keys import seed
from ...plain_numbers import plain_numbers
from ..coordinates import Natural, PriorWidth, natural_range
from ..labelled import overview
from ..parameter_space import choose_parameters, known_parameters

__all__ = ["Box", "Design", "prior_box", "latin_hypercube", "sobol_sequence", "saltelli", "morris", "salib", "problem"]


class Box(NamedTuple):
    """A uniform prior.

    Attributes
    ----------
    names : tuple of str
    low, high : arrays, shape (P,)
        Edges in the natural scale.
    log10 : boolean array, shape (P,)
        Whether the natural scale is the logarithm of the value.

    Examples
    --------
    >>> box = co.sensitivity.Box(("loading",), np.array([-1.0]), np.array([1.0]), np.array([True]))
    >>> box.values(np.array([[0.0], [0.5]])).ravel().tolist()
    [0.1, 1.0]
    """

    names: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray
    log10: np.ndarray

    def __repr__(self) -> str:
        return overview(self)

    def values(self, unit: np.ndarray) -> np.ndarray:
        """Parameter values, as given, of points (S, P) of the unit cube."""
        unit = np.asarray(plain_numbers("unit", unit))
        if not unit.ndim or unit.shape[-1] != len(self.names):
            raise ValueError(
                f"unit: got shape {unit.shape}; give points (S, {len(self.names)}), one number for each of "
                f"{', '.join(self.names)}"
            )
        natural = self.low + (self.high - self.low) * unit
        return np.where(self.log10, 10.0 ** np.where(self.log10, natural, 0.0), natural)

    @property
    def coordinates(self) -> PriorWidth:
        """The coordinates in which this box is the unit cube."""
        scales = ("log10" if log else "linear" for log in self.log10)
        edges = zip(self.names, self.low, self.high, scales, strict=True)
        return PriorWidth({name: {"low": low, "high": high, "scale": scale} for name, low, high, scale in edges})


@dataclasses.dataclass(frozen=True)
class Design:
    """Parameter sets that sample a box.

    Attributes
    ----------
    kind : str
        Name of the function that made it.
    box : Box
    unit : array, shape (S, P)
        Points of the unit cube.
    settings : dict
        Settings of the design that its estimators read.

    Examples
    --------
    >>> box = co.sensitivity.prior_box(model, ["energy_loading.amplitude"])
    >>> design = co.sensitivity.latin_hypercube(box, 16)
    >>> design
    latin_hypercube design: 16 sets of energy_loading.amplitude
    >>> design.values.shape
    (16, 1)
    """

    kind: str
    box: Box
    unit: np.ndarray
    settings: dict[str, Any]

    def __repr__(self) -> str:
        return f"{self.kind} design: {len(self)} sets of {', '.join(self.box.names)}"

    def __len__(self) -> int:
        return len(self.unit)

    @property
    def values(self) -> np.ndarray:
        """Parameter values, as given, (S, P)."""
        return self.box.values(self.unit)

    @property
    def natural(self) -> np.ndarray:
        """Parameter values in their natural scale, (S, P)."""
        return self.box.low + (self.box.high - self.box.low) * self.unit


def prior_box(
    model: AbstractModel,
    parameters: Sequence[str] | None = None,
    ranges: Mapping[str, Any] | None = None,
    *,
    cosmology: Cosmology | None = None,
) -> Box:
    """The uniform prior over the declared ranges of some parameters.

    Parameters
    ----------
    model : AbstractModel
    parameters : sequence of str, optional
        Default every number of the model.
    ranges : mapping of str to (float, float) or dict, optional
        Other ranges inside those, in the natural scale (decades for amplitudes), or with the scale named:
        ``{"low": 0.01, "high": 0.1, "scale": "linear"}``.
    cosmology : Cosmology, optional
        For ranges of ``cosmology.`` parameters; default that of Pandya et al. 2026.

    Raises
    ------
    ValueError
        A name is unknown, a range is not finite or not inside the declared one, or belongs to a parameter that is not
        in the box.

    Examples
    --------
    >>> box = co.sensitivity.prior_box(model, ["energy_loading.amplitude"], {"energy_loading.amplitude": (-2.0, 0.0)})
    >>> float(box.low[0]), float(box.high[0])
    (-2.0, 0.0)
    """
    cosmology = as_cosmology(cosmology)
    names = choose_parameters(model, cosmology, parameters)
    known = known_parameters(model, cosmology)
    unused = sorted(set(ranges or {}) - set(names))
    if unused:
        raise ValueError(f"ranges: {', '.join(unused)} not among the parameters {', '.join(names)}")
    edges = [
        natural_range(f"range of {name}", known[name], ranges[name])
        if ranges and name in ranges
        else Natural().span(name, known[name])
        for name in names
    ]
    low, high = np.array(edges, float).T
    return Box(names, low, high, np.array([known[name].scale == "log10" for name in names]))


def latin_hypercube(box: Box, number: int, *, key: int = 0) -> Design:
    """`number` points, one in each of `number` slices of every parameter.

    Parameters
    ----------
    box : Box
    number : int
    key : int

    Examples
    --------
    >>> box = co.sensitivity.prior_box(model, ["energy_loading.amplitude"])
    >>> design = co.sensitivity.latin_hypercube(box, 4, key=1)
    >>> sorted(np.floor(4 * design.unit[:, 0]).astype(int).tolist())
    [0, 1, 2, 3]
    """
    number = whole_number("number", number, meaning="points")
    unit = scipy.stats.qmc.LatinHypercube(len(box.names), rng=np.random.default_rng(seed(key))).random(number)
    return Design("latin_hypercube", box, unit, {"key": key})


def sobol_sequence(box: Box, number: int, *, key: int = 0) -> Design:
    """The first `number` points, a power of two, of a scrambled Sobol sequence.

    Parameters
    ----------
    box : Box
    number : int
    key : int

    Raises
    ------
    ValueError
        The number is not a power of two.

    Examples
    --------
    >>> box = co.sensitivity.prior_box(model, ["energy_loading.amplitude", "mass_loading.amplitude"])
    >>> co.sensitivity.sobol_sequence(box, 8).unit.shape
    (8, 2)
    """
    number = _power_of_two(number)
    sequence = scipy.stats.qmc.Sobol(len(box.names), rng=np.random.default_rng(seed(key)))
    unit = sequence.random_base2(number.bit_length() - 1)
    return Design("sobol_sequence", box, unit, {"key": key})


def saltelli(box: Box, number: int, *, key: int = 0) -> Design:
    """Saltelli's design for first- and total-order Sobol indices: number x (P + 2) points.

    Parameters
    ----------
    box : Box
    number : int
        Of base points, a power of two.
    key : int

    Raises
    ------
    ValueError
        The number is not a power of two.
    ImportError
        SALib is not installed.

    Examples
    --------
    >>> box = co.sensitivity.prior_box(model, ["energy_loading.amplitude", "mass_loading.amplitude"])
    >>> len(co.sensitivity.saltelli(box, 8))
    32
    """
    number = _power_of_two(number)
    sample = salib("sample.sobol").sample(problem(box), number, calc_second_order=False, seed=seed(key))
    return Design("saltelli", box, sample, {"key": key, "number": number})


def morris(box: Box, number: int, *, levels: int = 4, key: int = 0) -> Design:
    """Morris's design for elementary effects: trajectories of P + 1 points on a grid.

    Parameters
    ----------
    box : Box
    number : int
        Of trajectories.
    levels : int
        Of the grid along each parameter; even.
    key : int

    Raises
    ------
    ValueError
        The number or the levels are not allowed.
    ImportError
        SALib is not installed.

    Examples
    --------
    >>> box = co.sensitivity.prior_box(model, ["energy_loading.amplitude", "mass_loading.amplitude"])
    >>> len(co.sensitivity.morris(box, 5))
    15
    """
    number = whole_number("number", number, least=2, meaning="trajectories")
    if not (isinstance(levels, int) and levels >= 4 and levels % 2 == 0):
        raise ValueError(f"levels: got {levels!r}; allowed an even whole number from 4")
    sample = salib("sample.morris").sample(problem(box), number, num_levels=levels, seed=seed(key))
    return Design("morris", box, sample, {"key": key, "number": number, "levels": levels})


def salib(module: str) -> Any:
    """A module of SALib.

    Raises
    ------
    ImportError
        SALib is not installed.
    """
    try:
        return importlib.import_module(f"SALib.{module}")
    except ImportError:
        raise ImportError(
            "Sobol indices and Morris screening need SALib, which is not installed: pip install 'corundum[sensitivity]'"
        ) from None


def problem(box: Box) -> dict[str, Any]:
    """The unit cube of a box as a problem definition of SALib."""
    return {"num_vars": len(box.names), "names": list(box.names), "bounds": [[0.0, 1.0]] * len(box.names)}


def _power_of_two(number):
    number = whole_number("number", number, least=2, meaning="points")
    if number & (number - 1):
        near = 1 << int(number).bit_length()
        raise ValueError(f"number: got {number}; a Sobol sequence needs a power of two: {near // 2} or {near}")
    return number
