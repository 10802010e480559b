"""The numbers on screen and their derivatives, each from one compiled program.

`solve` gives the picture at any values of the parameters; `slopes` how all of it but the flows responds to eight
parameters at once, exactly, through the adaptive solver.  Between two solutions the page moves the picture along the
slopes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..messages import did_you_mean
from ..numerics.compiling import compiled
from ..numerics.solvers.forward_lanes import for_forward_mode
from ..observables import histories_of
from ..parameters import set_values
from ..population import evolve
from ..sensitivity import Natural, known_parameters
from .indices import has_indices, indices_and_slopes
from .modes import modes_of
from .priors import Priors
from .stepping import stepped
from .view import View

__all__ = ["COLUMNS", "SHOWN", "Engine"]

SHOWN = ("mass", "metals", "energy")
"""What the flow diagram can show."""

COLUMNS = 8
"""Parameters whose slopes are computed at once."""


class Engine:
    """Solutions and slopes of a `View`.

    Parameters
    ----------
    view : View
    priors : mapping of str to (float, float), dict or numpyro Distribution, optional
        As for `corundum.inference.free_parameters`; by default uniform over declared ranges.

    Examples
    --------
    >>> view = co.explorer.view_of(co.models.MinimalRegulator(), halos, ["shmr_behroozi19_sf"])
    >>> picture = co.explorer.Engine(view).solve({"mass_loading.constant": 2.0})
    >>> picture["y"].shape, picture["status"].tolist()  # one relation, eight galaxies, all solved
    ((1, 8), [0, 0, 0, 0, 0, 0, 0, 0])
    """

    def __init__(self, view: View, priors: Mapping[str, Any] | None = None):
        self.view = view
        self.priors = Priors(view, priors)
        self.known = known_parameters(view.model, view.halos.cosmology)
        self.start = np.array([float(self.known[name].value) for name in view.names])

    def vector(self, values: Mapping[str, Any]) -> np.ndarray:
        """All numbers of the model, with some of them set to `values`.

        Raises
        ------
        ValueError
            A name is unknown, or a value is not finite or cannot be.
        """
        vector = self.start.copy()
        for name, value in values.items():
            if name not in self.view.names:
                hint = did_you_mean(str(name), self.view.names)
                raise ValueError(f"parameter {name!r}: the model has none of this name; {hint}see corundum.describe")
            low, high = self.known[name].allowed
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ValueError(f"parameter {name}: got {value!r}; allowed a number from {low:g} to {high:g}")
            vector[self.view.names.index(name)] = value
        return vector

    def solve(self, values: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The picture with `values`.

        Returns
        -------
        dict of str to array
            ``mean`` and ``error`` (M,) of the prediction at the data, ``sigma`` (M,) of data minus mean as chi^2 counts
            it, ``weight`` (M, M) of residuals in chi^2, ``reached`` (M,); ``x`` and ``y`` (D, N) of every galaxy in
            each of D relations; ``histories`` (Q, N, T), log10; ``flows`` (C, F, N, T), log10 of mass and metals
            [Msun/yr] and energy [erg/s], NaN where a flow carries none; ``status`` and ``steps`` of the solver (N,).
        """
        return self._solved(values)[0]

    def _solved(self, values: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """The picture, and log10 of the states (N, T, S), which the page does not need."""
        picture, others = _solve(self.view, jnp.asarray(self.vector(values)))
        arrays = {name: np.asarray(array) for name, array in {**picture, **others}.items()}
        covariance = self._residual(arrays)[0]
        arrays["sigma"], arrays["weight"] = np.sqrt(np.diagonal(covariance)), np.zeros_like(covariance)
        for name in self.view.data.names:
            block = np.ix_(*[self._used(arrays, self.view.data.positions(name))] * 2)
            arrays["weight"][block] = np.linalg.inv(covariance[block])
        return arrays, arrays.pop("log_state")

    def slopes(self, values: Mapping[str, Any], names: Sequence[str]) -> dict[str, np.ndarray]:
        """How the picture responds to parameters in their natural scale, decades for amplitudes.

        Returns
        -------
        dict of str to array
            ``mean``, ``x``, ``y``, ``histories`` as in `solve`, with one parameter for each entry of the first axis.

        Raises
        ------
        ValueError
            There are more than `COLUMNS` names, or one is unknown or has no slope where it is.
        """
        vector, rows = self._directions(values, names)
        slopes = _slopes(self.view, jnp.asarray(vector), jnp.asarray(rows))
        return {name: np.asarray(array)[: len(names)] for name, array in slopes.items()}

    def indices(self, values: Mapping[str, Any], names: Sequence[str]) -> dict[str, np.ndarray]:
        """Prevention and ejection today, and how they respond to parameters in their natural scale.

        Returns
        -------
        dict of str to array
            ``indices`` (I, N), those of `corundum.sensitivity.INDICES`, and ``slopes`` of them, (names, I, N).

        Raises
        ------
        ValueError
            The model has none, there are more than `COLUMNS` names, or one is unknown.
        """
        if not has_indices(self.view):
            raise ValueError("indices: the model has no reservoirs cgm and ism, between which they count gas")
        vector, rows = self._directions(values, names)
        indices, slopes = indices_and_slopes(self.view, jnp.asarray(vector), jnp.asarray(rows))
        return {"indices": np.asarray(indices), "slopes": np.asarray(slopes)[: len(names)]}

    def modes(self, values: Mapping[str, Any], halo: Any, time: Any) -> list[dict[str, Any]]:
        """The modes of one galaxy at one of the redshifts of the view, as `corundum.explorer.modes.modes_of`.

        Raises
        ------
        ValueError
            There is no such halo or redshift.
        """
        counts = {"halo": len(self.view.halos), "time": len(self.view.redshifts)}
        for name, index in (("halo", halo), ("time", time)):
            if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < counts[name]:
                raise ValueError(f"modes: {name} {index!r}; allowed a whole number from 0 to {counts[name] - 1}")
        picture, log_state = self._solved(values)
        model = set_values(self.view.model, dict(zip(self.view.names, self.vector(values), strict=True)))
        known = np.where(picture["status"][halo] == 0, log_state[halo, time], np.nan)
        return modes_of(model, self.view.halos[np.array([halo])], self.view.redshifts[time], known)

    def _directions(self, values, names) -> tuple[np.ndarray, np.ndarray]:
        """All numbers, and a row for each name along which slopes are taken."""
        unknown = [name for name in names if name not in self.view.names]
        if unknown or not 0 < len(names) <= COLUMNS:
            wrong = f"unknown {', '.join(map(str, unknown))}" if unknown else f"{len(names)} names"
            raise ValueError(f"slopes: got {wrong}; give 1 to {COLUMNS} parameters of the model")
        vector = self.vector(values)
        rows = np.zeros((COLUMNS, len(vector)))
        for row, name in enumerate(names):
            place = self.view.names.index(name)
            rows[row, place] = Natural().slope(name, self.known[name], float(vector[place]))
        return vector, rows

    def misfit(self, picture: Mapping[str, np.ndarray]) -> list[tuple[float, int]]:
        """chi^2 of each measurement, and of how many points: those that galaxies reach and that are no limits."""
        residual, misfit = self._residual(picture)[1], []
        for name in self.view.data.names:
            used = self._used(picture, self.view.data.positions(name))
            chi2 = residual[used] @ picture["weight"][np.ix_(used, used)] @ residual[used]
            misfit.append((float(chi2), len(used)))
        return misfit

    def step(
        self, values: Mapping[str, Any], free: Sequence[str], *, damping: float = 0.1, largest: float = 0.2
    ) -> dict[str, float]:
        """Values after one damped Gauss-Newton step of the `free` parameters up the log posterior.

        It weighs the data on screen against `priors`.  No parameter moves by more than `largest` of the width of its
        prior, and the step is halved until the log posterior rises.

        Raises
        ------
        ValueError
            Nothing is free, a name is unknown, or nothing says where one could be.
        """
        if not free:
            raise ValueError("step: no parameter is free; mark at least one")
        self._directions(values, free[:COLUMNS])  # refuses unknown names
        return stepped(self, values, free, damping=damping, largest=largest)

    def mean_slopes(self, values: Mapping[str, Any], names: Sequence[str]) -> np.ndarray:
        """How the prediction at the data (M,) responds to any number of parameters (P,) in their natural scale."""
        blocks = [names[first : first + COLUMNS] for first in range(0, len(names), COLUMNS)]
        return np.concatenate([self.slopes(values, block)["mean"] for block in blocks]).T

    def weighed(self, picture: Mapping[str, np.ndarray], slope: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Half the curvature of chi^2 (P, P) and minus half its slope (P,), from those of the prediction (M, P)."""
        covariance, residual = self._residual(picture)
        used = self._used(picture, np.arange(len(residual)))
        used = used[np.isfinite(slope[used]).all(axis=1)]
        weight = np.linalg.inv(covariance[np.ix_(used, used)])
        return slope[used].T @ weight @ slope[used], slope[used].T @ weight @ residual[used]

    def chi2(self, picture: Mapping[str, np.ndarray]) -> float:
        """chi^2 of all data, in which a point that galaxies no longer reach counts like the mean of the others."""
        chi2, used = (sum(column) for column in zip(*self.misfit(picture), strict=True))
        return chi2 / used * len(self.view.data.y) if used else np.inf

    def _residual(self, picture) -> tuple[np.ndarray, np.ndarray]:
        data, error = self.view.data, picture["error"]
        covariance = np.asarray(data.covariance) + np.asarray(data.sampling_correlation) * error[:, None] * error
        return covariance, np.asarray(data.y) - picture["mean"]

    def _used(self, picture, positions) -> np.ndarray:
        positions = np.setdiff1d(positions, self.view.data.limits)
        good = picture["reached"][positions] & np.isfinite(picture["mean"][positions])
        return positions[good & np.isfinite(np.asarray(self.view.data.y)[positions])]


def _picture(view: View, vector, solver) -> tuple[dict[str, Any], dict[str, Any]]:
    """What has slopes, and what has none."""
    model = set_values(view.model, dict(zip(view.names, vector, strict=True)))
    summaries = eqx.tree_at(lambda tree: (tree.model, tree.solver), view.summaries, (model, solver))
    population = evolve(
        model, view.halos, view.redshifts, histories=histories_of(view.measurements), solver=solver
    )  # fmt: skip
    prediction = summaries.of(population, {})
    axes: list[list[Any]] = [[], []]
    for measurement, index in zip(view.measurements, summaries.nearest, strict=True):
        galaxies = population.at(summaries.outputs[index])
        if measurement.relation.single_galaxies:
            values = measurement.relation.x(galaxies), measurement.relation.y(galaxies)
        else:
            values = (jnp.full(galaxies.valid.shape, jnp.nan),) * 2
        for axis, value in zip(axes, values, strict=True):
            axis.append(jnp.where(galaxies.valid, value, jnp.nan))
    histories = jnp.stack([jnp.log10(population[name]) for name in view.histories])
    flows = jnp.stack([jnp.stack([_of_flow(population, name, currency) for name in view.flows]) for currency in SHOWN])
    moving = {"mean": prediction.mean, "x": jnp.stack(axes[0]), "y": jnp.stack(axes[1]), "histories": histories}
    others = {
        "error": prediction.error, "reached": prediction.reached, "flows": flows, "status": population.status,
        "steps": population.steps, "log_state": jnp.log10(jnp.stack(population.state, axis=-1)),
    }  # fmt: skip
    return moving, others


def _of_flow(population, name, currency):
    rate = getattr(population.flows[name], currency)
    if rate is None:
        return jnp.full(population.valid.shape, jnp.nan)
    return jnp.where(rate > 0.0, jnp.log10(jnp.where(rate > 0.0, rate, 1.0)), jnp.nan)


@compiled
def _solve(view, vector):
    return _picture(view, vector, view.summaries.solver)


@compiled
def _slopes(view, vector, rows):
    solver = for_forward_mode(view.summaries.solver)

    def along(row):
        return jax.jvp(lambda at: _picture(view, at, solver)[0], (vector,), (row,))[1]

    return jax.vmap(along)(rows)
