"""Opens a page as a browser would, in AppTest, and reads what it says and shows."""

import json
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from app.navigation import VIEWS, find_views
from core.people import Person

APP = Path(__file__).parents[2] / "app"
HOME = str(APP / "Home.py")
PAGES = find_views(VIEWS)
PATHS = {view.slug: str(view.path.relative_to(APP)) for view in PAGES}


def opened(slug: str, language: str = "en", by: Person | None = None, **parameters: str) -> AppTest:
    """The page of that slug, with these parameters in its link, for a person."""
    app = AppTest.from_file(HOME, default_timeout=60)
    if by is not None:
        app.session_state["owner"] = by.id
    app.query_params["lang"] = language
    app.run()
    app.switch_page(PATHS[slug])
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def said(app: AppTest) -> str:
    """All sentences of the page."""
    return "\n".join(element.value for element in app.markdown)


def warned(app: AppTest) -> str:
    """All warnings."""
    return "\n".join(element.value for element in app.warning)


def charts(app: AppTest) -> list[dict[str, Any]]:
    """Every plotly figure, as its dictionary."""
    return [told["figure"] for told in drawings(app, "atlas_chart")]


def drawings(app: AppTest, kind: str) -> list[dict[str, Any]]:
    """What every drawing of this kind is told; the line before that says for whom it is."""
    found = [element.proto for element in app.get("bidi_component")]
    return [json.loads(proto.bytes.partition(b"\n")[2]) for proto in found if proto.component_name == kind]


def fine(app: AppTest) -> AppTest:
    """The page, which has nothing to complain of."""
    assert not app.exception
    assert not app.error
    assert not app.warning
    return app
