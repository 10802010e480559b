"""Time and memory of halo sources: drawing merger trees, and reading, smoothing and saving files of them.

    python benchmarks/halos.py --halos 100000 --workers 2

Synthetic files are written first, in a temporary directory: binary LHaloTree for all halos, Consistent-Trees text for a
tenth of them.  Every halo has a noisy main branch of 64 snapshots and a merged side branch of 20.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_num_cpu_devices", 2)

import numpy as np  # noqa: E402

import corundum as co  # noqa: E402
from corundum.halos.conversion import convert_trees  # noqa: E402
from corundum.halos.trees.formats.lhalotree import RECORD  # noqa: E402
from corundum.units import GRAVITY  # noqa: E402

SNAPSHOTS, SIDE, FILES = 64, 20, 8
SCALES = np.geomspace(0.08, 1.0, SNAPSHOTS)
H, BOX = 0.6774, 200.0  # Mpc/h


def trees(halos: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Masses [Msun] of main and side branches, latest first."""
    rng = np.random.default_rng(seed)
    final, index = rng.uniform(10.0, 13.0, (halos, 1)), rng.uniform(0.6, 2.0, (halos, 1))
    lg = final + index * np.log10(SCALES[::-1]) + 0.02 * rng.normal(size=(halos, SNAPSHOTS))
    return 10.0**lg, 10.0 ** (lg[:, -SIDE:] - 0.7)


def write_lhalotree(path: Path, halos: int, seed: int) -> None:
    main, side = trees(halos, seed)
    per_tree = SNAPSHOTS + SIDE
    rows = np.zeros((halos, per_tree), np.dtype([(name, "<" + kind, *shape) for name, kind, *shape in RECORD]))
    place = np.arange(per_tree)
    rows["Descendant"] = place - 1
    rows["Descendant"][:, SNAPSHOTS] = SNAPSHOTS - SIDE - 1
    rows["FirstProgenitor"] = place + 1
    rows["FirstProgenitor"][:, [SNAPSHOTS - 1, per_tree - 1]] = -1
    rows["FirstHaloInFOFgroup"] = place
    rows["SnapNum"] = np.concatenate([np.arange(SNAPSHOTS)[::-1], np.arange(SIDE)[::-1]])
    rows["Pos"] = np.random.default_rng(1000 + seed).uniform(0.0, BOX, (halos, 1, 3))
    rows["M_TopHat"] = np.concatenate([main, side], axis=1) * H / 1e10
    with path.open("wb") as file:
        file.write(np.array([halos, halos * per_tree, *[per_tree] * halos], "<i4").tobytes())
        rows.tofile(file)


def write_consistent_trees(path: Path, halos: int, seed: int) -> None:
    main, side = trees(halos, seed)
    names = (
        "scale id desc_scale desc_id num_prog pid upid desc_pid phantom sam_mvir mvir rvir rs vrms mmp? vmax".split()
    )
    scale = np.concatenate([SCALES[::-1], SCALES[:SIDE][::-1]])
    per_mass = np.asarray(co.cosmology.Cosmology(h=H).virial_radius(1.0, 1.0 / scale - 1.0))
    with path.open("w") as file:
        file.write("#" + " ".join(f"{name}({k})" for k, name in enumerate(names)) + f"\n#h0 = {H}\n{halos}\n")
        for tree in range(halos):
            ids = 1000 * tree + np.arange(SNAPSHOTS + SIDE)
            links = np.concatenate([[-1], ids[: SNAPSHOTS - 1], [ids[SNAPSHOTS - SIDE - 1]], ids[SNAPSHOTS:-1]])
            mass = np.concatenate([main[tree], side[tree]]) * H
            first = (np.arange(SNAPSHOTS + SIDE) < SNAPSHOTS).astype(int)
            file.write(f"#tree {ids[0]}\n")
            radius = np.cbrt(mass / H) * per_mass  # proper kpc
            vmax = 1.2 * np.sqrt(GRAVITY * mass / H / radius)
            numbers = (scale, ids, links, mass, radius * H / scale, first, vmax)
            for a, number, link, m, r, mmp, v in zip(*numbers, strict=True):
                row = f"{a:.5f} {number} 0 {link} 1 -1 -1 -1 0 {m:.4e} {m:.4e} {r:.3f} {r / 8:.3f} 90.0 {mmp} {v:.2f}\n"
                file.write(row)


def peak_memory() -> float:
    """Peak memory [GiB] of this process or of the largest of its children."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024**2


def processor_time() -> float:
    """Seconds that all cores together have spent on this process and its finished children.

    On a machine shared with other work it says more than the wall clock, which counts the waiting too.
    """
    usages = (resource.getrusage(kind) for kind in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def timed(name: str, function) -> None:
    begun, used = time.perf_counter(), processor_time()
    result = function()
    wall, used = time.perf_counter() - begun, processor_time() - used
    print(f"{name}: {wall:.1f} s, {used:.1f} s of processor, memory {peak_memory():.2f} GiB {result}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--halos", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    redshift = np.expm1(np.linspace(0.0, np.log(11.0), 80))
    for again in ("with compilation", "again"):
        draw = lambda: co.halos.grow_main_branches(np.full(10_000, 12.0), redshift).log_mass.shape  # noqa: E731
        timed(f"10^4 main branches to 1e-4 of the final mass, {again}", draw)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "binary").mkdir()
        (folder / "text").mkdir()
        for number in range(FILES):
            write_lhalotree(folder / "binary" / f"trees_063.{number}", options.halos // FILES, number)
            write_consistent_trees(folder / "text" / f"tree_0_0_{number}.dat", options.halos // FILES // 10, number)
        form = co.halos.LHaloTree(scale_factors=SCALES.tolist())
        for name, keywords in (("text", {}), ("binary", dict(format=form, cosmology=co.cosmology.planck15()))):
            size = sum(file.stat().st_size for file in (folder / name).iterdir()) / 1024**3
            out = folder / f"{name}.h5"
            convert = lambda: len(  # noqa: E731
                convert_trees(folder / name, out, workers=options.workers, **keywords).halos  # noqa: B023
            )
            timed(f"{name}, {size:.2f} GiB read, smoothed, saved and reported, halos", convert)


if __name__ == "__main__":
    main()
