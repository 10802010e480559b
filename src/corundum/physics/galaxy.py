"""What a law may look at: the halo alone, or the galaxy in it as well.

A law of the halo is known before the galaxy is, and a model evaluates it apart from the state.  A law of the galaxy (a
loading that depends on stellar mass, say) needs the state.  A model calls both through the same two methods,
`imposed` and `value`, so that either fits in the same place.  Laws that are functions of something else, such as a
cooling function, have these methods as well, so that a learned law can stand for them.
"""

import abc
from typing import Any, NamedTuple

from jaxtyping import Float

from ..annotations import Array
from ..halos import Halo
from ..printing import Component, in_short

__all__ = ["Galaxy", "AbstractLaw", "AbstractScaling", "AbstractGalaxyScaling"]


class Galaxy(NamedTuple):
    """A galaxy at one time, as laws and processes see it.

    Attributes
    ----------
    state : named tuple
        What the reservoirs hold: ``mstar``, ``mism``, ``mcgm`` [Msun], ``eth`` [erg], ``mzism`` [Msun] and the others
        of the model.
    halo : Halo
    quantities : dict of str to array
        What the model knows when the law or the process is evaluated, by the names of its diagnostics.  In the CGM
        models every law knows ``supply`` [Msun/yr], ``specific_energy`` [erg/Msun], ``t_dyn``, ``t_ff`` [Gyr],
        ``tvir``, ``temperature`` [K], ``density`` [cm^-3], ``z_ism``, ``z_cgm``, ``uv_fraction`` and
        ``binding_energy`` [erg], and a condensation ``cooling_rate`` [1/Gyr] as well.  A cooling function knows
        ``temperature``, ``density`` and ``z_cgm``; the mass loading knows ``depletion_time`` [Gyr] too; metal and
        energy loading, wind energy and the thermal share of the wind know ``mass_loading`` and ``sfr`` [Msun/yr] as
        well; a process knows every diagnostic.
    flows : dict of str to FlowRates
        Rates of the model's own flows; for laws, only those that leave the halo.

    Examples
    --------
    >>> halo = co.halos.Halo(13.8, 0.0, 1e12, 260.0, 130.0, 10.0, 30.0)
    >>> galaxy = co.physics.Galaxy(state=None, halo=halo, quantities={"t_dyn": 1.9}, flows={})
    >>> float(co.physics.DynamicalReturn(times=2.0)(galaxy))
    3.8
    """

    state: Any
    halo: Halo
    quantities: dict[str, Float[Array, "..."]]
    flows: dict[str, Any]

    def __repr__(self) -> str:
        return in_short(self)

    def knowing(self, **quantities: Float[Array, "..."]) -> "Galaxy":
        """The same galaxy with more quantities known."""
        return self._replace(quantities=self.quantities | quantities)


class AbstractLaw(Component):
    """A law that is a function of more than the halo, and has a value for a galaxy as every other law has.

    Examples
    --------
    >>> galaxy = co.physics.Galaxy(None, None, {"cooling_rate": 2.0, "t_ff": 0.5}, {})
    >>> law = co.physics.HarmonicCondensation()
    >>> float(law(2.0, 0.5)), float(law.value(None, galaxy))
    (1.0, 1.0)
    """

    def imposed(self, halo: Halo) -> None:
        """None, because the halo alone does not determine the value."""

    @abc.abstractmethod
    def value(self, imposed: Any, galaxy: Galaxy) -> Float[Array, "..."]:
        """The value for a galaxy, of which the model knows what the law is a function of."""


class AbstractScaling(Component):
    """A quantity that follows from a halo's virial velocity and the redshift.

    Examples
    --------
    >>> class SteepLoading(co.physics.AbstractScaling):
    ...     def __call__(self, vvir, redshift):
    ...         return (vvir / 100.0) ** -3
    >>> float(co.models.ThermalCGM(mass_loading=SteepLoading()).mass_loading(50.0, 0.0))
    8.0
    """

    @abc.abstractmethod
    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        """Value for `vvir` [km/s] at `redshift`."""

    def imposed(self, halo: Halo) -> Float[Array, "..."]:
        """The value that the halo imposes."""
        return self(halo.vvir, halo.redshift)

    def value(self, imposed: Any, galaxy: Galaxy) -> Float[Array, "..."]:
        """The value for a galaxy: what the halo imposes."""
        return imposed


class AbstractGalaxyScaling(Component):
    """A quantity that follows from the galaxy itself.

    Examples
    --------
    >>> class DenseLoading(co.physics.AbstractGalaxyScaling):
    ...     def __call__(self, galaxy):
    ...         return galaxy.state.mism / galaxy.state.mstar
    >>> model = co.models.ThermalCGM(mass_loading=DenseLoading())
    >>> type(model.mass_loading).__name__
    'DenseLoading'
    """

    @abc.abstractmethod
    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        """Value for `galaxy`."""

    def imposed(self, halo: Halo) -> None:
        """None, because the halo alone does not determine the value."""

    def value(self, imposed: Any, galaxy: Galaxy) -> Float[Array, "..."]:
        """The value for a galaxy."""
        return self(galaxy)
