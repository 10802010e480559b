"""What ``corundum check-gradients`` prints: exact derivatives against finite differences, column by column."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...halos import diffmah_population
from ...models import AbstractModel
from ...sensitivity import GradientCheck, check_gradients, known_parameters
from ..progress import progress_bar, stage
from ..runfile.builder import build
from ..runfile.job import prepare
from ..runfile.reader import read_run_file

__all__ = ["check"]

_VERDICTS = ("passed", "failed", "converging", "unresolved", "no response")

_CONVERGING = (
    "converging: the error falls at least tenfold between the two tightest tolerances, so it comes from the solution "
    "near corners of the equations (bilinear tables, sharp limits, breaks in time) and not from the derivative; add a "
    "tighter tolerance to --tolerances to see it pass"
)


def check(
    what: str,
    *,
    parameters: Sequence[str] | None = None,
    halos: int = 4,
    steps: Sequence[float] = (1e-2, 1e-3, 1e-4),
    tolerances: Sequence[float] = (1e-8, 1e-11),
    threshold: float = 1e-5,
) -> tuple[str, bool]:
    """The table of errors as text, and whether no column failed.

    Parameters
    ----------
    what : str
        A run file, whose model and first halos are taken, or the kind of a model (``pandya26``, ``module:name``),
        checked in four built-in halos.
    parameters, steps, tolerances, threshold
        As for `corundum.sensitivity.check_gradients`.
    halos : int
        How many halos to use.
    """
    if halos < 1:
        raise ValueError(f"--halos {halos}: give at least one")
    with stage("preparing model and halos", {}):
        if Path(what).suffix == ".toml":
            job = prepare(read_run_file(Path(what)))
            model, chosen = job.model, job.halos[: min(halos, len(job.halos))]
        else:
            kind = what if ":" in what or "." in what else f"models.{what}"
            model = build(kind, ("model",), (AbstractModel,)).value
            chosen = diffmah_population(halos, log_mvir=(10.5, 12.0), key=0)
    names = parameters or [
        name for name in known_parameters(model, chosen.cosmology) if not name.startswith(("cosmology.", "channels."))
    ]
    solves = len(tolerances) * (1 + 4 * len(steps) * len(names))
    with progress_bar(solves, title="checking", unit="populations") as progress:
        report = check_gradients(
            model, chosen, names, steps=steps, tolerances=tolerances, threshold=threshold, progress=progress
        )
    return _table(report, len(chosen)), report.passed


def _table(check: GradientCheck, halos: int) -> str:
    """The verdict of every parameter, and what the verdicts mean."""
    width = max(len(name) for name in check.verdict)
    best = check.error.sel(tolerance=check.error.labels("tolerance")[-1])
    lines = [f"{'parameter':<{width}}  verdict      error     at step"]
    for j, (name, verdict) in enumerate(check.verdict.items()):
        step = best.labels("step")[int(np.argmin(best.values[:, j]))]
        error = f"{check.best[name]:.1e}   {step:.0e}" if verdict != "no response" else "-"
        lines.append(f"{name:<{width}}  {verdict:<11}  {error}")
    counts = {verdict: list(check.verdict.values()).count(verdict) for verdict in _VERDICTS}
    lines += [
        "",
        f"{counts['passed']} columns passed, {counts['failed']} failed (error above {check.threshold:g} of the "
        f"column's scale), {counts['converging']} converging, {counts['unresolved']} that differences cannot tell, "
        f"{counts['no response']} that nothing depends on; {halos} halos, {check.failed} galaxies left "
        "out because a solve failed",
        "error: norm of Richardson-extrapolated central differences minus exact derivatives, over the norm of the "
        "column or, where that is less, a thousandth of the largest, at the best step (in prior widths) and the "
        "tightest tolerance",
        *([_CONVERGING] if counts["converging"] else []),
        "Frobenius norm of the published error matrix, median over galaxies:",
    ]
    for tolerance in check.matrix_norm.labels("tolerance"):
        row = check.matrix_norm.sel(tolerance=tolerance).values
        cells = "  ".join(
            f"step {step:.0e}: {x:.2g}" for step, x in zip(check.matrix_norm.labels("step"), row, strict=True)
        )
        lines.append(f"  tolerance {tolerance:.0e}  {cells}")
    return "\n".join(lines)
