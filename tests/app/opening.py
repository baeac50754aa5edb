"""Opens a page as a browser would, in AppTest."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from app.navigation import VIEWS, find_views

APP = Path(__file__).parents[2] / "app"
HOME = str(APP / "Home.py")
PAGES = find_views(VIEWS)
PATHS = {view.slug: str(view.path.relative_to(APP)) for view in PAGES}


def opened(slug: str, language: str = "en", **parameters: str) -> AppTest:
    """The page of that slug, with these parameters in its link."""
    app = AppTest.from_file(HOME, default_timeout=60)
    app.query_params["lang"] = language
    app.run()
    app.switch_page(PATHS[slug])
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()
