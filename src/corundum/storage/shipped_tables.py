"""Tables of published numbers that come with the package."""

from importlib import resources

import numpy as np
from jaxtyping import Float

__all__ = ["read_grid"]


def read_grid(folder: str, name: str) -> tuple[list[str], Float[np.ndarray, "rows columns"]]:
    """Column names and numbers of one of the package's tables."""
    path = resources.files("corundum.data") / folder / name
    with path.open() as file:
        rows = [line.strip().split(",") for line in file if not line.startswith("#")]
    return rows[0], np.array(rows[1:], dtype=np.float64)
