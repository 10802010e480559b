"""What was done to branches, in the words of the provenance."""

import re
from collections.abc import Mapping

import numpy as np

__all__ = ["complaint", "listed", "repair_words", "mass_loss_words", "smoothing_words", "concentration_words"]

_NAMED = 3  # halos named for each kind of problem
_NUMBER = re.compile(r"[0-9.]+")


def complaint(bad, count, drop_bad):
    """One sentence for the halos that cannot be used."""
    name, problem = next(iter(bad.items()))
    others = f" (and {len(bad) - 1} more of {count} cannot be used)" if len(bad) > 1 else ""
    advice = (
        "no halo is left"
        if drop_bad
        else "repair the table, or pass drop_bad=True to leave such halos out with the reasons kept in provenance"
    )
    return f"halo {name} {problem}{others}; {advice}"


def listed(bad: Mapping[str, str]) -> str:
    """Names and reasons of halos that cannot be used: the first few of every kind, and how many more there are."""
    kinds: dict[str, list[str]] = {}
    for name, problem in bad.items():
        kinds.setdefault(_NUMBER.sub("", problem), []).append(f"halo {name} {problem}")
    words = ""
    for told in kinds.values():
        more = f" (and {len(told) - _NAMED} more of this kind)" if len(told) > _NAMED else ""
        words += "".join(f"; {text}" for text in told[:_NAMED]) + more
    return words


def repair_words(repairs, removed):
    """Which repairs left out how many snapshots."""
    if not repairs:
        return {}
    names = ", ".join(type(repair).__name__ for repair in repairs)
    return {"repair": f"{names}: {sum(removed)} snapshots left out, in {sum(n > 0 for n in removed)} halos"}


def mass_loss_words(branches, mass_loss):
    """How mass loss was treated, and how much there was."""
    changed = [int(np.sum(mass_loss(branch.log_mvir) != branch.log_mvir)) for branch in branches]
    total = sum(len(branch.time) for branch in branches)
    lost = sum(bool(np.any(np.diff(branch.log_mvir) < 0.0)) for branch in branches)
    final = np.mean([mass_loss(branch.log_mvir)[-1] - branch.log_mvir[-1] for branch in branches])
    return (
        f"{type(mass_loss).__name__}: {lost} halos lose mass at some time; {sum(changed)} of {total} "
        "snapshots changed, "
        f"in {sum(n > 0 for n in changed)} halos; the last log10 of mass rose by {final:.3f} on average"
    )


def smoothing_words(smoothing):
    """The kernel and its width."""
    width = getattr(smoothing, "width", None)
    return type(smoothing).__name__ + ("" if width is None else f", width {float(width):g}")


def concentration_words(missing, branches, model):
    """Where concentrations come from."""
    total = sum(len(branch.time) for branch in branches)
    none = sum(n == len(branch.time) for n, branch in zip(missing, branches, strict=True))
    if not sum(missing):
        return "from the source at every snapshot"
    return (
        f"missing at {sum(missing)} of {total} snapshots, in {sum(n > 0 for n in missing)} halos, and "
        "filled from "
        f"{type(model).__name__} at the halo's own offset; {none} halos had none at all and follow its median"
    )
