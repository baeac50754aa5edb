"""A browser reduced to what the server feels of it: the page, the websocket, and reruns at the times it is told to.

Speaks Streamlit's own protocol (protobuf messages on ``/_stcore/stream``), so that fifty of them fit into one process.
"""

import asyncio
import json
import time
import urllib.request
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

T = TypeVar("T")
LONGEST_WAIT_S = 60.0
LONGEST_MESSAGE = 100 * 2**20


def beside(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own: a browser of another test has an event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


class Visitor:
    """One session of the app at `url`, on one page; `headers` are sent besides a browser's own."""

    def __init__(self, url: str, page: str, query: str = "", headers: Mapping[str, str] | None = None) -> None:
        self.url, self.page, self.query, self.headers = url, page, query, dict(headers or {})
        self.sliders: dict[str, str] = {}  # of the page, with the fragment that each runs again
        self.fragments: dict[str, float] = {}  # those that the page wants to be rerun by themselves, and how often
        self.messages: list[ForwardMsg] = []  # what the last rerun sent
        self.ahead: list[bytes] = []  # what came before it, over the session's own line
        self.failed = 0  # reruns that ended with an exception
        self._line: asyncio.Task[None] | None = None
        self._open = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.headers |= await asyncio.to_thread(self._cookies)
        self.socket = await self._connected("/_stcore/stream", subprotocols=["streamlit"])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line is not None:
            self._line.cancel()
        await self.socket.close()

    @property
    def seen(self) -> bytes:
        """The same as bytes."""
        return b"".join(message.SerializeToString() for message in self.messages)

    async def load(self, query: str | None = None) -> float:
        """Open the page, or run all of it again with another link; the seconds until it was there."""
        if query is not None:
            self.query = query
        return await self._rerun("")

    async def listening(self) -> None:
        """Wait until the line is open: what is sent before that comes with the page only."""
        await asyncio.wait_for(self._open.wait(), LONGEST_WAIT_S)

    async def update(self) -> float:
        """Run again what the page wants to be run again by itself; the seconds until that was there."""
        return await self._rerun(next(iter(self.fragments)))

    async def slide(self, key: str, value: float) -> float:
        """Move the slider with that key; the seconds until what follows from it was there."""
        slider = next(one for one in self.sliders if one.endswith(f"-{key}"))
        message = BackMsg()
        message.rerun_script.widget_states.widgets.add(id=slider).double_array_value.data.append(value)
        return await self._rerun(self.sliders[slider], message)

    async def _connected(self, path: str, **more: Any) -> ClientConnection:
        return await connect(
            self.url.replace("http", "ws", 1) + path,
            origin=self.url,  # type: ignore[arg-type]
            additional_headers=self.headers,
            max_size=LONGEST_MESSAGE,
            ping_interval=None,
            open_timeout=60,
            **more,
        )

    async def _listen(self, name: str) -> None:
        """Say at once that what comes has been drawn."""
        async with await self._connected(f"/drawn/line/{name}") as line:
            self._open.set()
            async for data in line:
                assert isinstance(data, bytes)
                self.ahead.append(data)
                await line.send("drawn")

    async def _rerun(self, fragment: str, message: BackMsg | None = None) -> float:
        message = message or BackMsg()
        message.rerun_script.is_auto_rerun = bool(fragment) and not message.rerun_script.HasField("widget_states")
        message.rerun_script.query_string = self.query
        message.rerun_script.page_name = self.page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.context_info.url = f"{self.url}/{self.page}"
        began = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        await self._until_finished(fragment)
        return time.perf_counter() - began

    async def _until_finished(self, fragment: str) -> None:
        self.messages, self.ahead = [], []
        while True:
            data = await asyncio.wait_for(self.socket.recv(), LONGEST_WAIT_S)
            assert isinstance(data, bytes)
            message = ForwardMsg.FromString(data)
            self.messages.append(message)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                if not fragment:  # all of the page is run: it says anew what it wants
                    self.fragments.clear()
                fragment = ""
            elif kind == "auto_rerun":
                self.fragments[message.auto_rerun.fragment_id] = message.auto_rerun.interval
            elif kind == "stop_auto_rerun":
                self.fragments.pop(message.stop_auto_rerun.fragment_id, None)
            elif kind == "page_info_changed":
                self.query = message.page_info_changed.query_string
            elif kind == "delta":
                element = message.delta.new_element
                self.failed += element.WhichOneof("type") == "exception"
                if element.WhichOneof("type") == "slider":
                    self.sliders[element.slider.id] = message.delta.fragment_id
                if self._line is None and (told := element.bidi_component.bytes):
                    name = json.loads(told.partition(b"\n")[0])["line"]
                    self._line = asyncio.create_task(self._listen(name))
            elif kind == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    continue  # the page has asked for itself to be run anew
                self.failed += message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR
                return

    def _cookies(self) -> dict[str, str]:
        """The cookies a browser would have after its first request."""
        with urllib.request.urlopen(f"{self.url}/{self.page}", timeout=60) as answer:
            given = [one.split(";", 1)[0] for one in answer.headers.get_all("set-cookie") or []]
        return {"Cookie": "; ".join(given)} if given else {}
