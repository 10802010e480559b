"""The pictures of docs/how_to/explorer.md: the quickstart in the explorer, after a step towards the data."""

import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

import corundum as co
from corundum.cli.jobs.explore import explorer_of
from corundum.cli.runfile.reader import read_run_file
from corundum.explorer.serve import Running

READY = """() => {
  const { picture, accounts, values, solving, learning, counting } = explorer;
  if (!picture?.base || solving || learning || counting || picture.slopes.size < picture.byName.size) return false;
  if (!explorer.timed || !picture.isSame(explorer.timed, values)) return false;
  return picture.isExact(values) && accounts.isExact(values);
}"""
PLACE = """(galaxies) => {
  const { plot, spots } = explorer.charts[0].chart;
  const shown = spots().filter((spot) => (spot.galaxy !== undefined) === galaxies);
  const { x, y } = shown[Math.floor(shown.length / 2)];
  return { x: plot.valToPos(x, "x"), y: plot.valToPos(y, "y") };
}"""


def wait(condition=READY):
    while not page.evaluate(condition):
        page.wait_for_timeout(200)


co.configure()
here = Path(__file__).parent
running = Running(explorer_of(read_run_file(here.parents[1] / "examples" / "quickstart.toml")), 0)
with sync_playwright() as driver:
    browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1380, "height": 900})
    page.goto(running.address)
    wait()
    page.click("#pin")
    page.click("#step")
    wait("!document.getElementById('step').disabled")
    wait()
    charts = page.locator("#relations .u-over").first
    charts.click(position=page.evaluate(PLACE, True))
    page.wait_for_timeout(1_000)
    wait()
    charts.hover(position=page.evaluate(PLACE, False))
    page.screenshot(path=here / "explorer.png")
    page.evaluate("document.getElementById('indices').scrollIntoView()")
    page.mouse.move(1, 1)
    page.wait_for_timeout(300)
    page.screenshot(path=here / "explorer_galaxy.png", clip={"x": 362, "y": 205, "width": 1018, "height": 555})
    browser.close()
running.stop()
for name in ("explorer", "explorer_galaxy"):  # a palette is enough for a page, and takes a third of the space
    with Image.open(here / f"{name}.png") as image:
        image.convert("RGB").quantize(256).save(here / f"{name}.png", optimize=True)
