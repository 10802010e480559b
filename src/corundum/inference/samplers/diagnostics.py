"""How well chains know each parameter: rank-normalised R-hat, and effective sample sizes in bulk and tails."""

from collections.abc import Sequence

import numpy as np

from ...storage.arviz_data import arviz

__all__ = ["ESS", "RHAT", "diagnostics", "enough"]

RHAT = 1.01
"""Largest R-hat of chains that agree."""

ESS = 400.0
"""Least effective number of draws, in the bulk and in the tails."""

TAILS = (0.05, 0.95)
"""Stated because the default of ArviZ differs between its versions."""


def diagnostics(draws: Sequence[np.ndarray], compared: Sequence[np.ndarray] | None = None) -> dict[str, np.ndarray]:
    """``rhat``, ``ess_bulk`` and ``ess_tail`` of each parameter; R-hat of a single chain is NaN.

    Parameters
    ----------
    draws : sequence of array, (chains, draws)
        Of each parameter.
    compared : sequence of array, optional
        What R-hat compares in their place.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter & Buerkner 2021, Bayesian Analysis 16, 667.
    """
    az = arviz()
    several = len(draws[0]) > 1
    measured = {
        "rhat": [az.rhat(values, method="rank") if several else np.nan for values in compared or draws],
        "ess_bulk": [az.ess(values, method="bulk") for values in draws],
        "ess_tail": [az.ess(values, method="tail", prob=TAILS) for values in draws],
    }
    return {key: np.array(values, float) for key, values in measured.items()}


def enough(theta: np.ndarray) -> bool:
    """Whether draws, (chains, draws, P), are those of chains that agree, and many enough for every parameter."""
    table = diagnostics([theta[..., i] for i in range(theta.shape[-1])])
    agree = np.all(table["rhat"] < RHAT) if len(theta) > 1 else True
    return bool(agree and np.all(table["ess_bulk"] >= ESS) and np.all(table["ess_tail"] >= ESS))
