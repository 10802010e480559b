"""A sampler of one's own, named in a run file: one class outside the package, and one `kind`."""

import tomllib

import equinox as eqx
import numpy as np
import pytest

import corundum as co
from corundum.cli.main import main
from corundum.inference import AbstractSampler, Chains, ln_density_at


class RandomWalk(AbstractSampler):
    """Metropolis steps of the size of the Gaussian approximation."""

    chains: int = eqx.field(static=True, default=4)
    draws: int = eqx.field(static=True, default=100)
    step: float = eqx.field(static=True, default=1.0)

    def sample(self, target, start, *, key, store=None, progress=None):
        rng, u = np.random.default_rng(key), start.coordinate_draws(self.chains, key=key)
        rows, root = [], self.step * np.linalg.cholesky(start.covariance)
        density = ln_density_at(target, u)
        for _ in range(self.draws):
            proposal = u + rng.normal(size=u.shape) @ root.T
            proposed = ln_density_at(target, proposal)
            accepted = np.log(rng.uniform(size=self.chains)) < proposed - density
            u = np.where(accepted[:, None], proposal, u)
            density = np.where(accepted, proposed, density)
            rows.append(u)
        return Chains(np.stack(rows, axis=1))


KIND = f"{__name__}:RandomWalk"
RUN = f"""
[halos]
kind = "halos.diffmah_population"
n = 24
log_mvir = [10.5, 12.5]
[model]
kind = "growing:Growing"
[output]
figures = []
[fit]
data = ["shmr_behroozi19_sf"]
free = ["time", "loading"]
redshifts = [0.0]
starts = 2
predictive = 16
[fit.sampler]
kind = "{KIND}"
draws = 60
[fit.priors]
time = [0.0, 1.0]
"""


@pytest.fixture
def run_file(tmp_path):
    (tmp_path / "run.toml").write_text(RUN)
    return str(tmp_path / "run.toml")


def test_it_is_named_by_kind_with_its_settings(run_file, capsys):
    assert main(["fit", run_file, "--dry-run"]) == 0, capsys.readouterr().err
    sampler = tomllib.loads(capsys.readouterr().out)["fit"]["sampler"]
    assert sampler == {"kind": KIND, "chains": 4, "draws": 60, "step": 1.0}
    assert main(["fit", run_file, "--dry-run", "--set", "fit.sampler.stepp=2.0"]) == 2
    assert "fit.sampler.stepp: unknown key" in capsys.readouterr().err


def test_it_draws_from_a_known_posterior():
    target = co.inference.Target.of_function(lambda theta: theta, [1.0], [0.01], {"a": (-5.0, 5.0)})
    best = co.inference.maximise(target, starts=2)
    posterior = co.inference.sample(target, best, sampler=RandomWalk(draws=1000, step=2.0))
    draws = np.asarray(posterior.theta)[:, 100:]
    assert draws.mean() == pytest.approx(1.0, abs=0.02) and draws.std() == pytest.approx(0.1, rel=0.15)


@pytest.mark.slow
def test_the_fit_of_a_run_file_uses_it(run_file, tmp_path, capsys):
    assert main(["fit", run_file, "-o", str(tmp_path / "out")]) == 0, capsys.readouterr().err
    (file,) = (tmp_path / "out").glob("posterior*.nc")
    assert co.io.load_posterior(file).posterior["time"].shape == (4, 60)
