"""Import of packages whose modules compute JAX arrays while they are imported.

Each such array costs compiled programs of its own, each called once: for diffmah 110 programs and some three seconds.
Here the import is traced, so that all of its arrays are results of one program.
"""

import importlib
import sys
from concurrent.futures import ThreadPoolExecutor

import equinox as eqx
import jax

from ..array_library import is_traced

__all__ = ["import_as_one_program"]


def import_as_one_program(*modules: str) -> None:
    """Import `modules`, computing all arrays at the top level of their packages in one program.

    A module that was imported before stays as it is.  Packages that cannot be traced are imported as usual.

    Parameters
    ----------
    *modules : str
        Names of modules, as in an import statement.

    Examples
    --------
    >>> from corundum.numerics.importing import import_as_one_program
    >>> import_as_one_program("diffmah.diffmahpop_kernels.mc_bimod_cens")
    """
    if all(name in sys.modules for name in modules):
        return
    # Traces belong to threads: in one of its own, the arrays cannot become part of a trace that is under way here.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_import, modules, bool(jax.config.read("jax_enable_x64"))).result()


def _import(modules, double):
    packages = {name.split(".")[0] for name in modules}
    before = set(sys.modules)
    places, others = [], []

    def arrays():
        for name in modules:
            importlib.import_module(name)
        values = []
        for name in _modules_since(before, packages):
            for attribute, value in vars(sys.modules[name]).items():
                if attribute[:2] != "__" and is_traced(value):
                    places.append((sys.modules[name], attribute))
                    values.append(value)
        traced, rest = eqx.partition(values, is_traced)
        others.append(rest)
        return traced

    # Such packages promote ranks and types as NumPy does, whatever JAX is set to.
    with jax.enable_x64(double), jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        try:
            values = jax.jit(arrays)()
        except (jax.errors.JAXTypeError, jax.errors.JAXIndexError):
            for name in _modules_since(before, packages):
                del sys.modules[name]
            for name in modules:
                importlib.import_module(name)
            return
    for (module, attribute), value in zip(places, eqx.combine(values, others[0]), strict=True):
        setattr(module, attribute, value)


def _modules_since(before, packages):
    return sorted(name for name in set(sys.modules) - before if name.split(".")[0] in packages)
