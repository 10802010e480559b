"""Checks every kind of page of the built site with axe-core in Chromium, light and dark, wide and narrow.

    python docs/accessibility.py out/site out/axe/node_modules/axe-core/axe.min.js [PAGE ...]

Prints each violation of the rules of WCAG 2 (levels A and AA) with the elements concerned, and ends with the exit code
1 if there is one; pages that are wider than a narrow screen are named as well.  `make accessibility` runs it.
"""

import functools
import http.server
import shutil
import sys
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

PAGES = [
    "index.html", "tutorials/index.html", "tutorials/first_population.html", "tutorials/read_a_jacobian.html",
    "how_to/explorer.html", "how_to/devices.html", "explanation/model.html", "explanation/results.html",
    "explanation/coming_from.html", "reference/index.html", "reference/physics.html", "reference/run_files.html",
    "reference/api/numbers.html", "reference/api/measurements.html", "reference/api/halos.html", "gallery/index.html",
    "gallery/first_population.html", "architecture.html",
]  # fmt: skip
"""One or two of each kind."""

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves without a line for each request."""

    def log_message(self, *parts):
        pass


def main(site: str, axe: str, *pages: str) -> int:
    """The number of violations."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address, violations = f"http://127.0.0.1:{server.server_address[1]}", 0
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for theme in ("light", "dark"):
            for width in (1280, 400):
                view = browser.new_page(color_scheme=theme, viewport={"width": width, "height": 900})
                for page in pages or PAGES:
                    view.goto(f"{address}/{page}")
                    violations += _report(view, f"{page}, {theme}, {width} px", Path(axe).read_text(), width)
                view.close()
        browser.close()
    server.shutdown()
    return violations


def _report(view, where, axe, width):
    view.evaluate(axe)
    result = view.evaluate("rules => axe.run(document, rules)", RULES)
    for violation in result["violations"]:
        elements = ", ".join(node["target"][0] for node in violation["nodes"][:3])
        print(f"{where}: {violation['help']} ({violation['impact']}), {len(violation['nodes'])} times: {elements}")
    wide = view.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        print(f"{where}: the page is {wide} px wide")
    return len(result["violations"]) + (wide > width)


if __name__ == "__main__":
    sys.exit(bool(main(*sys.argv[1:])))
