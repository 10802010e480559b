"""Writes the reference pages of the site from the package itself: its public names, numbers, data and run-file keys."""

import dataclasses
import inspect
import json
import math
import re
from importlib import resources
from pathlib import Path
from types import ModuleType

from measurement_sets import draw_measurements

import corundum as co
from corundum.cli.runfile.inference_settings import Calibrate, Fit, Forecast, Mocks, Train
from corundum.cli.runfile.schema import Compare, Output, Sensitivity

FAMILIES = [name for name in co.__all__ if isinstance(getattr(co, name), ModuleType)]
MODELS = ("MinimalRegulator", "ThermalCGM", "TurbulentCGM", "pandya23", "pandya26", "reference_galaxy", "reference")
SETTINGS = {
    "output": Output, "compare": Compare, "sensitivity": Sensitivity, "fit": Fit, "mocks": Mocks, "forecast": Forecast,
    "train": Train, "calibrate": Calibrate,
}  # fmt: skip
IN_RUN_FILES = {
    "tuple": "list", "tuples": "lists", "str": "text", "int": "whole number", "float": "number",
    "bool": "true or false", "mapping": "table",
}  # fmt: skip
"""What run files call the types of Python."""


def write_pages(folder: Path) -> None:
    """Write all reference pages into `folder`; those that have not changed keep their time."""
    co.configure(cache=False)
    folder.mkdir(parents=True, exist_ok=True)
    pages = {
        "index.md": _index(),
        "corundum.rst": _family("corundum", [name for name in co.__all__ if name not in FAMILIES], co),
        "numbers.md": _numbers(),
        "measurements.md": _measurements(),
        "run_file_keys.md": _run_file_keys(),
    }
    for family in FAMILIES:
        module = getattr(co, family)
        pages[f"{family}.rst"] = _family(f"corundum.{family}", list(module.__all__), module)
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    draw_measurements(folder / "measurements.png")
    for path in set(folder.iterdir()) - {folder / name for name in (*pages, "measurements.png")}:
        path.unlink()


def public_names() -> dict[str, str]:
    """The place of each public name in the package, where one has it."""
    places: dict[str, str] = {}
    for family in [None, *FAMILIES]:
        module = co if family is None else getattr(co, family)
        prefix = "corundum" if family is None else f"corundum.{family}"
        for name in module.__all__:
            places.setdefault(name, f"{prefix}.{name}")
    return places


def _index() -> str:
    names = "\n".join(["corundum", *FAMILIES])
    return f"""# Python interface

Every public name with its arguments, units, errors and an example that the tests run.

```{{toctree}}
:maxdepth: 1

{names}
```
"""


def _family(name: str, members: list[str], module: ModuleType) -> str:
    """A page with the documentation of all public names of a family."""
    lines = [name, "=" * len(name), "", f".. automodule:: {name}", "   :no-members:", ""]
    for member in sorted(members, key=str.lower):
        value = getattr(module, member)
        if isinstance(value, ModuleType):
            continue
        kind = "class" if isinstance(value, type) else "function"
        lines += [f".. auto{kind}:: {name}.{member}" if callable(value) else f".. py:data:: {name}.{member}", ""]
    return "\n".join(lines)


def _numbers() -> str:
    text = ["# Numbers of every model", ""]
    text += [
        "Names are those of `corundum.describe`, run files and `corundum model show`. Channel multipliers, which are 1,"
    ]
    text += [
        "are left out. The range is also the default prior of a fit: uniform, in decades where log10 stands beside it.",
        "",
    ]
    for name in MODELS:
        text += [f"## {name}", "", "| number | value | range | unit | meaning | source |", "|---|---|---|---|---|---|"]
        for parameter, known in co.describe(getattr(co.models, name)()).items():
            if not parameter.startswith("channels."):
                low, high = known.bounds
                value = f"{float(known.value):.4g}" if known.value.ndim == 0 else f"{known.value.shape[0]} numbers"
                bounds = f"{low:g} to {high:g}{', log10' if known.scale == 'log10' else ''}"
                cells = [f"`{parameter}`", value, bounds, known.unit, known.meaning, known.source]
                text.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        text.append("")
    return "\n".join(text)


def _measurements() -> str:
    text = ["# Measurement sets", "", "As `corundum data list` names them; `corundum data show NAME` prints one.", ""]
    text += ["![Every measurement set, one panel for each relation, with its errors](measurements.png)", ""]
    text += [
        "*Bars are the total errors, statistical and systematic. Where sets of a panel differ by more than their bars,"
    ]
    text += ["calibrations differ: look at the metallicities.*", ""]
    text += ["| name | relation | z | points | IMF | paper |", "|---|---|---|---|---|---|"]
    for name in co.observables.available():
        data = co.observables.load(name)
        cells = [f"`{name}`", data.relation.title, f"{data.redshift:g}", str(len(data)), data.imf, data.citation]
        text.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*text, ""])


def _run_file_keys() -> str:
    known = json.loads(resources.files("corundum.cli.runfile").joinpath("keys.json").read_text("utf-8"))
    text = [
        "# Keys of run files",
        "",
        "What each group takes, and the keys of every kind. In brackets beside a key stands the kind that is there",
    ]
    text += ["by default; units and meanings are behind the links. A kind of your own is `module:name`.", ""]
    for group, (default, place) in known["groups"].items():
        text += [
            f"## [{group}]",
            "",
            f"A table with a `kind`{f', by default `{default}`' if default else ''}, one of:",
            "",
        ]
        text += [", ".join(_linked(kind) for kind in known["places"][place]) + ".", ""]
    for group, settings in SETTINGS.items():
        text += _keys_of_group(group, settings, known["kinds"][f"[{group}]"]["keys"])
    for kind, entry in known["kinds"].items():
        if kind.strip("[]") in SETTINGS:
            continue
        keys = [f"`{key}`" + (f" ({default})" if default else "") for key, (default, _) in entry["keys"].items()]
        text += [f"## {kind}", "", f"{_linked(kind)} takes {', '.join(keys)}." if keys else "No keys.", ""]
    return "\n".join(text)


def _linked(kind: str) -> str:
    """A kind as a link to what the Python interface says of it, with units and meanings of its keys."""
    return f"{{py:obj}}`{kind} <corundum.{kind}>`" if f"corundum.{kind}" in public_names().values() else f"`{kind}`"


def _keys_of_group(group: str, settings: type, kinds: dict) -> list[str]:
    """The table of a group, from the class that reads it: its fields, with their ranges, and its docstring."""
    text = (inspect.getdoc(settings) or "").replace("``", "`")
    lines = [f"## [{group}]", "", text.splitlines()[0], "", "| key | type | default | meaning |"]
    lines += ["|---|---|---|---|"]
    entries = re.findall(r"^(\w+) : (.+)\n((?:    .+\n?)+)", text, flags=re.MULTILINE)
    meanings = {name: (kind, " ".join(meaning.split())) for name, kind, meaning in entries}
    for field in dataclasses.fields(settings):
        kind, meaning = meanings[field.name]
        low, high = field.metadata.get("corundum", {}).get("bounds") or (None, None)
        allowed = "" if low is None else f", at least {low:g}" if high == math.inf else f", {low:g} to {high:g}"
        default = _default(field, kinds[field.name][0])
        kind = re.sub(r"\w+", lambda word: IN_RUN_FILES.get(word[0], word[0]), kind.removesuffix(", optional"))
        kind = kind.replace("list of number", "list of numbers")
        cells = [f"`{field.name}`", kind + allowed, default, meaning]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return [*lines, ""]


def _default(field: dataclasses.Field, kind: str | None) -> str:
    """The default of a key as a run file would write it."""
    if field.default_factory is not dataclasses.MISSING:
        return "none"
    if field.default is dataclasses.MISSING:
        return "required"
    if field.default is None:
        return ""
    if isinstance(field.default, str | int | float | tuple):
        return f"`{json.dumps(field.default)}`"
    return _linked(kind or f"inference.{type(field.default).__name__}")
