"""A line of our own to a tab of a browser: what is sent over it is drawn at once.

What Streamlit sends is drawn with all else that a run has changed, after React has gone through the page. So the
drawing that a slider was moved for is sent over this line as well, a websocket beside Streamlit's. Where there is none
(a proxy may not let it through), the same comes a little later.
"""

import asyncio
import secrets
from concurrent.futures import Future
from contextlib import suppress
from threading import Event
from weakref import WeakValueDictionary

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

SENT_S = 0.05  # a run waits so long at most until its message is on its way
REFUSED = 1008
_lines: WeakValueDictionary[str, "Line"] = WeakValueDictionary()  # those of sessions that are still there


class Line:
    """A session's end of it. Whoever knows its name, which the session's own tab is told, may take the other."""

    def __init__(self) -> None:
        self.name = secrets.token_urlsafe(16)
        self.drawn = Event()  # the browser has shown what was sent last
        self._other: tuple[WebSocket, asyncio.AbstractEventLoop] | None = None
        self._sending: Future[None] | None = None
        _lines[self.name] = self

    def send(self, data: bytes) -> bool:
        """Send from the thread of a run; whether it is on its way. Nothing is while what was sent before is not."""
        other = self._other
        if other is None or (self._sending is not None and not self._sending.done()):
            return False
        socket, loop = other
        self.drawn.clear()
        self._sending = asyncio.run_coroutine_threadsafe(socket.send_bytes(data), loop)
        with suppress(Exception):  # too late, or the browser has just gone: nobody is there to be told
            self._sending.result(SENT_S)
            return True
        return False

    async def hold(self, socket: WebSocket) -> None:
        """Keep the other end for as long as it is there. Whatever it says means that it has drawn."""
        await socket.accept()
        self._other = socket, asyncio.get_running_loop()
        try:
            while (await socket.receive())["type"] != "websocket.disconnect":
                self.drawn.set()
        finally:
            if self._other is not None and self._other[0] is socket:
                self._other = None
            self.drawn.set()


async def _answer(socket: WebSocket) -> None:
    line = _lines.get(socket.path_params["name"])
    if line is None:
        await socket.close(REFUSED)
    else:
        await line.hold(socket)


ROUTES = [WebSocketRoute("/drawn/line/{name}", _answer)]
