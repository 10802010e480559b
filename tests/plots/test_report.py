"""The report: complete, self-contained, and safe with any text."""

import html.parser
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corundum as co
from corundum import plots
from measured import MEASURED, SPREAD
from synthetic import histories
from synthetic import population as made

FETCHES = ("src", "href", "action", "data", "poster", "srcset")


class Reader(html.parser.HTMLParser):
    """Tags, addresses and text of a page; complains of tags that do not close."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.addresses, self.text, self.ids, self.open = [], [], [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in FETCHES]
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    trees = histories()
    galaxies, grown = made(trees), made(trees, redshifts=(6.0, 3.0, 1.0, 0.0, 0.3))
    compared = plots.Compared(galaxies, histories(late=1.0), ("built-in", "trees <N-body>"))
    measurements = [(MEASURED, 0.0), (SPREAD, 2.0)]
    path = tmp_path_factory.mktemp("report") / "report.html"
    few = plots.spread_rows(grown, 2)
    import jax

    drawings = list(
        plots.standard_drawings(
            galaxies,
            halos=trees,
            measurements=measurements,
            trajectories=jax.tree.map(lambda x: x[few] if x.shape[:1] == (60,) else x, grown),
            compared=compared,
        )
    )
    assert [drawing.name for drawing in drawings] == [
        "stellar_to_halo_mass_ratio_z0_made_up",
        "stellar_to_halo_mass_ratio_z2_spread",
        "baryon_budget",
        "mass_budget",
        "energy_budget",
        "relation_evolution",
        "growth_histories",
        "compared_histories",
        "compared_stellar_to_halo_mass_ratio",
    ]
    plots.standard_report(
        path,
        galaxies,
        drawings=drawings,
        title="A <run> & more",
        model=co.models.ThermalCGM(),
        halos=trees,
        measurements=measurements,
        compared=compared,
        run_info={
            "timing_s": {"evolve": 2.0, "save": 0.5},
            "finished": None,
            "resumed": [],
            "seeds": {"halos.key": 7},
            "run_file": "a\nb",
        },
        command="corundum run 'a b.toml' > log && true",
        run_file="[halos]\nnumber = 60  # <script>alert(1)</script>\n",
    )
    return path.read_text(encoding="utf-8")


DRAWN_FIRST = """
import sys
sys.path.insert(0, sys.argv[1])
from corundum.configuration import configure
configure(cache=False)
from programs import compiled_programs
from measured import MEASURED, SPREAD
from synthetic import histories, population
from corundum.plots import standard_drawings
trees = histories(37)
galaxies, grown = population(trees), population(trees, redshifts=(6.0, 3.0, 1.0, 0.0, 0.3))
data = [(MEASURED, 0.0), (SPREAD, 2.0)]
with compiled_programs() as programs:
    drawings = list(standard_drawings(galaxies, halos=trees, measurements=data, trajectories=grown))
assert len(drawings) == 7, drawings
print(*programs)
"""


def test_the_first_figures_of_a_process_compile_nothing():
    done = subprocess.run(
        [sys.executable, "-c", DRAWN_FIRST, str(Path(__file__).parents[1] / "support")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


def test_all_sections_are_there_and_listed(page):
    titles = re.findall(r"<h2>(.*?)</h2>", page)
    assert titles == [
        "Summary",
        "Figures",
        "Model and data",
        "Comparison of the halos",
        "Solves",
        "Parameters",
        "Halos",
        "Sources of the data",
        "Papers to cite",
        "Time",
        "Run",
        "How to reproduce",
    ]
    read = Reader(page)
    assert [address for address in read.addresses if address.startswith("#")] == [f"#{name}" for name in read.ids]
    assert page.count("<figure") == 9
    assert "None" not in "".join(read.text) and "resumed" not in "".join(read.text)


def test_nothing_is_fetched_and_nothing_runs(page):
    read = Reader(page)
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in read.addresses)
    assert not {"script", "link", "iframe", "object", "embed", "form"} & set(read.tags)
    style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
    assert "url(" not in style and "@import" not in style


def test_every_text_is_escaped(page):
    assert "<script>" not in page and "&lt;script&gt;" in page
    read = Reader(page)
    text = "".join(read.text)
    for words in (
        "A <run> & more",
        "made up <for tests>",
        "trees <N-body>",
        "corundum run 'a b.toml' > log && true",
    ):
        assert words in text


def test_the_numbers_that_matter_are_told(page):
    text = " ".join(Reader(page).text)
    for words in (
        "needed more steps than the solver's max_steps",
        "mass_loading.amplitude",
        "eta_M at 125 km/s",
        "Pandya et al. 2026",
        "Author, Other & Third 2020, Journal 1, 2",
        "halos.key",
        "2.5 s",
        "60 halos, 59 solved, at z = 2, 0",
    ):
        assert words in text, words


def test_a_population_that_failed_everywhere_still_has_a_report(tmp_path):
    trees = histories()
    galaxies = made(trees, failed=range(60))
    drawings = list(plots.standard_drawings(galaxies, halos=trees, measurements=[(MEASURED, 0.0)]))
    assert drawings == []
    plots.standard_report(tmp_path / "r.html", galaxies, drawings=drawings, measurements=[(MEASURED, 0.0)])
    page = (tmp_path / "r.html").read_text()
    assert "60 halos, 0 solved" in page and "<h2>Figures</h2>" not in page


def test_failures_are_counted():
    table = plots.failures(made(histories(), failed=(1, 2, 3)))
    assert table.rows == [("solved", 57, 95.0), ("needed more steps than the solver's max_steps", 3, 5.0)]


@settings(max_examples=15, deadline=None)
@given(texts=st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])), min_size=4, max_size=4))
def test_any_text_survives(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("any") / "r.html"
    title, words, cell, code = texts
    section = plots.Section(
        title, [words, plots.Table([cell], [[cell]], cell), plots.Code(code), plots.Facts([(cell, words)])]
    )
    plots.write_report(path, [section], title=title, subtitle=words)
    read = Reader(path.read_text(encoding="utf-8"))
    assert all(text in "".join(read.text) for text in texts)


def test_residuals_are_the_textbook_ones():
    # a relation that is exactly 0.1 dex above the data, with independent errors
    x = np.linspace(10.0, 12.0, 400)
    galaxies = {"mvir": 10.0**x, "mstar": 10.0 ** (x - 2.0)}
    data = co.observables.Measurement(
        name="flat", relation=co.observables.StellarToHaloMass(), x=[9.0, 10.8, 11.2], y=[-2.1, -2.1, -2.1],
        covariance=np.eye(3) * 0.05**2, error_kind="standard error", citation="Nobody 2000",
    )  # fmt: skip
    told = plots.residual(galaxies, data)
    assert (told.points, told.reached) == (3, 2)  # no galaxy is near x = 9
    assert told.offset == pytest.approx(0.1, abs=1e-9) and told.largest == pytest.approx(0.1, abs=1e-9)
    error = np.asarray(data.predict(galaxies).standard_error)[1:]
    assert told.chi2 == pytest.approx(np.sum(0.1**2 / (0.05**2 + error**2)), rel=1e-9)
    assert told.p_value == pytest.approx(np.exp(-told.chi2 / 2.0), rel=1e-9)  # of two degrees of freedom
    assert told.sentence.endswith("(1 of 3 points left out)")
    nowhere = plots.residual({"mvir": 10.0 ** (x + 5), "mstar": 10.0**x}, data)
    assert nowhere.reached == 0 and np.isnan(nowhere.offset)
