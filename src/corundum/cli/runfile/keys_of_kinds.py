"""Makes the table of `corundum.cli.runfile.known_keys` from the signatures of all public kinds: ``make keys``."""

import inspect
import json
from collections.abc import Mapping
from typing import Any

import equinox as eqx

from ... import parameters
from ...configuration import configure
from ...halos import HaloHistories
from ...models import AbstractModel
from ...numerics import AbstractSolver
from .builder import accepted_keys, annotation_of, fields_of
from .inference_settings import Calibrate, Fit, Forecast, Mocks, Train
from .kinds import fits, kinds_making, public_kind, public_kind_of, public_kinds, resolve
from .schema import Compare, Output, Sensitivity
from .values import classes_of

__all__ = ["table_of_keys"]

_COMPONENTS = {
    "halos": (HaloHistories, None), "compare_halos": (HaloHistories, None), "earlier_halos": (HaloHistories, None),
    "model": (AbstractModel, None), "solver": (AbstractSolver, "numerics.LaneSolver"),
    }  # fmt: skip
_SETTINGS = {
    "output": Output, "compare": Compare, "sensitivity": Sensitivity, "fit": Fit, "mocks": Mocks, "forecast": Forecast,
    "train": Train,
    "calibrate": Calibrate,
    }  # fmt: skip


def table_of_keys() -> dict[str, Any]:
    """The table as the signatures have it now, see `corundum.cli.runfile.known_keys.known_keys`."""
    groups = {group: [default, _place((cls,))] for group, (cls, default) in _COMPONENTS.items()}
    targets = {f"[{group}]": settings for group, settings in _SETTINGS.items()}
    targets |= {kind: resolve(kind, ()) for kind in public_kinds()}
    kinds, places = {}, {_place((cls,)): kinds_making((cls,)) for cls, _ in _COMPONENTS.values()}
    for kind, target in sorted(targets.items()):
        if _has_signature(target):
            kinds[kind] = _entry(target, places)
    return {"groups": groups, "places": dict(sorted(places.items())), "kinds": kinds}


def _has_signature(target: Any) -> bool:
    try:
        inspect.signature(target)
    except ValueError:  # a dictionary of Python's own, say, which no table makes
        return False
    return True


def _place(classes: tuple[type, ...]) -> str:
    return " ".join(cls.__name__ for cls in classes)


def _entry(target: Any, places: dict[str, list[str]]) -> dict[str, Any]:
    arguments, names = accepted_keys(target)
    model = target() if fits(target, (AbstractModel,)) and _needs_nothing(arguments) else None
    fields = fields_of(target)

    def key(name):
        if name in arguments:
            default, annotation = arguments[name].default, annotation_of(arguments[name], fields.get(name))
        else:  # a part of what a function makes
            default, part = getattr(model, name, None), fields_of(model).get(name)
            annotation = Any if part is None else part.type
        classes = classes_of(annotation)
        kept = isinstance(default, eqx.Module) and fields_of(default)
        kind = public_kind(default) if kept else _made_without_a_kind(classes)
        if classes:
            places.setdefault(_place(classes), kinds_making(classes))
        return [kind, _place(classes) if classes else None]

    entry: dict[str, Any] = {"keys": {name: key(name) for name in names}}
    if isinstance(target, type) and fields and list(fields) != list(names):
        entry["fields"] = {name: entry["keys"].get(name, [None, None]) for name in fields}
    if model is not None:
        entry["numbers"] = list(parameters.describe(model))
    return entry


def _made_without_a_kind(classes: tuple[type, ...]) -> str | None:
    """The kind of the class whose arguments a table without a kind has, where nothing stands there by default."""
    concrete = [option for option in classes if fields_of(option) and not inspect.isabstract(option)]
    if not concrete or list(fields_of(concrete[0])) != accepted_keys(concrete[0])[1]:
        return None
    return public_kind_of(concrete[0])


def _needs_nothing(arguments: Mapping[str, inspect.Parameter]) -> bool:
    return all(argument.default is not inspect.Parameter.empty for argument in arguments.values())


if __name__ == "__main__":
    configure(cache=False)
    print(json.dumps(table_of_keys(), indent=0, separators=(",", ":")))
