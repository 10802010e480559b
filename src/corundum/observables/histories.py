"""Which histories the relations of an analysis need, so that `corundum.evolve` keeps them, and what galaxies lack.

Most relations compare numbers of a galaxy at one time.  One that depends on its past, such as a mean stellar age, names
the curves it reads in `AbstractRelation.histories`; a fit or a figure evolves the population with the union of them.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..array_library import on_host
from ..halos import HaloHistories
from ..models import AbstractModel
from ..population import Galaxies, Histories

__all__ = ["histories_of", "missing_from"]


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


def missing_from(relation: Any, model: AbstractModel, halos: HaloHistories) -> str | None:
    """What a relation of galaxies reads and those of `model` in `halos` do not have, in words; None if nothing.

    Examples
    --------
    >>> regulator = co.models.MinimalRegulator()
    >>> missing_from(co.observables.StellarToHaloMass(), regulator, halos)
    >>> missing_from(co.observables.GasMetallicity(), regulator, halos).split(":")[0]
    "no quantity 'mzism'"
    """
    names = {**halos.quantities, **model.ledger.quantities, **model.diagnostics}
    times = np.linspace(1.0, 13.0, 4)
    histories = Histories(times, {name: np.ones((1, len(times))) for name in relation.histories if name in names}, 13.0)
    galaxy = Galaxies(0.0, {name: np.ones(1) for name in names}, np.ones(1, bool), np.ones(1), histories)
    (relation,) = on_host(relation)
    try:
        relation.x(galaxy), relation.y(galaxy)
    except KeyError as error:
        return str(error.args[0])
    return None
