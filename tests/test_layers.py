"""The architecture: imports point down only, and each heavy dependency has one owner."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import corundum

PACKAGE = Path(corundum.__file__).parent
LAYERS = [
    "annotations", "array_library", "messages", "lazy_names", "configuration", "printing", "units", "plain_numbers",
    "arguments", "plausible", "declarations", "parameters", "astropy_numbers", "cosmic_age", "cosmology", "numerics",
    "storage", "halos", "physics", "models", "population", "observables", "sensitivity", "inference", "io", "plots",
    "explorer", "cli", "__main__",
]  # fmt: skip
"""From the bottom up: a module imports from its own layer and from those before it."""
ROOMS = {
    "halos": ["", "branches", "tables", "trees", "generate", "reading", "report", "conversion"],
    "cli": ["", "runfile", "jobs", "commands", "main"],
}
"""The same inside a family: its own files first, then its folders (and files that join them) from the bottom up."""
MOST_LINES, MOST_FILES = 350, 16
OWNERS = {
    "diffrax": {"numerics"},
    "diffmah": {"halos"},
    "h5py": {"storage", "io", "halos", "physics"},
    "matplotlib": {"plots"},
    "tqdm": {"cli"},
    "argparse": {"cli"},
    "platformdirs": {"configuration"},
    "optax": {"inference"},
    "numpyro": {"inference"},
    "optimistix": {"inference"},
    "arviz": {"storage"},
    "SALib": {"sensitivity"},
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(("corundum", *(parts[:-1] if parts[-1] == "__init__" else parts)))


def imports(path: Path, top_level: bool = False):
    """(module, line) of every import in a file, with relative ones resolved below the package."""
    here = ("corundum", *path.relative_to(PACKAGE).with_suffix("").parts)
    if here[-1] == "__init__":
        here = (*here[:-1], "")
    tree = ast.parse(path.read_text())
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here[: len(here) - node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            for alias in node.names:
                yield f"{module}.{alias.name}", node.lineno


def room_of(path: Path) -> str:
    """The folder or file of a family that a module belongs to; empty for the plain files of the family."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    rooms = ROOMS.get(parts[0], [])
    return parts[1] if len(parts) > 1 and parts[1] in rooms else ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    if path == PACKAGE / "__init__.py":
        return
    layer = LAYERS.index(layer_of(path)) if layer_of(path) in LAYERS else None
    assert layer is not None or layer_of(path) == "data", f"{path.name} is in no layer"
    for module, line in imports(path):
        parts = module.split(".")
        if parts[0] == "corundum" and len(parts) > 1 and parts[1] in LAYERS:
            assert LAYERS.index(parts[1]) <= layer, f"{path}:{line} imports {module}, which lies above it"


@pytest.mark.parametrize("family", ROOMS)
def test_imports_inside_a_family_point_down(family):
    rooms = ROOMS[family]
    for path in MODULES:
        if layer_of(path) != family or path == PACKAGE / family / "__init__.py":
            continue
        for module, line in imports(path):
            parts = module.split(".")
            if parts[:2] == ["corundum", family] and len(parts) > 2:
                other = parts[2] if parts[2] in rooms else ""
                assert rooms.index(other) <= rooms.index(room_of(path)), f"{path}:{line} imports {module}"


def strings_imported(path: Path):
    """(module, line) of every `import_module` whose argument names a module in a plain string or an f-string."""
    for node in ast.walk(ast.parse(path.read_text())):
        name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
        if name in ("import_module", "__import__") and node.args:
            yield ast.unparse(node.args[0]), node.lineno


def test_no_module_of_the_package_is_imported_by_a_string():
    # What the packages' own doors list, what files of results and run files name, and packages that compute arrays
    # while they are imported, are the only places.
    names = ("lazy_names.py", "storage/public_names.py", "cli/runfile/kinds.py", "numerics/importing.py")
    allowed = {PACKAGE / name for name in names}
    for path in MODULES:
        for argument, line in strings_imported(path):
            outside = argument[:1] in "\"'" and not argument.strip("\"'").startswith((".", "corundum"))
            outside = outside or argument.startswith(("f'SALib", 'f"SALib'))
            assert path in allowed or outside, f"{path}:{line} imports {argument} by a string: import it plainly"


def test_no_import_circles():
    """Every module can be the first one that a process imports: a circle would fail for one of its members."""
    graph = {}
    names = {module_name(path): path for path in MODULES}
    for name, path in names.items():
        graph[name] = set()
        for module, _ in imports(path, top_level=True):
            target = module if module in names else module.rpartition(".")[0]
            if target in names and target != name:
                graph[name].add(target)
    state: dict[str, int] = {}

    def visit(name, trail):
        assert state.get(name) != 1, f"import circle: {' -> '.join([*trail[trail.index(name) :], name])}"
        if name not in state:
            state[name] = 1
            for target in sorted(graph[name]):
                visit(target, [*trail, name])
            state[name] = 2

    for name in graph:
        visit(name, [])


@pytest.mark.parametrize("dependency", OWNERS)
def test_heavy_dependencies_have_one_owner(dependency):
    users = {layer_of(path) for path in MODULES for module, _ in imports(path) if module.split(".")[0] == dependency}
    assert users <= OWNERS[dependency]


def test_only_configuration_touches_global_settings():
    for path in MODULES:
        if layer_of(path) in ("configuration", "cli"):
            continue
        attributes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)]
        settings = {ast.unparse(node) for node in attributes}
        assert not settings & {"jax.config.update", "os.environ", "matplotlib.rcParams", "plt.rcParams"}, path


def test_import_has_no_effects():
    code = (
        "import sys, os, jax; before = dict(os.environ), jax.config.values.copy();"
        "import corundum; assert (dict(os.environ), jax.config.values.copy()) == before;"
        "assert 'matplotlib' not in sys.modules and 'h5py' not in sys.modules;"
        "from jax._src import xla_bridge; assert not xla_bridge._backends"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stdout, done.stderr


def test_modules_are_small_and_folders_short():
    long = [f"{path.name}: {n}" for path in MODULES if (n := len(path.read_text().splitlines())) > MOST_LINES]
    assert not long, f"split these: {long}"
    folders = {path.parent for path in MODULES}
    crowded = {str(folder): n for folder in folders if (n := len(list(folder.glob("*.py")))) > MOST_FILES}
    assert not crowded, f"make folders in these: {crowded}"


def test_every_public_module_opens_with_a_docstring_and_lists_its_members():
    for path in MODULES:
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), f"{path} has no opening paragraph"
        names = {t.id for node in tree.body if isinstance(node, ast.Assign) for t in node.targets if hasattr(t, "id")}
        if path.name not in ("__main__.py",) and layer_of(path) != "data" and not path.name.startswith("_"):
            assert "__all__" in names, f"{path} has no __all__"
