"""The modes of one galaxy in what JSON can hold: how fast a small change of its contents fades, and what sets that."""

from typing import Any

import numpy as np

from ..halos import HaloHistories
from ..models import AbstractModel
from ..sensitivity import modes
from ..sensitivity.state import state_jacobian_along

__all__ = ["modes_of"]

_COUNTS = 0.35  # of the largest component of a pattern: what is smaller is left out of its description


def modes_of(model: AbstractModel, halo: HaloHistories, redshift: float, log_state: np.ndarray) -> list[dict[str, Any]]:
    """The modes of one galaxy, slowest first; none where it is not known.

    Parameters
    ----------
    model : AbstractModel
    halo : HaloHistories
        One halo.
    redshift : float
    log_state : array, (S,)
        log10 of its state then.

    Returns
    -------
    list of dict
        ``timescale`` [Gyr], ``grows``, ``period`` [Gyr] or None, ``contents`` (names of what changes, each with its
        share of the pattern), and ``flows`` (those that contribute most to the rate [1/Gyr], with it).

    Examples
    --------
    >>> log_state = np.log10([float(part[0, 0]) for part in population.state])
    >>> slowest = modes_of(model, halos[[0]], 0.0, log_state)[0]
    >>> slowest["timescale"] > 1.0, slowest["flows"][0][0]
    (True, 'star_formation')
    """
    jacobian = state_jacobian_along(model, halo, np.array([redshift]), np.asarray(log_state)[None, None])
    if not np.isfinite(jacobian.matrix.values).all():
        return []
    galaxy = modes(jacobian)
    states, flows = galaxy.right.labels("state"), galaxy.by_flow.labels("flow")
    described = []
    for rate, pattern, shares in zip(
        galaxy.eigenvalue.values[0, 0], galaxy.right.values[0, 0], galaxy.by_flow.values[0, 0], strict=True
    ):
        if rate.imag < 0.0:  # the other one of the pair says the same
            continue
        size = np.abs(pattern) / np.abs(pattern).max()
        # The sign of a pattern is arbitrary: its largest part counts as positive.
        sign = np.sign((pattern / pattern[np.argmax(size)]).real)
        largest = [k for k in np.argsort(-size) if size[k] > _COUNTS]
        weight = np.abs(np.nan_to_num(shares))
        strongest = [k for k in np.argsort(-weight)[:2] if weight[k] > 0.05 * weight.max()]
        described.append(
            {
                "timescale": float(1.0 / max(abs(rate.real), 1e-12)),
                "grows": bool(rate.real > 0.0),
                "period": float(2.0 * np.pi / rate.imag) if rate.imag > 0.0 else None,
                "contents": [[states[k], float(sign[k] * size[k])] for k in largest],
                "flows": [[flows[k], float(shares[k].real)] for k in strongest],
            }
        )
    return sorted(described, key=lambda mode: -mode["timescale"])
