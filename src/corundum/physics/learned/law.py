"""Laws learned from data: what a law of known physics says, times a departure that data may determine.

A departure is a function of features.  Where it is zero the law is its base, bit for bit; so any law of a model can be
replaced by a learned one, and nothing changes until something is learned.  A learned law conserves what its base
conserves, because it changes the size of a flow and never its ends.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
from jaxtyping import Float

from ...annotations import Array
from ...halos import Halo
from ..galaxy import AbstractGalaxyScaling, AbstractLaw, AbstractScaling, Galaxy
from .beyond import AbstractBeyond, ConstantBeyond
from .departures import AbstractDeparture, GaussianProcessDeparture, SplineDeparture, as_knots, as_lengths
from .features import Feature, as_features
from .kernels import AbstractKernel, SquaredExponential
from .links import AbstractLink, usual_link
from .neural import neural_departure

__all__ = ["LearnedLaw", "gaussian_process_law", "neural_law", "spline_law"]


class LearnedLaw(AbstractGalaxyScaling):
    """A base law and a departure from it.

    It stands wherever its base can stand: loadings, times and shares, a cooling function, a condensation, an onset of
    star formation or the feeding of a black hole.  What follows from the halo alone, base or departure, is evaluated
    apart from the state of the galaxy.

    Parameters
    ----------
    base : AbstractScaling, AbstractGalaxyScaling or AbstractLaw
        The law without the departure; it may be a learned law itself.
    departure : AbstractDeparture
    features : sequence of Feature or str
        What the departure is a function of: names of `FEATURES`, or objects.
    link : AbstractLink, optional
        How the departure acts; default `LogLink()`, and `LogitLink()` for fractions such as preventions.

    Raises
    ------
    ValueError
        A feature is unknown, or the departure takes another number of features.

    Examples
    --------
    >>> departure = co.physics.SplineDeparture((1.5, 2.0, 2.5), {"k0": 0.3})
    >>> law = co.physics.LearnedLaw(co.physics.MassLoading(), departure, ["log_vvir"])
    >>> model = co.models.ThermalCGM(mass_loading=law)
    >>> [name for name in co.describe(model) if "departure" in name][0]
    'mass_loading.departure.values.k0'
    """

    base: AbstractScaling | AbstractGalaxyScaling | AbstractLaw
    departure: AbstractDeparture
    features: tuple[Any, ...] = eqx.field(converter=as_features)
    link: AbstractLink | None = None

    def __post_init__(self):
        if self.link is None:
            self.link = usual_link(self.base)

    def __check_init__(self):
        takes, names = getattr(self.departure, "inputs", None), ", ".join(feature.name for feature in self.features)
        if takes is not None and takes != len(self.features):
            raise ValueError(
                f"features: got {len(self.features)} ({names}), and the departure is a function of {takes}; give as "
                "many features as it has inputs"
            )

    @property
    def of_halo(self) -> bool:
        """Whether the halo alone determines the value."""
        return self._base_of_halo and self._departure_of_halo

    @property
    def _base_of_halo(self) -> bool:
        return isinstance(self.base, AbstractScaling) or getattr(self.base, "of_halo", False)

    @property
    def _departure_of_halo(self) -> bool:
        return all(feature.of_halo for feature in self.features)

    @property
    def innermost(self) -> AbstractScaling | AbstractGalaxyScaling | AbstractLaw:
        """The law without any departure."""
        return self.base.innermost if isinstance(self.base, LearnedLaw) else self.base

    @property
    def names(self) -> frozenset[str]:
        """Names of the quantities that the departures, and a base that is a formula, are functions of."""
        own = (name for feature in self.features for name in feature.names)
        return frozenset(own) | getattr(self.base, "names", frozenset())

    @property
    def reads(self) -> tuple[str, ...]:
        """Quantities of other processes that the base reads."""
        return getattr(self.base, "reads", ())

    def imposed(self, halo: Halo) -> Float[Array, "..."] | None:
        """What the halo alone determines: the value, the base, the departure, or nothing."""
        if self.of_halo:
            return self._joined(self.base.imposed(halo), self._departed(halo, None))
        if self._base_of_halo:
            return self.base.imposed(halo)
        return self._departed(halo, None) if self._departure_of_halo else None

    def value(self, imposed: Any, galaxy: Galaxy) -> Float[Array, "..."]:
        """The value for a galaxy."""
        if self.of_halo:
            return imposed
        if self._base_of_halo:
            return self._joined(imposed, self._departed(galaxy.halo, galaxy))
        base = self.base.value(self.base.imposed(galaxy.halo), galaxy)
        departure = imposed if self._departure_of_halo else self._departed(galaxy.halo, galaxy)
        return self._joined(base, departure)

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        """The value for a galaxy; `physics.Galaxy(None, halo, {}, {})` is enough where the halo determines it."""
        return self.value(self.imposed(galaxy.halo), galaxy)

    def departed(self, galaxy: Galaxy) -> Float[Array, "..."]:
        """The departure [dex] for a galaxy."""
        return self._departed(galaxy.halo, galaxy)

    def breaks(self) -> tuple[float, ...]:
        """Redshifts at which the base law jumps."""
        return tuple(self.base.breaks()) if hasattr(self.base, "breaks") else ()

    def _departed(self, halo: Halo, galaxy: Galaxy | None) -> Float[Array, "..."]:
        return self.departure(*(feature(halo, galaxy) for feature in self.features))

    def _joined(self, base: Float[Array, "..."], departure: Float[Array, "..."]) -> Float[Array, "..."]:
        link: Any = self.link
        return link(base, departure)


def spline_law(
    features: Sequence[Feature | str] | Feature | str,
    *,
    base: AbstractScaling | AbstractGalaxyScaling | AbstractLaw,
    knots: Sequence[Any],
    values: Mapping[str, float] | None = None,
    beyond: AbstractBeyond | None = None,
    link: AbstractLink | None = None,
) -> LearnedLaw:
    """A law times a spline of one or two features, whose values at knots are parameters.

    Parameters
    ----------
    features : sequence of Feature or str
    base : AbstractScaling, AbstractGalaxyScaling or AbstractLaw
    knots, values, beyond
        As for `SplineDeparture`.
    link : AbstractLink, optional
        As for `LearnedLaw`.

    Raises
    ------
    ValueError
        As `SplineDeparture` and `LearnedLaw`.

    Examples
    --------
    >>> law = co.physics.spline_law("log_vvir", base=co.physics.MassLoading(), knots=(1.5, 2.0, 2.5))
    >>> model = co.models.ThermalCGM(mass_loading=law)
    >>> bent = co.replace(model, {"mass_loading.departure.values.k0": 0.3})
    """
    departure = SplineDeparture(as_knots(knots), dict(values or {}), ConstantBeyond() if beyond is None else beyond)
    return LearnedLaw(base, departure, as_features(features), link)


def gaussian_process_law(
    features: Sequence[Feature | str] | Feature | str,
    *,
    base: AbstractScaling | AbstractGalaxyScaling | AbstractLaw,
    knots: Sequence[Any],
    amplitude: float = 0.3,
    lengths: float | Sequence[float] = (),
    kernel: AbstractKernel | None = None,
    beyond: AbstractBeyond | None = None,
    link: AbstractLink | None = None,
) -> LearnedLaw:
    """A law times a smooth function of one or two features, with a Gaussian process as its prior.

    Parameters
    ----------
    features : sequence of Feature or str
    base : AbstractScaling, AbstractGalaxyScaling or AbstractLaw
    knots, amplitude, lengths, kernel, beyond
        As for `GaussianProcessDeparture`.
    link : AbstractLink, optional
        As for `LearnedLaw`.

    Raises
    ------
    ValueError
        As `GaussianProcessDeparture` and `LearnedLaw`.

    Examples
    --------
    >>> law = co.physics.gaussian_process_law(
    ...     ["log_vvir", "redshift"], base=co.physics.EnergyLoading(), knots=((1.5, 2.0, 2.5), (0.0, 2.0, 6.0))
    ... )
    >>> len(co.describe(law.departure))  # nine knots and the amplitude
    10
    """
    beyond = ConstantBeyond() if beyond is None else beyond
    departure = GaussianProcessDeparture(
        as_knots(knots), {}, amplitude, as_lengths(lengths), kernel or SquaredExponential(), beyond
    )
    return LearnedLaw(base, departure, as_features(features), link)


def neural_law(
    features: Sequence[Feature | str] | Feature | str,
    *,
    base: AbstractScaling | AbstractGalaxyScaling | AbstractLaw,
    network: Any = None,
    width: int = 8,
    depth: int = 1,
    seed: int = 0,
    largest: float = 2.0,
    margin: float = 0.25,
    link: AbstractLink | None = None,
) -> LearnedLaw:
    """A law times a neural network of features, scaled by their typical ranges.

    Parameters
    ----------
    features : sequence of Feature or str
    base : AbstractScaling, AbstractGalaxyScaling or AbstractLaw
    network, width, depth, seed, largest, margin
        As for `neural_departure`.
    link : AbstractLink, optional
        As for `LearnedLaw`.

    Raises
    ------
    ValueError
        As `NeuralDeparture` and `LearnedLaw`.

    Examples
    --------
    >>> law = co.physics.neural_law(["log_vvir", "log_mstar"], base=co.physics.MassLoading(), width=4)
    >>> law.of_halo, law.departure.network.layers[0].weight.shape
    (False, (4, 2))
    """
    departure = neural_departure(
        features, network=network, width=width, depth=depth, seed=seed, largest=largest, margin=margin
    )
    return LearnedLaw(base, departure, as_features(features), link)
