"""Whether halos are like those for which the reference model was calibrated: cosmology, masses, resolution, redshifts.

The numbers of a calibration make up for what its halos lack: where satellites are followed only above a mass, mergers
below it feed nothing.  In other halos the same numbers make other galaxies.
"""

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np

from ...array_library import on_host
from ...halos import HaloHistories

__all__ = ["calibrated_for", "halo_domain", "outside_calibration"]

_OMEGA_M, _H, _BARYON_SHARE = 0.02, 0.02, 0.05  # differences that change galaxies less than their tolerances
_MASS = 0.3  # dex beyond the calibrated masses
_AGE = 0.15  # of ln(1 + z)


def halo_domain(halos: HaloHistories) -> dict[str, Any]:
    """What a calibration depends on in its halos, in what JSON can hold.

    Parameters
    ----------
    halos : HaloHistories

    Returns
    -------
    dict
        `omega_m`, `h`, `baryon_share` of the cosmology; `log_mvir`, the least and largest log10 mass of centrals at
        their end [Msun]; `log_satellite`, the least log10 mass of satellites at infall, None without satellites.

    Examples
    --------
    >>> from corundum.models.checks.calibrated import halo_domain
    >>> domain = halo_domain(co.halos.complete_roots(0.0, 4, log_mvir=(10.5, 13.0)))
    >>> domain["omega_m"], domain["log_satellite"]
    (0.3075, None)
    """
    cosmology = halos.cosmology
    log_mvir = np.asarray(on_host(halos.log_mvir)[0])
    host = None if halos.host is None else np.asarray(halos.host)
    central = np.ones(len(log_mvir), bool) if host is None or halos.satellites is None else host < 0
    ends = log_mvir[central, -1]
    satellites = log_mvir[~central].max(axis=1)
    return {
        "omega_m": float(cosmology.omega_m),
        "h": float(cosmology.h),
        "baryon_share": float(cosmology.omega_b) / float(cosmology.omega_m),
        "log_mvir": [float(ends.min()), float(ends.max())] if ends.size else None,
        "log_satellite": float(satellites.min()) if satellites.size else None,
    }


def calibrated_for() -> dict[str, Any]:
    """`halo_domain` of the halos of `models.reference`, and the `redshifts` of its survey.

    Examples
    --------
    >>> from corundum.models.checks.calibrated import calibrated_for
    >>> calibrated_for()["redshifts"]
    [0.0, 0.95, 2.2]
    """
    text = (resources.files("corundum") / "data" / "calibrations" / "reference.json").read_text(encoding="utf-8")
    return json.loads(text)["about"]["calibrated_for"]


def outside_calibration(
    halos: HaloHistories, redshifts: Sequence[float] = (), domain: Mapping[str, Any] | None = None
) -> list[str]:
    """How halos differ from those for which `models.reference` was calibrated, one sentence for each difference.

    Parameters
    ----------
    halos : HaloHistories
    redshifts : sequence of float, optional
        At which galaxies are looked at.
    domain : mapping, optional
        Default `calibrated_for()`.

    Returns
    -------
    list of str
        Empty where its numbers can be trusted as far as docs/explanation/reference_universe.md says.

    Examples
    --------
    >>> halos = co.halos.complete_roots(0.0, 4, log_mvir=(10.5, 13.0))
    >>> print(co.models.outside_calibration(halos)[0])
    satellites: these halos have none, and the model was calibrated in whole merger trees
    """
    domain = calibrated_for() if domain is None else domain
    own = halo_domain(halos)
    return [*_cosmology(own, domain), *_masses(halos, own, domain), *_satellites(halos, own, domain),
            *_redshifts(redshifts, domain)]  # fmt: skip


def _cosmology(own, domain) -> list[str]:
    far = (
        abs(own["omega_m"] - domain["omega_m"]) > _OMEGA_M
        or abs(own["h"] - domain["h"]) > _H
        or abs(own["baryon_share"] / domain["baryon_share"] - 1.0) > _BARYON_SHARE
    )
    if not far:
        return []
    one, other = (
        f"Omega_m = {d['omega_m']:.3f}, h = {d['h']:.3f} and a baryon share of {d['baryon_share']:.3f}"
        for d in (own, domain)
    )
    return [f"cosmology: these halos have {one}; the model was calibrated with {other}"]


def _masses(halos, own, domain) -> list[str]:
    if own["log_mvir"] is None:
        return []
    (low, high), (least, largest) = own["log_mvir"], domain["log_mvir"]
    if low >= least - _MASS and high <= largest + _MASS:
        return []
    return [
        f"masses: these halos end with log10 Mvir of {low:.1f} to {high:.1f}; the model was calibrated from "
        f"{least:.1f} to {largest:.1f} [Msun]"
    ]


def _satellites(halos, own, domain) -> list[str]:
    if domain["log_satellite"] is None:
        return []
    if own["log_satellite"] is None:
        rest = "" if halos.mergers is not None else ": galaxies grow without mergers"
        return [f"satellites: these halos have none, and the model was calibrated in whole merger trees{rest}"]
    if own["log_satellite"] > domain["log_satellite"] + _MASS:
        return [
            f"resolution: satellites of these halos fell in with log10 Mvir above {own['log_satellite']:.1f}; the "
            f"model was calibrated with those above {domain['log_satellite']:.1f} [Msun]"
        ]
    return []


def _redshifts(redshifts, domain) -> list[str]:
    last = max(domain["redshifts"])
    beyond = [z for z in redshifts if np.log((1.0 + z) / (1.0 + last)) > _AGE]
    if not beyond:
        return []
    return [f"redshifts: the model was calibrated up to z = {last:g}; got z = {', '.join(f'{z:g}' for z in beyond)}"]
