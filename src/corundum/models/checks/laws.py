"""The door for laws: every law is checked when it is put into a model, by the annotation of the place it stands in.

A place is a field of a model, of a process or of a law whose annotation is a class of components.  Where the class is
abstract a law must derive from it; where it is concrete, any component with the same methods and fields may stand in.
"""

import dataclasses
import inspect
import types
import typing
from typing import Any

import equinox as eqx

from ... import physics
from ...numerics import limiters

__all__ = ["check_laws", "fits", "fitting_kinds", "places_for"]


def check_laws(owner: eqx.Module, place: str) -> None:
    """Refuse laws that do not fit where they stand, in `owner` and in the laws it holds.

    Parameters
    ----------
    owner : equinox.Module
        A model, a process or a law.
    place : str
        Name of the owner in messages.

    Raises
    ------
    ValueError
        One sentence: the place, what stands in it, and what fits there.
    """
    for field in dataclasses.fields(owner):
        law = getattr(owner, field.name, None)
        kinds = _classes(field.type, type(owner), field.name)
        where = f"{place}.{field.name}"
        if kinds and not any(fits(law, kind) for kind in kinds):
            raise ValueError(f"{where}: {_reason(law, kinds)}")
        if isinstance(law, eqx.Module):
            check_laws(law, where)


def places_for(owner: eqx.Module, kind: type) -> tuple[str, ...]:
    """Fields of a model in which a law of a family may stand.

    Examples
    --------
    >>> from corundum.models.checks.laws import places_for
    >>> places_for(co.models.MinimalRegulator(), co.physics.AbstractGalaxyScaling)
    ('mass_loading', 'energy_loading', 'depletion_time')
    """
    fields = dataclasses.fields(owner)
    return tuple(field.name for field in fields if kind in _classes(field.type, type(owner), field.name))


def _classes(annotation: Any, owner: type, name: str) -> tuple[type, ...]:
    """The classes of components that an annotation allows; none where it allows something else, or anything."""
    if isinstance(annotation, str):
        try:
            annotation = typing.get_type_hints(owner).get(name)
        except NameError:  # it names something that is not imported here
            return ()
    union = typing.get_origin(annotation) in (types.UnionType, typing.Union)
    options = typing.get_args(annotation) if union else (annotation,)
    laws = [option for option in options if option is not types.NoneType]
    components = all(isinstance(option, type) and issubclass(option, eqx.Module) for option in laws)
    return tuple(options) if laws and components else ()


def fits(law: Any, kind: type) -> bool:
    """Whether `law` may stand where the annotation names `kind`: derived from it, or, if concrete, shaped like it.

    A learned law may stand where its base may.
    """
    if isinstance(law, physics.LearnedLaw) and isinstance(law.innermost, eqx.Module):
        scaling = kind is physics.AbstractGalaxyScaling and isinstance(law.innermost, physics.AbstractScaling)
        return kind is not physics.LearnedLaw and (scaling or fits(law.innermost, kind))
    if isinstance(law, kind):
        return True  # None too, where the place may be empty
    if kind is types.NoneType or _is_abstract(kind) or not isinstance(law, eqx.Module):
        return False
    return all(hasattr(law, name) for name in _interface(kind))


def _is_abstract(kind: type) -> bool:
    return inspect.isabstract(kind) or kind.__name__.startswith("Abstract")


def _interface(kind: type) -> set[str]:
    """Public methods and fields of a class."""
    names = {name for base in kind.__mro__ if base not in (object, eqx.Module) for name in vars(base)}
    return {name for name in names if not name.startswith("_")} | ({"__call__"} & names)


def _reason(law: Any, kinds: tuple[type, ...]) -> str:
    named = " or ".join(kind.__name__ for kind in kinds)
    fitting = fitting_kinds(kinds)
    examples = f"such as {', '.join(fitting)}" if fitting else f"of class {named}"
    advice = f"use a law that fits, {examples}, or one of your own that derives from {named}"
    if isinstance(law, type):
        return f"got the class {law.__name__} where a law is needed; write {law.__name__}() to make one of it"
    kind = type(law).__name__
    if isinstance(law, physics.LearnedLaw):
        kind = f"{kind} of {type(law.innermost).__name__}"
    elif isinstance(law, physics.AbstractGalaxyScaling) and physics.AbstractScaling in kinds:
        return (
            f"{kind} is a law of the galaxy, but this place is evaluated before the galaxy is known, from the halo's "
            f"virial velocity and redshift alone; {advice}"
        )
    value = kind if isinstance(law, eqx.Module) else f"{law!r} ({kind})"
    return f"got {value}, which is not a law that fits this place, {named}; {advice}"


def fitting_kinds(kinds: tuple[type, ...]) -> list[str]:
    """Public names of the laws of corundum that fit a place of these classes, as ``physics.MassLoading``."""
    families = {"physics": physics, "numerics": limiters}
    return [
        f"{family}.{name}"
        for family, module in families.items()
        for name in module.__all__
        if isinstance(kind := getattr(module, name), type) and issubclass(kind, kinds) and not _is_abstract(kind)
    ]
