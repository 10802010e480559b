"""What `evolve` returns: galaxies of many halos at some redshifts, and the histories of some of their quantities."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from ..annotations import Array
from ..halos import Halo
from ..messages import did_you_mean
from ..models import FlowRates
from ..numerics.solvers.base import STATUS
from ..plain_numbers import nearest, plain_numbers
from ..units import Quantity
from . import tables, text
from .history import interpolated

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


class Galaxies(eqx.Module):
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

    Examples
    --------
    >>> galaxies = population.at(2.0)
    >>> galaxies["mstar"].shape
    (8,)
    >>> galaxies.flows["wind"].mass.shape  # Msun/yr
    (8,)
    """

    redshift: Any
    values: dict[str, Float[Array, " n"]]
    valid: Bool[Array, " n"]
    weights: Float[Array, " n"]
    histories: Histories | None = None
    described: tuple[tuple[str, Quantity], ...] = eqx.field(static=True, default=())
    root_redshift: Any = None
    flows: dict[str, FlowRates] = eqx.field(default_factory=dict)

    def __len__(self) -> int:
        return self.valid.shape[0]

    def __getitem__(self, name: str) -> Float[Array, " n"]:
        return _named(self.values, name)

    def __repr__(self) -> str:
        return f"Galaxies({text.counted(len(self.valid), 'galaxy', 'galaxies')} at z = {text.number(self.redshift)})"

    def __str__(self) -> str:
        return text.of_galaxies(self)

    @property
    def quantities(self) -> dict[str, Quantity]:
        """Unit and meaning of every array of `values`, where known."""
        return dict(self.described)

    @property
    def history_times(self) -> Float[Array, " s"]:
        """Cosmic ages [Gyr] at which histories are kept, up to that of these galaxies.

        Times after it repeat the age of the galaxies, so that an integral over time ends there.
        """
        histories = _kept(self.histories)
        return jnp.minimum(histories.times, histories.ages)

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
        return interpolated(_named(histories.values, name, "history of"), histories.times, times, histories.ages)

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` with a row for each galaxy; units and meanings lie in its ``attrs``."""
        return tables.to_pandas(self)

    def to_xarray(self) -> Any:
        """An `xarray.Dataset` over the dimension ``halo``; units and meanings are attributes of each array."""
        return tables.to_xarray(self)

    def to_astropy(self) -> Any:
        """An `astropy.table.QTable` with a row for each galaxy, whose columns carry their units."""
        return tables.to_astropy(self)


class Population(eqx.Module):
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

    Examples
    --------
    >>> population["mstar"].shape
    (8, 2)
    >>> population.quantities["mstar"].unit
    'Msun'
    """

    redshifts: Float[Array, " k"]
    halo: Halo
    state: Any
    flows: dict[str, FlowRates]
    diagnostics: dict[str, Float[Array, "n k"]]
    valid: Bool[Array, "n k"]
    status: Int[Array, " n"]
    steps: Int[Array, " n"]
    rejected: Int[Array, " n"]
    weights: Float[Array, " n"]
    described: tuple[tuple[str, Quantity], ...] = eqx.field(static=True)
    histories: Histories | None = None
    root_redshift: Any = None

    def __len__(self) -> int:
        return self.status.shape[0]

    def __getitem__(self, name: str) -> Float[Array, "n k"]:
        return _named(self.values, name)

    def __repr__(self) -> str:
        return f"Population({text.counted(len(self), 'halo', 'halos')} at z = {text.numbers(self.redshifts)})"

    def __str__(self) -> str:
        return text.of_population(self)

    def _repr_html_(self) -> str:
        return text.html_of_population(self)

    @property
    def quantities(self) -> dict[str, Quantity]:
        """Unit and meaning of every array of `values`, and of those that only have a history."""
        return dict(self.described)

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
        values = {name: value[:, k] for name, value in self.values.items()}
        histories = None if self.histories is None else self.histories._replace(ages=self.histories.ages[k])
        flows = jax.tree.map(lambda rate: rate[:, k], self.flows)
        return Galaxies(
            self.redshifts[k], values, self.valid[:, k], self.weights, histories, self.described, self.root_redshift,
            flows,
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
            return _named(histories.values, name, "history of")
        return interpolated(_named(histories.values, name, "history of"), histories.times, times, histories.times[-1])

    def status_counts(self) -> dict[str, int]:
        """How many halos ended in each way, in words.

        Examples
        --------
        >>> population.status_counts()
        {'solved': 8}
        """
        counts = Counter(np.asarray(self.status).tolist())
        return {STATUS[code]: count for code, count in sorted(counts.items())}

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` with a row for each halo and redshift; units and meanings lie in its ``attrs``.

        Examples
        --------
        >>> frame = population.to_pandas()
        >>> frame["mstar"].shape, frame.attrs["units"]["mstar"]
        ((16,), 'Msun')
        """
        return tables.to_pandas(self)

    def to_xarray(self) -> Any:
        """An `xarray.Dataset` over ``halo`` and ``redshift``; units and meanings are attributes of each array.

        Examples
        --------
        >>> dataset = population.to_xarray()
        >>> dataset["mstar"].dims, dataset["mstar"].attrs["units"]
        (('halo', 'redshift'), 'Msun')
        """
        return tables.to_xarray(self)

    def to_astropy(self) -> Any:
        """An `astropy.table.QTable` with a row for each halo and redshift, whose columns carry their units.

        Examples
        --------
        >>> population.to_astropy()["mstar"].unit
        Unit("solMass")
        """
        return tables.to_astropy(self)


def _named(values, name, what="quantity"):
    if name not in values:
        hint = did_you_mean(name, values)
        raise KeyError(f"no {what} {name!r}: {hint}there are {', '.join(values)}")
    return values[name]


def _kept(histories):
    if histories is None:
        raise KeyError("no history was kept; name the quantities in evolve(..., histories=('sfr',))")
    return histories
