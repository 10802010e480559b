"""What stars give back late: gas of dying stars, and iron of type Ia supernovae.

A distribution of delay times is a sum of exponentials here.  Each keeps the stellar mass that was formed and that has
not yet gone through it, so that the past of a galaxy is part of its state and rates need no history.
"""

from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...halos import Halo
from ...parameters import FRACTION, parameter
from ...physics import Galaxy
from ...units import GYR_YR, Quantity
from ..ledger import Flow, FlowRates
from ..process import AbstractProcess, ProcessFluxes

__all__ = ["DelayedReturn", "TypeIaSupernovae"]

_AT_START = 1e-2  # of the stars: formed so lately that they have yet to give back
_RATES = ("sfr", "burst_sfr", "bar_sfr")


def _stages(name: str, meaning: str, times: tuple[str, ...]) -> tuple[dict, tuple[Flow, ...]]:
    """Reservoirs and flows of tracked stellar mass."""
    reservoirs = {
        ("tracked", f"{name}_{k}"): (f"m{name}{k}", Quantity("Msun", f"stellar mass {meaning}, {time} Gyr"))
        for k, time in enumerate(times)
    }
    flows = (
        Flow(f"{name}_{k}", f"stellar mass {meaning}", tracked=("outside", f"{name}_{k}")) for k in range(len(times))
    )
    return reservoirs, tuple(flows)


def _formed(galaxy: Galaxy) -> Float[Array, "..."]:
    """Stellar mass formed, bursts included [Msun/yr]."""
    return sum(galaxy.quantities[name] for name in _RATES if name in galaxy.quantities)


def _stripped(galaxy: Galaxy) -> Any:
    """Rate [1/Gyr] at which tides remove stars, whatever their age; 0 without."""
    return GYR_YR * galaxy.flows["tidal_stars"].mass / galaxy.state.mstar if "tidal_stars" in galaxy.flows else 0.0


class DelayedReturn(AbstractProcess):
    """Gas that stars return as they die, over a Hubble time: R(t) = 0.05 ln(1 + t / 1.4 Myr) of the mass formed.

    Of it 0.156 comes within 30 Myr and belongs to the place ``stellar_return`` of a model,
    ``StellarReturn(recycled_fraction=0.156)``; this process adds the rest, as two exponentials that follow R(t) to
    0.02.  With the default ``recycled_fraction`` of 0.4, which stands for all of it at once, gas would return twice.
    Metals return at the mean of the stars.

    Parameters
    ----------
    early_share, late_share : float
        Shares of the mass formed.
    early_time, late_time : float
        [Gyr].

    References
    ----------
    Behroozi, Wechsler & Conroy 2013, ApJ 770, 57 (R of a Chabrier IMF).

    Examples
    --------
    >>> law = co.physics.StellarReturn(recycled_fraction=0.156)
    >>> model = co.models.ThermalCGM(stellar_return=law, processes={"dying": co.models.DelayedReturn()})
    >>> late = co.models.DelayedReturn()
    >>> round(0.156 + float(late.early_share + late.late_share), 3)  # after a Hubble time, 0.46 of it in 13.8 Gyr
    0.457
    """

    reservoirs: ClassVar[dict] = _stages("ageing", "with gas to return", ("0.2", "4"))[0]
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow("delayed_return", "gas that old stars return", ("stars", "ism"), ("stars", "ism")),
        *_stages("ageing", "with gas to return", ("0.2", "4"))[1],
    )
    needs: ClassVar[tuple] = (("mass", "stars"), ("mass", "ism"), ("metals", "stars"), ("metals", "ism"))
    reads: ClassVar[tuple[str, ...]] = ("sfr",)
    sees: ClassVar[tuple[str, ...]] = (*_RATES[1:], "tidal_stars")

    early_share: Float[Array, ""] = parameter(
        0.138, unit="1", meaning="gas returned soon over mass formed", source="Behroozi, Wechsler & Conroy 2013",
        bounds=(0.05, 0.2), allowed=FRACTION,
    )  # fmt: skip
    late_share: Float[Array, ""] = parameter(
        0.163, unit="1", meaning="gas returned late over mass formed", source="Behroozi, Wechsler & Conroy 2013",
        bounds=(0.05, 0.25), allowed=FRACTION,
    )  # fmt: skip
    early_time: Float[Array, ""] = parameter(
        0.225, unit="Gyr", meaning="time of what returns soon", source="Behroozi, Wechsler & Conroy 2013",
        bounds=(0.05, 1.0), scale="log10",
    )  # fmt: skip
    late_time: Float[Array, ""] = parameter(
        3.87, unit="Gyr", meaning="time of what returns late", source="Behroozi, Wechsler & Conroy 2013",
        bounds=(1.5, 10.0), scale="log10",
    )  # fmt: skip

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {"mageing0": _AT_START * state.mstar, "mageing1": _AT_START * state.mstar}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state, formed = galaxy.state, GYR_YR * _formed(galaxy)  # [Msun/Gyr]
        early, late = state.mageing0 / self.early_time, state.mageing1 / self.late_time
        stripped = _stripped(galaxy)
        mass = (self.early_share * early + self.late_share * late) / GYR_YR
        rates = {
            "delayed_return": FlowRates(mass, state.mzstar / state.mstar * mass),
            "ageing_0": FlowRates(tracked=formed - early - stripped * state.mageing0),
            "ageing_1": FlowRates(tracked=formed - late - stripped * state.mageing1),
        }
        return ProcessFluxes(rates, {})


_FIRST = 0.0635  # [Gyr], before any white dwarf explodes
_TIMES = (0.0635, 0.700, 6.04)  # [Gyr]
_SHARES = (0.333, 0.315, 0.389)  # of the number that explodes in 13.7 Gyr; some explode later


def _synthesis(place: str) -> dict[str, tuple[str, str]]:
    return dict.fromkeys(("metals", "iron"), ("nucleosynthesis", place))


class TypeIaSupernovae(AbstractProcess):
    """Iron of type Ia supernovae, whose delay times follow t^-1.1 from 40 Myr on.

    A first stage of 0.06 Gyr feeds three exponentials of 0.06, 0.7 and 6 Gyr: rates are within 6% of the power law at
    0.1, 1 and 10 Gyr.  Iron of disc stars joins the ISM; a share of that of bulges, where there is little ISM, the CGM.
    Iron counts as metals, too.  Galaxies know ``ia_rate`` [1/yr].

    Parameters
    ----------
    number : float
        N_Ia, supernovae in 13.7 Gyr per stellar mass formed [1/Msun].
    iron : float
        Iron of each [Msun].
    vented : float
        Share of the iron of bulge stars that goes to the CGM.

    References
    ----------
    Maoz & Graur 2017, ApJ 848, 25 (2.1e-13 (t/Gyr)^-1.1 per year and Msun, 1.3e-3 in all).

    Examples
    --------
    >>> processes = {"elements": co.models.Elements(), "late_iron": co.models.TypeIaSupernovae(number=2e-3)}
    >>> "type_ia" in co.models.ThermalCGM(processes=processes).ledger.names
    True
    """

    reservoirs: ClassVar[dict] = _stages("waiting", "that makes supernovae Ia", ("0.06", "0.06", "0.7", "6"))[0]
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow("type_ia", "iron of supernovae Ia in the ISM", **_synthesis("ism")),
        Flow("type_ia_venting", "iron of supernovae Ia in the CGM", **_synthesis("cgm")),
        *_stages("waiting", "that makes supernovae Ia", ("0.06", "0.06", "0.7", "6"))[1],
    )  # fmt: skip
    diagnostics: ClassVar[dict[str, Quantity]] = {"ia_rate": Quantity("1/yr", "rate of type Ia supernovae")}
    needs: ClassVar[tuple] = (("iron", "ism"), ("iron", "cgm"), ("mass", "stars"))
    reads: ClassVar[tuple[str, ...]] = ("sfr",)
    sees: ClassVar[tuple[str, ...]] = (*_RATES[1:], "tidal_stars")

    number: Float[Array, ""] = parameter(
        1.28e-3, unit="1/Msun", meaning="supernovae Ia in 13.7 Gyr per mass formed", source="Maoz & Graur 2017",
        bounds=(0.7e-3, 2.5e-3), scale="log10",
    )  # fmt: skip
    iron: Float[Array, ""] = parameter(
        0.7, unit="Msun", meaning="iron of a supernova Ia", source="choice", bounds=(0.4, 0.9), scale="log10"
    )
    vented: Float[Array, ""] = parameter(
        0.5, unit="1", meaning="share of the iron of bulge stars that goes to the CGM", source="choice",
        bounds=(0.0, 1.0), allowed=FRACTION,
    )  # fmt: skip

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {f"mwaiting{k}": _AT_START * state.mstar for k in range(1 + len(_TIMES))}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state, formed = galaxy.state, GYR_YR * _formed(galaxy)  # [Msun/Gyr]
        begun, stripped = state.mwaiting0 / _FIRST, _stripped(galaxy)
        left = tuple(getattr(state, f"mwaiting{k}") / time for k, time in enumerate(_TIMES, 1))
        exploding = (
            self.number * sum(share * rate for share, rate in zip(_SHARES, left, strict=True)) / GYR_YR
        )  # [1/yr]
        vented = self.vented * state.mbulge / state.mstar if hasattr(state, "mbulge") else jnp.zeros_like(exploding)
        iron = self.iron * exploding
        rates = {
            "type_ia": FlowRates(metals=(1.0 - vented) * iron, iron=(1.0 - vented) * iron),
            "type_ia_venting": FlowRates(metals=vented * iron, iron=vented * iron),
            "waiting_0": FlowRates(tracked=formed - begun - stripped * state.mwaiting0),
            **{
                f"waiting_{k}": FlowRates(tracked=begun - rate - stripped * getattr(state, f"mwaiting{k}"))
                for k, rate in enumerate(left, 1)
            },
        }
        return ProcessFluxes(rates, {"ia_rate": exploding})
