"""Every Python block and every command of README and of the pages in docs/ runs as it stands.

A page is a script: its blocks run one after the other with the same names, in an empty folder.  Pages that fit or
solve large populations are slow checks.  Commands that take a run file are checked with ``--dry-run``, which builds
everything the run file describes and computes nothing.
"""

import re
import shlex

import pytest

from corundum.cli.main import main
from places import ROOT

WRITTEN_BY_BUILDING = ("docs/reference/api/", "docs/gallery/")
"""Pages that come with the site; docs/check_site.py checks all of its links once more."""

PAGES = ["README.md", *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if not page.startswith(WRITTEN_BY_BUILDING)]
SLOW = {
    "docs/how_to/extend.md", "docs/reference/inference.md", "docs/reference/learned_laws.md",
    "docs/reference/physics.md", "docs/reference/results_file.md", "docs/reference/training.md",
    "docs/tutorials/fit_and_trust.md", "docs/tutorials/learn_a_law.md", "docs/tutorials/plan_a_survey.md",
    "docs/tutorials/read_a_jacobian.md", "docs/tutorials/your_own_law.md",
}  # fmt: skip
"""Pages whose blocks take more than some ten seconds."""

PLACEHOLDER = re.compile(r"\b[A-Z]{4,}\b|\||\[|\.\.\.|mymodule")
"""What a line shows that describes a command instead of giving one."""


def blocks(page):
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)


def commands(page):
    """The `corundum ...` lines of a page that can be typed as they are; a backslash continues a line."""
    text = (ROOT / page).read_text().replace("\\\n", " ")
    lines = re.findall(r"^(?: {4}|\$ )(corundum [a-z][^#\n`]*)", text, flags=re.MULTILINE)
    return [line.strip() for line in lines if not PLACEHOLDER.search(line)]


def pages_with_blocks():
    for page in PAGES:
        if blocks(page):
            yield pytest.param(page, marks=[pytest.mark.slow] if page in SLOW else [])


@pytest.mark.wrong_types  # pages show what happens to wrong values
@pytest.mark.parametrize("page", list(pages_with_blocks()))
def test_the_blocks_of_a_page_run(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    if page == "docs/reference/results_file.md":  # it reads what a run has written
        assert main(["run", "examples/quickstart.toml", "-o", "out", "--set", "halos.n=12"]) == 0
    names: dict = {"__name__": "__main__"}
    for number, block in enumerate(blocks(page), start=1):
        exec(compile(block, f"{page}, block {number}", "exec"), names)
    if page == "README.md":
        assert "{'solved': 1000}" in capsys.readouterr().out
    if page == "docs/tutorials/read_a_jacobian.md":
        assert (tmp_path / "jacobian.png").stat().st_size > 10_000


COMMANDS = sorted({command for page in PAGES for command in commands(page) if len(shlex.split(command)) > 2})


def commands_with_marks():
    for command in COMMANDS:
        yield pytest.param(command, marks=[pytest.mark.slow] if "check-gradients" in command else [])


@pytest.mark.parametrize("command", list(commands_with_marks()))
def test_the_commands_of_the_pages_run(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    arguments = shlex.split(command)[1:]
    if arguments[0] in ("run", "fit", "compare", "mocks", "forecast", "sensitivity", "train", "calibrate"):
        where = arguments.index("-o")
        arguments[where : where + 2] = ["--dry-run"]
    if arguments[0] in ("fit", "compare", "mocks", "forecast"):  # drawing 16 trees for each halo takes most of the time
        arguments += ["--set", "halos.candidates=1"]
    if arguments[0] == "calibrate":  # drawing hundreds of merger trees
        arguments += ["--set", "halos.n=6"]
    if arguments[0] == "explore":  # it would serve until Ctrl-C, or solve and differentiate
        arguments.append("--dry-run")
    assert main(arguments) == 0, capsys.readouterr().err


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
        if "://" not in target:
            linked = ((ROOT / page).parent / target).resolve()
            built = str(linked.relative_to(ROOT.resolve())).startswith(WRITTEN_BY_BUILDING)
            assert built or linked.exists(), f"{page} links to {target}"


def test_the_architecture_page_lists_every_room():
    page = (ROOT / "docs" / "architecture.md").read_text()
    package = ROOT / "src" / "corundum"
    rooms = {path.name for path in package.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    modules = {path.stem for path in package.glob("[a-z]*.py")}
    missing = [name for name in rooms | modules if f"| `{name}" not in page]
    assert not missing, f"docs/architecture.md does not say what these hold: {missing}"
