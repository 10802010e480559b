"""The page in a real browser: sliders move the picture, exact solutions follow, and the keyboard reaches everything."""

import shutil
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from corundum.explorer import standalone_page
from corundum.explorer.serve import Running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; install it (apt-get install chromium)")

CHECKS = (Path(__file__).parent / "page_checks.js").read_text().split("\n", 1)[1]
AMPLITUDE = "mass_loading.amplitude"


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def running(explorer):
    running = Running(explorer, 0)
    yield running
    running.stop()


@pytest.fixture
def page(browser, running):
    page, problems = browser.new_page(viewport={"width": 1300, "height": 900}), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: problems.append(request.url) if is_elsewhere(request.url) else None)
    opened(page, running.address)
    yield page
    page.close()
    assert problems == []


def is_elsewhere(address):
    return not address.startswith(("http://127.0.0.1:", "data:", "blob:"))


def opened(page, address):
    page.goto(address)
    page.evaluate(CHECKS)
    settled(page)


def wait(page, expression, seconds=120.0):
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"{expression}: {page.inner_text('#state')}"
        time.sleep(0.05)


def settled(page):
    wait(page, "checks.settled()")


def mean(page):
    return page.evaluate("checks.mean()")


def misfit(page):
    return sum(chi2 / used for chi2, used in page.evaluate("checks.misfit()"))


def residuals(page, kind="now"):
    return np.array(page.evaluate("kind => checks.residuals(kind)", kind), float)


def in_errors(engine, picture, mean):
    shown = np.asarray(picture["reached"])
    return np.where(shown, (np.asarray(engine.view.data.y) - np.asarray(mean)) / picture["sigma"], np.nan)


def move(page, name, position):
    page.evaluate("([name, position]) => checks.move(name, position)", [name, position])


def test_the_picture_follows_a_slider_along_the_slopes_and_then_exactly(page, explorer):
    start, engine = mean(page), explorer.engine({})
    page.evaluate("explorer.solving = true")  # as while an exact solution is on its way
    move(page, AMPLITUDE, 700)
    values, change = page.evaluate("explorer.values"), page.evaluate(f"checks.change('{AMPLITUDE}')")
    slope = engine.slopes({}, [AMPLITUDE])["mean"][0]
    assert abs(change) > 0.05
    assert mean(page) == pytest.approx([at + by * change for at, by in zip(start, slope, strict=True)], abs=1e-4)
    np.testing.assert_allclose(residuals(page), in_errors(engine, engine.solve({}), mean(page)), atol=2e-3)
    assert page.inner_text("#relations figure:first-child .hint").startswith("chi\u00b2 \u2248 ")
    page.evaluate("explorer.solving = false")
    page.evaluate("settle()")
    settled(page)
    assert "\u2248" not in page.inner_text("#relations figure:first-child .hint")
    exact = engine.solve(values)
    assert mean(page) == pytest.approx(exact["mean"].tolist(), abs=1e-4)
    np.testing.assert_allclose(residuals(page), in_errors(engine, exact, exact["mean"]), atol=2e-3)
    for (chi2, used), (expected, points) in zip(page.evaluate("checks.misfit()"), engine.misfit(exact), strict=True):
        assert used == points and chi2 == pytest.approx(expected, rel=1e-3)
    assert page.inner_text("#state").startswith("exact, 12 galaxies solved")


def test_undo_reset_and_pin(page):
    start, before = mean(page), residuals(page)
    page.click("#pin")
    move(page, AMPLITUDE, 650)
    settled(page)
    np.testing.assert_array_equal(residuals(page, "pinned"), before)
    assert np.nanmax(np.abs(residuals(page) - before)) > 0.05
    assert "(pinned: " in page.inner_text("#relations figure:first-child .hint")
    assert page.get_attribute("#pin", "aria-pressed") == "true"
    assert mean(page) != start
    page.keyboard.press("Control+z")
    settled(page)
    assert mean(page) == start
    move(page, AMPLITUDE, 400)
    page.click("#reset")
    settled(page)
    assert mean(page) == start and page.evaluate("explorer.values") == {}


def test_steps_move_towards_the_data(page):
    before = misfit(page)
    page.click("#step")
    wait(page, "!document.getElementById('step').disabled")
    settled(page)
    assert misfit(page) < before
    assert page.locator(".parameter.moved").count() > 0


def test_a_slider_moves_by_keyboard_and_says_its_value(page):
    slider = page.locator("input[type=range][aria-label^='mass_loading.slope,']")
    slider.focus()
    page.keyboard.press("ArrowRight")
    settled(page)
    assert page.evaluate("explorer.values['mass_loading.slope']") is not None
    assert slider.get_attribute("aria-valuetext")
    about = page.inner_text("#about")
    assert (
        about.startswith("mass_loading.slope: power of") and "prior: uniform from -4 to 0, the declared range" in about
    )
    assert slider.get_attribute("aria-description") == about


def test_a_galaxy_is_chosen_by_click_or_keyboard_and_its_time_scales_are_shown(page):
    page.locator("#relations .u-over").first.click(position=page.evaluate("checks.place(3)"))
    wait(page, "explorer.chosen !== null")
    chosen = page.evaluate("explorer.chosen")
    assert page.input_value("#galaxy") == str(chosen)
    mass = page.evaluate("explorer.picture.description.halos[explorer.chosen].toFixed(2)")
    wait(page, f"document.querySelector('#modes .hint').textContent.includes('10^{mass} ')")
    rows = page.locator("#modes tr").all_inner_texts()
    assert len(rows) > 3 and any("stellar mass" in row and "star formation" in row for row in rows)
    page.focus("#galaxy")
    page.keyboard.press("Home")
    assert page.evaluate("explorer.chosen") is None


def test_what_stands_at_the_pointer_says_what_moves_it(page):
    page.locator("#relations .u-over").first.hover(position=page.evaluate("checks.place(3)"))
    tip = page.inner_text("#relations figure:first-child .tip")
    value = page.evaluate("explorer.charts[0].chart.spots().find((spot) => spot.galaxy === 3).y")
    assert tip.startswith("halo of 10^") and f"{value:.2f}" in tip and tip.count(" dex)") == 3
    strongest, sign = tip.split("moved most by ")[1].split(" (")[0], tip.split(" (")[1][0]
    slope = page.evaluate(f"explorer.picture.slopes.get('{strongest}').y[3]")
    assert sign == ("+" if slope > 0 else "\u2212")
    page.locator("#relations .residuals .u-over").first.hover(position=page.evaluate("checks.placeOfResidual(0)"))
    tip = page.inner_text("#relations figure:first-child .residuals .tip")
    value = page.evaluate("explorer.charts[0].residuals.chart.spots()[0].y")
    assert tip.startswith(f"{value:+.1f} errors: data ".replace("-", "\u2212")) and "sample of halos" in tip
    limited = "() => { explorer.charts[0].panel.members[0].limit.fill(true); draw(); }"
    page.evaluate(limited)
    limits = page.evaluate("explorer.charts[0].residuals.chart.spots().map(({ limit, text }) => [limit, text()])")
    assert limits and all(limit and "upper limit, which chi\u00b2 leaves out" in text for limit, text in limits)


def test_prevention_and_ejection_follow_a_slider(page, explorer):
    wait(page, "!explorer.counting && explorer.accounts.slopes.size === explorer.picture.byName.size")
    engine, shown = explorer.engine({}), "Array.from(explorer.accounts.array('indices', explorer.values).values)"
    known = engine.indices({}, [AMPLITUDE])
    assert page.evaluate(shown) == pytest.approx(known["indices"].ravel().tolist(), abs=1e-6)
    page.evaluate("explorer.solving = true")
    move(page, AMPLITUDE, 700)
    change = page.evaluate(f"checks.change('{AMPLITUDE}')")
    expected = known["indices"] + change * known["slopes"][0]
    assert page.evaluate(shown) == pytest.approx(expected.ravel().tolist(), abs=1e-5)
    page.evaluate("explorer.solving = false")


def test_galaxies_that_are_not_solved_are_counted_and_explained(page):
    assert page.is_hidden("#failed") and page.inner_text("#solver .bar").split() == ["solved", "12"]
    page.evaluate("explorer.picture.exact.status.values.set([1, 1, 5]); draw()")
    bars = [bar.split("\n") for bar in page.locator("#solver .bar").all_inner_texts()]
    assert [(words, int(count)) for words, count in bars] == [
        ("solved", 9), ("needed more steps than the solver's max_steps", 2),
        ("a law returned NaN or infinity, however short the step", 1),
    ]  # fmt: skip
    sentence = page.inner_text("#failed")
    assert sentence.startswith("3 of 12 galaxies are not shown") and "max_steps (2)" in sentence and "Undo" in sentence


@pytest.mark.parametrize("what", ["save stellar-to-halo mass ratio at z = 0 as", "figures,"])
def test_figures_are_saved_as_svg_and_png_by_the_page_itself(page, what, tmp_path):
    asked = []
    page.on(
        "request",
        lambda request: (
            asked.append(request.url) if not request.url.endswith(("/busy", "/indices", "/modes")) else None
        ),
    )
    page.locator(".menu summary").click()
    for kind in ("svg", "png"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"{what} {kind.upper()}").click()
        assert download.value.suggested_filename.endswith(f".{kind}")
        download.value.save_as(tmp_path / f"figure.{kind}")
    assert [url for url in asked if url.startswith("http")] == []
    root = ElementTree.parse(tmp_path / "figure.svg").getroot()
    shown = page.evaluate("[checks.shownGalaxies(), checks.data(), explorer.charts[0].residuals.chart.spots().length]")
    assert len(root.findall(".//{*}circle")) >= sum(shown)
    assert len(root.findall(".//{*}polygon")) >= 2 and "residual [\u03c3]" in (tmp_path / "figure.svg").read_text()
    assert "var(--" not in (tmp_path / "figure.svg").read_text()
    image = (tmp_path / "figure.png").read_bytes()
    width, height = (int.from_bytes(image[at : at + 4], "big") for at in (16, 20))
    assert (width, height) == (2 * int(root.get("width")), 2 * int(root.get("height")))


def test_another_tab_with_other_values_disturbs_nothing(page, browser, running):
    before, other = mean(page), browser.new_page()
    opened(other, running.address)
    move(other, AMPLITUDE, 700)
    move(page, "mass_loading.slope", 400)
    settled(page)
    settled(other)
    assert page.evaluate("[explorer.laws, Object.keys(explorer.values)]") == [{}, ["mass_loading.slope"]]
    assert other.evaluate("Object.keys(explorer.values)") == [AMPLITUDE]
    page.click("#undo")
    settled(page)
    assert mean(page) == before
    other.close()


def test_another_law_is_put_in_and_taken_back(page):
    page.get_by_label("law of energy_loading").select_option("ConstantLoading")
    wait(page, "explorer.picture.byName.has('energy_loading.constant')")
    settled(page)
    assert page.evaluate("explorer.laws") == {"energy_loading": "ConstantLoading"}
    other = mean(page)
    page.click("#undo")
    wait(page, "explorer.picture.byName.has('energy_loading.amplitude')")
    settled(page)
    assert page.evaluate("explorer.laws") == {} and mean(page) != other


def test_a_link_restores_what_was_shown(page, browser):
    move(page, AMPLITUDE, 620)
    settled(page)
    page.evaluate("history.replaceState(null, '', '#' + encoded())")
    other = browser.new_page()
    opened(other, page.url)
    assert other.evaluate("explorer.values") == page.evaluate("explorer.values")
    assert mean(other) == pytest.approx(mean(page), abs=1e-6)
    other.close()


def test_search_hides_the_others(page):
    page.fill("#search", "depletion")
    shown = page.locator(".parameter:visible").count()
    assert shown == page.evaluate("checks.about('depletion')") > 0
    assert shown < page.locator(".parameter").count()


def test_every_control_has_a_name_and_headings_come_in_order(page):
    assert page.evaluate("checks.unnamed()") == []
    assert page.locator("h1").count() == 1
    assert page.locator("svg[role=img][aria-label]").count() == 1
    assert "mean of the model" in page.inner_text("#signs")
    assert page.evaluate("document.documentElement.lang") == "en"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_its_background(page, theme):
    page.evaluate(f"document.documentElement.classList.toggle('dark', {str(theme == 'dark').lower()})")
    assert min(page.evaluate("checks.contrasts()")) >= 4.5  # WCAG 2.1, level AA


def test_a_page_from_disk_needs_no_server(browser, believing, tmp_path):
    explorer = believing
    (tmp_path / "explored.html").write_text(standalone_page(explorer))
    page, elsewhere = browser.new_page(), []
    page.on("request", lambda request: elsewhere.append(request.url) if request.url.startswith("http") else None)
    page.on("pageerror", lambda error: elsewhere.append(str(error)))
    page.goto((tmp_path / "explored.html").as_uri())
    page.evaluate(CHECKS)
    wait(page, "document.getElementById('state').textContent.startsWith('exact')")
    start, engine = mean(page), explorer.engine({})
    move(page, AMPLITUDE, 600)
    change, slope = page.evaluate(f"checks.change('{AMPLITUDE}')"), engine.slopes({}, [AMPLITUDE])["mean"][0]
    near = engine.solve(page.evaluate("explorer.values"))
    used = near["reached"] & engine.solve({})["reached"]
    first_order = np.abs(np.array(start) + change * slope - near["mean"])[used]
    between = np.abs(np.array(mean(page)) - near["mean"])[used]
    assert used.any() and between.max() < 0.02 and between.max() < first_order.max()
    wait(page, "document.getElementById('state').textContent.startsWith('between exact solutions')")
    move(page, AMPLITUDE, 0)  # where there is one
    far = engine.solve(page.evaluate("explorer.values"))
    used &= far["reached"]
    np.testing.assert_allclose(np.array(mean(page))[used], far["mean"][used], atol=3e-3)
    assert "NaN" not in page.inner_text("#relations")
    changed = np.array(mean(page)) - start
    move(page, AMPLITUDE, 600)
    alone = np.array(mean(page)) - start
    move(page, "mass_loading.slope", 500)
    move(page, AMPLITUDE, 0)
    with_slope = np.array(mean(page)) - start
    move(page, AMPLITUDE, 600)
    np.testing.assert_allclose(np.array(mean(page)) - start - alone, with_slope - changed, atol=1e-5)  # they are added
    wait(page, "document.getElementById('state').textContent.startsWith('an estimate without a server')")
    wait(page, "explorer.charts[0].bands !== null")
    assert "band: 68% of the posterior" in page.inner_text("#relations figure:first-child .hint")
    assert page.locator(".interval").count() == len(explorer.draws)
    assert page.locator(".prior").count() == 1
    assert page.get_attribute(".prior", "title") == "prior: uniform from -2 to -0.5"
    assert page.evaluate("explorer.accounts.exact.indices.values.length") == 5 * len(explorer.view.halos)
    assert elsewhere == []
    page.close()


def test_a_wrong_address_says_so(browser, running):
    page = browser.new_page()
    page.goto(running.address.replace("token=", "token=wrong"))
    assert "open the whole address" in page.inner_text("body")
    page.close()
