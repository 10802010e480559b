"""Every number names its source, every paper says whether it was looked up, and both are shown."""

import dataclasses
import importlib
import inspect
import pathlib
import pkgutil
from importlib import resources

import corundum as co
from corundum import models, parameters
from corundum.cli.main import main
from corundum.models.citations import marked

LIBRARY = (resources.files("corundum.data") / "references" / "library.bib").read_text(encoding="utf-8")
BLOCKS = LIBRARY.split("% match:")[1:]
NAMES = [name.strip() for block in BLOCKS for name in block.partition("\n")[0].split(";")]
NO_PAPER = ("choice", "control", "virial", "NFW profile", "edge of the table", "primordial nucleosynthesis",
            "the simulation", "learned from data", "formula")  # fmt: skip


def declared_sources():
    """Source of every parameter that a class of the package declares, with the name of the parameter."""
    for module in pkgutil.walk_packages(co.__path__, "corundum."):
        for kind in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(kind) and dataclasses.is_dataclass(kind) and kind.__module__ == module.name:
                for field in dataclasses.fields(kind):
                    source = field.metadata.get("corundum", {}).get("source")
                    if source is not None:
                        yield f"{kind.__name__}.{field.name}", source


def test_every_parameter_names_a_paper_of_the_library_or_says_that_it_is_a_choice():
    sources = dict(declared_sources())
    assert len(sources) > 100
    unknown = {
        name: source
        for name, source in sources.items()
        if not source.startswith(NO_PAPER) and not any(paper in source for paper in NAMES)
    }
    assert unknown == {}


def test_every_paper_says_whether_its_numbers_were_looked_up():
    for block in BLOCKS:
        names, line, entry = block.split("\n", 2)
        assert line.startswith(("% checked: ", "% unverified")), names
        assert entry.startswith("@"), names


def test_what_was_not_looked_up_is_marked_where_it_is_shown(capsys):
    assert marked("Soltan 1982") == "Soltan 1982 [unverified]" and marked("Leroy et al. 2008") == "Leroy et al. 2008"
    assert marked("Weinberger et al. 2017 [unverified]").count("[unverified]") == 1
    model = models.ThermalCGM(processes={"black_hole": models.BlackHole(hot=co.physics.BondiFeeding())})
    shown = {name: marked(number.source) for name, number in parameters.describe(model).items()}
    assert shown["processes.black_hole.radiative_efficiency"] == "Soltan 1982 [unverified]"
    assert shown["processes.black_hole.hot.boost"] == "Springel et al. 2005"
    assert main(["model", "show", f"{__name__}:_with_black_hole"]) == 0
    (line,) = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("processes.black_hole.radiative")
    ]
    assert line.endswith("Soltan 1982 [unverified]")


def _with_black_hole():
    return models.ThermalCGM(processes={"black_hole": models.BlackHole()})


def test_the_documentation_lists_what_was_not_looked_up():
    page = pathlib.Path(__file__).parents[2] / "docs" / "reference" / "physics.md"
    text = " ".join(page.read_text(encoding="utf-8").partition("## Sources")[2].split())
    listed = text.partition("are taken over: ")[2].partition(". In Python")[0]
    assert listed.split("; ") == list(models.unverified())
