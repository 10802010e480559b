"""From tables of a run file to objects.

A table names what to make and gives its arguments::

    [model]
    kind = "models.ThermalCGM"
    [model.cooling]                        # one component swapped for another ...
    kind = "mymodule:MyCooling"
    [model.mass_loading]                   # ... and, without a kind, one kept and changed
    amplitude = 2.0

Arguments are those of the class or function, read from its signature.  Unknown kinds and keys, wrong types
and values outside the declared range of a parameter are refused with their place in the file.
"""

import dataclasses
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np

from ... import parameters
from ...models import AbstractModel
from ...models.checks.laws import fits
from .errors import RunFileError, allowed_names
from .kinds import kinds_hint, public_kind, resolve
from .paths import absolute_path
from .values import (
    allows_path,
    allows_table,
    allows_text,
    as_toml,
    check_bounds,
    classes_of,
    convert,
    item_annotation,
    members_of,
)

__all__ = [
    "Built",
    "accepted_keys",
    "annotation_of",
    "build",
    "build_model",
    "component_table",
    "construct",
    "fields_of",
]


class Built(NamedTuple):
    """A component and the table that makes exactly it, with every default that TOML can hold written out."""

    value: Any
    table: dict[str, Any]


def build(table: Mapping[str, Any] | str, keys: tuple[str, ...], classes: tuple[type, ...] = ()) -> Built:
    """Make the component a table describes.

    Parameters
    ----------
    table : mapping or str
        A table with a ``kind``, or the kind alone.
    keys : tuple of str
        Where the table stands in the run file, for errors.
    classes : tuple of classes, optional
        What it must be.

    Raises
    ------
    RunFileError
        The kind or a key is unknown, a value does not fit, or the component refuses its arguments.
    """
    table = {"kind": table} if isinstance(table, str) else dict(table)
    if "kind" not in table:
        raise RunFileError(keys, f'this table needs kind = "..."; {kinds_hint(classes)}')
    kind = convert(table.pop("kind"), str, (*keys, "kind"))
    built = construct(resolve(kind, (*keys, "kind"), classes), table, keys)
    if classes and not any(isinstance(built.value, kind) or fits(built.value, kind) for kind in classes):
        problem = f"{kind!r} makes {type(built.value).__name__}, which does not fit here"
        raise RunFileError((*keys, "kind"), f"{problem}; {kinds_hint(classes)}")
    return Built(built.value, {"kind": kind, **built.table})


def build_model(table: Mapping[str, Any], keys: tuple[str, ...]) -> Built:
    """Make a model and set the named parameters of its ``parameters`` table.

    The resolved table holds every parameter of the model by dotted name, whichever way it was given.
    """
    table = dict(table)
    numbers = table.pop("parameters", {})
    model, resolved = build(table, keys, (AbstractModel,))
    known = parameters.describe(model)
    values = {}
    for name, path, value in _flatten(numbers, (*keys, "parameters")):
        if name not in known:
            raise RunFileError(path, f"unknown parameter; {allowed_names(name, known)}")
        several = np.ndim(known[name].value) > 0
        values[name] = convert(value, tuple[float, ...] if several else float, path)
        check_bounds(values[name], known[name].bounds, known[name].unit, path)
    model = _explained(keys, lambda: parameters.replace(model, values))
    # A number without a range, such as a constant of a formula, has no default either: its component needs it.
    resolved = _without(resolved, {name for name, number in known.items() if np.all(np.isfinite(number.bounds))})
    resolved["parameters"] = {
        name: as_toml(np.asarray(number.value)) for name, number in parameters.describe(model).items()
    }
    return Built(model, resolved)


def construct(target: Callable, table: Mapping[str, Any], keys: tuple[str, ...]) -> Built:
    """Call the class or function `target` with the entries of `table`, checked against its signature."""
    arguments, known = accepted_keys(target)
    fields = fields_of(target)
    _check_names(table, known, keys)

    values, resolved = {}, {}
    for name, argument in arguments.items():
        if name in table:
            values[name], resolved[name] = _argument(table[name], argument, fields.get(name), (*keys, name))
        elif argument.default is inspect.Parameter.empty:
            raise RunFileError(keys, f"the key {name!r} is missing{_needed(argument.annotation)}")
        elif (default := as_toml(argument.default)) is not None:
            resolved[name] = default
        if _is_settings(target) and isinstance(component := values.get(name, argument.default), eqx.Module):
            # Of a component that is there by default, its kind and all numbers are recorded.
            resolved[name] = component_table(component) | (resolved.get(name) or {})
    component = _explained(keys, lambda: target(**values))
    changes = {name: value for name, value in table.items() if name not in arguments}
    changed = _amend(component, changes, keys)
    return Built(changed.value, resolved | changed.table)


def accepted_keys(target: Callable) -> tuple[dict[str, inspect.Parameter], list[str]]:
    """The arguments of a class or function by name, and all keys that a table for it may have."""
    signature = _signature(target)
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    arguments = {name: argument for name, argument in signature.parameters.items() if argument.kind in named}
    # Of a function that says what it makes, the parts of the result can be changed as well.
    parts = {} if isinstance(target, type) else _parts(signature.return_annotation)
    return arguments, list(dict.fromkeys([*arguments, *parts]))


def component_table(component: Any) -> dict[str, Any]:
    """The table that makes a component with a public class: its kind and all fields that TOML can hold.

    Examples
    --------
    >>> component_table(co.inference.StudentT(degrees=3.0))
    {'kind': 'inference.StudentT', 'degrees': 3.0}
    """
    kind = public_kind(component)
    table: dict[str, Any] = {} if kind is None else {"kind": kind}
    for name in fields_of(component):
        value = getattr(component, name)
        entry = component_table(value) if isinstance(value, eqx.Module) else as_toml(value)
        if entry is not None:
            table[name] = entry
    return table


def _is_settings(target: Any) -> bool:
    """Whether `target` is a group of settings rather than a component."""
    return isinstance(target, type) and dataclasses.is_dataclass(target) and not issubclass(target, eqx.Module)


def _amend(component: Any, table: Mapping[str, Any], keys: tuple[str, ...]) -> Built:
    """A copy of `component` with some fields changed: by value, by a new component, or in turn by changes."""
    fields = fields_of(component)
    _check_names(table, fields, keys)
    values, resolved = {}, {}
    for name, value in table.items():
        field = fields[name]
        argument = inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=getattr(component, name), annotation=field.type
        )
        values[name], resolved[name] = _argument(value, argument, field, (*keys, name))
    if not values:
        return Built(component, resolved)
    return Built(_explained(keys, lambda: dataclasses.replace(component, **values)), resolved)


def _argument(
    value: Any, argument: inspect.Parameter, field: dataclasses.Field | None, keys: tuple[str, ...]
) -> tuple[Any, Any]:
    """The value of one argument and its entry in the resolved table."""
    annotation = annotation_of(argument, field)
    if isinstance(value, dict) and (members := members_of(annotation)) is not None:
        return _members(value, argument.default, members, field, keys)
    classes = classes_of(annotation)
    if isinstance(value, dict) and not allows_table(annotation):
        return _component(value, _default(argument, field), classes, keys)
    if isinstance(value, str) and classes and not allows_text(annotation):
        return _component({"kind": value}, None, classes, keys)
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        items = item_annotation(annotation)
        members = [
            build(item, keys, classes_of(items)) if isinstance(item, dict) else Built(*[convert(item, items, keys)] * 2)
            for item in value
        ]
        return tuple(member.value for member in members), [member.table for member in members]
    if isinstance(value, str) and allows_path(annotation):
        value = absolute_path(value)
    converted = convert(value, annotation, keys)
    note = field.metadata.get("corundum") if field is not None else None
    if note is not None:
        check_bounds(converted, note["bounds"], note["unit"], keys)
    return converted, as_toml(converted)


def _members(
    table: dict, default: Any, annotation: Any, field: dataclasses.Field | None, keys: tuple[str, ...]
) -> tuple[dict, dict]:
    """A dictionary of components, or of numbers, by names of the user's choice: those of the table and of `default`."""
    before = default if isinstance(default, Mapping) else {}
    values, resolved = dict(before), {}
    for name, value in table.items():
        member = inspect.Parameter(
            "member",
            inspect.Parameter.KEYWORD_ONLY,
            default=before.get(name, inspect.Parameter.empty),
            annotation=annotation,
        )
        values[name], resolved[name] = _argument(value, member, None, (*keys, name))
        note = field.metadata.get("corundum") if field is not None else None
        if note is not None:
            check_bounds(values[name], note["bounds"], note["unit"], (*keys, name))
    return values, resolved


def _component(value: dict, default: Any, classes: tuple[type, ...], keys: tuple[str, ...]) -> tuple[Any, Any]:
    if "kind" in value:
        return build(value, keys, classes)
    if fields_of(default):
        return _amend(default, value, keys)
    concrete = [option for option in classes if fields_of(option) and not inspect.isabstract(option)]
    if concrete:
        return construct(concrete[0], value, keys)
    if classes:
        raise RunFileError(keys, f'this table needs kind = "..."; {kinds_hint(classes)}')
    raise RunFileError(keys, "got a table; expected a single value")


def _signature(target: Callable) -> inspect.Signature:
    try:
        return inspect.signature(target, eval_str=True)
    except NameError:
        # An annotation names something that is not imported: arguments are known, their types are not.
        return inspect.signature(target)


def fields_of(target: Any) -> dict[str, dataclasses.Field]:
    """The fields of a component, or of its class, that can be given or changed."""
    if not dataclasses.is_dataclass(target):
        return {}
    return {field.name: field for field in dataclasses.fields(target) if field.init}


def _parts(component: Any) -> dict[str, dataclasses.Field]:
    """The fields of a component that are numbers or components, by name."""
    fields = fields_of(component).items()
    return {name: field for name, field in fields if "corundum" in field.metadata or classes_of(field.type)}


def annotation_of(argument: inspect.Parameter, field: dataclasses.Field | None) -> Any:
    """What an argument may be: its annotation, that of the field it becomes, or the type of its default."""
    if argument.annotation not in (inspect.Parameter.empty, Any):
        return argument.annotation
    if field is not None and field.type is not Any:
        return field.type  # the converter of a field hides its annotation from the signature
    return type(argument.default) if isinstance(argument.default, bool | int | float | str) else Any


def _default(argument: inspect.Parameter, field: dataclasses.Field | None) -> Any:
    if field is not None and field.default_factory is not dataclasses.MISSING and not fields_of(argument.default):
        return field.default_factory()
    return argument.default


def _check_names(table: Mapping[str, Any], known: Iterable[str], keys: tuple[str, ...]) -> None:
    for name in table:
        if name not in known:
            raise RunFileError((*keys, name), f"unknown key; {allowed_names(name, known)}")


def _needed(annotation: Any) -> str:
    classes = classes_of(annotation)
    return f", a table with a kind; {kinds_hint(classes)}" if classes else ""


def _explained(keys: tuple[str, ...], make: Callable[[], Any]) -> Any:
    try:
        return make()
    except (ValueError, TypeError) as error:
        raise RunFileError(keys, " ".join(str(error).split())) from error


def _flatten(table: Any, keys: tuple[str, ...], prefix: str = "") -> Iterator[tuple[str, tuple[str, ...], Any]]:
    """Dotted name, place in the file and value of every number in nested tables of parameters."""
    if not isinstance(table, dict):
        raise RunFileError(keys, f"got {table!r}; expected a table of parameters")
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flatten(value, (*keys, key), f"{prefix}{key}.")
        else:
            yield prefix + key, (*keys, key), value


def _without(table: dict[str, Any], names: Collection[str], prefix: str = "") -> dict[str, Any]:
    """`table` without the entries that are parameters, and without the tables that then say nothing."""
    kept = {}
    for key, value in table.items():
        if isinstance(value, dict):
            value = _without(value, names, f"{prefix}{key}.")
            if not value:
                continue
        if prefix + key not in names:
            kept[key] = value
    return kept
