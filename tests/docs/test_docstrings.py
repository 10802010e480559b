"""Every public class and function shows an example in its docstring, and every example runs and prints what it says.

In the examples `co` is corundum, `np` numpy, `jnp` jax.numpy and `plt` matplotlib.pyplot.  More names stand for objects
that would be too slow to make anew in each example: `halos` are eight built-in halos, `model` is the default model, and
`population` its galaxies in those halos at z = 0 and 2, and `jacobian` their parameter Jacobian at z = 0 with the eight
free parameters of Pandya et al. 2026; `target` is the posterior of the two parameters of a straight line through five
points, `best` its point estimate, and `posterior` 2 chains of 200 draws from it; `objective` holds histories of eight
galaxies from which a small model with a neural law can learn its mass loading.
"""

import doctest
import importlib
import inspect
import pkgutil
import re
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from examples import SHARED, shared

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = [name for name in co.__all__ if isinstance(getattr(co, name), ModuleType)]
FAMILIES = [f"corundum.{name}" for name in (*MODULES, "population", "parameters", "configuration", "messages")]


def members(module_name):
    """(name, object) of the classes and functions that a module makes public and that corundum defines."""
    module = importlib.import_module(module_name)
    for name in getattr(module, "__all__", ()):
        member = getattr(module, name)
        defined = str(getattr(member, "__module__", ""))
        if (inspect.isclass(member) or inspect.isfunction(member)) and defined.startswith("corundum"):
            yield name, member


def unique(module_names):
    seen = set()
    for module_name in module_names:
        for name, member in members(module_name):
            if id(member) not in seen:
                seen.add(id(member))
                yield f"{module_name.removeprefix('corundum.')}.{name}", member


def every_module():
    return ["corundum", *(info.name for info in pkgutil.walk_packages(co.__path__, "corundum."))]


PUBLIC = dict(unique(FAMILIES))
WITH_EXAMPLES = {
    name: member
    for name, member in unique([*FAMILIES, *every_module()])
    if ">>> " in (inspect.getdoc(member) or "") or name in PUBLIC
}


def namespace(text):
    """The names that an example may use, and only those that it does: a population takes seconds."""
    import matplotlib.pyplot as plt

    names = {"co": co, "jax": jax, "np": np, "jnp": jnp, "plt": plt}
    used = {name for name in SHARED if re.search(rf"(?<![.\w]){name}\b(?!\s*=[^=])", text)}
    return names | {name: shared(name) for name in used}


SLOW = {
    "explorer.Engine", "explorer.standalone_page", "inference.AbstractSampler", "inference.AbstractSurrogate",
    "inference.AbstractTrainingRule", "inference.Campaign", "inference.HMC", "inference.HistoryObjective",
    "inference.LastLayerPosterior", "inference.NUTS", "inference.NetworkPosterior", "inference.SurrogateHMC",
    "inference.Trained", "inference.criticise", "inference.feedback_indices", "inference.sample", "inference.train",
    "io.save_sensitivity", "models.Discs", "models.GasPhases", "observables.cosmic_history", "plots.feedback_indices",
    "plots.flow_diagram", "plots.growth_histories", "plots.jacobian_map", "population.Histories", "population.Sweep",
    "population.mean_galaxies.fit_means", "population.with_mergers", "sensitivity.check_gradients",
    "sensitivity.budgets", "sensitivity.gradient", "sensitivity.hessian", "sensitivity.hessian_vector_product",
    "sensitivity.routes", "sensitivity.summary_jacobian",
}  # fmt: skip
"""Examples that compile a large program of their own; what they show has a test elsewhere that is not slow."""


def test_examples_called_slow_exist():
    assert set(WITH_EXAMPLES) >= SLOW


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in WITH_EXAMPLES]
)
def test_example(name, tmp_path, monkeypatch):
    member = WITH_EXAMPLES[name]
    text = inspect.getdoc(member) or ""
    examples = doctest.DocTestParser().get_examples(text)
    assert examples or name not in PUBLIC, f"{name} shows no example in its docstring"
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(member.__module__)
    source = "".join(example.source for example in examples)
    globs = {**vars(module), member.__name__: member, **namespace(source)}
    test = doctest.DocTest(examples, globs, name, module.__file__, None, text)
    printed = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    runner.run(test, out=printed.append)
    assert runner.failures == 0, "".join(printed)
