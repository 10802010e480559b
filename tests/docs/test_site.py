"""Parts of the site that need no build: the check of built pages finds what is wrong, and figures have captions."""

import re
import sys

import pytest

from places import ROOT

sys.path.insert(0, str(ROOT / "docs"))

import check_site
import gallery

GOOD = '<h1 id="top">A</h1><h2>B</h2><a href="#top">up</a><a href="b.html#c"><img src="x.png" alt="a figure"></a>'
OTHER = '<h1>B</h1><h2 id="c">C</h2>'


def problems_of(folder, first, second=OTHER):
    (folder / "a.html").write_text(first)
    (folder / "b.html").write_text(second)
    return check_site.check(folder)


def test_a_good_site_has_no_problem(tmp_path):
    assert problems_of(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ('<h1>A</h1><a href="c.html">there</a>', "the link c.html leads to no file"),
        ('<h1>A</h1><a href="b.html#d">there</a>', "the link b.html#d leads to no heading"),
        ('<h1>A</h1><a href="#d">there</a>', "the link #d leads to no heading"),
        ("<h1>A</h1><h3>C</h3>", "a heading of level 3 follows one of level 1"),
        ("<h2>A</h2>", "0 first headings instead of one"),
        ('<h1>A</h1><img src="x.png" alt="">', "the image x.png has no alternative text"),
        ('<h1>A</h1><a href="b.html"> </a>', "a link to b.html has no name"),
        ('<h1 id="x">A</h1><p id="x">', "two elements have the id x"),
    ],
)
def test_what_is_wrong_is_said(html, problem, tmp_path):
    assert problems_of(tmp_path, html) == [f"a.html: {problem}"]


def test_an_empty_folder_is_no_site(tmp_path):
    assert check_site.check(tmp_path) == [f"{tmp_path}: no pages"]


def test_every_figure_has_an_alternative_text_and_a_caption():
    for page in sorted((ROOT / "docs").rglob("*.md")):
        if {"api", "gallery"}.isdisjoint(page.relative_to(ROOT).parts):
            shown = re.findall(r"!\[([^\]]*)\]\([^)]*\)(\n\n\*[^*])?", page.read_text())
            assert all(alternative and caption for alternative, caption in shown), page


def test_the_gallery_shows_every_figure_with_its_code(tmp_path):
    gallery.write_gallery(ROOT / "docs", tmp_path)
    drawn = {image for image, *_ in gallery.FIGURES.values()}
    kept = {path.name for path in (ROOT / "docs" / "images").glob("*.png")}
    assert drawn == kept
    assert {path.stem for path in tmp_path.glob("*.md")} == {image.removesuffix(".png") for image in drawn} | {"index"}
    assert "co.plots.save_figure" in (tmp_path / "first_population.md").read_text()
