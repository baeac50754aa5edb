"""What draws charts and graphs: our scripts, and plotly.js out of plotly's package. Nothing is fetched from outside."""

import asyncio
import gzip
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.components.chart import LIBRARY_PATH
from app.components.drawn import PLACE, SCRIPTS

# Their names are others when they are, so a browser may keep them: the next lesson does not ask again.
_KEEP = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}


async def _library(request: Request) -> Response:
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    body = await asyncio.to_thread(_zipped if zipped else _plain)
    headers = {**_KEEP, "content-encoding": "gzip" if zipped else "identity"}
    return Response(body, media_type="text/javascript", headers=headers)


async def _script(request: Request) -> Response:
    return Response(SCRIPTS[Path(request.url.path).name], media_type="text/javascript", headers=_KEEP)


def _plain() -> bytes:
    return (files("plotly") / "package_data" / "plotly.min.js").read_bytes()


@cache
def _zipped() -> bytes:
    """A third of the bytes, for thirty students on one Wi-Fi; made once."""
    return gzip.compress(_plain(), 6)


ROUTES = [Route(LIBRARY_PATH, _library), *(Route(PLACE + name, _script) for name in SCRIPTS)]
