"""The numbers of an astropy cosmology, if they are those of a flat universe with a cosmological constant.

Whether they are is asked of the object, not of its class: a `w0waCDM` with w0 = -1 and wa = 0 is one.  astropy is not
imported.
"""

from typing import Any

import numpy as np

from .arguments import in_words

__all__ = ["EXPECTED_COSMOLOGY", "is_of_astropy", "flat_lcdm_numbers"]

EXPECTED_COSMOLOGY = (
    "one of corundum.cosmology, such as planck18() or Cosmology(h=0.7, omega_m=0.3), or an astropy cosmology"
)
"""What a cosmology can be, for messages."""

_FLAT = 2e-3  # largest |Ok0| that counts as flat, since radiation may come beside Om0 + Ode0 = 1


def is_of_astropy(cosmology: Any) -> bool:
    """Whether an object is a cosmology of astropy.

    Examples
    --------
    >>> from corundum.astropy_numbers import is_of_astropy
    >>> is_of_astropy(co.cosmology.planck18())
    False
    """
    return any(kind.__module__.startswith("astropy.cosmology") for kind in type(cosmology).__mro__)


def flat_lcdm_numbers(cosmology: Any) -> dict[str, float]:
    """The numbers of an astropy cosmology by the names of `corundum.cosmology.Cosmology`.

    Raises
    ------
    ValueError
        The universe is curved, its dark energy changes, or its baryon density is not stated; the message says which.

    Examples
    --------
    >>> from astropy.cosmology import FlatwCDM
    >>> from corundum.astropy_numbers import flat_lcdm_numbers
    >>> flat_lcdm_numbers(FlatwCDM(H0=70.0, Om0=0.3, Ob0=0.05, w0=-0.9))
    Traceback (most recent call last):
    ValueError: cosmology: astropy's FlatwCDM has dark energy of w = -0.9, and this model knows flat universes with ...
    """
    kind = type(cosmology).__name__
    if not all(hasattr(cosmology, name) for name in ("h", "Om0", "Ob0", "Ok0", "Tcmb0", "Neff", "w")):
        raise ValueError(f"cosmology: got {in_words(cosmology)}; give {EXPECTED_COSMOLOGY}")
    curvature, equation = float(cosmology.Ok0), np.array([float(cosmology.w(z)) for z in (0.0, 1.0, 5.0)])
    reason = f"is curved (Ok0 = {curvature:.4g})" if abs(curvature) > _FLAT else ""
    if np.any(np.abs(equation + 1.0) > 1e-9):
        reason = f"has dark energy of w = {' to '.join(dict.fromkeys(f'{w:.4g}' for w in (equation[0], equation[-1])))}"
    if reason:
        raise ValueError(
            f"cosmology: astropy's {kind} {reason}, and this model knows flat universes with a cosmological constant "
            "only; give FlatLambdaCDM with the same H0, Om0, Ob0 and Tcmb0"
        )
    if cosmology.Ob0 is None or not cosmology.Ob0 > 0:
        raise ValueError(f"cosmology: astropy's {kind} has no baryon density; make it with Ob0=..., such as Ob0=0.0486")
    return {
        "h": float(cosmology.h),
        "omega_m": float(cosmology.Om0),
        "omega_b": float(cosmology.Ob0),
        "t_cmb": float(cosmology.Tcmb0.value),
        "n_eff": float(cosmology.Neff),
    }
