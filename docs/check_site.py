"""Checks the built site: ``python docs/check_site.py out/site`` prints what is wrong and ends with the exit code 1.

Links between pages and to anchors lead somewhere, every page has one first heading and skips no level, every image
has an alternative text and every link a name.  Sphinx itself checks the sources; this checks what readers get.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

WRITTEN_BY_THE_THEME = {"genindex.html", "search.html", "py-modindex.html"}


class Page(HTMLParser):
    """What a page links to and offers, and what is wrong with it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.headings: list[int] = []
        self.problems: list[str] = []
        self._link: list | None = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = {name: value or "" for name, value in attributes}
        if "id" in values:
            if values["id"] in self.anchors:
                self.problems.append(f"two elements have the id {values['id']}")
            self.anchors.add(values["id"])
        if tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            self.headings.append(int(tag[1]))
        elif tag == "img":
            if not values.get("alt", "").strip():
                self.problems.append(f"the image {values.get('src')} has no alternative text")
            elif self._link is not None:
                self._link[1] = True
        elif tag == "a" and "href" in values:
            self.links.append(values["href"])
            self._link = [values["href"], bool(values.get("aria-label") or values.get("title"))]

    def handle_data(self, data):
        if self._link is not None and data.strip():
            self._link[1] = True

    def handle_endtag(self, tag):
        if tag == "a" and self._link is not None:
            if not self._link[1]:
                self.problems.append(f"a link to {self._link[0]} has no name")
            self._link = None


def wrong_headings(levels: list[int]) -> list[str]:
    """What is wrong with the order of the headings of a page."""
    problems = [] if levels.count(1) == 1 else [f"{levels.count(1)} first headings instead of one"]
    for before, after in zip(levels, levels[1:], strict=False):
        if after > before + 1:
            problems.append(f"a heading of level {after} follows one of level {before}")
    return problems


def wrong_links(path: Path, page: Page, pages: dict[Path, Page]) -> list[str]:
    """The links of a page that lead nowhere."""
    problems = []
    for link in page.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if target.is_dir():
            target = target / "index.html"
        if not target.exists():
            problems.append(f"the link {link} leads to no file")
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
            problems.append(f"the link {link} leads to no heading")
    return problems


def check(site: Path) -> list[str]:
    """Everything that is wrong, a line each."""
    pages = {path.resolve(): Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
    problems = []
    for path, page in pages.items():
        wrong = wrong_links(path, page, pages)
        if path.name not in WRITTEN_BY_THE_THEME:
            wrong += page.problems + wrong_headings(page.headings)
        problems += [f"{path.relative_to(site.resolve())}: {problem}" for problem in dict.fromkeys(wrong)]
    return problems or ([] if pages else [f"{site}: no pages"])


if __name__ == "__main__":
    problems = check(Path(sys.argv[1]))
    for problem in problems:
        print(problem)
    sys.exit(bool(problems))
