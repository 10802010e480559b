"""Draw a long reference posterior of the standard problem by surrogate chains, and check it by importance sampling.

    python benchmarks/reference_posterior.py -o out/reference

40,000 draws by `SurrogateHMC`, which every other sampler can be compared with: `tests/data/standard_posterior.json`.
The check weighs draws of a mixture of Gaussians by their true densities, without chains and without a surrogate: the
share of each mode and the quantiles must be the same.  It keeps what it has drawn after every block, and resumes when
it is started again.
"""

import argparse
import importlib.metadata
import json
import sys
from pathlib import Path

from corundum.configuration import configure

configure()

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from inference import second_mode, standard  # noqa: E402

import corundum as co  # noqa: E402
from corundum import inference  # noqa: E402
from corundum.inference.batches import in_batches  # noqa: E402
from corundum.inference.surrogates.mixtures import mixture_about  # noqa: E402

LEVELS = (2.275, 5.0, 15.865, 25.0, 50.0, 75.0, 84.135, 95.0, 97.725)
PACKAGES = ("corundum", "jax", "numpyro", "numpy", "diffmah")


def summary(target, posterior, about):
    """What is kept of a posterior: numbers of theta, and how well they are known."""
    flat, table, u = posterior.flat, posterior.verdict.table, posterior.u.reshape(-1, len(target.names))
    share = second_mode(posterior.theta)
    of_chains = np.percentile(posterior.theta, LEVELS, axis=1)
    return {
        "names": list(target.names), "units": list(target.units), "draws": len(flat), "chains": len(posterior.u),
        "mean": flat.mean(axis=0).tolist(), "median": np.median(flat, axis=0).tolist(),
        "standard_deviation": flat.std(axis=0).tolist(), "levels": LEVELS,
        "percentiles": np.percentile(flat, LEVELS, axis=0).tolist(),
        "percentile_errors": (of_chains.std(axis=1, ddof=1) / np.sqrt(len(share))).tolist(),
        "correlation": np.corrcoef(flat.T).tolist(),
        "mean_u": u.mean(axis=0).tolist(), "covariance_u": np.cov(u.T).tolist(),
        "second_mode": {"share": float(share.mean()), "of_each_chain": share.mean(axis=1).tolist()},
        **{key: np.asarray(values).tolist() for key, values in table.items()},
        "acceptance": float(posterior.data.sample_stats.acceptance_rate.mean()),
        "verdict": posterior.verdict.sentence, "provenance": about,
    }  # fmt: skip


def by_importance(target, u, number, key):
    """Quantiles and the share of the second mode from weighted draws of a mixture about some draws u, (N, P)."""
    rng = np.random.default_rng(key)
    mixture = jax.tree.map(jnp.asarray, mixture_about(u[rng.permutation(len(u))[:1500]]))
    draws = mixture.draw(jax.random.PRNGKey(key), number)
    ln_density = in_batches(inference.ln_density_at, target, np.asarray(draws), width=64)
    reached = jax.jit(jax.vmap(mixture.ln_density))
    ln_mixture = np.concatenate([np.asarray(reached(rows)) for rows in np.array_split(draws, max(1, number // 500))])
    weight = np.exp(ln_density - ln_mixture - np.max(ln_density - ln_mixture))
    weight = weight / weight.sum()
    theta = np.asarray(target.theta(draws))
    order = np.argsort(theta, axis=0)
    quantiles = [
        [float(np.interp(level / 100.0, np.cumsum(weight[rows]), theta[rows, i])) for i, rows in enumerate(order.T)]
        for level in LEVELS
    ]
    share = second_mode(theta)
    mean = float(weight @ share)
    return {
        "draws": number, "effective": float(1.0 / np.sum(weight**2)), "percentiles": quantiles,
        "second_mode": mean, "second_mode_error": float(np.sqrt(np.sum(weight**2 * (share - mean) ** 2))),
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--chains", type=int, default=16)
    parser.add_argument("--warmup", type=int, default=150)
    parser.add_argument("--draws", type=int, default=2500)
    parser.add_argument("--weighted", type=int, default=20000, help="draws of the mixture that are weighed")
    parser.add_argument("--key", type=int, default=11)
    chosen = parser.parse_args()
    chosen.output.mkdir(parents=True, exist_ok=True)
    store = co.io.Checkpoint(chosen.output / "chains.npz")
    target, _ = standard(60).within_reach()
    sampler = inference.SurrogateHMC(chains=chosen.chains, warmup=chosen.warmup, draws=chosen.draws)
    posterior = inference.sample(target, sampler=sampler, key=chosen.key, store=store, progress=show)
    weighted = by_importance(target, posterior.u.reshape(-1, len(target.names)), chosen.weighted, chosen.key)
    about = {
        "problem": "standard(60).within_reach() of benchmarks/inference.py", "sampler": repr(sampler),
        "key": chosen.key, "seconds": posterior.seconds, "by_importance": weighted, "python": sys.version.split()[0],
        "command": "python benchmarks/reference_posterior.py -o out/reference",
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }  # fmt: skip
    text = json.dumps(summary(target, posterior, about), indent=1)
    (chosen.output / "posterior.json").write_text(text + "\n")


def show(progress):
    print(
        f"{progress.done} of {progress.total}, {progress.seconds:.1f} s, {progress.divergences} divergences", flush=True
    )


if __name__ == "__main__":
    main()
