"""Charts in a real browser: changed in place, pressed, on the whole screen, and when the library does not come."""

import gzip
import http.client
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from app.components.chart import LIBRARY_PATH
from app.components.drawn import PLACE

pytestmark = pytest.mark.filterwarnings("default")
BARS = ".st-key-bars .chart"
POINTS = "JSON.stringify(document.querySelector('.st-key-bars .chart').data[0].y)"


def drawn(page, chart=BARS):
    expect(page.locator(f"{chart} .main-svg").first).to_be_visible(timeout=30_000)
    return page.locator(chart)


def press(page, chart, share_x, share_y):
    """Press into the first panel of a chart at rest: plotly takes two presses within 0.3 s for a double one."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(700)
    box = page.locator(f"{chart} .nsewdrag[data-subplot=xy]").bounding_box()
    page.mouse.click(box["x"] + share_x * box["width"], box["y"] + share_y * box["height"])


def slide(page):
    before = page.evaluate(POINTS)
    page.locator(".st-key-z-0 input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => {POINTS} != {before!r}", timeout=15_000)


@pytest.mark.browser
def test_a_slider_changes_the_chart_that_is_there(page):
    page.goto("/cross-entropy?lang=en")
    chart = drawn(page)
    assert chart.get_attribute("role") == "figure"
    assert chart.get_attribute("aria-label")
    page.evaluate(f"document.querySelector('{BARS}').mark = 'same'")
    slide(page)
    assert page.evaluate(f"document.querySelector('{BARS}').mark") == "same"
    assert page.locator(BARS).count() == 1


@pytest.mark.browser
def test_what_was_zoomed_stays_zoomed(page):
    page.goto("/cross-entropy?lang=en")
    drawn(page)
    box = page.locator(f"{BARS} .nsewdrag[data-subplot=xy]").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 0.8 * box["height"], steps=5)
    page.mouse.up()
    zoomed = f"JSON.stringify(document.querySelector('{BARS}').layout.yaxis.range)"
    page.wait_for_function(f"() => {zoomed} != '[0,1.02]'")
    before = page.evaluate(zoomed)
    slide(page)
    assert page.evaluate(zoomed) == before


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_has_the_colours_and_the_width_of_the_page(browser, app_url, scheme):
    context = browser.new_context(viewport={"width": 400, "height": 900}, base_url=app_url, color_scheme=scheme)
    page = context.new_page()
    page.goto("/cross-entropy?lang=zh")
    chart = drawn(page)
    ground = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    fill = page.locator(f"{BARS} .main-svg").first
    assert fill.evaluate("svg => svg.style.background") == ground
    page.wait_for_function(f"""() => {{
        const chart = document.querySelector('{BARS}')
        return Math.abs(chart.querySelector('.main-svg').clientWidth - chart.clientWidth) < 2
    }}""")
    chart.hover()
    expect(chart.locator(".modebar-btn[data-title='全屏']")).to_have_count(1)
    expect(chart.locator(".modebar-btn[data-title='放大']")).to_have_count(1)
    context.close()


@pytest.mark.browser
def test_it_fills_the_screen_and_comes_back(page):
    page.goto("/cross-entropy?lang=en")
    chart = drawn(page)
    height = chart.evaluate("chart => chart.layout.height")
    chart.hover()
    chart.locator(".modebar-btn[data-title='Full screen']").click()
    page.wait_for_function(f"() => document.querySelector('{BARS}').layout.height == innerHeight")
    page.wait_for_function(f"() => document.querySelector('{BARS} .main-svg').clientWidth == innerWidth")
    page.keyboard.press("Escape")
    page.evaluate("document.fullscreenElement && document.exitFullscreen()")
    page.wait_for_function(f"() => document.querySelector('{BARS}').layout.height == {height}")
    page.wait_for_function(f"""() => {{
        const chart = document.querySelector('{BARS}')
        return Math.abs(chart.querySelector('.main-svg').clientWidth - chart.clientWidth) < 2
    }}""")
    page.set_viewport_size({"width": 500, "height": 900})
    page.wait_for_function(f"() => document.querySelector('{BARS} .main-svg').clientWidth < 500")
    slide(page)
    page.set_viewport_size({"width": 1000, "height": 900})
    page.wait_for_function(f"""() => {{
        const chart = document.querySelector('{BARS}')
        return chart.clientWidth > 500 && Math.abs(chart.querySelector('.main-svg').clientWidth - chart.clientWidth) < 2
    }}""")
    assert chart.evaluate("chart => chart.layout.height") == height


@pytest.mark.browser
def test_a_press_on_the_landscape_is_where_the_walk_starts(page):
    page.goto("/gradient-steps?surface=bowl&lang=en")
    drawn(page, ".st-key-landscape .chart")
    for share in (0.25, 0.75, 0.77):  # again and again: the chart that was changed hears, too, and beside the start
        press(page, ".st-key-landscape", share, 0.5)
        low, high = page.evaluate("document.querySelector('.st-key-landscape .chart').layout.xaxis.range")
        place = low + share * (high - low)
        page.wait_for_function(
            f"() => Math.abs(new URL(location).searchParams.get('x0-bowl') - {place}) < {0.005 * (high - low)}",
            timeout=15_000,
        )


@pytest.mark.browser
def test_a_finger_presses_as_well(browser, app_url):
    context = browser.new_context(base_url=app_url, has_touch=True, viewport={"width": 400, "height": 800})
    page = context.new_page()
    page.goto("/gradient-steps?surface=bowl&lang=en")
    drawn(page, ".st-key-landscape .chart")
    panel = page.locator(".st-key-landscape .nsewdrag[data-subplot=xy]")
    panel.scroll_into_view_if_needed()
    box = panel.bounding_box()
    page.touchscreen.tap(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    expect(page).to_have_url(re.compile(r"x0-bowl=-[\d.]+"), timeout=15_000)
    context.close()


@pytest.mark.browser
def test_presses_set_points_one_after_the_other(page):
    page.goto("/playground?data=hand&lang=en")
    drawn(page, ".st-key-hand .chart")
    counted = page.get_by_text(re.compile(r"^\d+ points / "))
    first = int(counted.inner_text().split()[0])
    for more, share in ((1, 0.2), (2, 0.8)):
        press(page, ".st-key-hand", share, share)
        expect(counted).to_have_text(re.compile(rf"^{first + more} points / "), timeout=15_000)


@pytest.mark.browser
def test_the_words_follow_the_language_and_presses_are_still_heard(page):
    page.goto("/gradient-steps?surface=bowl&lang=en")
    landscape = drawn(page, ".st-key-landscape .chart")
    page.locator(".st-key-language button").first.click()
    expect(landscape.locator(".modebar-btn[data-title='全屏']")).to_have_count(1, timeout=15_000)
    press(page, ".st-key-landscape", 0.25, 0.5)
    expect(page).to_have_url(re.compile(r"x0-bowl=-[\d.]+"), timeout=15_000)


@pytest.mark.browser
def test_a_film_plays(page):
    page.goto("/cross-entropy?part=fit&lang=en")
    chart = drawn(page, ".st-key-film .chart")
    runner = "document.querySelector('.st-key-film .chart').data[3].x[0]"

    def runs_to(step):
        page.wait_for_function(f"() => {runner} === {step}", timeout=15_000)
        expect(chart.locator("output")).to_have_text(f"Step {step}")

    place = chart.get_by_role("slider", name="Picture of the film")
    chart.get_by_role("button", name="Play").click()
    page.wait_for_function(f"() => {runner} > 1", timeout=15_000)
    chart.get_by_role("button", name="Pause").click()
    expect(chart.get_by_role("button", name="Play")).to_have_text("▶")
    place.focus()
    page.keyboard.press("End")
    runs_to(40)
    chart.get_by_role("button", name="One on").click()  # there is none
    runs_to(40)
    chart.get_by_role("button", name="One back").click()
    runs_to(39)
    chart.get_by_role("button", name="Play").click()
    runs_to(40)
    expect(chart.get_by_role("button", name="Play")).to_be_visible()
    chart.get_by_role("button", name="Play").click()  # from the start again
    page.wait_for_function(f"() => {runner} < 20", timeout=15_000)
    page.locator(".st-key-z-0 input[type=range]").focus()
    page.keyboard.press("ArrowRight")  # another film begins at its beginning, and waits
    runs_to(0)
    expect(chart.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.browser
def test_a_film_can_be_played_on_the_whole_screen_and_in_chinese(page):
    page.goto("/cross-entropy?part=fit&lang=zh")
    chart = drawn(page, ".st-key-film .chart")
    expect(chart.get_by_role("button", name="播放")).to_be_visible()
    chart.hover()
    chart.locator(".modebar-btn[data-title='全屏']").click()
    page.wait_for_function("() => document.fullscreenElement?.layout.height === innerHeight - 48")
    bar = chart.locator(".film").bounding_box()
    assert bar["y"] + bar["height"] <= page.evaluate("innerHeight") + 1
    page.keyboard.press("Escape")


@pytest.mark.browser
def test_without_the_library_there_is_a_sentence(page):
    page.route(f"**{LIBRARY_PATH}", lambda route: route.abort())
    page.goto("/cross-entropy?lang=en")
    expect(page.locator(BARS)).to_contain_text("could not be fetched", timeout=30_000)
    page.unroute(f"**{LIBRARY_PATH}")
    page.locator(".st-key-z-0 input[type=range]").focus()
    page.keyboard.press("ArrowRight")  # the next figure tries again
    drawn(page)


@pytest.mark.browser
@pytest.mark.parametrize(
    ("path", "root", "part"),
    [("/?lang=en", ".graph", ".graph .node"), ("/cross-entropy?lang=en", BARS, f"{BARS} .main-svg")],
)
def test_nothing_below_moves_when_the_script_comes(page, path, root, part):
    """Or a press would land on what has just come there."""
    kept, free = [], []

    def hold(route):
        kept.append(route) if not free else route.continue_()

    page.route(f"**{PLACE}*.js", hold)
    page.goto(path)
    page.wait_for_function(
        "root => [...document.querySelectorAll('*')].some(one => (one.shadowRoot ?? document).querySelector(root)"
        "?.style.minHeight)", arg=root, timeout=30_000,
    )  # fmt: skip
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(500)
    before = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    assert page.locator(part).count() == 0
    free.append(True)
    for route in kept:
        route.continue_()
    expect(page.locator(part).first).to_be_visible(timeout=30_000)
    page.wait_for_timeout(500)
    after = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    assert abs(after - before) < 40


@pytest.mark.parametrize("accepted", ["gzip, br", "identity"])
@pytest.mark.parametrize(("path", "start"), [(LIBRARY_PATH, b"plotly.js v"), (f"{PLACE}chart.js", b"plotly.js"),
                                             (f"{PLACE}graph.js", b"Python has worked out")])
def test_what_draws_comes_from_us_and_may_be_kept(app_url, path, start, accepted):
    connection = http.client.HTTPConnection(urlsplit(app_url).netloc, timeout=30)
    connection.request("GET", path, headers={"Accept-Encoding": accepted})
    answer = connection.getresponse()
    body = answer.read()
    if accepted != "identity":
        assert answer.headers["content-encoding"] == "gzip"
        body = gzip.decompress(body)
    assert answer.status == 200
    assert "immutable" in answer.headers["cache-control"]
    assert start in body[:200]
    connection.close()
