"""Named physical parameters: functions to list, read and change them; `corundum.declarations` says how to declare them.

A physical number of a law or a model is declared with `parameter`, which stores it as a float64 array (so that a new
value never recompiles anything) together with its unit, meaning, source, range and natural scale.  `describe` lists
the parameters of any object by dotted name, `get_values` reads some of them, `replace` returns a changed copy.
Components may hold other arrays and functions, such as the weights and activations of a network; these are no
parameters and have no names here.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array

from .arguments import in_words
from .declarations import (
    ANY_NUMBER,
    FRACTION,
    NOT_NEGATIVE,
    Parameter,
    checked_float64,
    named_parameters,
    parameter,
    require_double_precision,
)
from .messages import did_you_mean, warn_user

__all__ = [
    "FRACTION",
    "NOT_NEGATIVE",
    "Parameter",
    "parameter",
    "named_parameters",
    "describe",
    "get_values",
    "replace",
    "set_values",
    "require_float64",
    "warn_outside_bounds",
]

_ROUND_OFF = 1e-9  # relative; a number that went through a logarithm lies on its bound


_SINGLE = (np.dtype(np.float32), np.dtype(np.float16))


def require_float64(*objects: Any) -> None:
    """Check that JAX computes, and in double precision, which every solve needs.

    Parameters
    ----------
    *objects : model, HaloHistories, ...
        What is computed with; their parameters have to be in double precision too.  They are not where a process has
        received them from another one before it was configured.

    Raises
    ------
    RuntimeError
        JAX cannot start or computes in single precision, or a parameter is in single precision.

    Examples
    --------
    >>> require_float64()  # after co.configure()
    """
    require_double_precision()
    for tree in objects:
        for name, known in _parameters(tree):
            if getattr(known.value, "dtype", None) in _SINGLE:
                raise RuntimeError(
                    f"{type(tree).__name__}: {name} is in single precision, since this process made or received it "
                    "before it was configured; call corundum.configure() first in each process, for instance as "
                    "ProcessPoolExecutor(initializer=corundum.configure)"
                )


def describe(tree: Any, prefix: str = "") -> dict[str, Parameter]:
    """All parameters of an object by dotted name, in the order in which they are declared.

    Parameters
    ----------
    tree : any object
        A law, a model, or a mapping or sequence of them; the entries of a sequence are named by their position.
    prefix : str
        Put before every name.

    Returns
    -------
    dict of str to Parameter

    Raises
    ------
    TypeError
        It is a class instead of an object.

    Examples
    --------
    >>> list(co.describe(co.physics.MassLoading()))
    ['amplitude', 'slope', 'slope_redshift', 'redshift_exponent']
    """
    if isinstance(tree, type):
        raise TypeError(f"got the class {tree.__name__}; write {tree.__name__}() to make one of it")
    return {prefix + name: known for name, known in _parameters(tree)}


def _parameters(tree: Any) -> Iterator[tuple[str, Parameter]]:
    if isinstance(tree, Mapping):
        for name, component in sorted(tree.items()):
            yield from _below(name, component)
    elif isinstance(tree, list | tuple):
        for position, component in enumerate(tree):
            yield from _below(position, component)
    elif dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        for field in dataclasses.fields(tree):
            # A dataclass of another package may have fields that its objects lack.
            value, metadata = getattr(tree, field.name, None), field.metadata.get("corundum")
            if metadata is None:
                yield from _below(field.name, value)
            elif isinstance(value, Mapping):
                for name, number in sorted(value.items()):
                    meaning = metadata["meaning"].format(name=name)
                    yield f"{field.name}.{name}", Parameter(number, **{**metadata, "meaning": meaning})
            else:
                yield field.name, Parameter(value, **metadata)


def _below(name: Any, component: Any) -> Iterator[tuple[str, Parameter]]:
    for inner, known in _parameters(component):
        yield f"{name}.{inner}", known


def _check_names(tree: Any, names: Sequence[str]) -> None:
    known = describe(tree)
    for name in names:
        if name not in known:
            raise ValueError(
                f"unknown parameter {name!r} of {type(tree).__name__}: {did_you_mean(name, known)}"
                f"it has {', '.join(known) or 'no parameters'}"
            )


def _leaves_at(tree: Any, names: Sequence[str]) -> list[Any]:
    return [_leaf_at(tree, name) for name in names]


def _leaf_at(node: Any, name: str) -> Any:
    for step in name.split("."):
        if isinstance(node, Mapping):
            node = node[step]
        elif isinstance(node, list | tuple):
            node = node[int(step)]
        else:
            node = getattr(node, step)
    return node


def get_values(tree: Any, names: Sequence[str]) -> list[Array]:
    """Values of the named parameters, in the order of `names`.

    Raises
    ------
    ValueError
        A name is not a parameter of `tree`; the message lists the right ones.

    Examples
    --------
    >>> [float(value) for value in co.get_values(model, ["mass_loading.amplitude", "mass_loading.slope"])]
    [1.0, -1.0]
    """
    _check_names(tree, names)
    return _leaves_at(tree, names)


def replace(tree: Any, values: Mapping[str, Any]) -> Any:
    """A copy of `tree` with the named parameters set to new values.

    Parameters
    ----------
    tree : any object
        A law or a model.
    values : mapping of str to float
        New values by the names of `describe`; they may be traced by JAX.

    Raises
    ------
    ValueError
        A name is not a parameter of `tree` (the message lists the right ones), or the object that holds it cannot
        have this value.

    Warns
    -----
    UserWarning
        A value lies outside the range for which its parameter is meant.

    Examples
    --------
    >>> stronger = co.replace(model, {"mass_loading.amplitude": 3.0})
    >>> float(stronger.mass_loading.amplitude), float(model.mass_loading.amplitude)
    (3.0, 1.0)
    """
    if not isinstance(values, Mapping):
        raise ValueError(
            f"values: got {in_words(values)}; give numbers by name, such as {{'mass_loading.amplitude': 2.0}}"
        )
    changed = _replaced(tree, values, check=True)
    warn_outside_bounds(changed, list(values))
    return changed


def set_values(tree: Any, values: Mapping[str, Any]) -> Any:
    """The same without a word about numbers outside their ranges, for differences and derivatives at their edges.

    Examples
    --------
    >>> beyond = set_values(co.physics.Ceiling(), {"value": 1.0001})
    >>> float(beyond.value)
    1.0001
    """
    return _replaced(tree, values, check=False)


def _replaced(tree, values, check):
    names = list(values)
    if not names:
        return tree
    _check_names(tree, names)
    known = describe(tree)
    replacements = [
        checked_float64(
            value, name, known[name].unit, known[name].allowed if check else ANY_NUMBER, np.shape(known[name].value)
        )
        for name, value in values.items()
    ]
    changed = eqx.tree_at(lambda t: _leaves_at(t, names), tree, replacements)
    _check_owners(changed, names)
    return changed


def warn_outside_bounds(tree: Any, names: Sequence[str] | None = None) -> None:
    """Warn, once, where numbers lie outside the ranges for which their parameters are meant.

    Parameters
    ----------
    tree : any object
        A law or a model.
    names : sequence of str, optional
        Which parameters to look at; default all.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_outside_bounds(co.physics.MassLoading(amplitude=1000.0))
    >>> str(caught[0].message)[:60]
    'MassLoading: amplitude = 1000 lies outside 0.01 to 10, where'
    """
    known, outside = describe(tree), []
    for name in known if names is None else names:
        value, (low, high), allowed = known[name].value, known[name].bounds, known[name].allowed
        known_number = isinstance(value, int | float | jax.Array) or type(value) is np.ndarray
        if not known_number or isinstance(value, jax.core.Tracer):
            continue
        for number in np.ravel(np.asarray(value)):
            margin = _ROUND_OFF * max(abs(low), abs(high))
            inside = low - margin <= number <= high + margin
            if not inside and allowed[0] <= number <= allowed[1]:  # others are refused
                outside.append(f"{name} = {number:g} lies outside {low:g} to {high:g}")
    if outside:
        warn_user(
            f"{type(tree).__name__}: {', '.join(outside)}, where it is not meant to be used; check the number and its "
            "unit (corundum.describe), and whether all galaxies are solved"
        )


def _check_owners(tree, names):
    """Run the checks of every object that holds one of the named parameters, as when it is made."""
    for owner in {name.rpartition(".")[0] for name in names}:
        node = _leaf_at(tree, owner) if owner else tree
        for cls in reversed(type(node).__mro__):
            if "__check_init__" in vars(cls):
                cls.__check_init__(node)
