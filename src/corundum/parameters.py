"""Named physical parameters: helpers to declare them, and functions to list, read and change them.

A physical number of a law or a model is declared with `parameter`, which stores it as a float64 array (so that a new
value never recompiles anything) together with its unit, meaning, source, range and natural scale.  `describe` lists
the parameters of any object by dotted name, `get_values` reads some of them, `replace` returns a changed copy.
Components may hold other arrays and functions, such as the weights and activations of a network; these are no
parameters and have no names here.
"""

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array

from .configuration import require_platform
from .messages import did_you_mean
from .plain_numbers import float64
from .printing import in_short

__all__ = ["Parameter", "parameter", "named_parameters", "describe", "get_values", "replace", "require_float64"]


_SINGLE = (np.dtype(np.float32), np.dtype(np.float16))


class Parameter(NamedTuple):
    """One named number of a model: its value and what is known about it.

    Attributes
    ----------
    value : array
    unit : str
        ``"1"`` if dimensionless.
    meaning : str
    source : str
        Paper, equation or "choice".
    bounds : (float, float)
        Range over which the law is meant to be used.
    scale : {"linear", "log10"}

    Examples
    --------
    >>> amplitude = co.describe(model)["mass_loading.amplitude"]
    >>> float(amplitude.value), amplitude.unit, amplitude.bounds
    (1.0, '1', (0.01, 10.0))
    """

    value: Any
    unit: str
    meaning: str
    source: str
    bounds: tuple[float, float]
    scale: str

    def __repr__(self) -> str:
        return in_short(self)


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
    require_platform()
    if jax.dtypes.canonicalize_dtype(np.float64) != np.float64:
        raise RuntimeError(
            "corundum computes in float64 but JAX is set to float32: call corundum.configure() before making any "
            "array, or jax.config.update('jax_enable_x64', True)"
        )
    for tree in objects:
        for name, known in _parameters(tree):
            if getattr(known.value, "dtype", None) in _SINGLE:
                raise RuntimeError(
                    f"{type(tree).__name__}: {name} is in single precision, since this process made or received it "
                    "before it was configured; call corundum.configure() first in each process, for instance as "
                    "ProcessPoolExecutor(initializer=corundum.configure)"
                )


def _strong_float64(value: Any, name: str, unit: str) -> Any:
    """A number, or several by name, as float64 arrays; quantities are converted to the unit."""
    require_float64()
    if isinstance(value, Mapping):
        return {key: _strong_float64(value[key], f"{name}, {key}", unit) for key in sorted(value)}
    return float64(name, value, unit)


def parameter(
    default: float,
    *,
    unit: str,
    meaning: str,
    source: str,
    bounds: tuple[float, float],
    scale: str = "linear",
) -> Any:
    """Declare a physical number as a field of an `equinox.Module`.

    Parameters
    ----------
    default : float
        The value of objects that are made without one.
    unit : str
        Unit, ``"1"`` if dimensionless.
    meaning : str
        One clause that says what the number is.
    source : str
        Paper, equation or "choice".
    bounds : (float, float)
        Range over which the law is meant to be used; priors default to it.
    scale : {"linear", "log10"}
        Natural scale: inference samples ``log10`` numbers in their logarithm.

    Raises
    ------
    ValueError
        The scale is neither of the two.

    Examples
    --------
    >>> import equinox as eqx
    >>> class Loading(eqx.Module):
    ...     slope: float = parameter(-1.0, unit="1", meaning="power of v", source="choice", bounds=(-3.0, 0.0))
    >>> co.describe(Loading())["slope"].meaning
    'power of v'
    """
    if scale not in ("linear", "log10"):
        raise ValueError(f"parameter scale: got {scale!r}; allowed 'linear' or 'log10'")
    metadata = dict(unit=unit, meaning=meaning, source=source, bounds=bounds, scale=scale)
    converter = functools.partial(_strong_float64, name=meaning, unit=unit)
    return eqx.field(default=default, converter=converter, metadata={"corundum": metadata})


def named_parameters(*, unit: str, meaning: str, source: str, bounds: tuple[float, float]) -> Any:
    """Declare a field that holds one number for each of several names, such as a multiplier for each flow.

    Each number is a parameter of its own, called ``field.name``.

    Parameters
    ----------
    unit, source, bounds
        As for `parameter`.
    meaning : str
        ``{name}`` in it stands for the name.

    Examples
    --------
    >>> import equinox as eqx
    >>> class Yields(eqx.Module):
    ...     yields: dict = named_parameters(unit="1", meaning="yield of {name}", source="choice", bounds=(0.0, 1.0))
    >>> co.describe(Yields({"oxygen": 0.01}))["yields.oxygen"].meaning
    'yield of oxygen'
    """
    metadata = dict(unit=unit, meaning=meaning, source=source, bounds=bounds, scale="linear")
    converter = functools.partial(_strong_float64, name=meaning, unit=unit)
    return eqx.field(default_factory=dict, converter=converter, metadata={"corundum": metadata})


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

    Examples
    --------
    >>> list(co.describe(co.physics.MassLoading()))
    ['amplitude', 'slope', 'slope_redshift', 'redshift_exponent']
    """
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

    Examples
    --------
    >>> stronger = co.replace(model, {"mass_loading.amplitude": 3.0})
    >>> float(stronger.mass_loading.amplitude), float(model.mass_loading.amplitude)
    (3.0, 1.0)
    """
    names = list(values)
    if not names:
        return tree
    _check_names(tree, names)
    known = describe(tree)
    replacements = [_strong_float64(value, name, known[name].unit) for name, value in values.items()]
    changed = eqx.tree_at(lambda t: _leaves_at(t, names), tree, replacements)
    _check_owners(changed, names)
    return changed


def _check_owners(tree, names):
    """Run the checks of every object that holds one of the named parameters, as when it is made."""
    for owner in {name.rpartition(".")[0] for name in names}:
        node = _leaf_at(tree, owner) if owner else tree
        for cls in reversed(type(node).__mro__):
            if "__check_init__" in vars(cls):
                cls.__check_init__(node)
