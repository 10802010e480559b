"""The picture of docs/how_to/explorer.md: the quickstart in the explorer, after a few steps towards the data."""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

import corundum as co
from corundum.cli.jobs.explore import explorer_of
from corundum.cli.runfile.reader import read_run_file
from corundum.explorer.serve import Running

READY = "() => Boolean(explorer.picture?.base) && explorer.picture.slopes.size === explorer.picture.byName.size"

co.configure()
here = Path(__file__).parent
running = Running(explorer_of(read_run_file(here.parents[1] / "examples" / "quickstart.toml")), 0)
with sync_playwright() as driver:
    browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1380, "height": 1010})
    page.goto(running.address)
    while not page.evaluate(READY):
        page.wait_for_timeout(500)
    page.click("#pin")
    page.click("#step")
    page.wait_for_timeout(8_000)
    page.locator("#relations .u-over").first.click(position={"x": 250, "y": 90})
    page.wait_for_timeout(2_000)
    page.screenshot(path=here / "explorer.png")
    browser.close()
running.stop()
