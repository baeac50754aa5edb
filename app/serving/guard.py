"""Looks at every request before Streamlit does: where it is addressed to, where it comes from, how many there are.

An answer leaves with the headers that keep a page to itself, and a browser's first page with its owner's cookie.
"""

import ipaddress
import os
import socket
import time
from collections import Counter
from functools import cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.serving.policy import CONTENT_POLICY, HEADERS, MEDIA_POLICY
from core import events, people

SOCKETS = 300  # open at once from one address; a class behind one router has one address, and a tab up to two sockets
SOCKETS_OF_ALL = 800
COOKIE_S = 400 * 24 * 3600  # as long as a browser keeps one
NOTE_EVERY_S = 60.0
_QUIET: dict[str, float] = {}  # when what was refused was last written down: a flood must not fill the log


class Guard:
    """The outermost ASGI application; whatever passes it goes on to `app`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        reason = refusal(headers.get("host"), headers.get("origin"))
        if reason:
            await refuse(scope, send, 403, reason)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self.app(scope, receive, _with_headers(scope, headers, send))

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = (scope.get("client") or ("",))[0]
        if self.open[address] >= SOCKETS or self.open.total() >= SOCKETS_OF_ALL:
            await refuse(scope, send, 503, "too-many-sockets")
            return
        self.open[address] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.open[address] -= 1
            if not self.open[address]:
                del self.open[address]


def refusal(host: str | None, origin: str | None) -> str | None:
    """Why a request with these headers is refused, or None.

    A name that is not ours may have been pointed at us (DNS rebinding); an address cannot be. A page of another
    origin has no business here, and Streamlit would look up its own address on the internet to be sure of that.
    """
    name = _host_name(host)
    if name is None or not (_is_address(name) or name in _names() or _names() & {"*"}):
        return "foreign-host"
    if origin is not None and urlsplit(origin).netloc.lower() != (host or "").lower():
        return "foreign-origin"
    return None


async def refuse(scope: Scope, send: Send, status: int, reason: str) -> None:
    """Answer a request without anybody else seeing it."""
    now = time.monotonic()
    if now - _QUIET.get(reason, -NOTE_EVERY_S) >= NOTE_EVERY_S:
        _QUIET[reason] = now
        events.note("refused", why=reason)
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    body = reason.encode()
    headers = {"content-type": "text/plain", "content-length": str(len(body)), "connection": "close"}
    await send({"type": "http.response.start", "status": status, "headers": Headers(headers).raw})
    await send({"type": "http.response.body", "body": body})


def owner_in(headers: Headers) -> str | None:
    """Whose browser this is, by a cookie of ours."""
    return people.owner_of(cookie_parser(headers.get("cookie", "")).get(people.cookie_name()))


def _with_headers(scope: Scope, headers: Headers, send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer = MutableHeaders(scope=message)
            answer.update(HEADERS)
            page = answer.get("content-type", "").startswith("text/html")
            media = "/media/" in scope["path"]
            if page or media:
                answer["content-security-policy"] = MEDIA_POLICY if media else CONTENT_POLICY
            if page and not media and owner_in(headers) is None:
                answer.append("set-cookie", _new_cookie(scope["scheme"]))
                answer["cache-control"] = "no-store"
        await send(message)

    return sending


def _new_cookie(scheme: str) -> str:
    value = people.cookie_for(people.new_id())
    secure = "; Secure" if scheme == "https" else ""
    return f"{people.cookie_name()}={value}; Path=/; Max-Age={COOKIE_S}; HttpOnly; SameSite=Lax{secure}"


def _host_name(host: str | None) -> str | None:
    """The name or address of a Host header, without its port; None for what is no such header."""
    if not host or set(host) & set("/?#@\\ "):
        return None
    try:
        name, _port = urlsplit(f"//{host}").hostname, urlsplit(f"//{host}").port
    except ValueError:
        return None
    return name.rstrip(".") if name else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@cache
def _names() -> frozenset[str]:
    """What this server is called: localhost, the machine's name, and what ``ATLAS_HOSTS`` adds (commas; * for any)."""
    machine = socket.gethostname().lower()
    added = os.environ.get("ATLAS_HOSTS", "").lower().replace(",", " ").split()
    return frozenset({"localhost", machine, f"{machine.removesuffix('.local')}.local", *added})
