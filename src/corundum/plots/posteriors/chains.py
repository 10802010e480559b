"""Figures of Markov chains: traces, and ranks of the draws of each chain among all."""

from typing import Any

import numpy as np

from ..names import symbol
from ..style import CYCLE, new_panels, styled

__all__ = ["trace_and_rank"]


@styled
def trace_and_rank(posterior: Any) -> np.ndarray:
    """Every chain of every parameter, and the ranks of its draws among all, which are flat if the chains agree.

    Parameters
    ----------
    posterior : Posterior
        With ``names`` and ``theta``, shape (chains, draws, P).

    Returns
    -------
    array of Axes, (P, 2)

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> posterior = SimpleNamespace(names=("loading",), theta=np.random.default_rng(0).normal(size=(4, 100, 1)))
    >>> co.plots.trace_and_rank(posterior).shape
    (1, 2)
    """
    size = len(posterior.names)
    axes = np.atleast_2d(new_panels(size, 2, size=(9.0, 1.25 * size + 0.6)))
    chains, draws = posterior.theta.shape[:2]
    drawn = min(chains, len(CYCLE))
    for i, name in enumerate(posterior.names):
        values = posterior.theta[..., i]
        rank = values.ravel().argsort().argsort().reshape(values.shape) / values.size
        edges = np.linspace(0.0, 1.0, 21)
        for chain in range(drawn):
            axes[i, 0].plot(values[chain], color=CYCLE[chain], linewidth=0.5)
            height = np.histogram(rank[chain], edges)[0] / (draws / 20.0)
            axes[i, 1].stairs(height, edges, color=CYCLE[chain], linewidth=1.0)
        axes[i, 1].axhline(1.0, color="0.5", linewidth=0.8)
        axes[i, 0].set_ylabel(symbol(name), fontsize=9)
        axes[i, 1].set_ylim(0.0, None)
        for ax in axes[i]:
            ax.tick_params(labelsize=8)
            if i < size - 1:
                ax.set_xticklabels([])
    axes[-1, 0].set_xlabel("draw")
    axes[-1, 1].set_xlabel("rank")
    return axes
