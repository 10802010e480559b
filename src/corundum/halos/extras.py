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

    Examples
    --------
    A law reads the curve below as ``halo.extras["overdensity"]``.

    >>> quantity = co.units.Quantity("1", "density within 5 Mpc over the mean, minus 1", log=False)
    >>> overdensity = co.halos.ExtraCurve(np.zeros(halos.log_mvir.shape), quantity)
    >>> import dataclasses
    >>> crowded = dataclasses.replace(halos, extras={"overdensity": overdensity})
    >>> crowded.at(redshift=1.0).extras["overdensity"].shape
    (8,)
    """

    values: Float[Array, "n t"] = per_halo_field()
    quantity: Quantity = eqx.field(static=True)

    def __init__(self, values, quantity: Quantity):
        if not isinstance(quantity, Quantity):
            raise ValueError(
                f"ExtraCurve: got {quantity!r} for its quantity; give units.Quantity(unit, meaning), such as "
                'Quantity("1", "density within 5 Mpc over the mean")'
            )
        self.values = float64(quantity.meaning, values, quantity.unit)
        self.quantity = quantity

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
