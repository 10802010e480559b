"""What each ingredient of a fit does to its parameters: one changed at a time, from the published choices to ours.

    python examples/feedback_constraints.py out/ [HALOS] [VARIANT ...]

Fits the stellar-to-halo mass relation, cold gas and gas-phase metals by the highest posterior density and the Gaussian
about it, first as published (model of Pandya et al. 2026, independent points, kernel means of 0.2 dex), then with one
ingredient at a time as this package has it, then with all of them.  Prints each parameter with its 68% interval beside
the published posterior, whose gas data differ (MaNGA), and writes ingredients.csv.
"""

import dataclasses
import sys
from pathlib import Path

import numpy as np

import corundum as co
from corundum import inference, observables
from corundum.models import PANDYA26_FREE, ThermalCGM, pandya26
from corundum.numerics import HardPositivePart
from corundum.physics import OverpressureOutflow, SonicEscape, VirialEscape

co.configure()

PUBLISHED = np.array(
    [
        [-0.013, -3.313, -0.590, -1.325, 0.851, -2.672, -1.768, -2.992],
        [0.218, -2.420, -0.554, -0.934, 0.884, -2.342, -1.214, -1.441],
        [0.404, -1.279, -0.515, -0.588, 0.914, -1.989, -0.626, -0.402],
    ]
)
"""16th, 50th and 84th percentiles, amplitudes in log10."""

DATA = ("shmr_behroozi19_sf", "coldgas_xgass", "gasmzr_curti20")
LIMITS = ("energy_ceiling", "metal_ceiling", "cooling_limit")
SMOOTH_OUTFLOW = OverpressureOutflow(speed=VirialEscape())
FAST_OUTFLOW = OverpressureOutflow(excess=HardPositivePart(), speed=SonicEscape())


def changed(*components):
    """The published model with some components as this package has them."""
    ours = ThermalCGM()
    return dataclasses.replace(pandya26(), **{name: getattr(ours, name) for name in components})


def variants():
    """(model, halos' key, data, diagonal, published kernel) by name."""
    ours = ThermalCGM()
    base = (pandya26(), 1, DATA, True, True)
    other_metals = (*DATA[:2], "gasmzr_andrews13")
    other_gas = (DATA[0], "coldgas_calette18", DATA[2])
    return {
        "as published": base,
        "SHMR alone": (base[0], 1, DATA[:1], True, True),
        "SHMR and gas": (base[0], 1, DATA[:2], True, True),
        "other halos": (base[0], 2, *base[2:]),
        "other gas data": (base[0], 1, other_gas, True, True),
        "other metal data": (base[0], 1, other_metals, True, True),
        "full covariance": (*base[:3], False, True),
        "local lines": (*base[:4], False),
        "filtering mass": (changed("reionisation"), *base[1:]),
        "densities": (changed("densities"), *base[1:]),
        "smooth limits": (dataclasses.replace(changed(*LIMITS), halo_outflow=SMOOTH_OUTFLOW), *base[1:]),
        "outflow speed": (dataclasses.replace(base[0], halo_outflow=FAST_OUTFLOW), *base[1:]),
        "cooling table": (changed("cooling"), *base[1:]),
        "ours": (ours, 1, DATA, False, False),
    }


def fit(model, key, data, diagonal, published_kernel, halos):
    sample = co.halos.monte_carlo_trees(halos, log_mvir=(10.0, 12.6), key=key, candidates=16)
    measured = [observables.load(name) for name in data]
    measured = [m.diagonal() for m in measured] if diagonal else measured
    kernel = observables.NadarayaWatson(0.2, inference.FEWEST_GALAXIES) if published_kernel else None
    target = inference.Target(
        model, sample, measured, PANDYA26_FREE, redshifts=[0.0], regression=kernel, monte_carlo_error=0.5
    )
    target, _ = target.within_reach()
    best = inference.maximise(target, starts=6, key=1)
    return best, inference.laplace(target, best), inference.identifiability(target, best)


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    halos = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    known = variants()
    chosen = sys.argv[3:] or list(known)
    lines = ["variant,parameter,p16,p50,p84,published p50"]
    print("published", PUBLISHED[1])
    for name in chosen:
        best, gauss, report = fit(*known[name], halos)
        levels = gauss.percentiles()
        print(f"{name}: {best.in_words()}; {report.fisher.effective:.1f} combinations, {report.fisher.bits:.1f} bits")
        for i, parameter in enumerate(PANDYA26_FREE):
            low, middle, high = levels[:, i]
            print(
                f"    {parameter:26s} {middle:6.2f} -{middle - low:.2f} +{high - middle:.2f}   {PUBLISHED[1, i]:6.2f}"
            )
            lines.append(f'"{name}",{parameter},{low:.4f},{middle:.4f},{high:.4f},{PUBLISHED[1, i]}')
        sys.stdout.flush()
        (folder / "ingredients.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
