"""Several models of the same data side by side: evidences, cross-validation and predictive checks."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.special import logsumexp

from ...arguments import whole_number
from ...printing import in_short
from ..posterior import Posterior
from ..predictive import predictive
from ..target import Target
from .bridge import Evidence, bridge_evidence
from .leaving_out import leave_one_out

__all__ = ["Comparison", "Criterion", "common_points", "compare"]

_STRONG = 5.0
"""|ln Bayes factor| from which evidence is called strong (150 to one)."""

_NEEDED = 2.5
"""|ln Bayes factor| from which a model is preferred at all (12 to one)."""


class Criterion(NamedTuple):
    """How well new data would be predicted, by cross-validation or by the widely applicable information criterion.

    Attributes
    ----------
    elpd : float
        Expected ln predictive density of all points; higher is better.
    error : float
        Standard error of `elpd` over the points.
    parameters : float
        Effective number of parameters.
    doubtful : float
        Share of points whose estimate is not reliable: Pareto k above 0.7 for cross-validation, a variance of the ln
        density above 0.4 for the other.

    Examples
    --------
    >>> criterion = co.inference.Criterion(elpd=-12.3, error=2.1, parameters=2.0, doubtful=0.0)
    >>> criterion.parameters
    2.0
    """

    elpd: float
    error: float
    parameters: float
    doubtful: float

    def __repr__(self) -> str:
        return in_short(self)


class Comparison(NamedTuple):
    """What the same data say of several models; `print` shows the table.

    Attributes
    ----------
    labels : tuple of str
    evidence : tuple of Evidence
    loo, waic : tuples of Criterion
        Leave-one-out cross-validation by Pareto-smoothed importance sampling, and WAIC.
    loo_difference : tuple of (float, float)
        Difference of `elpd` from the model with the highest evidence, and its standard error over the points.
    p_value : tuple of dict of str to float
        Posterior predictive p-value of each measurement.

    Examples
    --------
    >>> result = co.inference.compare({"as it is": (target, posterior), "again": (target, posterior)}, draws=100)
    >>> result.ln_bayes_factor("again")[0]
    0.0
    """

    labels: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    loo: tuple[Criterion, ...]
    waic: tuple[Criterion, ...]
    loo_difference: tuple[tuple[float, float], ...]
    p_value: tuple[dict[str, float], ...]

    @property
    def best(self) -> int:
        """Position of the model with the highest evidence."""
        return int(np.argmax([evidence.ln_z for evidence in self.evidence]))

    def ln_bayes_factor(self, label: str) -> tuple[float, float]:
        """ln of the evidence of a model over that of the best one, and its error."""
        evidence, best = self.evidence[self.labels.index(label)], self.evidence[self.best]
        if evidence is best:
            return 0.0, 0.0
        return evidence.ln_z - best.ln_z, float(np.hypot(evidence.error, best.error))

    def rows(self) -> list[dict[str, Any]]:
        """One row of numbers for each model, the best first."""
        rows = []
        for place in np.argsort([-evidence.ln_z for evidence in self.evidence], kind="stable"):
            label = self.labels[place]
            factor, error = self.ln_bayes_factor(label)
            difference, uncertainty = self.loo_difference[place]
            evidence = self.evidence[place]
            rows.append({
                "model": label, "ln_evidence": evidence.ln_z, "ln_evidence_error": evidence.error,
                "ln_bayes_factor": factor, "ln_bayes_factor_error": error, "elpd_loo": self.loo[place].elpd,
                "elpd_loo_error": self.loo[place].error, "elpd_difference": difference,
                "elpd_difference_error": uncertainty, "p_loo": self.loo[place].parameters,
                "doubtful_loo": self.loo[place].doubtful, "elpd_waic": self.waic[place].elpd,
                "p_waic": self.waic[place].parameters, "doubtful_waic": self.waic[place].doubtful,
                **{f"p_value {name}": value for name, value in self.p_value[place].items()},
            })  # fmt: skip
        return rows

    def sentences(self) -> list[str]:
        """What the numbers say, one sentence for each model that is not the best."""
        best, lines = self.labels[self.best], []
        for row in self.rows()[1:]:
            size, error = abs(row["ln_bayes_factor"]), row["ln_bayes_factor_error"]
            if size - 2.0 * error > _STRONG:
                verdict = "the data prefer the first strongly"
            elif size - 2.0 * error > _NEEDED:
                verdict = "the data prefer the first"
            else:
                verdict = "the data do not decide between them"
            lines.append(f"{best} against {row['model']}: ln Bayes factor {size:.2f} +- {error:.2f}; {verdict}.")
        return lines

    def __repr__(self) -> str:
        width = max(len(label) for label in self.labels)
        lines = [f"{'':{width}}  ln evidence      against the best  cross-validation  parameters"]
        for row in self.rows():
            lines.append(
                f"{row['model']:{width}}  {row['ln_evidence']:8.2f} +- {row['ln_evidence_error']:<4.2f}"
                f"{row['ln_bayes_factor']:11.2f} +- {row['ln_bayes_factor_error']:<4.2f}"
                f"{row['elpd_loo']:10.1f} +- {row['elpd_loo_error']:<4.1f}{row['p_loo']:8.1f}"
            )
        return "\n".join([*lines, *self.sentences()])


def compare(
    fits: Mapping[str, tuple[Target, Posterior]], *, draws: int = 1000, evidence_draws: int = 2000, key: int = 0
) -> Comparison:
    """Compare fits of several models, or priors, to the same data.

    The evidence is that of nested sampling where `NestedSampler` made the draws, and of bridge sampling otherwise.  It
    depends on the priors: a parameter whose prior is made wider, and about which the data say little, costs its model
    no more than the share of the prior that the data exclude.  Cross-validation does not, and asks another question:
    how well a new point would be predicted.  Points are correlated, so that each is predicted given all others.

    Parameters
    ----------
    fits : mapping of str to (Target, Posterior)
        By name.
    draws : int
        Of the posterior, for predictions.
    evidence_draws : int
        As `draws` of `bridge_evidence`.
    key : int

    Raises
    ------
    ValueError
        There are fewer than two fits, or they are not of the same data.

    References
    ----------
    Vehtari, Gelman & Gabry 2017, Stat. Comput. 27, 1413 (PSIS-LOO, WAIC); Buerkner, Gabry & Vehtari 2021, Comput. Stat.
    36, 1243 (correlated points); Kass & Raftery 1995, J. Am. Stat. Assoc. 90, 773 (Bayes factors).

    Examples
    --------
    >>> result = co.inference.compare({"one": (target, posterior), "two": (target, posterior)}, draws=100)
    >>> result.labels
    ('one', 'two')
    >>> result.sentences()
    ['one against two: ln Bayes factor 0.00 +- 0.0...; the data do not decide between them.']
    """
    draws = whole_number("draws", draws, least=10)
    if len(fits) < 2:
        raise ValueError(f"fits: got {len(fits)}; give at least two, as a mapping of names to (target, posterior)")
    _refuse_other_data({label: target for label, (target, _) in fits.items()})
    evidence, loo, waic, pointwise, p_value = [], [], [], [], []
    for target, posterior in fits.values():
        about = posterior.data.attrs
        if "ln_evidence" in about:
            numbers = (float(about["ln_evidence"]), float(about["ln_evidence_error"]))
            evidence.append(Evidence(*numbers, "nested sampling", int(about["solves"]), posterior.seconds))
        else:
            evidence.append(bridge_evidence(target, posterior, draws=evidence_draws, key=key))
        checks = predictive(target, posterior.thinned(draws, key=key), key=key)
        p_value.append(checks.p_value)
        ln_densities = np.concatenate([checks.ln_likelihood[name] for name in target.data.names], axis=1)
        ln_densities = ln_densities[:, np.isfinite(ln_densities).any(axis=0)]
        ln_densities = ln_densities[np.isfinite(ln_densities).all(axis=1)]
        by_leaving_out, elpd = _left_out(ln_densities)
        loo.append(by_leaving_out)
        pointwise.append(elpd)
        waic.append(_widely_applicable(ln_densities))
    best = int(np.argmax([one.ln_z for one in evidence]))
    differences = [elpd - pointwise[best] for elpd in pointwise]
    difference = tuple((float(d.sum()), float(np.std(d) * np.sqrt(len(d)))) for d in differences)
    return Comparison(tuple(fits), tuple(evidence), tuple(loo), tuple(waic), difference, tuple(p_value))


def _refuse_other_data(targets):
    first_label, first = next(iter(targets.items()))
    for label, target in targets.items():
        same = first.data.names == target.data.names and all(
            np.array_equal(getattr(first.data, part), getattr(target.data, part), equal_nan=True)
            for part in ("x", "y", "covariance")
        )
        if not same:
            raise ValueError(
                f"fits: {label} has other data than {first_label} (measurements, points that count, or errors); "
                "evidences compare models of the same data, so fit all to the points that every model reaches "
                "(inference.common_points)"
            )


def _left_out(ln_density):
    """Cross-validation from the ln density of each point given all others, (S, M), and its value at each point."""
    elpd, k = leave_one_out(ln_density)
    return _criterion(elpd, _ln_mean(ln_density) - elpd, ~(k <= 0.7)), elpd


def _widely_applicable(ln_density):
    variance = np.var(ln_density, axis=0, ddof=1)
    return _criterion(_ln_mean(ln_density) - variance, variance, variance > 0.4)


def _ln_mean(ln_density):
    return logsumexp(ln_density, axis=0) - np.log(len(ln_density))


def _criterion(elpd, parameters, doubtful):
    """Sums over points, (M,)."""
    return Criterion(
        float(elpd.sum()), float(np.std(elpd) * np.sqrt(len(elpd))), float(parameters.sum()), float(np.mean(doubtful))
    )


def common_points(targets: Mapping[str, Target]) -> tuple[dict[str, Target], dict[str, int]]:
    """The same targets with only the points that the galaxies of all models reach, and how many each leaves out.

    A point that one model does not reach would otherwise count for one model and not for another.

    Parameters
    ----------
    targets : mapping of str to Target
        By name; of the same data.

    Raises
    ------
    ValueError
        Not one point of some measurement is reached by some model.

    Examples
    --------
    >>> targets, lost = co.inference.common_points({"one": target, "two": target})
    >>> lost
    {'one': 0, 'two': 0}
    """
    reached = {label: target.within_reach() for label, target in targets.items()}
    used = np.all([np.isfinite(np.asarray(target.data.y)) for target, _ in reached.values()], axis=0)
    common = {
        label: target.with_data(np.where(used, np.asarray(target.data.y), np.nan)) for label, target in targets.items()
    }
    return common, {label: sum(lost.values()) for label, (_, lost) in reached.items()}
