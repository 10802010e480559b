"""Writes the reference pages of the site from the package itself: its public names, numbers, data and run-file keys."""

import json
from importlib import resources
from pathlib import Path
from types import ModuleType

from measurement_sets import draw_measurements

import corundum as co

FAMILIES = [name for name in co.__all__ if isinstance(getattr(co, name), ModuleType)]
MODELS = ("MinimalRegulator", "ThermalCGM", "TurbulentCGM", "pandya23", "pandya26", "reference_galaxy")


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
    text += ["are left out.", ""]
    for name in MODELS:
        text += [f"## {name}", "", "| number | value | range | unit | meaning | source |", "|---|---|---|---|---|---|"]
        for parameter, known in co.describe(getattr(co.models, name)()).items():
            if not parameter.startswith("channels."):
                low, high = known.bounds
                value = f"{float(known.value):.4g}" if known.value.ndim == 0 else f"{known.value.shape[0]} numbers"
                cells = [f"`{parameter}`", value, f"{low:g} to {high:g}", known.unit, known.meaning, known.source]
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
        "What each group takes, and the keys of every kind. Beside a key stands the kind that is there",
    ]
    text += ["by default. A kind of your own is `module:name`.", ""]
    for group, (default, place) in known["groups"].items():
        text += [
            f"## [{group}]",
            "",
            f"A table with a `kind`{f', by default `{default}`' if default else ''}, one of:",
            "",
        ]
        text += [", ".join(f"`{kind}`" for kind in known["places"][place]) + ".", ""]
    for kind, entry in known["kinds"].items():
        keys = [f"`{key}`" + (f" ({default})" if default else "") for key, (default, _) in entry["keys"].items()]
        text += [f"## {kind}", "", ", ".join(keys) or "No keys.", ""]
    return "\n".join(text)
