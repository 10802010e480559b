"""A smooth halo population: random growth histories of field halos, with nothing to download.

Growth follows diffmah (Hearin et al. 2021, OJAp 4, 7): every halo is a power law of cosmic time whose index
rolls from an early to a late value, and the parameters are drawn from the population that the diffmah package
calibrates on N-body simulations.  Four things differ from that package:

- `t_peak`, after which a diffmah halo keeps its mass, lies beyond today.  Otherwise three in ten 10^12 Msun halos would
  not grow at all today, and the mean growth rate would be 0.6 of the simulated one instead of 0.9.
- Formation is earlier by 0.025 dex in time to compensate.  The mean history then follows the N-body means shipped with
  diffmah to 0.03 dex for 10^11.5 - 10^13 Msun after 1.5 Gyr (0.05 dex without).
- The mass is rescaled to the one drawn for today; today is the age of the universe in the cosmology of the halos.
- Concentration comes from a published relation c(M, z), with scatter correlated with the half-mass time.

diffmah is calibrated above 10^11.5 Msun: everything below is its extrapolation, and so are times before about 1 Gyr.
Around the mean, diffmah halos scatter 0.6-0.8 times as much as N-body halos, because they are smooth and never lose
mass.  At fixed mass their late growth takes two values 0.4 dex apart, early and late formers, and the mean growth rate
is below the median where that of N-body halos is 1.8 times the median.  Scatter at fixed mass, and what is inferred
from it, needs `monte_carlo_trees`.
"""

from collections.abc import Sequence
from importlib import metadata
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import strategy, whole_number
from ...cosmology import Cosmology, as_cosmology
from ...numerics.compiling import compiled
from ...numerics.importing import import_as_one_program
from ...numerics.promotion import with_numpy_promotion
from ...parameters import require_float64
from ...storage.shipped_tables import read_grid
from ..concentration import AbstractConcentration, ConcentrationScatter, Diemer19, limit_concentration
from ..cosmic_times import ages, log_times, redshifts
from ..histories import HaloHistories
from ..selection import number_to_draw, select_representative
from .mass_sampling import LOG_HALF, AbstractMassSampling, UniformLogMass, check_request

__all__ = ["diffmah_population"]

_BATCH = 2_000  # halos drawn at once, always this many so that no number of halos compiles anew
_EARLIER = 0.025  # dex in time; see above
_BEYOND = 100.0  # Gyr
_POPULATION = "diffmah.diffmahpop_kernels"
_MASSES = (9.0, 15.0)  # log10 of mass [Msun] today for which histories are drawn


def diffmah_population(
    n: int,
    *,
    log_mvir: tuple[float, float] = (10.0, 12.1),
    key: int | Array = 0,
    sampling: AbstractMassSampling | None = None,
    concentration: AbstractConcentration | None = None,
    scatter: ConcentrationScatter | None = None,
    cosmology: Cosmology | None = None,
    times: Sequence[float] | Float[Array, " t"] | None = None,
    first_log_mvir: float = 8.0,
    candidates: int = 1,
) -> HaloHistories:
    """Draw `n` smooth growth histories of field halos.

    Parameters
    ----------
    n : int
        Number of halos.
    log_mvir : (float, float)
        Range of log10 of virial mass today [Msun], within 9 and 15; equal ends give halos of one mass.
    key : int or JAX key
        The same key gives the same halos.
    sampling : AbstractMassSampling, optional
        How masses are drawn and weighted; default `UniformLogMass()`.
    concentration : AbstractConcentration, optional
        Median concentration; default `Diemer19()`.
    scatter : ConcentrationScatter, optional
        Scatter of single halos around it; default 0.13 dex with correlation -0.72 with formation time.
    cosmology : Cosmology, optional
        Default `pandya26_cosmology()`.
    times : array, shape (t,), optional
        Cosmic ages [Gyr] at which histories are tabulated; default `log_times(cosmology)`, from z = 12 to
        today.
    first_log_mvir : float
        A halo starts at the first time or when it reaches this log10 of mass [Msun], whichever is later; the
        default 10^8 Msun is about where gas cools by atomic lines at z = 10.  Before its start a history
        continues smoothly.
    candidates : int
        Halos drawn for each one kept; with more than one, `select_representative` picks those that stand for all.

    Raises
    ------
    ValueError
        `n`, `candidates` or the mass range is impossible; the sentence says what is allowed.

    References
    ----------
    Hearin et al. 2021, OJAp 4, 7.

    Examples
    --------
    >>> co.halos.diffmah_population(5, log_mvir=(11.0, 11.0), key=1)
    HaloHistories(5 halos, 100 times, 10^11 Msun, 0 <= z <= 12)
    """
    require_float64()
    n = whole_number("n", n, meaning="halos")
    low, high = check_request(log_mvir, first_log_mvir, _MASSES)
    drawn = number_to_draw(n, candidates)
    cosmology = as_cosmology(cosmology)
    sampling = strategy("sampling", sampling, UniformLogMass())
    concentration = strategy("concentration", concentration, Diemer19())
    scatter = strategy("scatter", scatter, ConcentrationScatter())
    # These few numbers are computed without compilation, which would take longer than all of them.
    time = np.asarray(log_times(cosmology) if times is None else times, np.float64)
    redshift, today = redshifts(cosmology, time), ages(cosmology, np.zeros(1))[0]
    masses, weights, keys = sampling.draw_with_keys(key, drawn, low, high, keys=2)
    laws = (time, redshift, today, concentration, scatter, np.float64(first_log_mvir), _formation_times())
    arrays = _in_batches(keys, np.asarray(masses), laws)
    # One after the other, or a million halos would be in memory twice.
    log_mass, log_c, start = (jax.device_put(arrays.pop(0)).block_until_ready() for _ in range(3))
    halos = HaloHistories(
        jax.device_put(time),
        log_mass,
        log_c,
        start=start,
        weights=weights,
        cosmology=cosmology,
        provenance=_provenance(drawn, low, high, sampling, concentration, scatter, float(time[0]), first_log_mvir),
    )
    return halos if drawn == n else select_representative(halos, n)


def _in_batches(keys, log_mvir, laws):
    """The results of `_batch` for all halos, batch by batch, as arrays on the host."""
    n, times = len(log_mvir), len(laws[0])
    arrays = [np.empty((n, times)), np.empty((n, times)), np.empty(n)]
    for number, first in enumerate(range(0, n, _BATCH)):
        rows = np.minimum(np.arange(first, first + _BATCH), n - 1)
        kept = min(_BATCH, n - first)
        for array, batch in zip(arrays, _batch((*keys, np.int32(number)), log_mvir[rows], *laws), strict=True):
            array[first : first + kept] = np.asarray(batch)[:kept]
    return arrays


def _diffmah():
    """The calibrated population of diffmah, its parameters, and log10 of mass as a function of time."""
    import_as_one_program(f"{_POPULATION}.bimod_censat_params", f"{_POPULATION}.mc_bimod_cens")
    from diffmah import logmh_at_t_obs
    from diffmah.diffmahpop_kernels.bimod_censat_params import DEFAULT_DIFFMAHPOP_PARAMS
    from diffmah.diffmahpop_kernels.mc_bimod_cens import mc_diffmah_cenpop

    return with_numpy_promotion(mc_diffmah_cenpop), DEFAULT_DIFFMAHPOP_PARAMS, with_numpy_promotion(logmh_at_t_obs)


def _draw_growth(key: Array, log_mvir: Float[Array, " n"], today: Float[Array, ""]):
    """diffmah parameters of halos that have `log_mvir` today and have not stopped growing."""
    population, calibrated, mass_at = _diffmah()
    observed = jnp.full(log_mvir.shape, today)
    drawn = population(calibrated, log_mvir, observed, key, jnp.log10(today)).mah_params
    growing = drawn._replace(logtc=drawn.logtc - _EARLIER, t_peak=jnp.full(log_mvir.shape, _BEYOND))
    excess = mass_at(growing, today, jnp.log10(today)) - log_mvir
    return growing._replace(logm0=growing.logm0 - excess)


class _FormationTimes(NamedTuple):
    """Quantiles of log10 of the half-mass time [Gyr] (mass x score), by mass today and by normal score."""

    log_mvir: Float[Array, " m"]
    score: Float[Array, " s"]
    quantiles: Float[Array, "m s"]


def _formation_times():
    names, table = read_grid("concentration", "formation_times.csv")
    return _FormationTimes(table[:, 0], np.array([float(name) for name in names[1:]]), table[:, 1:])


def _lateness(half_time, log_mvir, formation):
    """Normal score of each half-mass time among halos of the same mass, within 3 standard deviations."""
    at_mass = jax.vmap(lambda column: jnp.interp(log_mvir, formation.log_mvir, column), in_axes=1, out_axes=1)
    return jax.vmap(jnp.interp, in_axes=(0, 0, None))(half_time, at_mass(formation.quantiles), formation.score)


@compiled
def _batch(keys, log_mvir, time, redshift, today, concentration, scatter, first_log_mvir, formation):
    """log10 of mass and of concentration at `time`, and the start time, of one batch of halos."""
    _, _, mass_at = _diffmah()
    growth_key, scatter_key = (jax.random.fold_in(key, keys[2]) for key in keys[:2])
    growth = _draw_growth(growth_key, log_mvir, today)
    log_today = jnp.log10(today)
    columns = type(growth)(*(number[:, None] for number in growth))
    log_mass = mass_at(columns, time[None, :], log_today)

    # The time of half of the mass and the time of the first mass, in one bisection.
    levels = jnp.stack([log_mvir - LOG_HALF, jnp.broadcast_to(first_log_mvir, log_mvir.shape)])
    earliest = jnp.stack([1e-3 * today, time[0]])[:, None]

    def halve(_, ends):
        middle = 0.5 * (ends[0] + ends[1])
        above = mass_at(growth, jnp.exp(middle), log_today) > levels
        return jnp.where(above, ends[0], middle), jnp.where(above, middle, ends[1])

    ends = jnp.broadcast_to(jnp.log(earliest), levels.shape), jnp.full(levels.shape, jnp.log(today))
    reached = mass_at(growth, earliest, log_today) >= levels
    half_time, start = jnp.where(reached, earliest, jnp.exp(jax.lax.fori_loop(0, 52, halve, ends)[1]))
    offset = scatter.draw(scatter_key, _lateness(jnp.log10(half_time), log_mvir, formation))
    log_c = limit_concentration(concentration(log_mass, redshift) + offset[:, None])
    return log_mass, log_c, start


def _provenance(n, low, high, sampling, concentration, scatter, first_time, first_log_mvir):
    return {
        "source": f"built-in Monte Carlo of {n} field halos, growth of diffmah {metadata.version('diffmah')} "
        "(Hearin et al. 2021) with t_peak beyond today and formation 0.025 dex earlier",
        "calibration": "N-body means are matched to 0.03 dex for 10^11.5 - 10^13 Msun after 1.5 Gyr; "
        "masses below 10^11.5 Msun today and times before 1 Gyr extrapolate the calibration",
        "masses": f"log10 Mvir today from {low:g} to {high:g}, {type(sampling).__name__}",
        "start": f"cosmic age {first_time:.4g} Gyr, or when the halo reaches 10^{first_log_mvir:g} Msun if that is "
        "later",
        "concentration": f"{type(concentration).__name__} with {float(scatter.dex):g} dex scatter, correlation "
        f"{float(scatter.correlation):g} with the half-mass time",
        "radius": "Bryan & Norman 1998",
    }
