"""Halo growth histories: what every halo source makes and every model consumes.

A `HaloHistories` holds the virial mass and the concentration of N halos on one grid of cosmic times, when each halo
starts and ends, and how many halos of the universe each stands for.  Virial radius, virial velocity and growth rate
follow from them (see `corundum.halos.interpolation`).
"""

import dataclasses
from collections.abc import Mapping

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from ..annotations import Array
from ..array_library import array_library, on_host
from ..cosmology import Cosmology, as_cosmology
from ..numerics.compiling import compiled
from ..parameters import require_float64
from ..plain_numbers import float64, without_mask
from ..units import Quantity
from .extras import ExtraCurve, Extras
from .history_arrays import check_extras, check_one_time, check_structure, check_values, from_natural_units
from .interpolation import (
    HALO_QUANTITIES,
    AbstractHaloInterpolation,
    Halo,
    HaloCurves,
    HaloTables,
    SplineInLogTime,
)
from .mergers import Mergers
from .per_halo import per_halo_field
from .satellites.links import chosen_rows
from .satellites.record import Satellites

__all__ = ["HaloHistories"]

_MOST_LETTERS = 100  # of a line of the provenance that is printed


class HaloHistories(eqx.Module):
    """Growth histories of N halos on T shared times; a pytree of float64 arrays.

    Parameters
    ----------
    time : array, shape (T,)
        Cosmic age [Gyr], strictly increasing, at least two.  Quantities of astropy or unyt are converted.
    log_mvir : array, shape (N, T)
        log10 of virial mass [Msun].  Times outside a halo's start and end hold a smooth extension, never zeros.
    log_concentration : array, shape (N, T)
        log10 of NFW concentration.
    start : array, shape (N,), optional
        Cosmic age [Gyr] at which each halo starts; default the first time.
    end : array, shape (N,), optional
        Cosmic age [Gyr] at which each halo ends, after which its galaxy is not valid; default the last time.
    weights : array, shape (N,), optional
        Number of halos (or number density) each one stands for; default 1.
    log_rvir : array, shape (N, T), optional
        log10 of virial radius [proper kpc]; default Bryan & Norman 1998 in `cosmology`.
    log_growth : array, shape (N, T), optional
        log10 of dMvir/dt [Msun/yr]; only `Pandya26Hermite` reads it.
    mergers : Mergers, optional
        Progenitors that merged onto each main branch, where the source knows them.
    separation : array, shape (N,), optional
        Distance from a heavier halo at the last time, in virial radii of that halo, the smallest of all; infinite where
        none is near (see `corundum.halos.neighbours`), NaN where not known.
    host : integer array, shape (N,), optional
        Row of the halo whose satellite each one is, -1 for a central; default None, all are centrals.  Choosing some of
        the halos renumbers it; a satellite without its host gets -1.
    satellites : Satellites, optional
        When each satellite fell into the halo of its host, and on which orbit: `evolve` then follows all of them.
    extras : mapping of str to ExtraCurve, optional
        More curves by name, which laws read as ``halo.extras["name"]``.
    cosmology : Cosmology, optional
        Default `pandya26_cosmology()`.
    interpolation : AbstractHaloInterpolation, optional
        Default `SplineInLogTime()`.
    provenance : mapping of str to str, optional
        Where the histories come from and what was done to them, as sentences.

    Raises
    ------
    ValueError
        Shapes disagree, times do not increase or are no cosmic ages in Gyr, a number is not finite, hidden by a mask,
        or one that no halo has (`corundum.plausible`), a weight is negative, a start, end or host is impossible.

    Examples
    --------
    A halo that grows as a power law of time:

    >>> time = np.geomspace(0.5, 13.7, 50)
    >>> growing = co.halos.HaloHistories(time, [12.0 + 1.5 * np.log10(time / 13.7)], [np.full(50, 0.9)])
    >>> round(float(growing.at(time=13.7).mvir[0]) / 1e12, 6)
    1.0
    >>> growing
    HaloHistories(1 halo, 50 times, 10^12 Msun, 0.007992 <= z <= 9.607)
    """

    time: Float[Array, " t"]
    log_mvir: Float[Array, "n t"] = per_halo_field(
        Quantity("log10(Msun)", "halo virial mass, (halo, time)", log=False), along_time=True
    )
    log_concentration: Float[Array, "n t"] = per_halo_field(
        Quantity("log10(1)", "NFW concentration Rvir / r_s, (halo, time)", log=False), along_time=True
    )
    start: Float[Array, " n"] = per_halo_field(Quantity("Gyr", "cosmic age at which each halo starts", log=False))
    end: Float[Array, " n"] = per_halo_field(Quantity("Gyr", "cosmic age at which each halo ends", log=False))
    weights: Float[Array, " n"] = per_halo_field(
        Quantity("1", "number, or number density, of halos each one stands for"), finite=True
    )
    log_rvir: Float[Array, "n t"] | None = per_halo_field(
        Quantity("log10(kpc)", "proper virial radius, (halo, time); absent: Bryan & Norman 1998", log=False),
        along_time=True,
    )
    log_growth: Float[Array, "n t"] | None = per_halo_field(
        Quantity("log10(Msun/yr)", "dMvir/dt as given by the source, (halo, time)", log=False), along_time=True
    )
    mergers: Mergers | None = per_halo_field()
    separation: Float[Array, " n"] | None = per_halo_field(
        Quantity("1", "distance from a heavier halo over its virial radius; inf: none near", log=False)
    )
    host: Int[Array, " n"] | None = per_halo_field(
        Quantity("1", "row of the halo whose satellite each is; -1: central", log=False)
    )
    satellites: Satellites | None = per_halo_field()
    extras: dict[str, ExtraCurve] = per_halo_field()
    cosmology: Cosmology
    interpolation: AbstractHaloInterpolation
    provenance: tuple[tuple[str, str], ...] = eqx.field(static=True)

    def __init__(
        self,
        time,
        log_mvir,
        log_concentration,
        *,
        start=None,
        end=None,
        weights=None,
        log_rvir=None,
        log_growth=None,
        mergers: Mergers | None = None,
        separation=None,
        host=None,
        satellites: Satellites | None = None,
        extras: Mapping[str, ExtraCurve] | None = None,
        cosmology: Cosmology | None = None,
        interpolation: AbstractHaloInterpolation | None = None,
        provenance: Mapping[str, str] | tuple = (),
    ):
        require_float64()
        self.time = float64("time", time, "Gyr")
        self.log_mvir = float64("log_mvir", log_mvir, "Msun", log=True)
        self.log_concentration = float64("log_concentration", log_concentration, log=True)
        halos = self.log_mvir.shape[0] if self.log_mvir.ndim else 0
        (times,) = on_host(self.time)
        xp = array_library(times)
        self.start = float64("start", xp.full(halos, times[0]) if start is None else start, "Gyr")
        self.end = float64("end", xp.full(halos, times[-1]) if end is None else end, "Gyr")
        self.weights = float64("weights", np.ones(halos) if weights is None else weights)
        self.log_rvir = None if log_rvir is None else float64("log_rvir", log_rvir, "kpc", log=True)
        self.log_growth = None if log_growth is None else float64("log_growth", log_growth, "Msun/yr", log=True)
        self.mergers = mergers
        self.separation = None if separation is None else float64("separation", separation)
        self.host = None if host is None else jax.numpy.asarray(without_mask("host", host))
        self.satellites = satellites
        self.extras = dict(sorted(extras.items())) if extras else {}
        self.cosmology = as_cosmology(cosmology)
        self.interpolation = SplineInLogTime.on(self.time) if interpolation is None else interpolation
        self.provenance = tuple(dict(provenance).items())

    def __check_init__(self):
        check_extras(self.extras, HALO_QUANTITIES)
        check_structure(self)
        check_values(self)

    @classmethod
    def from_arrays(
        cls,
        mvir,
        *,
        time=None,
        redshift=None,
        scale_factor=None,
        concentration=None,
        rvir=None,
        growth=None,
        extras: Mapping[str, ExtraCurve] | None = None,
        cosmology: Cosmology | None = None,
        **keywords,
    ) -> "HaloHistories":
        """Histories from plain arrays in natural units, with times in rising or falling order.

        Parameters
        ----------
        mvir : array, shape (N, T) or (T,)
            Virial mass [Msun], positive at every time.
        time, redshift, scale_factor : array, shape (T,)
            The times, as one of these: cosmic age [Gyr], redshift, or scale factor.
        concentration : array, shape (N, T), optional
            NFW concentration; default the median relation `Diemer19`.
        rvir, growth : array, shape (N, T), optional
            Virial radius [proper kpc] and dMvir/dt [Msun/yr].
        extras : mapping of str to ExtraCurve, optional
            Curves at the same times, in the same order.
        cosmology : Cosmology, optional
            Default `pandya26_cosmology()`.
        **keywords
            ``start`` [Gyr], ``weights``, ``host`` and others as for `HaloHistories`.

        Raises
        ------
        ValueError
            A value is not what its unit says; the sentence names the array and the halo.

        Examples
        --------
        >>> redshift = np.linspace(6.0, 0.0, 40)
        >>> mvir = 1e12 * np.exp(-0.8 * redshift)
        >>> grown = co.halos.HaloHistories.from_arrays(mvir, redshift=redshift)
        >>> round(float(grown.at(redshift=1.0).mvir[0]) / 1e12, 4)
        0.4493
        """
        cosmology = as_cosmology(cosmology)
        arrays = from_natural_units(
            mvir, time=time, redshift=redshift, scale_factor=scale_factor, concentration=concentration, rvir=rvir,
            growth=growth, extras=extras, cosmology=cosmology,
        )  # fmt: skip
        return cls(**arrays, cosmology=cosmology, **keywords)

    def __len__(self) -> int:
        return self.log_mvir.shape[0]

    def __getitem__(self, index) -> "HaloHistories":
        """Some of the halos: an integer, a slice, an index array or a boolean mask."""
        return dataclasses.replace(self, **chosen_rows(self, index))

    def __repr__(self) -> str:
        try:
            count = "1 halo" if len(self) == 1 else f"{len(self)} halos"
            return f"HaloHistories({count}, {len(self.time)} times, {_mass_range(self)}, {self.span})"
        except Exception:  # while a transformation holds placeholders in the place of arrays
            return f"HaloHistories({', '.join(field.name for field in dataclasses.fields(self))})"

    def __str__(self) -> str:
        try:
            return "\n".join(_lines(self))
        except Exception:  # as for __repr__
            return repr(self)

    @property
    def mvir(self) -> Float[Array, "n t"]:
        """Virial mass [Msun] of each halo at each time, 10 to the `log_mvir`."""
        return 10.0**self.log_mvir

    @property
    def final_mvir(self) -> Float[Array, " n"]:
        """Virial mass [Msun] of each halo at the last time."""
        return 10.0 ** self.log_mvir[:, -1]

    @property
    def redshift(self) -> Float[Array, " t"]:
        """Redshift of each time."""
        return self.cosmology.redshift(self.time)

    @property
    def span(self) -> str:
        """The redshifts that these histories cover, as a text such as ``0 <= z <= 12``."""
        first, last = np.asarray(self.cosmology.redshift(self.time[np.array([0, -1])]))
        return f"{max(0.0, round(float(last), 9)):.4g} <= z <= {float(first):.4g}"

    @property
    def quantities(self) -> dict[str, Quantity]:
        """Unit and meaning of everything a `Halo` of these histories holds, extra curves included."""
        return {**HALO_QUANTITIES, **{name: curve.quantity for name, curve in self.extras.items()}}

    @property
    def curves(self) -> HaloCurves:
        """The curves to interpolate."""
        extras = Extras((name, curve.values) for name, curve in self.extras.items() if curve.slopes is None)
        totals = Extras((n, (c.values, c.slopes)) for n, c in self.extras.items() if c.slopes is not None)
        return HaloCurves(self.log_mvir, self.log_concentration, self.log_rvir, self.log_growth, extras, totals)

    def tables(self) -> HaloTables:
        """The interpolants of all halos."""
        return _tables(self.interpolation, self.time, self.curves, self.cosmology)

    def along(self, time: Float[Array, " s"]) -> Halo:
        """All halos at many cosmic times [Gyr]: a `Halo` of arrays of shape (N, S)."""
        # Without the provenance, which is part of the structure: another provenance must not compile anew.
        inputs = (self.interpolation, self.cosmology, self.time, self.curves)
        return _along(*inputs, float64("time", time, "Gyr"))

    def at(self, *, redshift=None, time=None) -> Halo:
        """All halos at one redshift or one cosmic time [Gyr]: a `Halo` of arrays of shape (N,)."""
        if (redshift is None) == (time is None):
            raise ValueError("HaloHistories.at: give either redshift=... or time=... [Gyr], not both")
        age = float64("time", time, "Gyr") if redshift is None else self.cosmology.age(float64("redshift", redshift))
        check_one_time(self, "time" if redshift is None else "redshift", age)
        return jax.tree.map(lambda values: values[:, 0], self.along(age[None]))

    def exist_at(self, time: Float[Array, " s"]) -> Bool[np.ndarray, "n s"]:
        """Whether each halo has started, and has not ended, at each cosmic time [Gyr], up to round-off."""
        time, start, end = (np.asarray(values) for values in (time, self.start, self.end))
        return (time >= start[:, None] * (1.0 - 1e-9)) & (time <= end[:, None] * (1.0 + 1e-9))


def _mass_range(halos) -> str:
    final = np.asarray(halos.log_mvir[:, -1])
    if not len(final):
        return "no mass"
    low, high = (f"10^{mass:.4g}" for mass in (final.min(), final.max()))
    return f"{low} Msun" if low == high else f"{low} to {high} Msun"


def _lines(halos):
    """What histories are, line by line."""
    yield repr(halos)
    for name in ("source", "selection"):
        text = dict(halos.provenance).get(name)
        if text:
            yield f"  {name}: {text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 3] + '...'}"
    started = np.asarray(halos.cosmology.redshift(halos.start))
    yield f"  starts: z = {started.max():.3g} to {started.min():.3g}"
    ended = int(np.sum(~halos.exist_at(halos.time[-1:])))
    if ended:
        yield f"  ends: {ended} halos end before the last time"
    if halos.mergers is not None:
        yield f"  mergers: {len(halos.mergers.to_list()[0])}"
    if halos.host is not None:
        yield f"  satellites: {int(np.sum(np.asarray(halos.host) >= 0))}"
    for name, curve in halos.extras.items():
        yield f"  extra {name} [{curve.quantity.unit}]: {curve.quantity.meaning}"


@compiled
def _tables(interpolation, time, curves, cosmology):
    return interpolation.tables(time, curves, cosmology)


@compiled
def _along(interpolation, cosmology, knots, curves, time):
    read = jax.vmap(interpolation.read, in_axes=(None, 0))
    tables = interpolation.tables(knots, curves, cosmology)
    return jax.vmap(read, in_axes=(HaloTables.HALO_AXIS, None))(tables, time)
