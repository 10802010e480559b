"""Reading the tables that come with the package, and finding the place of a value in a grid."""

from importlib import resources

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ...annotations import Array

__all__ = ["read_csv", "bracket", "uniform_cell"]

_BEYOND = 1e-9  # of a cell


def read_csv(folder: str, name: str) -> np.ndarray:
    """Rows of numbers of a table in ``corundum/data``, NaN where a cell is empty.

    Comments and the line of column names are skipped.
    """
    path = resources.files("corundum.data") / folder / name
    with path.open() as lines:
        rows = [line.split(",") for line in lines if line[0] not in "#l"]
    return np.array([[float(cell.strip() or "nan") for cell in row] for row in rows])


def bracket(grid: Float[Array, " n"], x: Float[Array, "..."]) -> tuple[Int[Array, "..."], Float[Array, "..."]]:
    """Index of the interval of an increasing grid that holds `x`, and the position in it from 0 to 1.

    Beyond the grid the nearest interval is taken, and the position lies outside 0 to 1: a linear interpolation with it
    extrapolates.  Hold `x` inside the grid to avoid that.
    """
    i = jnp.clip(jnp.searchsorted(grid, x, side="right", method="compare_all") - 1, 0, len(grid) - 2)
    return i, (x - grid[i]) / (grid[i + 1] - grid[i])


def uniform_cell(
    x: Float[Array, "..."], cells: int
) -> tuple[Int[Array, "..."], Float[Array, "..."], Float[Array, "..."]]:
    """Index of the cell that holds `x`, position in it, and distance beyond the grid, all in units of one cell."""
    inside = jnp.clip(x, 0.0, float(cells))
    # XLA may compute x anew for each use and round it to either side of a whole number, such as that of 10^6 K: the
    # index of one cell then went with the position in the next. A billionth of a cell beyond lies no round number.
    i = jnp.clip(jnp.floor(inside + _BEYOND).astype(int), 0, cells - 1)
    return i, inside - i.astype(inside.dtype), x - inside
