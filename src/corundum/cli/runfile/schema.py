"""The groups of a run file that are settings rather than components, with the type and range of every key.

`GROUPS` lists all groups.  Components (``halos``, ``model``, ``solver``, ``compare_halos``) take the
arguments of what their ``kind`` names; the others are the dataclasses below.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Literal

__all__ = ["GROUPS", "Output", "Compare", "Sensitivity", "Fit", "Mocks", "Forecast"]


def _setting(default: Any, *, bounds: tuple[float, float] | None = None) -> Any:
    return dataclasses.field(default=default, metadata={"corundum": {"bounds": bounds, "unit": "1"}})


@dataclasses.dataclass(frozen=True)
class Output:
    """What a run keeps and draws.

    Attributes
    ----------
    redshifts : tuple of float
        Redshifts at which the whole population is kept.
    trajectories : int
        Number of halos whose whole history is kept, spread evenly over final mass.
    block : int
        Halos between two checkpoints; bounds the memory.  Accelerators want ten thousand or more.
    figures : tuple of str
        File formats of the figures; none if empty.
    """

    redshifts: tuple[float, ...] = _setting((0.0, 1.0, 2.0), bounds=(0.0, 100.0))
    trajectories: int = _setting(6, bounds=(0, 1000))
    block: int = _setting(512, bounds=(1, math.inf))
    figures: tuple[Literal["png", "pdf"], ...] = _setting(("png", "pdf"))


@dataclasses.dataclass(frozen=True)
class Compare:
    """What the population is compared with.

    Attributes
    ----------
    measurements : tuple of str, optional
        Names from ``corundum data list``; by default all that fit the redshifts and quantities kept.
    """

    measurements: tuple[str, ...] | None = _setting(None)


@dataclasses.dataclass(frozen=True)
class Sensitivity:
    """What ``corundum sensitivity`` computes; other commands do not read it.

    Attributes
    ----------
    parameters : tuple of str, optional
        Names as `corundum model show` lists them; by default the loadings and times that Pandya et al. 2026 vary where
        the model has them, otherwise every number of the model.
    redshifts : tuple of float
        Where Jacobians and budgets are taken.
    halos : int
        Halos of the run file to use, spread evenly over final mass.
    times : int
        Cosmic times of the history of one galaxy's eigenmodes.
    sets : int
        Points of the Latin hypercube over the prior; 0 leaves the prior-wide maps out.
    sobol : int
        Base points of the Sobol indices, a power of two; (parameters + 2) solves each, 0 leaves them out.
    block : int
        Parameter sets between two checkpoints.
    key : int
        Of the designs.
    """

    parameters: tuple[str, ...] | None = _setting(None)
    redshifts: tuple[float, ...] = _setting((0.0,), bounds=(0.0, 100.0))
    halos: int = _setting(24, bounds=(1, math.inf))
    times: int = _setting(48, bounds=(2, 1000))
    sets: int = _setting(128, bounds=(0, math.inf))
    sobol: int = _setting(0, bounds=(0, math.inf))
    block: int = _setting(8, bounds=(1, math.inf))
    key: int = _setting(0, bounds=(0, math.inf))


@dataclasses.dataclass(frozen=True)
class Fit:
    """What ``corundum fit``, ``corundum mocks`` and ``corundum forecast`` infer from which data.

    Attributes
    ----------
    data : tuple of str
        Measurements, from ``corundum data list`` or paths of files.
    combinations : tuple of tuples of str
        Subsets of `data` to fit one after the other; by default all at once.
    free : tuple of str, optional
        Numbers to infer; by default those that Pandya et al. 2026 vary.
    redshifts : tuple of float
        Where the model is compared with each measurement: the nearest of these; by default each one's own.
    covariance : str
        ``"full"``, or ``"diagonal"`` to take points as independent.
    published_kernel : bool
        Regress as published, by kernel means with 0.2 dex, instead of local lines with each measurement's own kernel.
    likelihood : str
        ``"gaussian"`` or ``"student"``.
    degrees : float
        Of freedom of ``"student"``.
    monte_carlo_error : float
        How much of the error that so many independent halos would make counts: 0.5 if they were chosen from candidates.
    method : str
        ``"nuts"``, ``"hmc"`` (trajectories of one length), ``"ensemble"`` or ``"laplace"``.
    starts : int
        Of the optimiser.
    chains, warmup, draws : int
        Of ``"nuts"`` and ``"hmc"``; of ``"ensemble"`` walkers are four times the number of parameters.
    target_accept : float
        Of ``"nuts"`` and ``"hmc"``.
    trajectory : float
        Length of trajectories of ``"hmc"``, in standard deviations.
    predictive : int
        Draws used for predictive checks.
    indices : int
        Draws used for the feedback indices; 0 leaves them out.
    check : tuple of str
        Measurements that are not fitted, to predict.
    key : int
    priors : mapping
        By parameter: ``[low, high]``, or ``{kind = "Normal", loc = 0.0, scale = 0.1}`` with any scalar distribution of
        numpyro.  Default uniform over the declared range.
    """

    data: tuple[str, ...]
    combinations: tuple[tuple[str, ...], ...] | None = _setting(None)
    free: tuple[str, ...] | None = _setting(None)
    redshifts: tuple[float, ...] | None = _setting(None)
    covariance: Literal["full", "diagonal"] = _setting("full")
    published_kernel: bool = _setting(False)
    likelihood: Literal["gaussian", "student"] = _setting("gaussian")
    degrees: float = _setting(4.0, bounds=(0.1, 1000.0))
    monte_carlo_error: float = _setting(1.0, bounds=(0.0, 10.0))
    method: Literal["nuts", "hmc", "ensemble", "laplace"] = _setting("nuts")
    starts: int = _setting(8, bounds=(1, 1000))
    chains: int = _setting(4, bounds=(1, 1000))
    warmup: int = _setting(200, bounds=(1, math.inf))
    draws: int = _setting(400, bounds=(4, math.inf))
    target_accept: float = _setting(0.85, bounds=(0.5, 0.999))
    trajectory: float = _setting(2.0, bounds=(0.1, 100.0))
    predictive: int = _setting(160, bounds=(16, math.inf))
    indices: int = _setting(24, bounds=(0, 1000))
    check: tuple[str, ...] = _setting(())
    key: int = _setting(0, bounds=(0, math.inf))
    priors: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Mocks:
    """What ``corundum mocks`` does with the data and parameters of [fit].

    Attributes
    ----------
    number : int
    method : str
        ``"laplace"``, ``"nuts"`` or ``"hmc"``.
    noise : bool
    independent_halos : bool
        Whether truths are evolved in halos of their own; together with ``noise = false``, false is the published test.
    truth_halos : int
        How many of them.
    samples : int
        Samples of halos for the fits, of the number that the run file says, taken in turn by blocks; 1 is the sample of
        the run file for all, whose error all mocks then share.
    block : int
        Mocks between two checkpoints.
    starts, chains, warmup, draws : int
    key : int
    """

    number: int = _setting(100, bounds=(1, math.inf))
    method: Literal["laplace", "nuts", "hmc"] = _setting("laplace")
    noise: bool = _setting(True)
    independent_halos: bool = _setting(True)
    truth_halos: int = _setting(400, bounds=(1, math.inf))
    samples: int = _setting(8, bounds=(1, 1000))
    block: int = _setting(8, bounds=(1, 1000))
    starts: int = _setting(3, bounds=(1, 1000))
    chains: int = _setting(2, bounds=(1, 1000))
    warmup: int = _setting(100, bounds=(1, math.inf))
    draws: int = _setting(200, bounds=(4, math.inf))
    key: int = _setting(0, bounds=(0, math.inf))


@dataclasses.dataclass(frozen=True)
class Forecast:
    """What ``corundum forecast`` does with the data and parameters of [fit].

    Attributes
    ----------
    factors : tuple of float
        Scales of all errors.
    sample : bool
        Whether those are sampled as well.
    method : str
        How: ``"nuts"`` or ``"hmc"``.
    add : tuple of str
        Measurements to add one at a time.
    shift : float
        By how much each relation is off in turn [dex]; 0 leaves these out.
    chains, warmup, draws : int
    key : int
    """

    factors: tuple[float, ...] = _setting((1.0, 0.5, 0.1), bounds=(1e-3, 1e3))
    sample: bool = _setting(True)
    method: Literal["nuts", "hmc"] = _setting("nuts")
    add: tuple[str, ...] = _setting(())
    shift: float = _setting(0.1, bounds=(-1.0, 1.0))
    chains: int = _setting(4, bounds=(1, 1000))
    warmup: int = _setting(150, bounds=(1, math.inf))
    draws: int = _setting(200, bounds=(4, math.inf))
    key: int = _setting(0, bounds=(0, math.inf))


GROUPS = ("halos", "model", "solver", "output", "compare", "compare_halos", "sensitivity", "fit", "mocks", "forecast")
"""Names of all groups, in the order in which a resolved run file has them."""
