"""Refuses the import of `corundum.inference` where its optional packages are missing, and says how to install them."""

import importlib.util

_MISSING = [name for name in ("numpyro", "optax", "optimistix", "arviz") if importlib.util.find_spec(name) is None]
if _MISSING:
    raise ImportError(
        f"corundum.inference needs {', '.join(_MISSING)}, which is not installed: pip install 'corundum[inference]'"
    )
