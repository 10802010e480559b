"""How fast the page of the explorer follows a slider, measured in the browser: ``python benchmarks/explorer.py``.

Updates of the picture a second while a slider moves, the time that one takes, and the time from the request of an exact
solution to its arrival, while the slider moves and after single steps, for 100 halos of the published model; medians.
"""

import argparse
import shutil

from playwright.sync_api import sync_playwright

import corundum as co
from corundum.explorer.serve import Running

MOVE = """async (frames) => {
  const slider = explorer.parameters.rows.get("mass_loading.amplitude").slider, updates = [], exact = [];
  const next = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const start = performance.now();
  for (let i = 0; i < frames; i++) {
    slider.value = 550 + (i % 100);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await next();
    updates.push(explorer.timings.update); exact.push(explorer.timings.exact);
  }
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const seconds = (performance.now() - start) / 1000, alone = [];
  for (let i = 0; i < 25; i++) {
    while (explorer.solving || explorer.learning) await next();
    slider.value = 560 + i;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    while (explorer.solving) await next();
    alone.push(explorer.timings.exact);
  }
  return {
    updates_per_second: frames / seconds, update_ms: median(updates), exact_ms: median(exact),
    exact_alone_ms: median(alone),
  };
}"""
READY = """() => {
  const { picture, learning } = explorer;
  return Boolean(picture?.base) && !learning && picture.slopes.size === picture.byName.size;
}"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--halos", type=int, default=100)
    parser.add_argument("--frames", type=int, default=150)
    arguments = parser.parse_args()
    co.configure()
    halos = co.halos.monte_carlo_trees(arguments.halos, key=0)
    view = co.explorer.view_of(
        co.models.pandya26(), halos, ["shmr_behroozi19_sf", "coldgas_xgass"], most=arguments.halos
    )
    running = Running(co.explorer.Explorer(view), 0)
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.goto(running.address)
        while not page.evaluate(READY):
            page.wait_for_timeout(100)
        for name, value in page.evaluate(MOVE, arguments.frames).items():
            print(f"{name:20} {value:8.1f}")
        browser.close()
    running.stop()


if __name__ == "__main__":
    main()
