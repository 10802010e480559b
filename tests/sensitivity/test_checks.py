"""The gradient checker: it passes what is right, finds what is wrong, and judges column by column."""

from typing import ClassVar

import equinox as eqx
import jax
import numpy as np
import pytest

import corundum as co
from corundum.models import AbstractModel
from corundum.sensitivity.checks import _judged
from toy import Toy

S = co.sensitivity
Z = (0.0, 1.0, 2.0)


def test_it_passes_column_by_column(halos):
    seen = []
    found = S.check_gradients(
        Toy(),
        halos[:2],
        ("inflow", "loading", "idle", "stars"),
        Z,
        progress=lambda done, total: seen.append(done / total),
    )
    assert found.passed and found.failed == 0
    assert found.verdict == {"inflow": "passed", "loading": "passed", "idle": "no response", "stars": "passed"}
    assert max(found.best.values()) < 1e-7 and 0.99 < seen[-1] <= 1.0
    coarse = dict(tolerance=1e-11, step=1e-2, parameter="inflow")
    # Halving the step and extrapolating removes the leading error.
    assert found.error.sel(**coarse).values < 0.1 * found.plain_error.sel(**coarse).values
    assert found.matrix_norm.shape == (2, 3) and np.all(found.matrix_norm.values < 14.97)


def test_what_differences_cannot_tell_is_not_called_wrong():
    """Differences that scatter by more than they are off resolve nothing; those that agree with each other do."""
    known = {name: co.describe(Toy())["inflow"] for name in ("scattered", "wrong")}
    exact = np.ones((1, 1, 1, 1, 2))
    at_steps = np.array([[1.0002, 1.001], [0.9999, 1.001]]).reshape(1, 2, 1, 1, 1, 2)
    rules = (
        tuple(known),
        S.PriorWidth(),
        np.array([1e-2, 1e-3]),
        np.array([1e-10]),
        1e-5,
        np.zeros(1),
        ("gas",),
        known,
    )
    found = _judged(exact, at_steps, at_steps, *rules)
    assert found.verdict == {"scattered": "unresolved", "wrong": "failed"} and not found.passed


def _verdicts(exact, numeric, tolerances):
    """Of columns, each with one entry: `exact` (tolerance, parameter), `numeric` (tolerance, step, parameter)."""
    exact, numeric = np.asarray(exact, float), np.asarray(numeric, float)
    known = {f"p{j}": co.describe(Toy())["inflow"] for j in range(exact.shape[-1])}
    return _judged(
        exact[:, None, None, None], numeric[:, :, None, None, None], numeric[:, :, None, None, None], tuple(known),
        S.PriorWidth(), np.array([1e-2, 1e-3]), np.asarray(tolerances), 1e-5, np.zeros(1), ("gas",), known,
    ).verdict  # fmt: skip


def test_an_error_that_falls_with_the_tolerance_is_not_of_the_derivative():
    """Corners of the equations: both columns are 2e-5 off at the tightest tolerance, but one was 1e-3 off before."""
    exact = [[1.001, 1.00003], [1.00002, 1.00002]]
    assert _verdicts(exact, np.ones((2, 2, 2)), [1e-8, 1e-11]) == {"p0": "converging", "p1": "failed"}
    assert _verdicts(exact[1:], np.ones((1, 2, 2)), [1e-11]) == {"p0": "failed", "p1": "failed"}  # nothing to compare


def test_no_column_is_judged_on_a_finer_scale_than_a_thousandth_of_the_largest():
    exact = np.array([[10.0, 1e-3, 1e-3, 1e-8]])
    numeric = np.repeat(exact[:, None], 2, axis=1)
    numeric[..., 1] += 5e-8  # 5e-5 of the column, 5e-6 of the scale
    numeric[..., 2] += 5e-7
    numeric[..., 3] *= 3.0  # too small to make any error above the threshold
    assert list(_verdicts(exact, numeric, [1e-11]).values()) == ["passed", "passed", "failed", "no response"]
    assert _verdicts(exact[:, 1:2], numeric[..., 1:2], [1e-11]) == {"p0": "failed"}  # alone, on its own norm


class Hiding(AbstractModel):
    """A toy that hides one parameter from differentiation, as a wrong custom rule would."""

    ledger: ClassVar = Toy.ledger
    diagnostics: ClassVar = Toy.diagnostics
    toy: Toy = eqx.field(default_factory=Toy)

    def initial(self, halo, cosmology):
        return self.toy.initial(halo, cosmology)

    def forcing(self, halo, cosmology):
        return self.toy.forcing(halo, cosmology)

    def fluxes(self, state, forcing):
        hidden = eqx.tree_at(lambda toy: toy.loading, self.toy, jax.lax.stop_gradient(self.toy.loading))
        return hidden.fluxes(state, forcing)


def test_it_finds_a_derivative_that_is_missing(halos):
    names = ("toy.loading", "toy.inflow")
    found = S.check_gradients(Hiding(), halos[:2], names, Z, steps=[1e-2, 1e-3], tolerances=[1e-10])
    assert found.verdict == {"toy.loading": "failed", "toy.inflow": "passed"} and not found.passed


def test_the_error_matrix_is_the_published_one_without_its_undefined_entries():
    first, second = np.array([[1.0, 0.0], [2.0, 0.0]]), np.array([[3.0, 0.0], [-2.0, 1.0]])
    np.testing.assert_allclose(S.error_matrix(first, second), [[-1.0, 0.0], [2.0, -2.0]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(steps=[]), "steps: got"),
        (dict(steps=[2.0]), "give numbers between 0 and 1"),
        (dict(tolerances=[-1e-8]), "tolerances: got"),
        (dict(threshold=0.0), "threshold: got 0.0"),
        (dict(parameters=["loadng"]), "did you mean loading"),
    ],
)
def test_bad_requests_are_refused(halos, options, message):
    with pytest.raises(ValueError, match=message):
        S.check_gradients(Toy(), halos[:1], **{"parameters": ["loading"], **options})
