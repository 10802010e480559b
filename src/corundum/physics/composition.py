"""What primordial gas is made of: hydrogen and helium, and how many particles that makes."""

from typing import Any

from jaxtyping import Float

from ..annotations import Array
from ..parameters import FRACTION, parameter

__all__ = ["MEAN_WEIGHT", "hydrogen_fraction_field", "helium_per_hydrogen"]

MEAN_WEIGHT = 0.59
"""Mean particle mass of ionised primordial gas over the proton mass."""


def hydrogen_fraction_field(default: float = 0.76, source: str = "primordial nucleosynthesis") -> Any:
    """Declare the hydrogen mass fraction X as a field of a law."""
    return parameter(
        default, unit="1", meaning="hydrogen mass fraction", source=source, bounds=(0.7, 0.8), allowed=FRACTION
    )


def helium_per_hydrogen(fraction: Float[Array, ""]) -> Float[Array, ""]:
    """Helium nuclei per hydrogen nucleus, (1 - X) / (4 X), for the hydrogen mass fraction X.

    Examples
    --------
    >>> round(float(helium_per_hydrogen(0.76)), 4)
    0.0789
    """
    return (1.0 - fraction) / (4.0 * fraction)
