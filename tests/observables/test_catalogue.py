"""Regressing a catalogue of galaxies: the truth of a synthetic one, errors, limits, selection, bad input."""

import numpy as np
import pytest

from corundum.observables import GasMetallicity, LocalLinear, NadarayaWatson, StarFormingMainSequence, regress_catalogue

NODES = np.arange(9.2, 10.9, 0.2)
ABOUT = dict(name="mock", citation="synthetic", nodes=NODES)


def mock(n=600, seed=0, scatter=0.3):
    rng = np.random.default_rng(seed)
    mass = rng.uniform(8.8, 11.2, n)
    return {
        "logM": mass,
        "logSFR": 0.7 * (mass - 10) + rng.normal(0, scatter, n),
        "z": rng.uniform(0, 0.1, n),
    }


def regress(catalogue, **options):
    options = dict(x="logM", y="logSFR", regression=LocalLinear(0.15)) | ABOUT | options
    return regress_catalogue(catalogue, StarFormingMainSequence(), **options)


def test_the_truth_is_recovered_within_errors_that_are_right():
    fits = [regress(mock(seed=seed), samples=120, seed=seed) for seed in range(20)]
    pull = np.array([(m.y - 0.7 * (m.x - 10)) / m.error for m in fits])
    assert 0.85 < np.std(pull) < 1.2 and abs(np.mean(pull)) < 0.25
    np.testing.assert_allclose(np.mean([m.scatter for m in fits], axis=0), 0.3, rtol=0.05)
    # The bootstrap agrees with the regression's own error; nodes that share galaxies are correlated.
    expected = LocalLinear(0.15)(mock()["logM"], mock()["logSFR"], NODES).standard_error
    np.testing.assert_allclose(np.mean([m.error for m in fits], axis=0), expected, rtol=0.25)
    neighbours = np.mean([m.covariance[3, 4] / m.error[3] / m.error[4] for m in fits])
    assert 0.2 < neighbours < 0.9


def test_what_was_done_is_written_down_and_repeats():
    select = {"z": (0.0, 0.05)}
    m = regress(mock(), select=select, samples=100, seed=4, redshift=0.03, imf="Chabrier", notes=("mine",))
    notes = " ".join(m.notes)
    assert "600 galaxies in the catalogue" in notes and "selection 0 <= z <= 0.05" in notes
    assert "100 bootstrap" in notes and "seed 4" in notes and m.notes[-1] == "mine"
    assert (m.error_kind, m.imf, m.redshift) == ("standard error", "Chabrier", 0.03)
    same = regress(mock(), select=select, samples=100, seed=4)
    np.testing.assert_array_equal(m.covariance, same.covariance)
    inside = mock()["z"] <= 0.05
    alone = NadarayaWatson(0.15)(mock()["logM"][inside], mock()["logSFR"][inside], NODES)
    plain = regress(mock(), select=select, regression=NadarayaWatson(0.15), samples=100)
    np.testing.assert_allclose(plain.y, alone.mean, rtol=1e-12)


@pytest.mark.parametrize("comma", [True, False])
def test_text_tables_with_gaps_and_words(tmp_path, comma):
    g = mock(200)
    cells = [["id", "M", "SFR"]]
    cells += [
        [f"G{i}", f"{m:.6f}", f"{10**s:.8e}"] for i, (m, s) in enumerate(zip(g["logM"], g["logSFR"], strict=True))
    ]
    cells[1][2] = "" if comma else "nan"
    path = tmp_path / "cat.txt"
    path.write_text("# a catalogue\n" + "\n".join(("," if comma else " ").join(row) for row in cells))
    m = regress(path, x="M", y=lambda c: np.log10(c["SFR"]), samples=100)
    arrays = {name: values[1:] for name, values in g.items()}
    np.testing.assert_allclose(m.y, regress(arrays, samples=100).y, atol=1e-5)
    assert "1 with a missing value left out" in m.notes[0]
    with pytest.raises(ValueError, match="line 3: column id holds 'G0', which is not a number"):
        regress(path, x="id", y="M")


def test_weights_undo_a_biased_selection():
    g = mock(4000, seed=5)
    chance = np.where(g["logSFR"] > 0.7 * (g["logM"] - 10), 1.0, 0.2)
    kept = np.random.default_rng(0).uniform(size=4000) < chance
    g = {name: values[kept] for name, values in g.items()} | {"w": 1.0 / chance[kept]}
    truth = 0.7 * (NODES - 10)
    assert np.mean(regress(g, samples=100).y - truth) > 0.1
    assert abs(np.mean(regress(g, weights="w", samples=100).y - truth)) < 0.03


def test_nodes_without_galaxies_or_of_limits_are_dropped_and_said():
    g = mock(500)
    g["limit"] = (g["logM"] < 9.5).astype(int)
    m = regress(g, upper_limits="limit", nodes=np.array([9.1, 9.3, 10.0, 10.5, 13.0]), samples=100)
    np.testing.assert_array_equal(m.x, [10.0, 10.5])
    assert "left out: 9.1, 9.3, 13" in " ".join(m.notes) and "of them upper limits" in " ".join(m.notes)


def test_default_nodes_follow_the_published_placement():
    g = mock(300)
    m = regress(g, nodes=None, samples=200)
    assert m.x[0] == pytest.approx(np.percentile(g["logM"], 5)) and np.allclose(np.diff(m.x), 0.15)
    assert float(m.bandwidth) == 0.15


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(x="mass"), "no column 'mass'; it has logM, logSFR, z"),
        (dict(select={"z": (3, 4)}), r"0 galaxies are left .*widen the selection"),
        (dict(nodes=[20.0]), "none of 1 nodes is usable"),
        (dict(samples=20), "needs at least 90"),
        (dict(weights=lambda c: np.ones(3)), "columns differ in length"),
        (dict(y=lambda c: np.ones((3, 3))), "must be one number per galaxy"),
        (dict(kind="x"), "unexpected keyword"),
    ],
)
def test_bad_input_is_one_clear_sentence(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        regress(mock(100), **options)


def test_a_regressed_catalogue_is_used_like_any_measurement():
    g = mock(300)
    m = regress_catalogue(
        {"logM": g["logM"], "oh": 8.7 + 0.2 * g["logSFR"]},
        GasMetallicity(),
        x="logM",
        y="oh",
        name="mock",
        citation="synthetic",
        samples=200,
        systematic=0.05,
    ).between(9.5, 10.5)
    assert "0.05 dex" in m.summary() and np.all(m.error > 0.05)
