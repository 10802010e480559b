"""The architecture: imports point down only, and each heavy dependency has one owner."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import corundum

PACKAGE = Path(corundum.__file__).parent
LAYERS = [
    "units", "parameters", "cosmology", "numerics", "halos", "physics", "models", "population", "sensitivity",
    "observables", "inference", "io", "plots", "cli",
]  # fmt: skip
# parameters is below cosmology and numerics.limiters; units is below everything.
OWNERS = {
    "diffrax": {"numerics"},
    "diffmah": {"halos"},
    "h5py": {"io", "halos"},
    "matplotlib": {"plots"},
    "tqdm": {"cli"},
    "argparse": {"cli"},
    "optax": {"inference"},
    "numpyro": {"inference"},
    "optimistix": {"inference"},
    "arviz": {"inference", "io"},
    "SALib": {"sensitivity"},
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path):
    """(module, line) of every import in a file, with relative ones resolved below the package."""
    here = ("corundum", *path.relative_to(PACKAGE).with_suffix("").parts)
    if here[-1] == "__init__":
        here = (*here[:-1], "")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here[: len(here) - node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            for alias in node.names:
                yield f"{module}.{alias.name}", node.lineno


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


@pytest.mark.parametrize("dependency", OWNERS)
def test_heavy_dependencies_have_one_owner(dependency):
    users = {layer_of(path) for path in MODULES for module, _ in imports(path) if module.split(".")[0] == dependency}
    assert users <= OWNERS[dependency]


def test_only_the_command_line_touches_global_settings():
    for path in MODULES:
        if layer_of(path) == "cli":
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


def test_modules_are_small():
    long = [f"{path.name}: {n}" for path in MODULES if (n := len(path.read_text().splitlines())) > 400]
    assert not long, f"split these: {long}"


def test_every_public_module_opens_with_a_docstring_and_lists_its_members():
    for path in MODULES:
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), f"{path} has no opening paragraph"
        names = {t.id for node in tree.body if isinstance(node, ast.Assign) for t in node.targets if hasattr(t, "id")}
        if path.name not in ("__main__.py",) and layer_of(path) != "data" and not path.name.startswith("_"):
            assert "__all__" in names, f"{path} has no __all__"
