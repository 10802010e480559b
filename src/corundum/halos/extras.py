"""Extra quantities of halos beside mass and concentration: an environment, a tidal field, a spin.

Histories may carry any number of named curves, each with its unit and meaning.  They are interpolated in time like the
mass and reach laws and processes as ``halo.extras["name"]``.
"""

import equinox as eqx
import jax
from jaxtyping import Float

from ..annotations import Array
from ..messages import did_you_mean
from ..plain_numbers import float64
from ..printing import Component
from ..units import Quantity
from .per_halo import per_halo_field

__all__ = ["ExtraCurve", "Extras"]


class ExtraCurve(Component):
    """A quantity of N halos along their T times, with its unit and meaning.

    Parameters
    ----------
    values : array, shape (N, T)
        Finite values; they are interpolated as they are, so give log10 of a quantity that spans decades.
    quantity : Quantity
        Unit and meaning, which go with it into populations and files.
    slopes : array, shape (N, T), optional
        d values / d ln(t) of a running total.  Laws then read its rate [per Gyr], the derivative of the cubic through
        values and slopes, so that what they add up is the total exactly; `quantity` is that of the rate.

    Examples
    --------
    A law reads the curve below as ``halo.extras["overdensity"]``.

    >>> quantity = co.units.Quantity("1", "density within 5 Mpc over the mean, minus 1", log=False)
    >>> overdensity = co.halos.ExtraCurve(np.zeros(halos.log_mvir.shape), quantity)
    >>> import dataclasses
    >>> crowded = dataclasses.replace(halos, extras={"overdensity": overdensity})
    >>> crowded.at(redshift=1.0).extras["overdensity"].shape
    (8,)

    A running total that grows as t^2, of which laws read 2 t:

    >>> total = np.tile(np.asarray(halos.time) ** 2, (8, 1))
    >>> rate = co.halos.ExtraCurve(total, co.units.Quantity("1/Gyr", "rate of something"), slopes=2.0 * total)
    >>> growing = dataclasses.replace(halos, extras={"rate": rate})
    >>> round(float(growing.at(time=6.0).extras["rate"][0]), 3)
    12.0
    """

    values: Float[Array, "n t"] = per_halo_field()
    quantity: Quantity = eqx.field(static=True)
    slopes: Float[Array, "n t"] | None = per_halo_field()

    def __init__(self, values, quantity: Quantity, slopes=None):
        if not isinstance(quantity, Quantity):
            raise ValueError(
                f"ExtraCurve: got {quantity!r} for its quantity; give units.Quantity(unit, meaning), such as "
                'Quantity("1", "density within 5 Mpc over the mean")'
            )
        self.values = float64(quantity.meaning, values, quantity.unit)
        self.quantity = quantity
        self.slopes = None if slopes is None else float64(f"slopes of {quantity.meaning}", slopes)

    def __len__(self) -> int:
        return self.values.shape[0]


@jax.tree_util.register_pytree_with_keys_class
class Extras(dict):
    """The extra quantities of a halo by name; a name that is not there is refused with those that are.

    Examples
    --------
    >>> Extras(overdensity=0.3)["overdensity"]
    0.3
    >>> Extras(overdensity=0.3)["overdensty"]
    Traceback (most recent call last):
    ValueError: halo.extras: these halos have no 'overdensty': did you mean overdensity? there are overdensity; ...
    """

    def __missing__(self, name):
        known = f"there are {', '.join(self)}" if self else "they have none"
        raise ValueError(
            f"halo.extras: these halos have no {name!r}: {did_you_mean(name, self)}{known}; give the histories "
            f"extras={{{name!r}: halos.ExtraCurve(values, quantity)}}"
        )

    def tree_flatten_with_keys(self):
        names = tuple(sorted(self))
        return [(jax.tree_util.DictKey(name), self[name]) for name in names], names

    @classmethod
    def tree_unflatten(cls, names, values):
        return cls(zip(names, values, strict=True))
