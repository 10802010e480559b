"""Runs that are killed make the same draws when they are resumed."""

import functools
import os
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import numpyro.distributions as dist
import pytest

import corundum as co
from corundum import inference
from corundum.inference.samplers import diagnostics, surrogate_hmc
from corundum.inference.surrogates import annealing
from places import SUPPORT


@functools.cache
def target(y=(1.0, 2.0)):
    """One object for each y, whose programs are compiled once."""
    slopes = np.array([[1.0, 0.5], [0.2, 2.0]])
    priors = {"a": dist.Normal(0.0, 1.0), "b": dist.Normal(1.0, 2.0)}
    return inference.Target.of_function(lambda theta: slopes @ theta, y, [0.01, 0.04], priors)


def start(problem):
    information = inference.expected_information(problem, np.zeros(2))[0]
    zero, width = np.zeros(2), np.linalg.inv(information)
    return inference.Laplace(
        problem.names, problem.units, zero, zero, width, information, information, "expected", problem.theta
    )


def nuts(problem, *, store=None, progress=None, **settings):
    """Chains of `problem` by NUTS, about the same Gaussian whatever its data are."""
    gaussian = start(target())
    return inference.sample(problem, gaussian, sampler=inference.NUTS(**settings), store=store, progress=progress)


class Stop(Exception):
    pass


NUTS = dict(chains=2, warmup=40, draws=60)
KINDS = [inference.NUTS, inference.HMC, inference.SurrogateHMC, inference.AffineInvariant, inference.SliceEnsemble]


@functools.cache
def sampler_of(kind):
    number = dict(walkers=4) if hasattr(kind, "kernel") else dict(chains=2)
    if kind is inference.SurrogateHMC:
        number = dict(chains=4, surrogate=inference.KernelSurrogate(points=40), first_points=30)
    return kind(**number, warmup=40, draws=60)


def run(kind, **keeping):
    return inference.sample(target(), start(target()), sampler=sampler_of(kind), **keeping)


@functools.cache
def whole(kind):
    """A run that nothing interrupts."""
    return run(kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after", [7, 70], ids=["warm-up", "sampling"])
def test_an_interrupted_run_makes_the_same_draws(tmp_path, kind, after):
    store = co.io.Checkpoint(tmp_path / "chains.npz")

    def stop(state):
        if state.done >= after:
            raise Stop

    with pytest.raises(Stop):
        run(kind, store=store, progress=stop)
    kept = store.load()
    assert 0 < int(kept["done"]) < 100
    np.testing.assert_array_equal(run(kind, store=store).u, whole(kind).u)


def test_annealing_that_was_interrupted_goes_on_at_its_last_stage(tmp_path, monkeypatch):
    """The stages before it are not solved again, the draws are the same, and no file of the stages is left."""
    store, kind, done = co.io.Checkpoint(tmp_path / "chains.npz"), inference.SurrogateHMC, []
    one_stage = annealing._next_stage

    def counted(*arguments, most):
        if len(done) == most:
            raise Stop
        done.append(arguments[2].number)
        return one_stage(*arguments)

    expected = whole(kind)
    monkeypatch.setattr(annealing, "_next_stage", functools.partial(counted, most=2))
    with pytest.raises(Stop):
        run(kind, store=store)
    assert done == [0, 1] and [path.name for path in tmp_path.iterdir()] == ["stages-of-chains.npz"]
    done.clear()
    monkeypatch.setattr(annealing, "_next_stage", functools.partial(counted, most=60))
    np.testing.assert_array_equal(run(kind, store=store).u, expected.u)
    assert done[0] == 2 and len(done) > 1 and [path.name for path in tmp_path.iterdir()] == ["chains.npz"]


def test_chains_go_on_until_their_draws_are_enough(tmp_path, monkeypatch):
    """They stop at a pause whether or not they were interrupted there, and say nothing of draws that are not needed."""
    monkeypatch.setattr(surrogate_hmc, "LEAST_DRAWS", 30)
    monkeypatch.setattr(surrogate_hmc, "MORE_DRAWS", 20)
    monkeypatch.setattr(diagnostics, "ESS", 110.0)
    sampler = inference.SurrogateHMC(chains=4, warmup=20, surrogate=inference.KernelSurrogate(points=40), population=40)
    totals = []
    posterior = inference.sample(target(), sampler=sampler, progress=lambda state: totals.append(state.total))
    length = posterior.u.shape[1]
    assert length in (50, 70, 90, 110) and totals[0] == 20 + 30 and totals[-1] == 20 + length
    assert diagnostics.enough(posterior.theta) and not diagnostics.enough(posterior.theta[:, : length - 20])
    store = co.io.Checkpoint(tmp_path / "chains.npz")

    def stop(state):
        if state.done == 20 + 30:
            raise Stop

    with pytest.raises(Stop):
        inference.sample(target(), sampler=sampler, store=store, progress=stop)
    for _ in range(2):  # the second one finds them finished
        again = inference.sample(target(), sampler=sampler, store=store)
        np.testing.assert_array_equal(again.u, posterior.u)


def test_draws_that_are_never_enough_end(monkeypatch):
    for name, number in (("LEAST_DRAWS", 8), ("MORE_DRAWS", 4), ("MOST_DRAWS", 16)):
        monkeypatch.setattr(surrogate_hmc, name, number)
    sampler = inference.SurrogateHMC(chains=4, warmup=20, surrogate=inference.KernelSurrogate(points=40), population=40)
    posterior = inference.sample(target(), sampler=sampler)
    assert posterior.u.shape[1] == 16 and not posterior.verdict.good


def test_a_sampler_is_compiled_once(caplog):
    """A state that was just made, one that devices share, one that was adapted and one restored are no new programs."""
    with jax.log_compiles():
        nuts(target(), chains=2, warmup=43, draws=20)
    told = [record.getMessage() for record in caplog.records]
    assert sum("Finished XLA compilation of jit(_advance)" in each for each in told) == 1


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    store = co.io.Checkpoint(tmp_path / "chains.npz")
    nuts(target(), **NUTS, store=store)
    with pytest.raises(ValueError, match="belongs to a different run; what differs: data, sampler"):
        nuts(target((1.0, 2.1)), **{**NUTS, "draws": 61}, store=store)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "chains.npz"
    path.write_bytes(b"PK not whole")
    with pytest.raises(ValueError, match="is damaged; remove it to start this part again"):
        nuts(target(), chains=1, warmup=4, draws=4, store=co.io.Checkpoint(path))


def test_killed_with_signal_9(tmp_path):
    """A process is killed while it samples; another one finishes, and its draws are those of an undisturbed run."""
    script = (
        "import sys, jax; jax.config.update('jax_enable_x64', True); jax.config.update('jax_num_cpu_devices', 2);"
        "sys.path.insert(0, sys.argv[2]); import time, corundum as co, importlib.util as u;"
        "spec = u.spec_from_file_location('checkpoints', sys.argv[3]);"
        "t = u.module_from_spec(spec); spec.loader.exec_module(t);"
        "p = t.target(); s = co.io.Checkpoint(sys.argv[1]);"
        "t.nuts(p, **t.NUTS, store=s, progress=lambda q: time.sleep(0.5))"
    )
    path = tmp_path / "chains.npz"
    command = [sys.executable, "-c", script, str(path), str(SUPPORT), __file__]
    process = subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None and not path.exists():
            time.sleep(0.05)
        time.sleep(0.4)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = co.io.Checkpoint(path).load()
    assert 0 < int(kept["done"]) < 100
    resumed = nuts(target(), **NUTS, store=co.io.Checkpoint(path))
    np.testing.assert_array_equal(resumed.u, whole(inference.NUTS).u)


def test_a_posterior_is_kept_as_netcdf(tmp_path):
    made = nuts(target(), **NUTS)
    co.io.save_posterior(tmp_path / "p.nc", made.data)
    back = co.io.load_posterior(tmp_path / "p.nc")
    np.testing.assert_array_equal(back.posterior["a"], made.data.posterior["a"])
    assert back.posterior["b"].attrs["units"] == "1" and "point_data" in back.observed_data.coords
    (tmp_path / "bad.nc").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="bad.nc: is not an HDF5 file"):
        co.io.load_posterior(tmp_path / "bad.nc")
    with pytest.raises(ValueError, match="no such file"):
        co.io.load_posterior(tmp_path / "none.nc")
