"""What one visit and one move of a slider send: no page floods thirty browsers on one wireless network."""

import asyncio

import pytest

from app.navigation import VIEWS, find_views
from tests.e2e.visitor import Visitor, beside

MOST = 300_000  # bytes of the websocket for one update
SLIDERS = {  # of the pages that draw something large: what to move, and to where
    "cross-entropy": ("z-0", 1.5),
    "gradient-steps": ("x0-ravine", 1.0),
    "backpropagation": ("v.w1", 2.0),
    "residual": ("depth", 20),
    "playground": ("count", 800),
    "text": ("count", 2000),
}
PARTS = {
    "cross-entropy": ("fit", "surface", "curve", "trouble", "binary"),
    "gradient-steps": ("race", "rates"),
    "backpropagation": ("check",),
    "residual": ("block", "race"),
    "text": ("vocabulary", "frequency", "lengths", "duplicates"),
}


def sent(url: str, page: str, query: str) -> dict[str, int]:
    """Bytes of the first visit, and of the move."""

    async def visit() -> dict[str, int]:
        async with Visitor(url, page, query) as visitor:
            await visitor.load()
            found = {"load": len(visitor.seen)}
            if page in SLIDERS:
                await visitor.slide(*SLIDERS[page])
                found["move"] = len(visitor.seen)
            assert not visitor.failed
            return found

    return beside(asyncio.wait_for(visit(), 120))


@pytest.mark.parametrize("page", [view.slug for view in find_views(VIEWS)])
def test_an_update_is_small(app_url: str, page: str) -> None:
    links = ["lang=en", *(f"lang=en&part={part}" for part in PARTS.get(page, ()))]
    sizes = {(link, what): size for link in links for what, size in sent(app_url, page, link).items()}
    assert max(sizes.values()) <= MOST, sizes
    assert min(sizes.values()) > 1000
