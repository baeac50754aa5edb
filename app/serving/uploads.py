"""How much memory uploads may take: Streamlit keeps them there, and its own bound is for one file only."""

import re
from collections import defaultdict
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime

from app.serving.guard import owner_in, refuse

MIB = 2**20
OF_ONE = 150 * MIB  # of one browser, all its tabs together
OF_ALL = 1024 * MIB
_PATH = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+$")


class UploadQuota:
    """Refuses an upload that would take more than its owner, or all together, may hold at once."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.coming: dict[str, int] = defaultdict(int)  # bytes that were announced and are on their way, by owner
        self.arrived = 0  # of them, those that came: who announces much and sends nothing takes from nobody else
        self.sessions: dict[str, set[str]] = defaultdict(set)  # that have uploaded, by owner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        upload = _PATH.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if upload is None:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if not length.isdecimal():
            await refuse(scope, send, 411, "upload-without-length")
            return
        session, size = upload[1], int(length)
        owner = owner_in(headers) or session
        held = _held()
        self._forget(held)
        mine = sum(held.get(one, 0) for one in self.sessions.get(owner, set()) | {session}) + self.coming[owner]
        if mine + size > OF_ONE or sum(held.values()) + self.arrived + size > OF_ALL:
            await refuse(scope, send, 413, "uploads-too-large")
            return
        self.sessions[owner].add(session)
        self.coming[owner] += size
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            self.arrived += len(message.get("body", b""))
            if sum(_held().values()) + self.arrived > OF_ALL:
                raise _FullError
            return message

        try:
            await self.app(scope, counted, send)
        except _FullError:
            await refuse(scope, send, 413, "uploads-too-large")
        finally:
            self.coming[owner] -= size
            self.arrived -= arrived

    def _forget(self, held: dict[str, int]) -> None:
        """Sessions that hold nothing any more, so that neither table grows."""
        for owner in list(self.sessions):
            self.sessions[owner] &= held.keys()
            if not self.sessions[owner] and not self.coming[owner]:
                del self.sessions[owner], self.coming[owner]


class _FullError(Exception):
    """Others were quicker to take what was left."""


def _held() -> dict[str, int]:
    """Bytes that each session's uploads take now. Streamlit tells the sum only, so this looks into its store."""
    manager: Any = runtime.get_instance().uploaded_file_mgr
    stored = list(manager.file_storage.items())
    return {session: sum(len(file.data) for file in list(files.values())) for session, files in stored}
