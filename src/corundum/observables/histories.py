"""Which histories the relations of an analysis need, so that `corundum.evolve` keeps them.

Most relations compare numbers of a galaxy at one time.  One that depends on its past, such as a mean stellar age, names
the curves it reads in `AbstractRelation.histories`; a fit or a figure evolves the population with the union of them.
"""

from collections.abc import Iterable
from typing import Any

__all__ = ["histories_of"]


def histories_of(items: Any) -> tuple[str, ...]:
    """Quantities whose history some relations or measurements need, in order and without repeats.

    Parameters
    ----------
    items : AbstractRelation, Measurement, or iterable of them
        Of a measurement, its relation counts.

    Returns
    -------
    tuple of str
        Names for ``evolve(..., histories=...)``.

    Raises
    ------
    TypeError
        `histories` of a relation is a single string, which would be read letter by letter.

    Examples
    --------
    >>> class Age(co.observables.AbstractRelation):
    ...     title, x_axis, y_axis = "age", co.units.Quantity("dex", "x"), co.units.Quantity("dex", "y")
    ...     histories = ("sfr",)
    ...     def x(self, galaxies):
    ...         return jnp.log10(galaxies["mstar"])
    ...     def y(self, galaxies):
    ...         return jnp.log10(galaxies.history("sfr")).mean(axis=-1)
    >>> co.observables.histories_of([Age(), co.observables.load("shmr_moster18")])
    ('sfr',)
    """
    names: dict[str, None] = {}
    for item in items if isinstance(items, Iterable) else (items,):
        relation = getattr(item, "relation", item)
        needed = getattr(relation, "histories", ())
        if isinstance(needed, str):
            raise TypeError(
                f"{type(relation).__name__}.histories: got the string {needed!r}; give a tuple of names, ({needed!r},)"
            )
        names.update(dict.fromkeys(needed))
    return tuple(names)
