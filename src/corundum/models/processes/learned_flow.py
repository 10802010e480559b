"""A flow that no law of the model has, learned from data: gas that moves between two reservoirs at a bounded rate."""

from typing import Any, ClassVar

import equinox as eqx
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...array_library import is_traced
from ...cosmology import Cosmology
from ...halos import Halo
from ...parameters import FRACTION, parameter
from ...physics import AbstractDeparture, Galaxy, LogitLink, neural_departure
from ...physics.learned.features import as_features
from ...units import GYR_S, GYR_YR
from ..ledger import Flow, FlowRates
from ..process import AbstractProcess, ProcessFluxes

__all__ = ["LearnedFlow"]

_CARRIED = ("mass", "metals", "energy")
_OUTSIDE = "igm"
_FIELDS = {"stars": "star"}  # in all other fields the reservoir has its own name: mism, mzism
_HELD = ("cgm", _OUTSIDE)  # where gas has energy that goes with it


class LearnedFlow(AbstractProcess):
    """Gas that leaves one reservoir for another in a time that depends on the galaxy.

    The rate is ``share * content / time``, where the share lies between 0 and 1: its odds are those of the number
    ``share`` times 10^departure(features).  A small share and a departure of zero are where learning starts.  The flow
    takes metals, and energy where it has any, in proportion to mass; what enters a reservoir that keeps no energy has
    radiated it.  Gas from outside (``"igm"``) is that of a halo with all its baryons; it brings the metallicity of
    other inflow, and the energy per mass that binds the CGM.  Several learned flows need names.

    Parameters
    ----------
    leaves, enters : str
        Reservoirs of the model, such as ``"ism"`` and ``"cgm"``, or ``"igm"`` for outside the halo.
    features : sequence of Feature or str
        As for `physics.LearnedLaw`; every diagnostic of the model is known.
    departure : AbstractDeparture, optional
        Default ``physics.neural_departure(features)``.
    share : float
        Of the content that flows in `time`, where the departure is zero.
    time : float
        The shortest time in which a reservoir can be emptied [Gyr].
    baryon_fraction : float
        Baryons per mass of the halo, for gas from outside.
    carries : sequence of str
        What the flow takes: those of mass, metals and energy that the model follows; default all.
    name : str
        Of the flow; default ``"<leaves>_to_<enters>"``.

    Raises
    ------
    ValueError
        Both ends are the same or both outside, a currency is unknown, the time is zero, or the features do not fit the
        departure.  A model refuses a reservoir or a currency that it does not have.

    Examples
    --------
    >>> flow = co.models.LearnedFlow("cgm", "igm", ["log_vvir", "log_temperature"], share=0.02)
    >>> model = co.models.ThermalCGM(processes={"unseen": flow})
    >>> model.ledger.names[-1], model.ledger.flows[-1].energy
    ('cgm_to_igm', ('cgm', 'igm'))
    """

    reservoirs: ClassVar[dict] = {}

    leaves: str = eqx.field(static=True)
    enters: str = eqx.field(static=True)
    features: tuple[Any, ...] = eqx.field(converter=as_features)
    departure: AbstractDeparture | None = None
    share: Float[Array, ""] = parameter(
        0.01,
        unit="1",
        meaning="share of the content that flows per time where nothing is learned",
        source="choice",
        bounds=(0.0, 1.0),
        allowed=FRACTION,
    )
    time: Float[Array, ""] = parameter(
        1.0,
        unit="Gyr",
        meaning="shortest time in which the reservoir can be emptied",
        source="choice",
        bounds=(0.1, 20.0),
        scale="log10",
    )
    baryon_fraction: Float[Array, ""] = parameter(
        0.158,
        unit="1",
        meaning="baryons per halo mass, for gas from outside",
        source="Planck 2015 XIII",
        bounds=(0.1, 0.25),
        allowed=FRACTION,
    )
    carries: tuple[str, ...] = eqx.field(static=True, converter=tuple, default=_CARRIED)
    name: str = eqx.field(static=True, default="")

    def __post_init__(self):
        if self.departure is None:
            self.departure = neural_departure(self.features)

    def __check_init__(self):
        if not is_traced(self.time) and not np.all(np.asarray(self.time) > 0.0):
            raise ValueError(
                "time: got 0; no reservoir is emptied at once, give the shortest time in which it can be, above 0 [Gyr]"
            )
        if self.leaves == self.enters:
            raise ValueError(f"LearnedFlow: got {self.leaves!r} at both ends; give two different reservoirs")
        unknown = [currency for currency in self.carries if currency not in _CARRIED]
        if unknown or "mass" not in self.carries:
            raise ValueError(
                f"carries: got {', '.join(self.carries) or 'nothing'}; give mass, or mass with metals, energy or both"
            )
        takes = getattr(self.departure, "inputs", len(self.features))
        if takes != len(self.features):
            raise ValueError(
                f"features: got {len(self.features)}, and the departure is a function of {takes}; give as many "
                "features as it has inputs"
            )

    @property
    def flows(self) -> tuple[Flow, ...]:  # type: ignore[override]
        """The flow, which takes what `carries` names and its source has."""
        ends = (self.leaves, self.enters)
        metals = ends if "metals" in self.carries else None
        energy = (self.leaves, self.enters if self.enters in _HELD else "radiated") if self._has_energy else None
        name = self.name or f"{self.leaves}_to_{self.enters}"
        return (Flow(name, f"learned flow from {self.leaves} to {self.enters}", ends, metals, energy),)

    @property
    def reads(self) -> tuple[str, ...]:  # type: ignore[override]
        """What it looks at in the model."""
        if self.leaves != _OUTSIDE:
            return ()
        reads = {"metals": "inflow_metallicity", "energy": "binding_energy"}
        return tuple(quantity for currency, quantity in reads.items() if currency in self.carries)

    @property
    def _has_energy(self) -> bool:
        """Energy goes with gas that has any, if some reservoir of the model loses or gains it."""
        return "energy" in self.carries and (self.leaves == "cgm" or (self.leaves, self.enters) == (_OUTSIDE, "cgm"))

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        departure: Any = self.departure
        values = (feature(galaxy.halo, galaxy) for feature in self.features)
        per_gyr = LogitLink()(self.share, departure(*values)) / self.time
        mass, metals, energy = (self._content(currency, galaxy) for currency in _CARRIED)
        (flow,) = self.flows
        rates = FlowRates(
            per_gyr * mass / GYR_YR,
            None if metals is None else per_gyr * metals / GYR_YR,
            None if energy is None else per_gyr * energy / GYR_S,
        )
        return ProcessFluxes({flow.name: rates}, {})

    def _content(self, currency: str, galaxy: Galaxy) -> Any:
        """What is there to leave [Msun, erg]; None where the flow carries nothing of it."""
        (flow,) = self.flows
        if getattr(flow, currency) is None:
            return None
        state = galaxy.state
        if self.leaves == _OUTSIDE:
            mass = self.baryon_fraction * galaxy.halo.mvir
            if currency == "mass":
                return mass
            known = galaxy.quantities
            return mass * (
                known["inflow_metallicity"] if currency == "metals" else known["binding_energy"] / state.mcgm
            )
        if currency == "energy":
            return state.eth if hasattr(state, "eth") else state.ecgm
        return getattr(state, ("m" if currency == "mass" else "mz") + _FIELDS.get(self.leaves, self.leaves))
