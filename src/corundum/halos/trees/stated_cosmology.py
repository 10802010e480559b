"""The cosmology that a file states, in comments or in attributes of HDF5.

Only words that mean a parameter count: ``h0 = 0.7`` states the Hubble constant, ``linking length = 0.28`` does not.  A
number that cannot be such a parameter, or two that differ, make the cosmology unclear, and the reader then asks for it.
A universe that is not flat LCDM is taken as flat, which the reader says.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

__all__ = ["StatedCosmology", "cosmology_in_attributes", "cosmology_in_text"]

_WORDS = {
    "h": ("h", "h0", "h_0", "hubble", "hubble0", "hubbleparam", "hubble_param", "hubbleconstant", "hubble_constant"),
    "omega_m": ("omega_m", "om", "omegam", "omega0", "omega_0", "omegamatter", "omega_matter", "om0", "omega_m0"),
    "omega_lambda": (
        "omega_l", "ol", "omegal", "omegalambda", "omega_lambda", "ol0", "omega_l0", "omega_de", "omegade", "ode0",
    ),
    "omega_b": ("omega_b", "ob", "omegab", "omegabaryon", "omega_baryon", "ob0", "omega_b0", "omegabaryons"),
    "omega_k": ("omega_k", "omegak", "omegacurvature", "omega_curvature", "ok0"),
    "w": ("w", "w0", "w_0", "w_de"),
    "wa": ("wa", "w_a"),
    "n_eff": ("n_eff", "neff"),
    "m_nu": ("m_nu", "mnu", "sum_m_nu", "omega_nu", "omeganu"),
}  # fmt: skip
_PARAMETERS = {word: parameter for parameter, words in _WORDS.items() for word in words}
_STATEMENT = re.compile(
    r"(?<![\w.\-])(" + "|".join(sorted(_PARAMETERS, key=len, reverse=True)) + r")\s*[=:]\s*"
    r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?nan|[-+]?inf)(?![\w.])",
    re.IGNORECASE,
)
_H, _H0 = (0.3, 1.2), (30.0, 120.0)  # without and with km/s/Mpc
_OMEGA_M = (0.05, 1.0)
_W = (-3.0, 0.0)  # an equation of state; the letter w is also used for other quantities
_SAME = 5e-3  # relative; published parameters are often rounded
_FLAT = 5e-3  # absolute; radiation is 1e-4, the rest are rounded parameters


class StatedCosmology(NamedTuple):
    """What a file states of its cosmology; None where it states nothing.

    Attributes
    ----------
    h, omega_m, omega_b, n_eff : float or None
        As for `corundum.cosmology.Cosmology`.
    unclear : str
        Why these do not determine a universe, or empty: "states h = 5 ...".
    departure : str
        What else the file states that flat LCDM with massless neutrinos does not have, or empty.
    """

    h: float | None = None
    omega_m: float | None = None
    omega_b: float | None = None
    n_eff: float | None = None
    unclear: str = ""
    departure: str = ""


def cosmology_in_text(text: str) -> StatedCosmology:
    """The cosmology that comment lines state, such as ``Omega_M = 0.3; h0 = 0.7``.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> from corundum.halos.trees.stated_cosmology import cosmology_in_text
    >>> stated = cosmology_in_text("#linking length = 0.28\\n#Om = 0.3; Ol = 0.7; H0 = 70 km/s/Mpc")
    >>> stated.h, stated.omega_m
    (0.7, 0.3)
    >>> cosmology_in_text("#Omega_M = 0.3; Omega_L = 0.6; h0 = 0.7").departure
    'states Omega_m + Omega_lambda = 0.9, so that it is not flat'
    """
    return _decide((_PARAMETERS[word.lower()], float(value)) for word, value in _STATEMENT.findall(text))


def cosmology_in_attributes(attributes: Mapping[str, Any]) -> StatedCosmology:
    """The cosmology that attributes of an HDF5 file state, such as ``HubbleParam`` and ``Omega0``.

    Parameters
    ----------
    attributes : mapping
        Numbers, or arrays or texts that hold one; others are passed over.

    Examples
    --------
    >>> from corundum.halos.trees.stated_cosmology import cosmology_in_attributes
    >>> cosmology_in_attributes({"HubbleParam": 0.6774, "Omega0": [0.3089], "OmegaLambda": 0.6911})[:2]
    (0.6774, 0.3089)
    """
    stated = [(_PARAMETERS[name.lower()], attributes[name]) for name in attributes if name.lower() in _PARAMETERS]
    numbers = ((parameter, _number(value)) for parameter, value in stated)
    return _decide((parameter, value) for parameter, value in numbers if value is not None)


def _number(value: Any) -> float | None:
    values = np.asarray(value).ravel()
    try:
        return float(values[0]) if len(values) == 1 else None
    except (TypeError, ValueError):
        return None


def _decide(pairs: Iterable[tuple[str, float]]) -> StatedCosmology:
    """The parameters of these statements, several of which may concern the same one."""
    values: dict[str, list[float]] = {parameter: [] for parameter in _WORDS}
    for parameter, value in pairs:
        values[parameter].append(value)
    unclear: list[str] = []
    h = _one("h", [value / 100.0 if _H0[0] <= value <= _H0[1] else value for value in values["h"]], _H, unclear)
    omega_m = _one("Omega_m", values["omega_m"], _OMEGA_M, unclear)
    omega_b = _one("Omega_b", [value for value in values["omega_b"] if value != 0.0], (0.0, 1.0), unclear)
    n_eff = _one("N_eff", values["n_eff"], (0.0, 20.0), unclear)
    omega_lambda = _one("Omega_lambda", values["omega_lambda"], (-10.0, 10.0), unclear)
    departures = []
    if omega_m is not None and omega_lambda is not None and not abs(omega_m + omega_lambda - 1.0) <= _FLAT:
        departures.append(f"states Omega_m + Omega_lambda = {omega_m + omega_lambda:g}, so that it is not flat")
    curvature = [value for value in values["omega_k"] if not abs(value) <= _FLAT]
    departures += [f"states Omega_k = {value:g}, so that it is not flat" for value in curvature]
    energies = [value for value in values["w"] if _W[0] < value < _W[1] and abs(value + 1.0) > _SAME]
    departures += [f"states dark energy with w0 = {value:g}, which is no cosmological constant" for value in energies]
    changes = [value for value in values["wa"] if not abs(value) <= _SAME]
    departures += [f"states dark energy with wa = {value:g}, which is no cosmological constant" for value in changes]
    if any(value > 0.0 for value in values["m_nu"]):
        departures.append("states massive neutrinos")
    return StatedCosmology(h, omega_m, omega_b, n_eff, "; it ".join(unclear), " and ".join(departures))


def _one(name: str, values: list[float], limits: tuple[float, float], unclear: list[str]) -> float | None:
    """The value that statements agree on, None without any; what makes it unclear is added to a list."""
    possible = [value for value in values if limits[0] <= value <= limits[1]]
    if values and not possible:
        unclear.append(f"states {name} = {values[0]:g}; allowed {limits[0]:g} to {limits[1]:g}")
    if not possible:
        return None
    other = next((value for value in possible if abs(value - possible[0]) > _SAME * abs(possible[0])), None)
    if other is not None:
        unclear.append(f"states {name} = {possible[0]:g} and {other:g}")
        return None
    return possible[0]
