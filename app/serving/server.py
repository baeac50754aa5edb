"""The server: Streamlit's own, behind the guard, with a health check and a line of the log for what goes wrong."""

import asyncio
import os
import socket
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pandas  # noqa: F401  whole before anybody comes: plotly looks into it while another thread still imports it
import psutil
import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit import config

from app.serving import drawn, first_page, line
from app.serving.guard import Guard
from app.serving.housekeeping import keep_house
from app.serving.uploads import UploadQuota
from core import events, teacher
from core.errors import UserError
from core.home import atlas_home
from core.runs import index

ROOT = Path(__file__).parents[2]


def parts() -> dict[str, Any]:
    """What `st.App` takes besides the script. Ends the program when the teacher's secret will not do."""
    try:
        secret = teacher.prepare()
    except UserError as error:
        sys.exit(str(error))
    if secret:
        _say(f"The teacher signs in with {secret}", f"(told this once; {teacher.VARIABLE} sets another)")
    return {
        "middleware": [Middleware(Guard), Middleware(UploadQuota)],
        "routes": [Route("/healthz", _health), *drawn.ROUTES, *line.ROUTES, *first_page.routes()],
        "lifespan": _lifespan,
        "on_script_error": _note_error,
    }


@asynccontextmanager
async def _lifespan(_app: st.App) -> AsyncIterator[None]:
    send_at_once()
    _say("Concept Atlas runs here:", *_addresses())
    events.note("server-started", pid=os.getpid())
    house = asyncio.create_task(keep_house(lambda error: _note_error(error, "housekeeping-error")))
    yield
    house.cancel()
    events.note("server-stopped", pid=os.getpid())


def send_at_once() -> None:
    """Let small messages leave without waiting for the last one's acknowledgement: TCP_NODELAY for all who connect.

    Streamlit makes its listening socket without naming TCP, and asyncio switches that wait off for sockets that do
    (`asyncio.base_events._set_nodelay`). A page's messages then reach the browser 40 ms late, several times over.
    Connections inherit the option; where the system does not say which sockets listen (Windows), nothing changes.
    """
    for one in psutil.Process().net_connections("tcp"):
        if one.status == psutil.CONN_LISTEN and one.fd >= 0:
            with socket.socket(fileno=os.dup(one.fd)) as listening:
                listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


async def _health(_request: Request) -> JSONResponse:
    """200 while the store of runs can be read and the home can be written, else 503."""
    try:
        await asyncio.wait_for(asyncio.to_thread(_look), timeout=10)
    except Exception as error:
        return JSONResponse({"status": "ill", "why": type(error).__name__}, status_code=503)
    return JSONResponse({"status": "ok"})


def _look() -> None:
    index.rows("id = ''")
    probe = atlas_home() / f".health-{os.getpid()}"
    probe.write_bytes(b"ok")
    probe.unlink()


def _note_error(error: Exception, event: str = "page-error") -> None:
    """A mistake of ours: a student sees a sentence at most, the teacher's log what it was and where."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(str(ROOT))]
    where = " < ".join(f"{Path(f.filename).relative_to(ROOT)}:{f.lineno}" for f in reversed(frames[-4:]))
    events.note(event, what=f"{type(error).__name__}: {str(error)[:300]}", at=where)


def _addresses() -> list[str]:
    """Where browsers on this machine and on its networks find us; asks nobody outside."""
    port, scheme = config.get_option("server.port"), "https" if config.get_option("server.sslCertFile") else "http"
    found = ["localhost"]
    if config.get_option("server.address") in (None, "", "0.0.0.0", "::"):  # noqa: S104  a comparison
        nets = psutil.net_if_addrs().values()
        found += [one.address for net in nets for one in net if one.family == socket.AF_INET]
    return [f"{scheme}://{host}:{port}" for host in found if host != "127.0.0.1"]


def _say(*words: str) -> None:
    print("  ".join(words), flush=True)
