"""What a learned law looks at: named quantities of a halo and its galaxy, each a short formula with a typical range.

A feature says what it is computed from, so that a law knows whether the halo alone determines it, and over which range
galaxies have it, so that a network sees numbers of order one.
"""

import math
from collections.abc import Sequence
from typing import Any

import equinox as eqx
from jaxtyping import Float

from ...annotations import Array
from ...arguments import in_words
from ...halos import Halo
from ...messages import did_you_mean
from ...printing import Component
from ..galaxy import Galaxy
from .expressions import Formula

__all__ = ["FEATURES", "HALO_NAMES", "Feature", "as_features", "quantity"]

HALO_NAMES = tuple(name for name in Halo._fields if name != "extras")
"""Names in formulas that the halo alone determines."""


def quantity(name: str, halo: Halo, galaxy: Galaxy | None) -> Float[Array, "..."]:
    """A quantity by name: of the halo, of the state of the galaxy, or what the model knows when it evaluates the law.

    Raises
    ------
    KeyError
        It is not known there.
    """
    if name in HALO_NAMES:
        return getattr(halo, name)
    if galaxy is not None and name in getattr(galaxy.state, "_fields", ()):
        return getattr(galaxy.state, name)
    if galaxy is None:
        raise KeyError(name)
    return galaxy.quantities[name]


class Feature(Component):
    """One input of a learned law.

    Parameters
    ----------
    name : str
    formula : str
        Of quantities of the halo (``vvir``, ``mvir``, ``rvir``, ``redshift``, ``concentration``, ``growth``,
        ``time``), fields of the state (``mstar``, ``mism``, ``mcgm`` ...) and what the model knows in the place of the
        law (see `physics.Galaxy`), in Msun, kpc, km/s, Gyr and K.
    unit : str
    low, high : float
        Typical range, which networks see as -1 to 1.

    Raises
    ------
    ValueError
        The formula cannot be read, or the range is empty.

    Examples
    --------
    >>> feature = co.physics.Feature("specific_sfr", "log10(sfr / mstar)", "dex(1/yr)", -13.0, -8.0)
    >>> feature.of_halo
    False
    """

    name: str = eqx.field(static=True)
    formula: Formula | str = eqx.field(converter=lambda text: Formula(text) if isinstance(text, str) else text)
    unit: str = eqx.field(static=True)
    low: float = eqx.field(static=True, converter=float)
    high: float = eqx.field(static=True, converter=float)

    def __check_init__(self):
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(
                f"feature {self.name}: got a range from {self.low:g} to {self.high:g}; give finite numbers, low below "
                "high"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the quantities in its formula."""
        return tuple(self._read.names)

    @property
    def of_halo(self) -> bool:
        """Whether the halo alone determines it."""
        return set(self.names) <= set(HALO_NAMES)

    def __call__(self, halo: Halo, galaxy: Galaxy | None = None) -> Float[Array, "..."]:
        """Its value for a halo and, where it needs it, the galaxy."""
        return self._read(lambda name: quantity(name, halo, galaxy))

    @property
    def _read(self) -> Formula:
        return self.formula  # type: ignore[return-value]  # the converter has read it


_LISTED = (
    Feature("log_vvir", "log10(vvir)", "dex(km/s)", 1.2, 2.6),
    Feature("log_mvir", "log10(mvir)", "dex(Msun)", 9.5, 14.0),
    Feature("redshift", "redshift", "1", 0.0, 8.0),
    Feature("ln_expansion", "ln(1 + redshift)", "1", 0.0, 2.2),
    Feature("concentration", "concentration", "1", 3.0, 15.0),
    Feature("log_mstar", "log10(mstar)", "dex(Msun)", 6.0, 11.5),
    Feature("log_mism", "log10(mism)", "dex(Msun)", 7.0, 11.0),
    Feature("log_mcgm", "log10(mcgm)", "dex(Msun)", 7.0, 12.0),
    Feature("gas_fraction", "mism / (mism + mstar)", "1", 0.0, 1.0),
    Feature("log_sfr", "log10(sfr)", "dex(Msun/yr)", -4.0, 2.5),
    Feature("log_temperature", "log10(temperature)", "dex(K)", 4.0, 7.0),
    Feature("log_z_ism", "log10(z_ism)", "dex", -4.5, -1.5),
    # The small number keeps it finite where nothing cools.
    Feature("log_cooling_ratio", "-log10(cooling_rate * t_ff + 1e-6)", "dex", -2.0, 3.0),
    # In a disc whose scale length is 1/40 of the virial radius, as that of a halo of spin 0.035.
    Feature("log_gas_surface_density", "log10(mism / (2 * pi * (rvir / 40) ** 2))", "dex(Msun/kpc^2)", 5.0, 9.0),
)
FEATURES = {feature.name: feature for feature in _LISTED}
"""Features that can be named."""


def as_features(features: Any) -> tuple[Feature, ...]:
    """Features from names or objects, or from a single one of them.

    Raises
    ------
    ValueError
        A name is unknown, or something is no feature.

    Examples
    --------
    >>> [feature.unit for feature in as_features(["log_vvir", "redshift"])]
    ['dex(km/s)', '1']
    """
    several = features if isinstance(features, Sequence) and not isinstance(features, str) else (features,)
    return tuple(_as_feature(feature) for feature in several)


def _as_feature(feature: Any) -> Feature:
    if isinstance(feature, Feature):
        return feature
    if isinstance(feature, str) and feature in FEATURES:
        return FEATURES[feature]
    hint = did_you_mean(feature, FEATURES) if isinstance(feature, str) else ""
    raise ValueError(
        f"features: got {in_words(feature)}; {hint}give one of {', '.join(FEATURES)}, or "
        "physics.Feature(name, formula, unit, low, high)"
    )
