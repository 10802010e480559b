"""A law written as a formula of the quantities of halo and galaxy, with constants that are parameters."""

from typing import Any

import equinox as eqx
from jaxtyping import Float

from ...annotations import Array
from ...halos import Halo
from ...parameters import named_parameters
from ..galaxy import AbstractGalaxyScaling, Galaxy
from .expressions import Formula
from .features import HALO_NAMES, quantity

__all__ = ["ExpressionLaw"]


class ExpressionLaw(AbstractGalaxyScaling):
    """A formula, read by a small grammar and never evaluated as Python.

    Parameters
    ----------
    formula : str or Formula
        Of quantities of the halo (``vvir``, ``mvir``, ``rvir``, ``redshift``, ``concentration``, ``growth``,
        ``time``), fields of the state, what the model knows in the place of the law (see `physics.Galaxy`), in Msun,
        kpc, km/s, Gyr and K, and constants.
    constants : mapping of str to float, optional
        The constants in it by name; they are parameters, whose priors have to be given where they are inferred.

    Raises
    ------
    ValueError
        The text is no formula, a constant does not occur in it, or has the name of a quantity of the halo.  A model
        refuses a name that it does not know in the place of the law.

    Examples
    --------
    >>> law = co.physics.ExpressionLaw("a * (vvir / 125) ** b * (1 + redshift) ** 0.5", {"a": 1.3, "b": -1.2})
    >>> model = co.models.ThermalCGM(mass_loading=law)
    >>> [float(value) for value in co.get_values(model, ["mass_loading.constants.a", "mass_loading.constants.b"])]
    [1.3, -1.2]
    """

    formula: Formula | str = eqx.field(converter=lambda text: Formula(text) if isinstance(text, str) else text)
    constants: dict[str, Float[Array, ""]] = named_parameters(
        unit="1", meaning="constant {name} of the formula", source="formula", bounds=(-float("inf"), float("inf"))
    )

    def __check_init__(self):
        names = self._read.names
        for name in self.constants:
            if name not in names:
                raise ValueError(f"constants: {name} does not occur in {self._read.text!r}; leave it out")
            if name in HALO_NAMES:
                raise ValueError(f"constants: {name} is a quantity of the halo; give the constant another name")

    @property
    def names(self) -> frozenset[str]:
        """Names of the quantities that it is a function of."""
        return frozenset(self._read.names) - frozenset(self.constants)

    @property
    def of_halo(self) -> bool:
        """Whether the halo alone determines the value."""
        return all(name in self.constants or name in HALO_NAMES for name in self._read.names)

    def imposed(self, halo: Halo) -> Float[Array, "..."] | None:
        """The value, where the halo alone determines it."""
        return self._at(halo, None) if self.of_halo else None

    def value(self, imposed: Any, galaxy: Galaxy) -> Float[Array, "..."]:
        """The value for a galaxy."""
        return imposed if self.of_halo else self(galaxy)

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        return self._at(galaxy.halo, galaxy)

    def _at(self, halo: Halo, galaxy: Galaxy | None) -> Float[Array, "..."]:
        constants = self.constants
        return self._read(lambda name: constants[name] if name in constants else quantity(name, halo, galaxy))

    @property
    def _read(self) -> Formula:
        return self.formula  # type: ignore[return-value]  # the converter has read it
