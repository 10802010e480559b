"""Refuses the import of `corundum.explorer` where its optional packages are missing, and says how to install them."""

import importlib.util

_MISSING = [name for name in ("starlette", "uvicorn", "numpyro") if importlib.util.find_spec(name) is None]
if _MISSING:
    raise ImportError(
        f"corundum.explorer needs {', '.join(_MISSING)}, which is not installed: pip install 'corundum[explore]'"
    )
