"""The page that a browser loads first: Streamlit's own, told where the app lives and what will be wanted soon."""

import re
from functools import cache
from pathlib import Path

import streamlit
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from app.components.chart import LIBRARY_PATH
from app.components.drawn import PLACE, SCRIPTS
from app.navigation import VIEWS, find_views

# Without it the browser takes the page's name for a folder, asks there whether the server is well, is told 404, and
# waits a tenth of a second before it asks where the app is. The page's own folder is right behind a proxy, too.
WHERE = 'window.__streamlit = {BACKEND_BASE_URL: new URL(".", location).href}'
_OURS = f"""<head>
    <script>{WHERE}</script>
    <link rel="prefetch" as="script" href=".{LIBRARY_PATH}">
    """ + "".join(f'<link rel="prefetch" as="script" crossorigin href=".{PLACE}{name}">' for name in SCRIPTS)


@cache
def streamlits_own() -> str:
    """The file in Streamlit's package."""
    return (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")


@cache
def first_page() -> str:
    """The same with our lines, and with our name until the page's own title comes."""
    return re.sub("<title>.*?</title>", "<title>Concept Atlas</title>", streamlits_own()).replace("<head>", _OURS, 1)


async def _answer(_request: Request) -> HTMLResponse:
    return HTMLResponse(first_page(), headers={"cache-control": "no-cache"})


def routes() -> list[Route]:
    """One for each page's address; any other is answered by Streamlit."""
    return [Route(path, _answer) for path in ("/", *(f"/{view.slug}" for view in find_views(VIEWS)))]
