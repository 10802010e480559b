"""The door for laws and processes that are not of this package, and for laws that look at the galaxy: one evaluation.

A model with such a law is evaluated when it is created, first abstractly: JAX traces it on one galaxy, and no number is
computed.  What a law reads before it is known, or returns in the wrong shape, is then said in one sentence with the
place of the law, instead of a bare error from inside the solver.  A law or process that is not of this package is then
evaluated in three halos, and a warning names the one that returns NaN.
"""

import copy
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ...array_library import is_traced
from ...cosmology import Cosmology
from ...halos import Extras, Halo
from ...messages import did_you_mean
from ...physics import AbstractGalaxyScaling, AbstractScaling, ExpressionLaw, Galaxy
from ...printing import Component
from ..currencies import CURRENCIES
from ..ledger import FlowRates, Ledger
from ..process import AbstractProcess, ProcessFluxes

__all__ = ["check_by_trial", "components_of"]

_PACKAGE = __name__.partition(".")[0]
_ADVICE = "write the law with these, or as a process, which sees every diagnostic"


def check_by_trial(model: Any) -> None:
    """Evaluate a model abstractly, if a law or a process of it asks for that.

    Parameters
    ----------
    model : AbstractGalaxyModel

    Raises
    ------
    ValueError
        A law or a process reads what is not known in its place, or returns something of another shape or with other
        names than it should.

    Warns
    -----
    UserWarning
        A law or a process that is not of this package returns NaN in one of the halos in which it is tried.
    """
    parts = list(components_of(model))[1:]
    # A formula is the user's own, as a class that is not of this package is.
    foreign = any(not _is_ours(part) or isinstance(part, ExpressionLaw) for part in parts)
    if not (foreign or any(isinstance(part, AbstractGalaxyScaling) for part in parts)):
        return
    trial = copy.copy(model)
    for field in trial.__dataclass_fields__:
        law = getattr(model, field)
        if isinstance(law, eqx.Module):
            object.__setattr__(trial, field, _Watched(law, field, model))
    processes = {key: _Watched(process, f"processes[{key!r}]", model) for key, process in model.processes.items()}
    object.__setattr__(trial, "processes", processes)
    jax.eval_shape(lambda: _evaluate(trial, model.ledger, _HALOS[0]))
    if foreign and not is_traced(model):
        _warn_of_nan(trial, model.ledger)


def _warn_of_nan(trial: Any, ledger: Ledger) -> None:
    """Evaluate a model in numbers, up to the first law that returns NaN."""
    for halo in _HALOS:
        try:
            _evaluate(trial, ledger, halo)
        except _ReturnsNaN as error:
            warnings.warn(
                f"{error} in a halo of {halo['mvir']:.0e} Msun at z = {halo['redshift']:g} with v_vir = "
                f"{halo['vvir']:g} km/s; galaxies of such halos will not be solved; return a finite number there (a "
                "square root or a logarithm of a negative number, and 0/0, are NaN)",
                stacklevel=5,
            )
            return


class _ReturnsNaN(Exception):
    """A law or a process returns NaN; the message names it."""


def components_of(component: Any) -> Iterator[eqx.Module]:
    """A component and every component inside it, dictionaries, tuples and lists included."""
    if isinstance(component, Mapping):
        component = tuple(component.values())
    if isinstance(component, tuple | list):
        for member in component:
            yield from components_of(member)
    elif isinstance(component, eqx.Module):
        yield component
        for member in vars(component).values():
            yield from components_of(member)


def _is_ours(component: Any) -> bool:
    return type(component).__module__.partition(".")[0] == _PACKAGE


def _evaluate(trial: Any, ledger: Ledger, numbers: Mapping[str, float]) -> jax.Array:
    cosmology = Cosmology()
    halo = Halo(**{name: jnp.asarray(number) for name, number in numbers.items()}, extras=_AnyExtra())
    state = trial.initial(halo, cosmology)
    ledger.derivative(trial.fluxes(state, trial.forcing(halo, cosmology)).flows)
    return jnp.zeros(())


class _AnyExtra(Extras):
    """Extra curves of a halo by any name: which ones there are depends on the histories, not on the model."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> jax.Array:
        return jnp.ones(())


_HALOS = (
    dict(time=6.0, redshift=1.0, mvir=1e12, rvir=160.0, vvir=160.0, concentration=8.0, growth=100.0, deepening=0.1),
    dict(time=1.0, redshift=6.0, mvir=1e9, rvir=5.0, vvir=30.0, concentration=4.0, growth=3.0, deepening=0.5),
    dict(time=13.8, redshift=0.0, mvir=1e13, rvir=570.0, vvir=270.0, concentration=7.0, growth=300.0, deepening=0.0),
)
"""Halos with plausible numbers."""


class _Watched:
    """A law or process that behaves as itself, and whose errors name its place."""

    def __init__(self, part: Any, field: str, model: Any):
        self._part, self._model, self._name = part, model, type(model).__name__
        self._place = f"{self._name}.{field}"

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._part, name)
        is_data = name in self._part.__dataclass_fields__ or isinstance(member, Component) or not callable(member)
        return member if is_data else self._watch(name, member)

    def __call__(self, *arguments: Any) -> Any:
        return self._watch("__call__", self._part)(*arguments)

    def _watch(self, name: str, method: Callable) -> Callable:
        def watched(*arguments, **keywords):
            galaxy = next((argument for argument in arguments if isinstance(argument, Galaxy)), None)
            try:
                result = method(*arguments, **keywords)
            except (KeyError, AttributeError) as error:
                message = self._unknown(error, galaxy)
                if message is None:
                    raise
                raise ValueError(message) from error
            halos = (argument for argument in arguments if isinstance(argument, Halo))
            self._check(name, result, next(halos, None) if galaxy is None else galaxy.halo)
            return result

        return watched

    def _unknown(self, error: Exception, galaxy: Galaxy | None) -> str | None:
        """The sentence for something that is read and not there; None where the error is of another kind."""
        if galaxy is None:
            return None
        name = error.args[0] if isinstance(error, KeyError) else getattr(error, "name", None)
        if isinstance(error, AttributeError) and getattr(error, "obj", None) is not galaxy.state:
            return None
        known = [*galaxy.quantities, *galaxy.flows, *galaxy.state._fields]
        later = [*self._model.diagnostics, *self._model.ledger.names]
        close = f"{name} is computed later; " if name in later else did_you_mean(name, known)
        flows = f"the flows {', '.join(galaxy.flows)}" if galaxy.flows else "no flow"
        quantities = f"the quantities {', '.join(galaxy.quantities)}" if galaxy.quantities else "no quantity"
        advice = "use one of these" if isinstance(self._part, AbstractProcess) else _ADVICE
        return (
            f"{self._place}: {type(self._part).__name__} reads {name!r}, which {self._name} does not know when it "
            f"evaluates this place; {close}known by then are the state's "
            f"{', '.join(galaxy.state._fields)}, {quantities} and {flows}; {advice}"
        )

    def _check(self, name: str, result: Any, halo: Halo | None) -> None:
        part, kind = self._part, type(self._part).__name__
        if not is_traced(result) and any(np.isnan(leaf).any() for leaf in jax.tree.leaves(result)):
            raise _ReturnsNaN(f"{self._place}: {kind} returns NaN")
        if isinstance(part, AbstractProcess):
            if name == "initial":
                self._is_a(Mapping, name, result, "a dictionary of arrays by field, empty without reservoirs")
                self._same_names("starts", {field for field, _ in part.reservoirs.values()}, result)
            elif name == "own_fluxes":
                self._is_a(ProcessFluxes, name, result, "models.ProcessFluxes(flows, diagnostics)")
                self._same_names("gives rates of", {flow.name for flow in part.flows}, result.flows)
                self._same_names("computes", set(part.diagnostics), result.diagnostics)
                for flow in part.flows:
                    rates = "models.FlowRates(mass, metals, energy) for every flow"
                    self._is_a(FlowRates, name, result.flows[flow.name], rates)
                    carried = {what for what, rate in result.flows[flow.name]._asdict().items() if rate is not None}
                    declared = {what for what in CURRENCIES if getattr(flow, what) is not None}
                    self._same_names(f"lets the flow {flow.name!r} carry", declared, dict.fromkeys(carried))
        elif isinstance(part, AbstractScaling | AbstractGalaxyScaling) and result is not None:
            # A cooling function is asked about all shells of a profile, on an axis that the halo has then as well.
            if jnp.ndim(result) != (0 if halo is None else jnp.ndim(halo.vvir)):
                raise ValueError(
                    f"{self._place}: {kind} returns an array of shape {jnp.shape(result)} for one halo, and a law "
                    "returns one number for it, of shape (); index the result, or make a network with "
                    "out_size='scalar'"
                )

    def _is_a(self, kind: type, method: str, result: Any, allowed: str) -> None:
        if not isinstance(result, kind):
            name, returned = type(self._part).__name__, type(result).__name__
            raise ValueError(f"{self._place}: {method} of {name} returns {returned}, allowed {allowed}")

    def _same_names(self, verb: str, declared: set[str], names: Mapping[str, Any]) -> None:
        if set(names) != declared:
            raise ValueError(
                f"{self._place}: {type(self._part).__name__} {verb} {', '.join(sorted(names)) or 'nothing'}, and "
                f"declares {', '.join(sorted(declared)) or 'nothing'}; make both the same"
            )
