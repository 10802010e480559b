"""The currencies of the ledger: what reservoirs hold and flows carry, each with its units.

Everything that reads a ledger takes its currencies from here.  A model follows those that one of its reservoirs holds.
To declare another one, such as magnesium, add a line here, and a field of its name to `Flow` and `FlowRates`.
"""

from typing import NamedTuple

from ..units import GYR_S, GYR_YR, Quantity

__all__ = ["CURRENCIES", "Currency", "rate_quantity"]


class Currency(NamedTuple):
    """One thing that is kept account of.

    Attributes
    ----------
    unit : str
        Of what a reservoir holds; empty where every reservoir has its own.
    rate : str
        Unit of what a flow carries.
    per_gyr : float
        What a flow of one such unit carries in 1 Gyr, in `unit`.
    per_mass : float or None
        How much of it a small amount of gas holds, per Msun: below it a reservoir counts as empty, and its growth is
        not followed in relative terms.  None: measured against the largest reservoir of the same currency at the start.
    conserved : bool
        Whether what leaves one place enters another.  A tracked quantity is not: it only has a rate of change.
    """

    unit: str
    rate: str
    per_gyr: float
    per_mass: float | None = None
    conserved: bool = True


CURRENCIES = {
    "mass": Currency("Msun", "Msun/yr", GYR_YR, 1.0),
    "metals": Currency("Msun", "Msun/yr", GYR_YR, 1e-2),
    "energy": Currency("erg", "erg/s", GYR_S),
    "oxygen": Currency("Msun", "Msun/yr", GYR_YR, 4e-3),
    "iron": Currency("Msun", "Msun/yr", GYR_YR, 1e-3),
    "momentum": Currency("Msun kpc km/s", "Msun kpc km/(s yr)", GYR_YR),
    "tracked": Currency("", "1/Gyr", 1.0, conserved=False),
}
"""By name.  Momentum is angular momentum; ``tracked`` quantities belong to a galaxy but are not conserved."""


def rate_quantity(currency: str, flow: str, meaning: str = "") -> Quantity:
    """Unit and meaning of what the flow called `flow` carries of a currency.

    Examples
    --------
    >>> from corundum.models.currencies import rate_quantity
    >>> rate_quantity("iron", "wind")
    Quantity(unit='Msun/yr', meaning='iron carried by wind', log=True)
    """
    text = f"{currency} carried by {flow}" if CURRENCIES[currency].conserved else f"change of what {flow} tracks"
    return Quantity(CURRENCIES[currency].rate, f"{text}: {meaning}" if meaning else text)
