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
