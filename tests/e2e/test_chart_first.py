"""A slider moves: what the server sends then, and in which order."""

import asyncio

import pytest
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

    async def visit() -> tuple[list[ForwardMsg], list[ForwardMsg]]:
        async with Visitor(app_url, page, query) as visitor, Visitor(app_url, page, f"{query}&{link}") as other:
            await visitor.load()
            await visitor.slide(slider, value)
            await other.load()
            assert not visitor.failed + other.failed
            return visitor.messages, other.messages

    moved, fresh = map(shown, beside(asyncio.wait_for(visit(), 120)))
    kinds = [kind for _fragment, _place, kind in moved]
    before = kinds[: kinds.index("chart")]
    assert "slider" in kinds
    assert len([kind for kind in before if kind != "container"]) <= 1, before
    fragments = {fragment for fragment, _place, _kind in moved}
    assert "" not in fragments
    assert dict(one[1:] for one in moved) == dict(one[1:] for one in fresh if one[0] in fragments)
