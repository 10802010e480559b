"""From raw branches to smooth histories: repairs, mergers, reports, and what holds whatever the branches look like."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corundum import halos as H
from corundum.cosmology import planck15
from corundum.halos.branches.notes import dropped_note
from corundum.halos.report import report_on
from corundum.halos.trees.forests import Forest, main_branches
from corundum.units import GRAVITY

COSMOLOGY = planck15()
TIME = np.geomspace(0.8, float(COSMOLOGY.age(0.0)), 40)
TRUE = 12.0 + 1.3 * np.log10(TIME / TIME[-1])
RULES = dict(
    cosmology=COSMOLOGY, concentration=H.DuttonMaccio14(), mass_loss=H.RunningMaximum(), times=TIME, drop_bad=True
)


def branch(log_mvir, name="1", time=TIME, **changes):
    return H.Branch(name, time, np.asarray(log_mvir), np.full(len(time), np.nan), **changes)


def smooth(branches, width=0.1, **changes):
    return H.smooth_branches(branches, smoothing=H.GaussianInLogTime(width), **{**RULES, **changes})


@given(
    at=st.integers(2, 34),
    length=st.integers(1, 3),
    jump=st.floats(0.5, 2.0),
    up=st.booleans(),
    noise=st.integers(0, 100),
)
@settings(max_examples=40, deadline=None)
def test_swapped_snapshots_are_found_and_only_those(at, length, jump, up, noise):
    raw = TRUE + 0.02 * np.random.default_rng(noise).normal(size=len(TIME))
    swapped = raw.copy()
    swapped[at : at + length] += jump if up else -jump
    keep = H.RemoveExcursions()(swapped)
    assert np.array_equal(np.flatnonzero(~keep), np.arange(at, at + length))
    assert H.RemoveExcursions()(raw).all() and H.KeepAll()(swapped).all()


@given(at=st.integers(1, 38), jump=st.floats(0.4, 2.0))
@settings(max_examples=20, deadline=None)
def test_a_jump_that_stays_is_kept(at, jump):
    merged = TRUE + np.where(np.arange(len(TIME)) >= at, jump, 0.0)
    assert H.RemoveExcursions()(merged).all()


@given(
    seed=st.integers(0, 1000),
    gaps=st.sets(st.integers(1, 38), max_size=15),
    start=st.integers(0, 20),
    swap=st.integers(22, 36),
)
@settings(max_examples=12, deadline=None)
def test_noise_gaps_and_swaps_leave_the_history(seed, gaps, start, swap):
    rng = np.random.default_rng(seed)
    raw = TRUE + 0.03 * np.clip(rng.normal(size=len(TIME)), -2.5, 2.5)  # an end point is not averaged with others
    raw[swap] -= 1.0
    rows = np.array([k for k in range(start, len(TIME)) if k not in gaps])
    made = smooth([branch(raw[rows], time=TIME[rows])], repairs=(H.RemoveExcursions(),), mass_loss=H.AllowMassLoss())
    after = TIME >= made.halos.start[0]
    np.testing.assert_allclose(np.asarray(made.halos.log_mvir[0])[after], TRUE[after], atol=0.09)
    assert made.removed == [int(swap in rows)]
    rising = smooth([branch(raw[rows], time=TIME[rows])]).halos
    assert np.all(np.diff(rising.log_mvir, axis=1) >= -1e-9)
    halo = rising.along(TIME)
    np.testing.assert_allclose(halo.vvir**2, GRAVITY * halo.mvir / halo.rvir, rtol=1e-9)


def test_branches_begin_where_they_are_resolved():
    floor = H.ResolutionFloor(particle_mass=1e9, particles=100)
    made = smooth([branch(TRUE)], repairs=(floor,)).halos
    np.testing.assert_allclose(made.start, TIME[np.argmax(TRUE >= 11.0)])
    assert "ResolutionFloor: " in dict(made.provenance)["repair"]
    light = branch(TRUE - 1.5, name="light")
    both = smooth([light, branch(TRUE)], repairs=(floor,))
    assert "has 0 of 40 snapshots left after repair" in both.dropped["light"] and len(both.halos) == 1


def test_halos_smoothed_together_are_as_those_smoothed_alone():
    rng = np.random.default_rng(0)
    raws = TRUE + 0.05 * rng.normal(size=(5, len(TIME)))
    mixed = [branch(raw, str(k)) if k % 2 else branch(raw[3:], str(k), TIME[3:]) for k, raw in enumerate(raws)]
    together = smooth(mixed).halos
    for row, one in enumerate(mixed):
        alone = smooth([one]).halos
        np.testing.assert_allclose(together.log_mvir[row], alone.log_mvir[0], atol=1e-12)
        np.testing.assert_allclose(together.log_concentration[row], alone.log_concentration[0], atol=1e-12)


def test_dropped_halos_are_grouped_by_reason():
    bad = {str(k): f"ends at {k}.5 Gyr, before the end" for k in range(9)} | {"x": "has a mass that is not a number"}
    words = dropped_note(bad)
    assert (
        words.startswith("; halo 0 ends at 0.5 Gyr") and "(and 6 more of this kind)" in words and "halo x has" in words
    )


def test_mergers_are_kept_cut_and_saved(tmp_path):
    first = branch(TRUE, mergers=np.array([[9.0, 3.0], [0.1, 0.5]]))
    second = branch(TRUE, "2", mergers=np.zeros((2, 0)))
    halos = smooth([first, second]).halos
    halo, time, ratio = halos.mergers.to_list()
    assert halo.tolist() == [0, 0] and time.tolist() == [3.0, 9.0] and ratio.tolist() == [0.5, 0.1]
    assert len(halos[1:].mergers.to_list()[0]) == 0 and len(halos[[1, 0]].mergers.to_list()[0]) == 2
    H.save(tmp_path / "h.h5", halos)
    back = H.read(tmp_path / "h.h5")
    np.testing.assert_array_equal(back.mergers.time, halos.mergers.time)
    assert jax.tree.structure(back.mergers) == jax.tree.structure(halos.mergers)
    with pytest.raises(ValueError, match=r"both must be \(halos, mergers\)"):
        H.Mergers(np.zeros((2, 3)), np.zeros((2, 2)))
    one = H.Mergers(np.zeros((1, 1)), np.zeros((1, 1)))
    with pytest.raises(ValueError, match="mergers: got 1 rows; expected one per halo, 2"):
        H.HaloHistories(TIME, [TRUE, TRUE], np.ones((2, 40)), mergers=one)


def chain(masses, scales, preferred=None):
    """A forest of one line of halos, the last one first."""
    count = len(masses)
    return Forest(
        "made up", np.arange(count), np.arange(count) - 1, np.asarray(scales, float), np.asarray(masses, float),
        np.ones(count, bool), np.zeros(count, bool) if preferred is None else preferred, {},
    )  # fmt: skip


def test_the_main_progenitor_is_the_one_the_source_prefers_or_else_the_heaviest():
    forest = chain([10.0, 4.0, 5.0], [1.0, 0.5, 0.5])._replace(descendant=np.array([-1, 0, 0]))
    assert main_branches(forest).row.tolist() == [2, 0]
    preferred = forest._replace(preferred=np.array([False, True, False]))
    main = main_branches(preferred)
    assert main.row.tolist() == [1, 0]
    np.testing.assert_allclose(main.merger_ratio, [1.25])
    assert main_branches(preferred, lowest_ratio=2.0).merger_ratio.size == 0


def test_merger_ratios_count_the_mass_before_stripping():
    # The second progenitor weighed 6 before it fell in and 1 when last seen; the main one 10.
    forest = chain([12.0, 10.0, 8.0, 1.0, 6.0], [1.0, 0.8, 0.6, 0.8, 0.6])
    forest = forest._replace(descendant=np.array([-1, 0, 1, 0, 3]))
    main = main_branches(forest)
    np.testing.assert_allclose(main.merger_ratio, [0.6])
    np.testing.assert_allclose(main.merger_scale, [0.8])


def test_loops_are_no_trees():
    forest = chain([3.0, 2.0, 1.0], [0.5, 0.5, 0.4])._replace(descendant=np.array([1, 0, 1]))
    with pytest.raises(
        ValueError, match=r"made up: halo 0 .* which is not later, so the links do not form a tree \(a loop"
    ):
        main_branches(forest)


def test_the_report_counts_and_shows_what_was_done():
    raw = 0.2 + np.tile(TRUE, (30, 1)) + 0.02 * np.random.default_rng(1).normal(size=(30, len(TIME)))
    raw[4, 20] -= 1.0
    raw[7, 30:] += 0.6
    raw[7] -= 0.6
    branches = [branch(row, str(k)) for k, row in enumerate(raw)]
    branches[9] = branch(np.delete(raw[9], [5, 6]), "9", np.delete(TIME, [5, 6]))
    branches.append(branch(raw[0][:10], "short", TIME[:10]))
    report = report_on(smooth(branches, repairs=(H.RemoveExcursions(),)), {"trees": 31})
    counts = report.counts
    assert (counts["trees"], counts["branches read"], counts["halos kept"], counts["halos left out"]) == (31, 31, 30, 1)
    assert counts["snapshots left out by repairs"] == counts["halos with repaired snapshots"] == 1
    assert counts["snapshots missing inside a branch"] == 3
    assert counts["jumps of more than 0.3 dex that stay"] == counts["halos with such jumps"] == 1
    assert report.worst[0].name == "7" and report.worst[0].rms > 2.0 * np.median(report.rms)
    assert report.growth_error < 1e-4
    (mean,) = report.means
    assert mean.halos >= 29 and abs(mean.mean[1] - mean.built_in[1]) < 0.5
    text = report.text()
    for words in ("left out; halo short ends at", "halo 7: 0.", "z = 1:", "31 trees"):
        assert words in text


def test_halos_of_the_same_name_in_two_files_are_two_halos():
    good = [branch(TRUE, "0", file=name) for name in ("a.dat", "b.dat")]
    short = [branch(TRUE[:10], "1", TIME[:10], file=name) for name in ("a.dat", "b.dat")]
    made = smooth([*good, *short])
    assert list(made.dropped) == ["a.dat:1", "b.dat:1"] and len(made.halos) == 2
    report = report_on(made, files={"a.dat": {"trees": 2}, "b.dat": {"trees": 3}})
    assert report.counts["halos left out"] == 2 and report.counts["branches read"] == 4
    told = {"halos kept": 1, "halos left out": 1, "snapshots left out by repairs": 0}
    for name, trees in (("a.dat", 2), ("b.dat", 3)):
        assert report.files[name] == {"trees": trees, **told, "jumps of more than 0.3 dex that stay": 0}
    assert "  b.dat: 3 trees, 1 halos kept, 1 halos left out" in report.text()


def test_a_report_on_halos_that_only_lose_mass_is_whole():
    falling = [branch(TRUE[::-1] + 0.01 * k, str(k)) for k in range(3)]
    report = report_on(smooth(falling))
    assert report.growth_error < 1e-4 and report.counts["steps over which mass falls"] == 3 * 39
