"""The groups [fit], [mocks], [forecast], [train] and [calibrate]: what is inferred from which data, and how.

Methods are components, named by their kind as everywhere in a run file: samplers, optimisers, likelihoods,
regressions.  Only the commands that infer import this module, because their packages take seconds to load.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Literal

from ...halos import HaloHistories
from ...inference import (
    NUTS,
    AbstractLikelihood,
    AbstractMockFit,
    AbstractOptimiser,
    AbstractSampler,
    AbstractTrainingRule,
    AdamRule,
    FitLaplace,
    Gaussian,
    GaussNewton,
    ScatterLikelihood,
    SurrogateHMC,
)
from ...observables import AbstractRegression, Measurement
from .schema import setting

__all__ = ["Calibrate", "Fit", "Forecast", "Mocks", "Train"]


@dataclasses.dataclass(frozen=True)
class Fit:
    """What ``corundum fit``, ``corundum mocks`` and ``corundum forecast`` infer from which data.

    Attributes
    ----------
    data : tuple of str or Measurement
        Measurements: names of ``corundum data list``, paths of files, or tables with a ``kind`` that make one.
    combinations : tuple of tuples of str
        Subsets of `data` to fit one after the other; by default all at once.
    free : tuple of str, optional
        Numbers to infer; by default those that Pandya et al. 2026 vary.
    redshifts : tuple of float
        Where the model is compared with each measurement: the nearest of these; by default each one's own.
    covariance : str
        ``"full"``, or ``"diagonal"`` to take points as independent.
    monte_carlo_error : float
        How much of the error that so many independent halos would make counts: 0.5 for halos chosen from candidates.
    likelihood : AbstractLikelihood
        How data are weighed against predictions.
    scatter : ScatterLikelihood, optional
        Also compare the spread of galaxies; by default not.
    regression : AbstractRegression, optional
        How relations of galaxies are estimated at the points of the data; by default by local lines with the kernel of
        each measurement.
    optimiser : AbstractOptimiser
        What finds the mode.
    starts : int
        Number of points that the optimiser starts from.
    sampler : AbstractSampler
        What draws from the posterior.
    sample : bool
        False leaves the sampler out: the Gaussian about the mode then stands for the posterior.
    predictive : int
        Draws used for predictive checks.
    indices : int
        Draws used for the feedback indices; 0 leaves them out.
    check : tuple of str or Measurement
        Measurements to predict that are not fitted.
    key : int
        Random key of starts and chains.
    many_halos : HaloHistories, optional
        Halos, thousands of them, to whose predictions those of [halos] are corrected; ``corundum fit`` alone does so.
    many_halos_points : int
        Points about the posterior at which both are solved.
    many_halos_error : float
        As `monte_carlo_error`, of `many_halos`.
    priors : mapping
        By parameter: ``[low, high]``, in decades for amplitudes; ``{low = 0.01, high = 1.0, scale = "linear"}`` for
        plain numbers; or ``{kind = "Normal", loc = 0.0, scale = 0.1}`` with any scalar distribution of numpyro.  By
        default uniform over the declared range.
    """

    data: tuple[str | Measurement, ...]
    combinations: tuple[tuple[str, ...], ...] | None = setting(None)
    free: tuple[str, ...] | None = setting(None)
    redshifts: tuple[float, ...] | None = setting(None)
    covariance: Literal["full", "diagonal"] = setting("full")
    monte_carlo_error: float = setting(1.0, bounds=(0.0, 10.0))
    starts: int = setting(8, bounds=(1, 1000))
    sample: bool = setting(True)
    predictive: int = setting(160, bounds=(16, math.inf))
    indices: int = setting(24, bounds=(0, 1000))
    check: tuple[str | Measurement, ...] = setting(())
    key: int = setting(0, bounds=(0, math.inf))
    many_halos_points: int = setting(400, bounds=(8, 100_000))
    many_halos_error: float = setting(1.0, bounds=(0.0, 10.0))
    many_halos: HaloHistories | None = None
    likelihood: AbstractLikelihood = Gaussian()
    scatter: ScatterLikelihood | None = None
    regression: AbstractRegression | None = None
    optimiser: AbstractOptimiser = GaussNewton()
    sampler: AbstractSampler = SurrogateHMC()
    priors: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Mocks:
    """What ``corundum mocks`` does with the data and parameters of [fit].

    Attributes
    ----------
    number : int
        How many mocks.
    noise : bool
        Whether data get noise from their covariance.
    independent_halos : bool
        Whether truths are evolved in halos of their own; together with ``noise = false``, false is the published test.
    truth_halos : int
        How many of them.
    samples : int
        Samples of halos for the fits, each as large as that of the run file, taken in turn by blocks.  With 1 all mocks
        are fitted on the sample of the run file and share its error.
    block : int
        Mocks between two checkpoints.
    key : int
        Random key of truths, noise and chains.
    fit : AbstractMockFit
        How each mock is fitted: ``inference.FitLaplace``, or ``inference.FitSampler`` with a sampler.
    """

    number: int = setting(100, bounds=(1, math.inf))
    noise: bool = setting(True)
    independent_halos: bool = setting(True)
    truth_halos: int = setting(400, bounds=(1, math.inf))
    samples: int = setting(8, bounds=(1, 1000))
    block: int = setting(8, bounds=(1, 1000))
    key: int = setting(0, bounds=(0, math.inf))
    fit: AbstractMockFit = FitLaplace()


@dataclasses.dataclass(frozen=True)
class Forecast:
    """What ``corundum forecast`` does with the data and parameters of [fit].

    Attributes
    ----------
    factors : tuple of float
        Scales of all errors.
    sample : bool
        Whether those are sampled as well.
    add : tuple of str or Measurement
        Measurements to add one at a time.
    shift : float
        By how much each relation is off in turn [dex]; 0 leaves these out.
    key : int
        Random key of the chains.
    sampler : AbstractSampler
        What draws from the posteriors.
    """

    factors: tuple[float, ...] = setting((1.0, 0.5, 0.1), bounds=(1e-3, 1e3))
    sample: bool = setting(True)
    add: tuple[str | Measurement, ...] = setting(())
    shift: float = setting(0.1, bounds=(-1.0, 1.0))
    key: int = setting(0, bounds=(0, math.inf))
    sampler: AbstractSampler = NUTS(warmup=150, draws=200)


@dataclasses.dataclass(frozen=True)
class Train:
    """How ``corundum train`` fits the networks of the model, and parameters with them, to the data of [fit].

    Attributes
    ----------
    histories : str, optional
        A table of galaxies through time (docs/reference/training.md) in the place of [fit].
    errors : mapping of str to float
        Standard deviations [dex] of quantities of that table; by default those that it states.
    free : tuple of str
        Numbers of the model to train with the weights on that table.
    steps : int
        Steps of each seed.
    batch : int, optional
        Halos of each step; by default all that are not kept for validation.
    data_batch : int, optional
        Parts of the data of each step (measurements, or quantities at a redshift); by default all.
    seeds : int
        Trainings from different random weights.
    validation : float
        Share of the halos that no step sees.
    held_out : tuple of str
        Measurements among the data that no step sees, and that judge the model as well.
    weight_scale : float
        Standard deviation of the prior of every weight: a smaller one holds laws nearer to their bases.
    every : int
        Steps between two looks at validation.
    patience : int, optional
        Looks without a lower validation loss after which a seed ends; by default it takes all steps.
    key : int
        Random key of weights, batches and validation halos.
    posterior : bool
        Whether to work out how well data determine the weights of the best seed, and draw its laws with their bands.
    rule : AbstractTrainingRule
        How steps follow from gradients.
    """

    histories: str | None = setting(None)
    free: tuple[str, ...] = setting(())
    steps: int = setting(300, bounds=(1, math.inf))
    batch: int | None = setting(None, bounds=(1, math.inf))
    data_batch: int | None = setting(None, bounds=(1, math.inf))
    seeds: int = setting(1, bounds=(1, 1000))
    validation: float = setting(0.25, bounds=(0.0, 0.99))
    held_out: tuple[str, ...] = setting(())
    weight_scale: float = setting(1.0, bounds=(1e-6, 1e6))
    posterior: bool = setting(True)
    every: int = setting(10, bounds=(1, math.inf))
    patience: int | None = setting(None, bounds=(1, math.inf))
    key: int = setting(0, bounds=(0, math.inf))
    rule: AbstractTrainingRule = AdamRule()
    errors: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Calibrate:
    """What ``corundum calibrate`` does.

    Attributes
    ----------
    free : tuple of str
        Numbers to find.
    survey : str
        Measurements at several redshifts: the name of a survey, or the path of its file.
    ties : mapping
        Numbers that follow a free one, by name.
    starts : int
        Points spread over the prior, of which the best is where the steps begin; 1 begins at the model as it is.
    key : int
        Random key of these points.
    rounds : int
        At most how often all slopes are taken anew.
    difference : float
        By which numbers are moved for their slopes, at most, in standard deviations of the prior.
    damping : float
        That of the first step, in units of the information of each number.
    count_widths : tuple of float
        Stages before the last, each with counts as soft as this [dex].
    slope_thinning : int
        Slopes and starts are evaluated in every so many-th halo, steps in all of them.
    priors : mapping
        As in [fit].
    """

    free: tuple[str, ...]
    survey: str = setting("reference")
    starts: int = setting(1, bounds=(1, 10_000))
    key: int = setting(0, bounds=(0, math.inf))
    rounds: int = setting(4, bounds=(1, 100))
    difference: float = setting(0.15, bounds=(1e-3, 1.0))
    damping: float = setting(1.0, bounds=(1e-6, 1e4))
    count_widths: tuple[float, ...] = ()
    slope_thinning: int = setting(1, bounds=(1, 100))
    ties: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    priors: Mapping[str, Any] = dataclasses.field(default_factory=dict)
