"""Draw a long reference posterior of the standard problem by plain Hamiltonian chains, and keep its summary.

    python benchmarks/reference_posterior.py -o out/reference

More than 20,000 draws by `HMC`, which every faster sampler can be compared with: `tests/data/standard_posterior.json`
comes from the first third of such a run.  It takes hours, keeps what it has drawn after every block, and resumes when
it is started again; ``--so-far`` writes the summary of what an unfinished run has drawn.
"""

import argparse
import importlib.metadata
import json
import sys
from pathlib import Path

from corundum.configuration import configure

configure()

import numpy as np  # noqa: E402
from inference import standard  # noqa: E402

import corundum as co  # noqa: E402
from corundum import inference  # noqa: E402

LEVELS = (2.275, 5.0, 15.865, 25.0, 50.0, 75.0, 84.135, 95.0, 97.725)
PACKAGES = ("corundum", "jax", "numpyro", "numpy", "diffmah")


def summary(target, u, acceptance, about):
    """What is kept of draws u, (chains, draws, P): numbers of theta, and how well they are known."""
    theta = np.asarray(target.theta(u))
    posterior = inference.posterior.posterior_of(target, inference.Chains(u), {"sampler": "HMC"})
    flat, table = theta.reshape(-1, theta.shape[-1]), posterior.verdict.table
    return {
        "names": list(target.names), "units": list(target.units), "draws": len(flat), "chains": len(u),
        "mean": flat.mean(axis=0).tolist(), "median": np.median(flat, axis=0).tolist(),
        "standard_deviation": flat.std(axis=0).tolist(), "levels": LEVELS,
        "percentiles": np.percentile(flat, LEVELS, axis=0).tolist(), "correlation": np.corrcoef(flat.T).tolist(),
        "mean_u": u.reshape(flat.shape).mean(axis=0).tolist(),
        "covariance_u": np.cov(u.reshape(flat.shape).T).tolist(),
        **{key: np.asarray(values).tolist() for key, values in table.items()},
        "acceptance": acceptance, "verdict": posterior.verdict.sentence, "provenance": about,
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--chains", type=int, default=8)
    parser.add_argument("--warmup", type=int, default=120)
    parser.add_argument("--draws", type=int, default=2600)
    parser.add_argument("--key", type=int, default=11)
    parser.add_argument("--so-far", action="store_true", help="summarise what an unfinished run has drawn")
    chosen = parser.parse_args()
    chosen.output.mkdir(parents=True, exist_ok=True)
    store = co.io.Checkpoint(chosen.output / "chains.npz")
    target, _ = standard(60).within_reach()
    sampler = inference.HMC(
        trajectory=1.6, target_accept=0.7, chains=chosen.chains, warmup=chosen.warmup, draws=chosen.draws
    )
    if chosen.so_far:
        kept = store.load()
        u = np.swapaxes(kept["draws/u"], 0, 1)[:, chosen.warmup :]
        acceptance = float(kept["draws/acceptance_rate"][chosen.warmup :].mean())
        seconds, divergences = float(kept["seconds"]), int(kept["draws/diverging"][chosen.warmup :].sum())
    else:
        gauss = inference.laplace(target, inference.maximise(target, starts=8))
        posterior = inference.sample(target, gauss, sampler=sampler, key=chosen.key, store=store, progress=show)
        u, seconds, divergences = posterior.u, posterior.seconds, posterior.verdict.divergences
        acceptance = float(posterior.data.sample_stats.acceptance_rate.mean())
    about = {
        "problem": "standard(60).within_reach() of benchmarks/inference.py", "sampler": repr(sampler),
        "key": chosen.key, "seconds": seconds, "divergences": divergences, "python": sys.version.split()[0],
        "command": "python benchmarks/reference_posterior.py -o out/reference",
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }  # fmt: skip
    text = json.dumps(summary(target, u, acceptance, about), indent=1)
    (chosen.output / "posterior.json").write_text(text + "\n")


def show(progress):
    print(
        f"{progress.done} of {progress.total}, {progress.seconds:.1f} s, {progress.divergences} divergences", flush=True
    )


if __name__ == "__main__":
    main()
