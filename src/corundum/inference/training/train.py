"""Training a model on data: many small steps along exact gradients, with halos and data kept apart to judge them.

The loss is minus the log posterior density of every other fit of this family, over the number of data points.  Each
step may use some of the halos, chosen by the seed and the number of the step alone, so that a training that was killed
resumes and takes the same steps bit for bit.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ...arguments import instance, strategy, whole_number
from ...parameters import replace
from ...printing import in_short
from ...sensitivity.parameter_space import COSMOLOGY
from ...storage.checkpoints import Checkpoint, fingerprints
from ..nuisances import is_nuisance
from ..reach import MAX_FAILED
from .any_objective import as_objective
from .histories import HistoryObjective
from .objectives import PopulationObjective
from .plan import plan_training
from .rules import AbstractTrainingRule, AdamRule
from .steps import Learned, StepState, first_state, loss_of, step, theta_of, with_weights
from .trained import Trained
from .watch import check_data, galaxies_not_solved, warn_of_idle_networks
from .weights import number_of_weights, other_start, split_weights

__all__ = ["TrainingProgress", "train"]

_PATIENCE_TO_FAIL = 12  # failed steps in a row after which a seed ends
_SECONDS = 60.0  # between two checkpoints


class TrainingProgress(NamedTuple):
    """How far a training is, for a progress bar.

    Attributes
    ----------
    seed, seeds : int
    step, steps : int
        Of this seed.
    loss, validation : float
        The last ones.

    Examples
    --------
    >>> progress = co.inference.TrainingProgress(0, 2, 10, 300, 1.3, 1.5)
    >>> f"{progress.step} of {progress.steps}"
    '10 of 300'
    """

    seed: int
    seeds: int
    step: int
    steps: int
    loss: float
    validation: float

    def __repr__(self) -> str:
        return in_short(self)

    def in_words(self) -> str:
        """The last losses, and the seed where there are several.

        Examples
        --------
        >>> co.inference.TrainingProgress(1, 2, 10, 300, 1.3, 1.5).in_words()
        'seed 2 of 2, loss 1.3, validation 1.5'
        """
        seed = [f"seed {self.seed + 1} of {self.seeds}"] if self.seeds > 1 else []
        return ", ".join([*seed, f"loss {self.loss:.3g}", f"validation {self.validation:.3g}"])


class _Course(NamedTuple):
    """One seed under way: everything that a checkpoint holds."""

    state: StepState
    best: Learned
    best_validation: np.ndarray  # ()
    best_step: np.ndarray  # ()
    losses: np.ndarray  # (steps,)
    validation: np.ndarray  # (checks,)
    done: np.ndarray  # (), steps
    failed: np.ndarray  # (), steps in a row


def train(
    target: Any,
    *,
    steps: int = 300,
    batch: int | None = None,
    data_batch: int | None = None,
    seeds: int = 1,
    validation: float = 0.25,
    held_out: Sequence[str] = (),
    rule: AbstractTrainingRule | None = None,
    weight_scale: float = 1.0,
    every: int = 10,
    patience: int | None = None,
    key: int = 0,
    store: Checkpoint | None = None,
    progress: Callable[[TrainingProgress], None] | None = None,
) -> Trained:
    """Train the networks of a model, and its free parameters with them.

    Parameters
    ----------
    target : Target or AbstractObjective
        Data, model, halos and free parameters.
    steps : int
        Steps of each seed.
    batch : int, optional
        Halos of each step; by default all that are not kept for validation.
    data_batch : int, optional
        Parts of the data of each step, whose ln density counts for all of them; by default all.  A part is a
        measurement, with those that a covariance joins to it, or a quantity at a redshift of histories.
    seeds : int
        Trainings from different random weights; the first one starts from the weights of the model as it is.
    validation : float
        Share of the halos that no step sees; with 0 all halos are seen, and the loss is judged on them.
    held_out : sequence of str
        Measurements of a target that no step sees, and that judge the model as well.
    rule : AbstractTrainingRule, optional
        Default `AdamRule()`.
    weight_scale : float
        Standard deviation of the normal prior of every weight: a smaller one holds the laws nearer to their bases.
    every : int
        Steps between two looks at validation.
    patience : int, optional
        Looks without a lower validation loss after which a seed ends; by default it takes all steps.
    key : int
        Seed of all random choices.
    store : Checkpoint, optional
        Written at least every minute; a training with the same arguments resumes from it.
    progress : callable, optional
        Called as ``progress(TrainingProgress)`` after every step.

    Returns
    -------
    Trained

    Raises
    ------
    ValueError
        There is nothing to train, a number is out of range, the model fails on these halos before training or reaches
        none of the points of a measurement, or a checkpoint belongs to another training or is damaged.

    Warns
    -----
    UserWarning
        Nothing that is compared depends on a network.

    Examples
    --------
    >>> trained = co.inference.train(objective, steps=2, batch=3)
    >>> trained.losses.shape
    (1, 2)
    """
    objective, seeds = as_objective(target), whole_number("seeds", seeds)
    rule = strategy("rule", rule, AdamRule())
    if store is not None:
        instance("store", store, Checkpoint, expected='a checkpoint, such as io.Checkpoint("training.npz")')
    if progress is not None and not callable(progress):
        raise TypeError(f"progress: got a {type(progress).__name__}; give a function that takes a TrainingProgress")
    plan = plan_training(
        objective, steps, batch, data_batch, validation, held_out, rule, weight_scale, every, patience, key
    )
    identity = fingerprints({
        "data, model or halos": (plan.training, plan.judges),
        "settings": (plan[2:], seeds),
    })  # fmt: skip
    check_data(objective)
    courses = [_first_course(plan, seed) for seed in range(seeds)]
    if store is not None and (kept := store.load(identity)) is not None:
        courses = _restored(courses, kept)
    saver = _Saver(store, identity)
    for seed in range(seeds):

        def after_step(course: _Course, seed: int = seed) -> None:
            courses[seed] = course
            saver.save_when_due(courses)
            if progress is not None:
                done = int(course.done)
                looks = course.validation[~np.isnan(course.validation)]
                progress(TrainingProgress(seed, seeds, done, plan.steps, float(course.losses[done - 1]),
                                          float(looks[-1]) if len(looks) else np.nan))  # fmt: skip

        courses[seed] = _run(plan, courses[seed], seed, after_step)
        saver.save(courses)
    return _trained(plan, objective, courses)


def _array(number):
    return np.asarray(number, float)


def _first_course(plan, seed):
    weights = split_weights(plan.training.model())[0]
    if seed:
        weights = other_start(weights, np.random.default_rng([plan.key, 1, seed]))
    state = jax.device_get(first_state(plan.training, plan.rule, weights))
    nothing = np.full(len(plan.checks), np.nan)
    return _Course(state, state.learned, np.array(np.inf), np.array(0), np.full(plan.steps, np.nan), nothing,
                   np.array(0), np.array(0))  # fmt: skip


def _run(plan, course, seed, after_step):
    """All steps of one seed that are left."""
    while True:
        course = _looked(plan, course)
        if _ending(plan, course):
            return course
        course = _stepped(plan, course, seed)
        after_step(course)


def _stepped(plan, course, seed):
    number, objective = int(course.done), plan.training
    if plan.batch < len(objective.halos()):
        generator = np.random.default_rng([plan.key, 2, seed, number])
        rows = np.sort(generator.choice(len(objective.halos()), plan.batch, replace=False))
        objective = objective.chosen(rows)
    points = objective.points()
    if plan.data_batch < len(plan.blocks):
        generator = np.random.default_rng([plan.key, 3, seed, number])
        rows = np.sort(generator.choice(len(plan.blocks), plan.data_batch, replace=False))
        objective = objective.of_blocks([plan.blocks[row] for row in rows])
        # Every part is drawn as often as any other: this divisor makes the loss that of all data on average.
        points = points * plan.data_batch / len(plan.blocks)
    numbers = (plan.rule.rate(number / plan.steps), plan.weight_scale, points, plan.training.points())
    # On the host between steps, or the placement of the results on devices would compile the step a second time.
    state, loss, finite = jax.device_get(step(plan.rule, *map(_array, numbers), course.state, objective))
    if number == 0 and seed == 0 and finite and numbers[0] > 0.0:
        warn_of_idle_networks(course.state.learned.weights, state.learned.weights)
    losses = course.losses.copy()
    losses[number] = loss
    failed = np.array(0 if finite else int(course.failed) + 1)
    return course._replace(state=state, losses=losses, done=np.array(number + 1), failed=failed)


def _looked(plan, course):
    """The same with the validation loss, where this is the time to look at it."""
    (at,) = np.flatnonzero(plan.checks == int(course.done)) if int(course.done) in plan.checks else (None,)
    if at is None or not np.isnan(course.validation[at]):
        return course
    loss = float(np.mean([loss_of(course.state.learned, _array(judge.points()), judge) for judge in plan.judges]))
    loss = loss if np.isfinite(loss) else np.inf
    if at == 0 and loss == np.inf:
        raise ValueError(
            f"train: before training the model fails in more than {MAX_FAILED:.0%} of the halos kept for validation, "
            "or reaches none of the data there; check its parameters, give more halos, or a solver with more max_steps"
        )
    validation = course.validation.copy()
    validation[at] = loss
    course = course._replace(validation=validation)
    if loss < course.best_validation:
        return course._replace(
            best=course.state.learned, best_validation=np.array(loss), best_step=np.array(int(course.done))
        )
    return course


def _ending(plan, course):
    """Why a seed ends here, in words that follow its name; empty where it goes on."""
    if course.failed >= _PATIENCE_TO_FAIL:
        return (
            f"stopped at step {int(course.done)}, because the loss was not finite in {_PATIENCE_TO_FAIL} steps in a "
            "row, each with half of the rate; give a smaller rate, or a smaller weight_scale"
        )
    looks = np.flatnonzero(~np.isnan(course.validation))
    if len(looks) and len(looks) - 1 - np.argmin(course.validation[looks]) >= plan.patience:
        return f"stopped at step {int(course.done)}, after {plan.patience} looks without a lower validation loss"
    return f"took all {plan.steps} steps" if int(course.done) >= plan.steps else ""


def _trained(plan, objective, courses):
    models, thetas, endings = [], [], []
    for course in courses:
        models.append(_model_of(objective, course.best))
        thetas.append(np.asarray(theta_of(objective, course.best.u)))
        where = ""
        if course.failed >= _PATIENCE_TO_FAIL and isinstance(objective, PopulationObjective | HistoryObjective):
            where = f"; {galaxies_not_solved(_model_of(objective, course.state.learned), objective.halos())}"
        endings.append(_ending(plan, course) + where)
    return Trained(
        names=tuple(free.name for free in objective.free), theta=np.array(thetas), models=tuple(models),
        losses=np.array([course.losses for course in courses]), checked=plan.checks,
        validation=np.array([course.validation for course in courses]),
        best_step=np.array([int(course.best_step) for course in courses]),
        endings=tuple(endings), weights=number_of_weights(objective.model()),
    )  # fmt: skip


def _model_of(objective, learned):
    """The model with these weights and free parameters."""
    theta = theta_of(objective, learned.u)
    values = {free.name: float(free.value(theta[i])) for i, free in enumerate(objective.free)}
    physical = {n: value for n, value in values.items() if not (is_nuisance(n) or n.startswith(COSMOLOGY))}
    model = with_weights(objective, jax.tree.map(jnp.asarray, learned))
    return replace(model, physical) if physical else model


class _Saver:
    """Writes all courses to the store, at most once a minute unless told that something has ended."""

    def __init__(self, store: Checkpoint | None, identity: dict[str, str]):
        self.store, self.identity, self.last = store, identity, time.monotonic()

    def save_when_due(self, courses: list[_Course]) -> None:
        """Save if the last time is long ago."""
        if time.monotonic() - self.last >= _SECONDS:
            self.save(courses)

    def save(self, courses: list[_Course]) -> None:
        """Save now."""
        if self.store is not None:
            leaves = jax.tree.leaves(courses)
            self.store.save({f"leaf-{i:05d}": np.asarray(leaf) for i, leaf in enumerate(leaves)}, self.identity)
        self.last = time.monotonic()


def _restored(courses, kept):
    structure = jax.tree.structure(courses)
    arrays = [kept[f"leaf-{i:05d}"] for i in range(structure.num_leaves)]
    return jax.tree.unflatten(structure, arrays)
