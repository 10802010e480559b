"""What figures and reports call measurements, their errors and parameters: texts, without anything that draws."""

import functools
import re
from collections import Counter
from collections.abc import Iterable

import numpy as np

from ..observables import Measurement, available, load
from ..observables.provenance import CORRELATIONS_IGNORED

__all__ = [
    "bars_in_words",
    "feature_label",
    "law_label",
    "short_citation",
    "short_name",
    "short_names",
    "statistical_error",
    "symbol",
]

_KINDS = {
    "standard error": "statistical error",
    "posterior": "68% posterior",
    "residual": "departures from a smooth curve",
    "scatter": "scatter of galaxies",
}
_SYMBOLS = {
    "mass_loading": r"\eta_M",
    "energy_loading": r"\eta_E",
    "depletion_time": r"t_{\rm dep}",
    "metal_loading": r"\eta_Z",
}
_FEATURES = {
    "log_vvir": r"$\log_{10}\,V_{\rm vir}$ [km/s]",
    "log_mvir": r"$\log_{10}\,M_{\rm vir}$ [M$_\odot$]",
    "log_mstar": r"$\log_{10}\,M_\star$ [M$_\odot$]",
    "log_mism": r"$\log_{10}\,M_{\rm ISM}$ [M$_\odot$]",
    "log_mcgm": r"$\log_{10}\,M_{\rm CGM}$ [M$_\odot$]",
    "log_sfr": r"$\log_{10}\,{\rm SFR}$ [M$_\odot$/yr]",
    "log_temperature": r"$\log_{10}\,T$ [K]",
    "log_z_ism": r"$\log_{10}\,Z_{\rm ISM}$",
    "log_cooling_ratio": r"$\log_{10}\,t_{\rm cool}/t_{\rm ff}$",
    "log_gas_surface_density": r"$\log_{10}\,\Sigma_{\rm gas}$ [M$_\odot$/kpc$^2$]",
    "gas_fraction": "gas fraction",
    "ln_expansion": r"$\ln(1+z)$",
}
_NUISANCES = ("offset", "mass_scale", "discrepancy")  # of a measurement


def short_citation(citation: str) -> str:
    """``"Behroozi et al. 2019"`` from a full citation: first author and year."""
    first, second, year = _authors(citation)
    return citation if not year else f"{first}{second or ' et al.' * (second is None)} {year}"


def short_name(data: Measurement) -> str:
    """A name for a legend, with the survey where the citation names it: ``"xGASS (Catinella+18)"``.

    Examples
    --------
    >>> from corundum.plots.names import short_name
    >>> short_name(co.observables.load("coldgas_xgass")), short_name(co.observables.load("gasmzr_andrews13"))
    ('xGASS (Catinella+18)', 'Andrews & Martini 13')
    """
    first, second, year = _authors(data.citation)
    if not year:
        return data.citation
    brief = f"{first}{f'{second} ' if second else '+' if second is None else ' '}{year[2:]}"
    survey = re.search(r"\(([A-Z][\w -]*|[a-z]+[A-Z]\w*)\)", data.citation)
    return f"{survey.group(1)} ({brief})" if survey else brief


def short_names(measurements: Iterable[Measurement]) -> dict[str, str]:
    """A name for the legend by the name of each measurement; what would have the same says its relation too.

    Examples
    --------
    >>> from corundum.plots.names import short_names
    >>> data = [co.observables.load(name) for name in ("shmr_behroozi19_sf", "shmr_behroozi19_z2", "gasmzr_curti20")]
    >>> list(short_names(data).values())
    ['Behroozi+19 (z = 0)', 'Behroozi+19 (z = 2)', 'Curti+20']
    """
    measurements = list(measurements)
    names = {data.name: short_name(data) for data in measurements}
    for add in (lambda data: f" (z = {data.redshift:g})", lambda data: f", {data.relation.title}"):
        common = Counter(names.values())
        titles = Counter((names[data.name], add(data)) for data in measurements)
        for data in measurements:
            name = names[data.name]
            if common[name] > 1 and titles[name, add(data)] < common[name]:
                names[data.name] = name + add(data)
    return names


def feature_label(name: str, unit: str) -> str:
    """What an axis calls a feature of a learned law.

    Examples
    --------
    >>> from corundum.plots.names import feature_label
    >>> feature_label("gas_fraction", "1"), feature_label("hot_gas", "dex")
    ('gas fraction', 'hot gas [dex]')
    """
    return _FEATURES.get(name, name.replace("_", " ") + ("" if unit == "1" else f" [{unit}]"))


def law_label(place: str) -> str:
    """What an axis calls the values of a law.

    Examples
    --------
    >>> from corundum.plots.names import law_label
    >>> law_label("depletion_time"), law_label("prevention")
    ('$t_{\\\\rm dep}$ [Gyr]', 'prevention')
    """
    name = rf"${_SYMBOLS[place]}$" if place in _SYMBOLS else place.replace("_", " ")
    return f"{name} [Gyr]" if place.endswith("_time") else name


def _authors(citation):
    """First author; " & second", empty for one author and None for more than two; year."""
    year = re.search(r"\b(1[89]|20)\d\d\b", citation)
    if year is None:
        return citation, "", ""
    authors = citation[: year.start()].strip(" ,(+")
    first = re.split(r",| & | and | et al", authors)[0]
    pair = re.fullmatch(r"[^,]+(?: & | and )([^,]+)", authors)
    return first, "" if authors == first else f" & {pair.group(1)}" if pair else None, year.group()


def bars_in_words(data: Measurement) -> str:
    """What the error bars of a measurement are: statistical, systematic, both together, or a spread.

    Examples
    --------
    >>> from corundum.plots.names import bars_in_words
    >>> bars_in_words(co.observables.load("sfms_davies16"))
    'total error: 0.1 dex systematic, 0.0034 dex statistical'
    """
    kind, systematic = _KINDS[data.error_kind], float(data.systematic)
    if systematic == 0 and CORRELATIONS_IGNORED in data.notes and data.error_kind in ("standard error", "residual"):
        return "total error, points taken as independent"
    if systematic == 0:
        return kind
    usual = float(np.median(statistical_error(data)))
    part = "statistical" if data.error_kind == "standard error" else kind
    return f"total error: {systematic:.2g} dex systematic, {usual:.2g} dex {part}"


def statistical_error(data: Measurement) -> np.ndarray:
    """The error of each point without the systematic one [dex]."""
    return np.sqrt(np.diag(np.asarray(data.covariance)))


@functools.cache
def symbol(name: str, log10: bool = True) -> str:
    """A short label of a parameter: a symbol for the amplitudes and slopes of scaling laws, else its name.

    Examples
    --------
    >>> from corundum.plots.names import symbol
    >>> symbol("offset.coldgas_xgass"), symbol("stellar_return.metal_yield")
    ('offset of xGASS (Catinella+18)', 'stellar return: metal yield')
    >>> symbol("mass_loading.departure.values.k1")
    '$\\Delta\\,\\eta_M$ k1'
    """
    law, _, kind = name.rpartition(".")
    law = law.removesuffix(".base")  # of a learned law
    place, _, knots = law.partition(".departure.")
    if place in _SYMBOLS and knots:
        return rf"$\Delta\,{_SYMBOLS[place]}$ {kind}"
    if law in _SYMBOLS and kind == "amplitude":
        return rf"$\log_{{10}}\,A({_SYMBOLS[law]})$" if log10 else rf"$A({_SYMBOLS[law]})$"
    if law in _SYMBOLS and kind == "slope":
        return rf"$\alpha({_SYMBOLS[law]})$"
    if law in _NUISANCES and kind in available():
        return f"{law.replace('_', ' ')} of {short_name(load(kind))}"
    return name.replace("_", " ").replace(".", ": ")
