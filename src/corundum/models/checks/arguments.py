"""The door for a model and its halos, the first two arguments of everything that evolves galaxies."""

from typing import Any

from ...arguments import instance
from ...halos import HaloHistories
from ...parameters import require_float64
from ..base import AbstractModel

__all__ = ["check_apart", "check_model", "check_model_and_halos"]

_MODEL = "a model, such as models.ThermalCGM()"
_HALOS = "halos, such as those of halos.monte_carlo_trees(100)"


def check_model(model: Any) -> None:
    """Refuse what is no model, such as its class.

    Raises
    ------
    TypeError
        The message says what to give.

    Examples
    --------
    >>> from corundum.models.checks.arguments import check_model
    >>> check_model(halos)
    Traceback (most recent call last):
    TypeError: model: got a HaloHistories; give a model, such as models.ThermalCGM()
    """
    instance("model", model, AbstractModel, expected=_MODEL)


def check_model_and_halos(model: Any, halos: Any) -> None:
    """Refuse what is no model or no halos, or the two in the wrong order, and single precision.

    Raises
    ------
    TypeError
        The message says what to give.
    RuntimeError
        As `corundum.parameters.require_float64`.

    Examples
    --------
    >>> from corundum.models.checks.arguments import check_model_and_halos
    >>> check_model_and_halos(halos, model)
    Traceback (most recent call last):
    TypeError: model: got the halos, and for the halos the model; give the model first, then the halos
    """
    if isinstance(model, HaloHistories) and not isinstance(halos, HaloHistories):
        raise TypeError("model: got the halos, and for the halos the model; give the model first, then the halos")
    check_model(model)
    instance("halos", halos, HaloHistories, expected=_HALOS)
    require_float64(model, halos)


def check_apart(halos: HaloHistories) -> None:
    """Refuse no halos, and halos whose galaxies act on each other.

    Raises
    ------
    ValueError
        There is no halo, or some are satellites of others.

    Examples
    --------
    >>> from corundum.models.checks.arguments import check_apart
    >>> check_apart(halos)
    """
    if not len(halos):
        raise ValueError("halos: got an empty set of histories; check the selection that made it")
    if halos.satellites is not None:
        raise ValueError(
            "halos: this is computed halo by halo, and satellites act on their hosts; take centrals alone, "
            "halos.select_centrals(halos), or derivatives of trees from sensitivity.parameter_jacobian and "
            "summary_jacobian"
        )
