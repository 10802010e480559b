"""Writes the gallery: one page for each figure, with its caption and the code that draws it.

Figures are those of the pages that show them, with the alternative text and the caption that stand there, so that each
is written once.  They lie in docs/images and are not drawn anew when the site is built, which takes long; the
tests run the code of the tutorials and examples, the latter with fewer halos.
"""

import os
import re
from pathlib import Path

FIGURES = {
    "A first population": ("first_population.png", "tutorials/first_population.md"),
    "Compare with your data": ("compare_with_data.png", "tutorials/compare_with_data.md"),
    "A law of your own": ("your_own_law.png", "tutorials/your_own_law.md"),
    "Growth of halos from merger trees": ("merger_trees.png", "tutorials/merger_trees.md"),
    "A Jacobian": ("jacobian.png", "tutorials/read_a_jacobian.md"),
    "A posterior": ("fit_and_trust.png", "tutorials/fit_and_trust.md"),
    "A forecast": ("plan_a_survey.png", "tutorials/plan_a_survey.md"),
    "A learned law": ("learn_a_law.png", "tutorials/learn_a_law.md"),
    "A thousand galaxies beside data": ("quickstart.png", "../examples/quickstart.toml", "images/quickstart.py"),
    "When the gas around galaxies turns hot": ("phase_transition.png", "../examples/phase_transition.py"),
    "Sensitivity over the whole prior": ("prior_sensitivity.png", "../examples/prior_sensitivity.py"),
    "Preventive, ejective, or both": ("model_comparison.png", "../examples/compare_feedback.toml"),
    "The reference universe": ("reference_universe.png", "images/reference_universe.py"),
    "How far sources of the same relation are apart": ("survey_sources.png", "images/survey_sources.py"),
    "Prevention or ejection over ten billion years": ("prevention_or_ejection.png", "images/prevention_or_ejection.py"),
    "A law between power law and data": ("learned_law.png", "../examples/learned_law.py"),
    "A planted law, learned by networks": ("planted_loading.png", "../examples/planted_loading.py"),
    "Where a network stays honest": ("honest_extrapolation.png", "../examples/honest_extrapolation.py"),
    "Laws from published relations": ("real_data_laws.png", "../examples/real_data_laws.py"),
    "Where data determine a law": ("real_data_maps.png", "../examples/real_data_laws.py"),
    "Growth of generated halos": ("growth.png", "../benchmarks/growth.py"),
    "The flows of a model": ("thermal_model.png", "../src/corundum/plots/network.py"),
    "Time against the number of halos": ("throughput.png", "../benchmarks/solver.py"),
    "Error against time": ("work_precision.png", "../benchmarks/solver.py"),
    "The explorer": ("explorer.png", "images/explorer.py"),
    "One galaxy in the explorer": ("explorer_galaxy.png", "images/explorer.py"),
}
"""Title of each figure: its file in docs/images, and what draws it, relative to docs/."""

COMMANDS = {
    "quickstart.toml": "corundum run examples/quickstart.toml -o out/",
    "quickstart.py": "python docs/images/quickstart.py out/results.h5",
    "reference_universe.py": "python docs/images/reference_universe.py",
    "survey_sources.py": "python docs/images/survey_sources.py",
    "prevention_or_ejection.py": "python docs/images/prevention_or_ejection.py -o out/hypotheses",
    "compare_feedback.toml": "corundum compare examples/compare_feedback.toml -o out-compare/",
    "phase_transition.py": "python examples/phase_transition.py phase_transition.png",
    "prior_sensitivity.py": "python examples/prior_sensitivity.py",
    "growth.py": "python benchmarks/growth.py --out docs/images/growth.png",
    "network.py": "corundum model show ThermalCGM --diagram thermal_model.png",
    "solver.py": "python benchmarks/solver.py -o out/benchmarks",
    "explorer.py": "python docs/images/explorer.py",
}
"""How each file is run, where it is not ``python examples/NAME out/``."""


def write_gallery(docs: Path, folder: Path) -> None:
    """Write the pages into `folder`; those that have not changed keep their time."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = captions(docs)
    pages = {"index.md": _index(shown)}
    for title, (image, *sources) in FIGURES.items():
        pages[f"{Path(image).stem}.md"] = _page(docs, title, image, sources, *shown[image])
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    for path in set(folder.iterdir()) - {folder / name for name in pages}:
        path.unlink()


def captions(docs: Path) -> dict[str, tuple[str, str, str]]:
    """(alternative text, caption, page) of each figure, from the page that shows it."""
    shown = {}
    for page in sorted(docs.rglob("*.md")):
        name = page.relative_to(docs).as_posix()
        if name.startswith(("gallery/", "reference/api/")):
            continue
        pattern = r"!\[([^\]]+)\]\((?:\.\./)*images/([^)]+)\)\n\n\*(?!\*)(.+?)\*\n"
        for alternative, image, caption in re.findall(pattern, page.read_text(), flags=re.DOTALL):
            shown[image] = (alternative, caption, name)
    return shown


def _index(shown):
    cards = []
    for title, (image, *_) in FIGURES.items():
        alternative = shown[image][0]
        cards += [
            f"[![{alternative}](../images/{image})]({Path(image).stem}.md)",
            "",
            f"**{title}**",
            "",
        ]
    return "\n".join(
        [
            "# Gallery",
            "",
            "Every figure with the code that draws it. A click on one shows both. The figures are kept in the",
            "repository (`docs/images/`), because drawing all of them takes long; `make test` and `make test-slow`",
            "run the code of the tutorials and examples, the latter with fewer halos.",
            "",
            "::::{container} gallery",
            *[line for card in _grouped(cards, 4) for line in [":::{container}", *card, ":::", ""]],
            "::::",
            "",
            "```{toctree}",
            ":hidden:",
            "",
            *[Path(image).stem for image, *_ in FIGURES.values()],
            "```",
            "",
        ]
    )


def _grouped(lines, size):
    return [lines[start : start + size - 1] for start in range(0, len(lines), size)]


def _page(docs, title, image, sources, alternative, caption, page):
    commands = [_command(source) for source in sources]
    text = [f"# {title}", "", f"![{alternative}](../images/{image})", "", f"*{caption}*", ""]
    text += [f"[The page that explains it](../{page}). The figure is kept in the repository; this draws it again:", ""]
    text += ["```sh", *commands, "```", ""]
    for source in sources:
        path = docs / source
        if path.suffix == ".md":
            code, language = _blocks(path), "python"
        else:
            code, language = path.read_text(), {".py": "python", ".toml": "toml"}[path.suffix]
        shown_name = os.path.relpath(path, docs.parent)
        text += [f"## {shown_name}", "", f"````{language}", code.rstrip(), "````", ""]
    return "\n".join(text)


def _command(source):
    name = Path(source).name
    if name.endswith(".md"):
        return f"python docs/images/pages.py docs/{source}"
    return COMMANDS.get(name, f"python examples/{name} out/")


def _blocks(page):
    return "\n\n".join(block.strip() for block in re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL))
