"""What `evolve` returns: galaxies of many halos at some redshifts, and the histories of some of their quantities."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float, Int

from ..annotations import Array
from ..array_library import array_library, on_host
from ..halos import Halo
from ..halos.per_halo import per_halo_field
from ..models import FlowRates
from ..numerics.rows import chosen
from ..numerics.solvers.base import STATUS
from ..plain_numbers import nearest, plain_numbers
from ..printing import in_short
from ..units import Quantity
from . import text
from .history import interpolated
from .rows import AbstractGalaxies, named

__all__ = ["Galaxies", "Histories", "Population"]


class Histories(NamedTuple):
    """Quantities of every galaxy at many times.

    Attributes
    ----------
    times : array, shape (S,)
        Cosmic ages [Gyr], increasing.
    values : dict of str to array, shape (N, S)
        NaN where the solve failed, or the halo had not started or had ended.
    ages : array, shape (K,), or scalar
        Cosmic ages [Gyr] at which the galaxies are observed.

    Examples
    --------
    >>> population = co.evolve(model, halos, [0.0, 2.0], histories=("sfr",))
    >>> population.histories.times.shape, population.histories.values["sfr"].shape
    ((64,), (8, 64))
    """

    times: Float[Array, " s"]
    values: dict[str, Float[Array, "n s"]]
    ages: Float[Array, "..."]

    def __repr__(self) -> str:
        return in_short(self)


class Galaxies(AbstractGalaxies):
    """The galaxies of a population at one redshift; ``galaxies["mstar"]`` is an array of shape (N,).

    Attributes
    ----------
    redshift : float
    values : dict of str to array, shape (N,)
    valid : boolean array, shape (N,)
    weights : array, shape (N,)
    histories : Histories, optional
        Of the quantities named in ``evolve(..., histories=...)``.
    root_redshift : float, optional
        Of the last time of the halo histories: when the weights count the halos.
    flows : dict of str to FlowRates, arrays of shape (N,) [Msun/yr, erg/s]
    host : integer array, shape (N,), optional
        Row of the galaxy whose satellite each one is in the end, -1 for centrals; None without satellites.

    Examples
    --------
    >>> galaxies = population.at(2.0)
    >>> galaxies["mstar"].shape
    (8,)
    >>> galaxies.flows["wind"].mass.shape  # Msun/yr
    (8,)
    """

    redshift: Any
    values: dict[str, Float[Array, " n"]] = per_halo_field()
    valid: Bool[Array, " n"] = per_halo_field()
    weights: Float[Array, " n"] = per_halo_field()
    histories: Histories | None = None
    described: tuple[tuple[str, Quantity], ...] = eqx.field(static=True, default=())
    root_redshift: Any = None
    flows: dict[str, FlowRates] = eqx.field(default_factory=dict, metadata=per_halo_field().metadata)
    host: Int[Array, " n"] | None = eqx.field(default=None, metadata=per_halo_field().metadata)

    def __repr__(self) -> str:
        return f"Galaxies({text.counted(len(self.valid), 'galaxy', 'galaxies')} at z = {text.number(self.redshift)})"

    def __str__(self) -> str:
        return text.of_galaxies(self)

    @property
    def centrals(self) -> "Galaxies":
        """The same galaxies, each weighted with how far it is a central, for populations with satellites.

        What is counted of them, such as a mass function, is that of centrals; it has derivatives like any other.

        Raises
        ------
        KeyError
            The galaxies have no quantity ``satellite``: the halos have no satellites, or it was not kept.
        """
        return dataclasses.replace(self, weights=self.weights * (1.0 - named(self.values, "satellite")))

    @property
    def satellites(self) -> "Galaxies":
        """The same galaxies, each weighted with how far it is a satellite; see `centrals`."""
        return dataclasses.replace(self, weights=self.weights * named(self.values, "satellite"))

    def plot(self, x: str, y: str, ax: Any = None, **options: Any) -> Any:
        """One point per galaxy in the plane of two quantities: `corundum.plots.scatter` of these galaxies.

        Parameters
        ----------
        x, y : str
            Names of quantities, such as ``"mvir"`` and ``"mstar"``.
        ax : matplotlib Axes, optional
        **options
            As for `corundum.plots.scatter`.

        Examples
        --------
        >>> ax = population.at(0.0).plot("mvir", "mstar")
        >>> ax.get_xscale()
        'log'
        """
        # The one call to a family further down the house, made as a user would make it: through the whole package.
        import corundum

        return corundum.plots.scatter(self, x, y, ax=ax, **options)

    @property
    def history_times(self) -> Float[Array, " s"]:
        """Cosmic ages [Gyr] at which histories are kept, up to that of these galaxies.

        Times after it repeat the age of the galaxies, so that an integral over time ends there.
        """
        histories = _kept(self.histories)
        times, ages = on_host(histories.times, histories.ages)
        return array_library(times, ages).minimum(times, ages)

    def history(self, name: str, times: Sequence[float] | Float[Array, " t"] | None = None) -> Float[Array, "n t"]:
        """The history of a quantity up to the redshift of these galaxies, interpolated linearly in ln(t).

        Parameters
        ----------
        name : str
            A quantity named in ``evolve(..., histories=...)``.
        times : array, shape (T,), optional
            Cosmic ages [Gyr]; default `history_times`.

        Returns
        -------
        array, shape (N, T)
            NaN where the solve failed, or the halo had not started or had ended.

        Raises
        ------
        KeyError
            The history of this quantity was not kept.
        ValueError
            A time lies before the first one that was kept, or after the age of these galaxies.
        """
        histories = _kept(self.histories)
        if times is None:
            times = self.history_times
        return interpolated(named(histories.values, name, "history of"), histories.times, times, histories.ages)


class Population(AbstractGalaxies):
    """Galaxies of N halos at K redshifts.

    Attributes
    ----------
    redshifts : array, shape (K,), in the order asked for
    halo : Halo of arrays, shape (N, K)
    state : the model's state, arrays of shape (N, K)
    flows : dict of str to FlowRates, arrays of shape (N, K) [Msun/yr, erg/s]
    diagnostics : dict of str to array, shape (N, K)
        After ``evolve(..., keep=...)`` the others are None in `halo` and `state`, missing in `flows` and here.
    valid : boolean array, shape (N, K)
        False where the solve failed, or the halo had not started or had ended; every array holds NaN there.
    status : integer array, shape (N,), keys of `STATUS`
    steps, rejected : integer arrays, shape (N,), solver steps tried, and how many of them were rejected
    weights : array, shape (N,)
    histories : Histories, optional
        Of the quantities named in ``evolve(..., histories=...)``.
    root_redshift : float, optional
        Of the last time of the halo histories: when the weights count the halos.
    survival : array, shape (N, K), optional
        Share of the galaxies of each row that have not merged with their host; None without satellites.
    host : integer array, shape (N,), optional
        Row of the galaxy whose satellite each one is in the end, -1 for centrals; None without satellites.

    Examples
    --------
    >>> population["mstar"].shape
    (8, 2)
    >>> population.quantities["mstar"].unit
    'Msun'
    """

    redshifts: Float[Array, " k"]
    halo: Halo = per_halo_field()
    state: Any = per_halo_field()
    flows: dict[str, FlowRates] = per_halo_field()
    diagnostics: dict[str, Float[Array, "n k"]] = per_halo_field()
    valid: Bool[Array, "n k"] = per_halo_field()
    status: Int[Array, " n"] = per_halo_field()
    steps: Int[Array, " n"] = per_halo_field()
    rejected: Int[Array, " n"] = per_halo_field()
    weights: Float[Array, " n"] = per_halo_field()
    described: tuple[tuple[str, Quantity], ...] = eqx.field(static=True)
    histories: Histories | None = None
    root_redshift: Any = None
    survival: Float[Array, "n k"] | None = eqx.field(default=None, metadata=per_halo_field().metadata)
    host: Int[Array, " n"] | None = eqx.field(default=None, metadata=per_halo_field().metadata)

    def __repr__(self) -> str:
        return f"Population({text.counted(len(self), 'halo', 'halos')} at z = {text.numbers(self.redshifts)})"

    def __str__(self) -> str:
        return text.of_population(self)

    def _repr_html_(self) -> str:
        return text.html_of_population(self)

    @property
    def values(self) -> dict[str, Float[Array, "n k"]]:
        """All halo, state and diagnostic arrays that were kept, by name."""
        arrays = {**self.halo.by_name(), **self.state._asdict(), **self.diagnostics}
        return {name: array for name, array in arrays.items() if array is not None}

    def at(self, redshift: float) -> Galaxies:
        """The galaxies at one of the output redshifts, which may be given in single precision.

        Raises
        ------
        ValueError
            The redshift is not among the outputs.

        Examples
        --------
        >>> population.at(2.0).valid.sum()
        Array(8, dtype=int64)
        """
        outputs, redshift = np.asarray(self.redshifts), float(plain_numbers("redshift", redshift))
        k = nearest(outputs, redshift)
        if k is None:
            raise ValueError(
                f"redshift {redshift:.9g} was not kept: this population has "
                f"{', '.join(f'{z:.9g}' for z in outputs)}; evolve with redshifts=[..., {redshift:.9g}]"
            )
        ages = None if self.histories is None else self.histories.ages
        redshift, ages = chosen((self.redshifts, ages), k)
        values, flows, valid, survival = chosen((self.values, self.flows, self.valid, self.survival), (slice(None), k))
        weights = self.weights if survival is None else self.weights * survival
        histories = None if self.histories is None else self.histories._replace(ages=ages)
        return Galaxies(
            redshift, values, valid, weights, histories, self.described, self.root_redshift, flows, self.host,
        )  # fmt: skip

    def history(self, name: str, times: Sequence[float] | Float[Array, " t"] | None = None) -> Float[Array, "n t"]:
        """The history of a quantity, interpolated linearly in ln(t) between the times that were kept.

        Parameters
        ----------
        name : str
            A quantity named in ``evolve(..., histories=...)``.
        times : array, shape (T,), optional
            Cosmic ages [Gyr]; default the times that were kept, ``population.histories.times``.

        Returns
        -------
        array, shape (N, T)
            NaN where the solve failed, or the halo had not started or had ended.

        Raises
        ------
        KeyError
            The history of this quantity was not kept.
        ValueError
            A time lies outside those that were kept.

        Examples
        --------
        >>> population = co.evolve(model, halos, [0.0, 2.0], histories=("sfr",))
        >>> population.history("sfr", [3.0, 7.0, 13.0]).shape
        (8, 3)
        """
        histories = _kept(self.histories)
        if times is None:
            return named(histories.values, name, "history of")
        return interpolated(named(histories.values, name, "history of"), histories.times, times, histories.times[-1])

    def status_counts(self) -> dict[str, int]:
        """How many halos ended in each way, in words.

        Examples
        --------
        >>> population.status_counts()
        {'solved': 8}
        """
        counts = Counter(np.asarray(self.status).tolist())
        return {STATUS[code]: count for code, count in sorted(counts.items())}


def _kept(histories):
    if histories is None:
        raise KeyError("no history was kept; name the quantities in evolve(..., histories=('sfr',))")
    return histories
