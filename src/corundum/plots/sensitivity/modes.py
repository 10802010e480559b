"""Eigenmodes of a galaxy over its life: their time scales, their patterns, and the flows that set them."""

import numpy as np
from matplotlib.ticker import NullFormatter

from ...sensitivity import Modes, StateJacobian, followed_modes
from ..style import CYCLE, channel_label, new_panels, styled
from .jacobians import RESERVOIRS

__all__ = ["mode_portrait"]


@styled
def mode_portrait(jacobian: StateJacobian, modes: Modes, halo: int = 0) -> np.ndarray:
    """Time scales of all modes of one galaxy, and below them the pattern of each mode against cosmic time.

    In the patterns, rows are the parts of the state and colours their share |v| in the right eigenvector of the mode.
    Titles name the flows with the largest contributions to the eigenvalue at the last time.  Modes are numbered by
    speed at the last time and followed from there by the overlap of their patterns, so that a panel and a line stay
    with one mode where another becomes faster (`corundum.sensitivity.followed_modes`).

    Parameters
    ----------
    jacobian : StateJacobian
        At many redshifts.
    modes : Modes
        Of this Jacobian.
    halo : int

    Returns
    -------
    array of Axes, (1 + number of modes,)

    Examples
    --------
    >>> states = co.sensitivity.state_jacobian(model, halos, [0.0, 2.0], population=population)
    >>> co.plots.mode_portrait(states, co.sensitivity.modes(states)).shape
    (8,)
    """
    modes = followed_modes(modes)
    time = jacobian.time.sel(halo=halo).values
    order = np.argsort(time)
    scale = modes.timescale.sel(halo=halo).values[order]
    decaying = modes.eigenvalue.sel(halo=halo).values[order].real < 0
    shares = np.abs(modes.right.sel(halo=halo).values[order])
    number = scale.shape[1]
    grid = -(-number // 2)
    axes = new_panels(1 + grid, 2, size=(8.6, 2.7 + 1.55 * grid), squeeze=False,
                    gridspec_kw={"height_ratios": [1.7, *[1.0] * grid]})  # fmt: skip
    figure = axes[0, 0].figure
    top = _one_panel(axes[0])
    _time_scales(top, time[order], scale, decaying)
    panels = np.ravel(axes[1:])
    states = modes.right.labels("state")
    names = [RESERVOIRS.get(state, ("", state))[1] for state in states]
    latest = modes.timescale.labels("redshift")[int(np.argmax(time))]
    leading = modes.dominant(halo, latest, number=2)
    edges = _edges(time[order])
    for m, ax in enumerate(panels):
        if m >= number:
            ax.set_axis_off()
            continue
        image = ax.pcolormesh(edges, np.arange(len(states) + 1), shares[:, m].T, cmap="viridis", vmin=0, vmax=1)
        ax.set_xscale("log")
        ax.set_yticks(np.arange(len(states)) + 0.5, names, fontsize=8)
        ax.tick_params(axis="y", which="both", length=0)
        ax.invert_yaxis()
        flows = " and ".join(map(channel_label, leading[m]))
        ax.set_title(f"mode {m + 1}: {flows}", fontsize=9.5, color=CYCLE[m % len(CYCLE)])
        _plain_ticks(ax)
        if m == number - 1:
            ax.set_xlabel("cosmic age [Gyr]")
    figure.colorbar(image, ax=list(panels), pad=0.02, aspect=40, label="share in the mode, $|v|$")
    return np.array([top, *panels[:number]])


def _one_panel(row):
    """One panel across a row of axes, which it replaces."""
    figure, grid = row[0].figure, row[0].get_gridspec()
    for ax in row:
        ax.remove()
    panel = figure.add_subplot(grid[0, :])
    panel.tick_params(which="both", direction="in", top=True, right=True)
    return panel


def _time_scales(ax, time, scale, decaying):
    for m in range(scale.shape[1]):
        color = CYCLE[m % len(CYCLE)]
        ax.plot(time, scale[:, m], color=color, lw=1.5, label=f"mode {m + 1}")
        growing = ~decaying[:, m]
        ax.plot(time[growing], scale[growing, m], "^", color=color, ms=4)
    ax.plot(time, time, color="0.6", ls="--", lw=1.0, label="cosmic age")
    ax.set(yscale="log", xscale="log", ylabel=r"$1/|{\rm Re}\,\lambda|$ [Gyr]", xlabel="cosmic age [Gyr]")
    finite = scale[np.isfinite(scale)]
    ax.set_ylim(0.5 * np.quantile(finite, 0.005), min(30.0 * np.quantile(finite, 0.99), 3e4))
    _plain_ticks(ax)
    ax.legend(loc="upper left", ncols=4, fontsize=8.5)


def _plain_ticks(ax):
    ticks = [t for t in (0.5, 1, 2, 5, 10) if ax.get_xlim()[0] <= t <= ax.get_xlim()[1]]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.xaxis.set_minor_formatter(NullFormatter())


def _edges(time):
    if len(time) < 2:
        return np.array([0.97, 1.03]) * time[0]
    middle = np.sqrt(time[1:] * time[:-1])
    return np.concatenate([[time[0] ** 2 / middle[0]], middle, [time[-1] ** 2 / middle[-1]]])
