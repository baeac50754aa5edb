"""Opens a page as a browser would, in AppTest."""

from pathlib import Path

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
