"""Notes on what was done to branches, which histories keep as their provenance."""

import re
from collections.abc import Mapping

import numpy as np

__all__ = [
    "unusable_message",
    "dropped_note",
    "repair_note",
    "mass_loss_note",
    "smoothing_note",
    "concentration_note",
]

_NAMED = 3  # halos named for each kind of problem
_NUMBER = re.compile(r"[0-9.]+")


def unusable_message(problems: Mapping[str, str], count: int, drop_bad: bool) -> str:
    """One sentence for halos of `count` that cannot be used: the first of them by name, with its problem."""
    name, problem = next(iter(problems.items()))
    others = f" (and {len(problems) - 1} more of {count} cannot be used)" if len(problems) > 1 else ""
    advice = (
        "no halo is left"
        if drop_bad
        else "repair the table, or pass drop_bad=True to leave such halos out with the reasons kept in provenance"
    )
    return f"halo {name} {problem}{others}; {advice}"


def dropped_note(problems: Mapping[str, str]) -> str:
    """Names and problems of halos left out: the first few of every kind, and how many more there are."""
    kinds: dict[str, list[str]] = {}
    for name, problem in problems.items():
        kinds.setdefault(_NUMBER.sub("", problem), []).append(f"halo {name} {problem}")
    note = ""
    for clauses in kinds.values():
        more = f" (and {len(clauses) - _NAMED} more of this kind)" if len(clauses) > _NAMED else ""
        note += "".join(f"; {clause}" for clause in clauses[:_NAMED]) + more
    return note


def repair_note(repairs, removed) -> dict[str, str]:
    """Which repairs left out how many snapshots, as an entry of the provenance."""
    if not repairs:
        return {}
    names = ", ".join(type(repair).__name__ for repair in repairs)
    return {"repair": f"{names}: {sum(removed)} snapshots left out, in {sum(n > 0 for n in removed)} halos"}


def mass_loss_note(branches, mass_loss) -> str:
    """How mass loss was treated, and how much there was."""
    changed = [int(np.sum(mass_loss(branch.log_mvir) != branch.log_mvir)) for branch in branches]
    total = sum(len(branch.time) for branch in branches)
    losing = sum(bool(np.any(np.diff(branch.log_mvir) < 0.0)) for branch in branches)
    rise = np.mean([mass_loss(branch.log_mvir)[-1] - branch.log_mvir[-1] for branch in branches])
    return (
        f"{type(mass_loss).__name__}: {losing} halos lose mass at some time; {sum(changed)} of {total} "
        f"snapshots changed, in {sum(n > 0 for n in changed)} halos; the last log10 of mass rose by {rise:.3f} on "
        "average"
    )


def smoothing_note(smoothing) -> str:
    """The kernel and its width."""
    width = getattr(smoothing, "width", None)
    return type(smoothing).__name__ + ("" if width is None else f", width {float(width):g}")


def concentration_note(missing, branches, relation) -> str:
    """How many concentrations came from the source, and how the others were filled in."""
    total = sum(len(branch.time) for branch in branches)
    without = sum(n == len(branch.time) for n, branch in zip(missing, branches, strict=True))
    if not sum(missing):
        return "from the source at every snapshot"
    return (
        f"missing at {sum(missing)} of {total} snapshots, in {sum(n > 0 for n in missing)} halos, and filled from "
        f"{type(relation).__name__} at the halo's own offset; {without} halos had none at all and follow its median"
    )
