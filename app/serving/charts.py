"""What draws charts: our script, and the library out of plotly's own package. Nobody fetches it from the internet."""

import asyncio
import gzip
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.components.chart import DRAWING, DRAWING_PATH, LIBRARY_PATH

# Their names are others when they are, so a browser may keep them: the next lesson does not ask again.
_KEEP = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}


async def _library(request: Request) -> Response:
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    body = await asyncio.to_thread(_zipped if zipped else _plain)
    headers = {**_KEEP, "content-encoding": "gzip" if zipped else "identity"}
    return Response(body, media_type="text/javascript", headers=headers)


async def _drawing(_request: Request) -> Response:
    return Response(DRAWING, media_type="text/javascript", headers=_KEEP)


def _plain() -> bytes:
    return (files("plotly") / "package_data" / "plotly.min.js").read_bytes()


@cache
def _zipped() -> bytes:
    """A third of the bytes, for thirty students on one Wi-Fi; made once."""
    return gzip.compress(_plain(), 6)


ROUTES = [Route(LIBRARY_PATH, _library), Route(DRAWING_PATH, _drawing)]
