"""The standard figures of a run, with captions."""

from collections.abc import Iterator, Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np

from ...array_library import on_host
from ...halos import HaloHistories
from ...observables import (
    AbstractRelation,
    ColdGasFraction,
    GasMetallicity,
    HaloBaryonFraction,
    Measurement,
    StarFormingMainSequence,
    StellarMetallicity,
    StellarToHaloMass,
)
from ..budgets import baryon_budget, energy_budget, mass_budget
from ..comparison import compare_histories
from ..histories import growth_histories
from ..names import bars_in_words, short_name
from ..relations import compare_relation, relation_evolution, scaling_relation
from .host import Compared, OnHost
from .page import Drawing

_RELATIONS = (
    StellarToHaloMass, ColdGasFraction, StarFormingMainSequence, GasMetallicity, StellarMetallicity,
    HaloBaryonFraction,
)  # fmt: skip

__all__ = ["standard_drawings"]


def standard_drawings(
    population: Any,
    *,
    halos: HaloHistories | None = None,
    measurements: Sequence[tuple[Measurement, float]] = (),
    trajectories: Any = None,
    compared: Compared | None = None,
) -> Iterator[Drawing]:
    """Every figure that these results allow, one at a time; none where no galaxy was solved.

    Parameters
    ----------
    population : Population
    halos : HaloHistories, optional
        Its histories, for the cosmic baryon fraction and the comparison of halos.
    measurements : sequence of (Measurement, float)
        Data to compare with, and the output redshift to do it at.
    trajectories : Population, optional
        A few of the halos at many redshifts.
    compared : Compared, optional
        A second set of halos under the same model.

    Examples
    --------
    >>> [drawing.name for drawing in co.plots.standard_drawings(population, halos=halos)]
    ['baryon_budget', 'mass_budget', 'energy_budget', 'relation_evolution']
    """
    population = OnHost(population)
    if not np.any(population.valid):
        return
    for relation, redshift, members in grouped(measurements):
        yield _relation_drawing(population, relation, redshift, members)
    latest = float(np.min(np.asarray(population.redshifts)))
    if np.any(population.at(latest).valid):
        yield from _budget_drawings(population, halos, latest)
    if len(population.redshifts) > 1:
        yield from _evolution_drawing(population)
    if trajectories is not None and np.any(np.asarray(trajectories.valid)):
        yield _growth_drawing(OnHost(trajectories))
    if compared is not None:
        second = compared._replace(population=OnHost(compared.population))
        yield from _compared_drawings(population, halos, measurements, second, latest)


def grouped(
    measurements: Sequence[tuple[Measurement, float]],
) -> list[tuple[AbstractRelation, float, list[Measurement]]]:
    """Measurements grouped by relation and redshift."""
    groups: list[tuple[AbstractRelation, float, list[Measurement]]] = []
    for data, redshift in measurements:
        for relation, group_redshift, members in groups:
            if group_redshift == redshift and eqx.tree_equal(*on_host(relation, data.relation)):
                members.append(data)
                break
        else:
            groups.append((data.relation, redshift, [data]))
    return groups


def _relation_drawing(population, relation, redshift, members):
    galaxies = population.at(redshift)
    ax = scaling_relation(galaxies, relation, members)
    sources = "; ".join(f"{short_name(data)}, bars: {bars_in_words(data)}" for data in members)
    caption = (
        f"{_capital(relation.title)} at z = {redshift:g}. Points: model galaxies. Line and dark band: their "
        "kernel-regressed mean and its standard error, drawn only where enough galaxies surround a node; pale band: "
        f"16th to 84th percentile of galaxies. Data: {sources}. Below: model minus data at the points that are "
        "reached, with the errors of both; χ² is that of these points, with the covariance of the data and the "
        "variance of the mean."
    )
    return Drawing(ax.figure, caption, f"{_stem(relation)}_z{redshift:g}_{members[0].name}")


def _budget_drawings(population, halos, redshift):
    cosmic = {} if halos is None else {"baryon_fraction": float(halos.cosmology.baryon_fraction)}
    ax = baryon_budget(population, redshift=redshift, **cosmic)
    caption = (
        f"Where the baryons of a halo are at z = {redshift:g}: mean share of its cosmic baryons f_b Mvir in "
        "stars, interstellar gas and circumgalactic gas, in bins of halo mass, or of each galaxy where there are fewer "
        "than 24. The remainder was never accreted or has left the halo."
    )
    yield Drawing(ax.figure, caption, "baryon_budget")
    ax = mass_budget(population, redshift=redshift, **cosmic)
    caption = (
        f"Mass flow of every channel at z = {redshift:g} over the baryon supply f_b dMvir/dt. Lines: "
        "medians in bins of halo mass; bands: 16th to 84th percentile of galaxies. Fewer than 24 galaxies are drawn "
        "one by one. Halos that are not growing are left out."
    )
    yield Drawing(ax.figure, caption, "mass_budget")
    powers = [name for name, rates in population.flows.items() if rates.energy is not None]
    if {"accretion", "wind_heating"} <= set(powers):
        ax = energy_budget(population, redshift=redshift)
        caption = (
            f"Energy flow of every channel at z = {redshift:g} over the heating of the circumgalactic gas "
            "(accretion and supernova winds together). Lines: medians in bins of halo mass; bands: 16th to "
            "84th percentile. Fewer than 24 galaxies are drawn one by one."
        )
        yield Drawing(ax.figure, caption, "energy_budget")


def _evolution_drawing(population):
    relations = [jax.tree.map(np.asarray, kind()) for kind in _RELATIONS]  # whose numbers compile nothing
    relations = [relation for relation in relations if _has_quantities(population, relation)]
    if relations:
        axes = relation_evolution(population, relations)
        listed = ", ".join(f"{z:g}" for z in sorted(np.asarray(population.redshifts).tolist()))
        caption = (
            f"The mean of each relation at every output redshift, z = {listed}, where enough galaxies exist; dots are "
            "galaxies with too few others around them."
        )
        yield Drawing(axes[0].figure, caption, "relation_evolution")


def _has_quantities(population, relation):
    galaxies = population.at(float(np.min(np.asarray(population.redshifts))))
    try:
        relation.x(galaxies), relation.y(galaxies)
    except KeyError:
        return False
    return True


def _growth_drawing(trajectories):
    rows = np.flatnonzero(np.asarray(trajectories.valid).any(axis=1))
    axes = growth_histories(trajectories, rows)
    caption = (
        "Growth of single halos, one in each column, titled with its final mass. From above: masses of halo, "
        "circumgalactic gas, interstellar gas and stars; mass flows and star-formation rate; metal mass "
        "fractions in units of 0.02; temperature of the circumgalactic gas and virial temperature."
    )
    return Drawing(axes[0, 0].figure, caption, "growth_histories")


def _compared_drawings(population, halos, measurements, compared, redshift):
    first, second = compared.labels
    if halos is not None:
        axes = compare_histories(halos, compared.halos, compared.labels)
        caption = (
            f"Histories of the halos of {first} (solid) and {second} (dashed) in bins of final mass. Above: "
            "mean log mass over final mass, mean specific growth rate, mean log concentration. Below: "
            f"{second} minus {first}, with standard errors."
        )
        yield Drawing(axes[0, 0].figure, caption, "compared_histories")
    relations = {type(relation): relation for relation, _, _ in grouped(measurements)}
    for relation in relations.values():
        galaxies = (population.at(redshift), compared.population.at(redshift))
        data = [m for m, z in measurements if z == redshift and eqx.tree_equal(*on_host(m.relation, relation))]
        axes = compare_relation(galaxies, relation, compared.labels, measurements=data)
        caption = (
            f"{_capital(relation.title)} at z = {redshift:g} of the same model on the halos of {first} and "
            f"of {second}: means with standard errors, and the 16th to 84th percentile of galaxies (pale). Below: "
            f"{second} minus {first}."
        )
        yield Drawing(axes[0].figure, caption, f"compared_{_stem(relation)}")


def _capital(text):
    return text[:1].upper() + text[1:]


def _stem(relation):
    return "_".join(relation.title.replace("-", " ").split())
