"""A slider moves: what the server sends then, and in which order."""

import asyncio
import re

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.e2e.visitor import Visitor, beside

CHARTS = ("atlas_chart", "atlas_graph")
# Page and part, what to move and to where, the controls' parameter in the link.
MOVES = [
    ("cross-entropy", "", "z-0", 1.5, "z=1.5,1,0.1"),
    ("cross-entropy", "fit", "z-1", -2.0, "z=2,-2,0.1"),
    ("cross-entropy", "surface", "z-1", -2.0, "z=2,-2,0.1"),
    ("cross-entropy", "binary", "bz", -2.0, "bz=-2"),
    ("gradient-steps", "", "x0-ravine", 1.0, "x0-ravine=1"),
    ("gradient-steps", "race", "x0-ravine", 1.0, "x0-ravine=1"),
    ("backpropagation", "", "v.w1", 2.0, "v.w1=2"),
    ("backpropagation", "check", "v.w1", 2.0, "v.w1=2"),
    ("residual", "", "seed", 3, "seed=3"),
    ("residual", "block", "seed", 3, "seed=3"),
    ("text", "frequency", "count", 1500, "count=1500"),
]


Place = tuple[int, ...]


def shown(messages: list[ForwardMsg]) -> list[tuple[str, Place, str]]:
    """Of which fragment, where on the page, and what: everything that was sent to be shown, in its order."""
    found = []
    for message in messages:
        if message.WhichOneof("type") == "delta":
            block = message.delta.WhichOneof("type") == "add_block"
            kind = "container" if block else str(message.delta.new_element.WhichOneof("type"))
            if message.delta.new_element.bidi_component.component_name in CHARTS:
                kind = "chart"
            found.append((message.delta.fragment_id, tuple(message.metadata.delta_path), kind))
    return found


@pytest.mark.parametrize(("page", "part", "slider", "value", "link"), MOVES, ids=str)
def test_the_chart_is_sent_before_the_controls_and_the_page_is_what_a_new_visitor_sees(
    app_url: str, page: str, part: str, slider: str, value: float, link: str
) -> None:
    query = f"lang=en&part={part}" if part else "lang=en"

    async def visit() -> tuple[Visitor, Visitor]:
        async with Visitor(app_url, page, query) as visitor, Visitor(app_url, page, f"{query}&{link}") as other:
            await visitor.load()
            await visitor.listening()
            await visitor.slide(slider, value)
            await other.load()
            assert not visitor.failed + other.failed
            return visitor, other

    visitor, other = beside(asyncio.wait_for(visit(), 120))
    moved, fresh = shown(visitor.messages), shown(other.messages)
    drawings = [message.delta.new_element.bidi_component.bytes for message in visitor.messages]
    assert visitor.ahead == [next(filter(None, drawings))]
    kinds = [kind for _fragment, _place, kind in moved]
    before = kinds[: kinds.index("chart")]
    assert "slider" in kinds
    assert len([kind for kind in before if kind != "container"]) <= 1, before
    fragments = {fragment for fragment, _place, _kind in moved}
    assert "" not in fragments
    assert dict(one[1:] for one in moved) == dict(one[1:] for one in fresh if one[0] in fragments)


BARS = "document.querySelector('.st-key-bars .chart')"
HEIGHTS = f"() => JSON.stringify({BARS}.data.map(trace => trace.y))"
FORMULAS = "() => [...document.querySelectorAll('.katex-mathml')].map(one => one.textContent).join('|')"
SLIDER = ".st-key-z-0 input[type=range]"


class Stream:
    """What Streamlit says to a tab, which can be held back."""

    def __init__(self, page: Page) -> None:
        self.held: list[str | bytes] | None = None
        page.route_web_socket(re.compile("_stcore/stream"), self._connect)

    def _connect(self, tab: WebSocketRoute) -> None:
        self._tab, server = tab, tab.connect_to_server()
        tab.on_message(server.send)
        server.on_message(lambda message: tab.send(message) if self.held is None else self.held.append(message))

    def let_go(self) -> None:
        kept, self.held = self.held or [], None
        for message in kept:
            self._tab.send(message)


def opened(page: Page, query: str = "") -> None:
    page.goto(f"/cross-entropy?lang=en{query}")
    expect(page.locator(".st-key-bars .main-svg").first).to_be_visible(timeout=30_000)
    expect(page.locator(".katex-mathml").first).to_be_attached()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def changed(page: Page, what: str, before: str) -> str:
    page.wait_for_function(f"before => ({what})() !== before", arg=before, timeout=30_000)
    return page.evaluate(what)


@pytest.mark.browser
@pytest.mark.filterwarnings("default")
def test_the_chart_has_moved_before_streamlit_says_a_word_and_never_goes_back(page):
    stream = Stream(page)
    opened(page)
    page.evaluate(f"""() => {{
      window.seen = [({HEIGHTS})()];
      {BARS}.on('plotly_afterplot', () => window.seen.push(({HEIGHTS})()));
    }}""")
    heights, formulas = page.evaluate(HEIGHTS), page.evaluate(FORMULAS)
    stream.held = []
    page.locator(SLIDER).focus()
    page.keyboard.press("ArrowRight")
    once = changed(page, HEIGHTS, heights)
    page.keyboard.press("ArrowRight")
    twice = changed(page, HEIGHTS, once)
    assert page.evaluate(FORMULAS) == formulas
    stream.let_go()
    changed(page, FORMULAS, formulas)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(500)
    seen = page.evaluate("window.seen")
    assert [one for place, one in enumerate(seen) if place == 0 or one != seen[place - 1]] == [heights, once, twice]
    moved = page.evaluate(FORMULAS)
    opened(page, "&z=2.2,1,0.1")
    assert (page.evaluate(HEIGHTS), page.evaluate(FORMULAS)) == (twice, moved)


@pytest.mark.browser
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("lost", ["never opened", "lost on the way"])
def test_without_the_line_the_chart_comes_with_the_page(page, lost):
    lines: list[WebSocketRoute] = []

    def connect(tab: WebSocketRoute) -> None:
        lines.append(tab)
        if lost == "never opened":
            tab.close()
        else:
            tab.connect_to_server()

    page.route_web_socket(re.compile("/drawn/line/"), connect)
    opened(page)
    assert len(lines) == 1
    if lost == "lost on the way":
        lines[0].close()
    heights, formulas = page.evaluate(HEIGHTS), page.evaluate(FORMULAS)
    page.locator(SLIDER).focus()
    page.keyboard.press("ArrowRight")
    changed(page, HEIGHTS, heights)
    changed(page, FORMULAS, formulas)
    assert len(lines) == 1  # it is not asked for again at every move
