"""The first page, as Streamlit has it, with what its scripts would otherwise find out one after the other.

Streamlit's pages do not know where their server is: on `/train` they first ask `/train/_stcore/health`, are told that
nothing is there, wait a tenth of a second and ask `/_stcore/health`; only then the socket is opened. A host may tell
them in `window.__streamlit` (`StreamlitConfig` in Streamlit's frontend); with the host's settings beside it the socket
is opened at once, and the health is asked meanwhile. And the scripts of single elements are fetched when the first
such element arrives; those that every page of ours needs stand in the head of the answer.
"""

import json
from functools import cache
from pathlib import Path

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

ELEMENTS = ("ButtonGroup", "Html")  # the switch between the languages, and our styles
_STATIC = Path(streamlit.__file__).parent / "static"


class FirstPage:
    """Puts both into every page that passes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        whole = scope["type"] == "http" and scope["method"] == "GET" and "/media/" not in scope["path"]
        await self.app(scope, receive, _with_script(send) if whole else send)


def server_script() -> str:
    """Where the server is, and what a host would say of itself; the policy knows it by its digest."""
    base = json.dumps("/" + config.get_option("server.baseUrlPath").strip("/"))
    return (
        f"window.__streamlit = {{BACKEND_BASE_URL: location.origin + {base}, HOST_CONFIG: {{"
        "allowedOrigins: [location.origin], useExternalAuthToken: false, enableCustomParentMessages: false}}"
    )


def _with_script(send: Send) -> Send:
    """Keeps back the head of a page until its body is there, which is then another."""
    held: list[Message] = []

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            page = MutableHeaders(scope=message).get("content-type", "").startswith("text/html")
            if page and message["status"] == 200:
                held.append(message)
                return
        elif message["type"] == "http.response.body" and held:
            held.append(message)
            if message.get("more_body"):
                return
            start, *parts = held
            held.clear()
            body = _changed(b"".join(part.get("body", b"") for part in parts))
            headers = MutableHeaders(scope=start)
            for name in ("etag", "last-modified"):  # those of the file
                del headers[name]
            headers["content-length"] = str(len(body))
            if link := link_header():
                headers["link"] = link
            await send(start)
            message = {"type": "http.response.body", "body": body}
        await send(message)

    return sending


def _changed(page: bytes) -> bytes:
    return page.replace(b"<script>", f"<script>{server_script()}</script>\n    <script>".encode(), 1)


@cache
def link_header() -> str | None:
    """Names the scripts that every page needs; None where this version of Streamlit calls its scripts otherwise."""
    try:
        manifest = json.loads((_STATIC / "manifest.json").read_text(encoding="utf-8"))
        first = (_STATIC / "index.html").read_text(encoding="utf-8")
        scripts = _scripts(manifest, ELEMENTS)
    except (OSError, KeyError, ValueError):
        return None
    return ", ".join(f"<./{script}>; rel=modulepreload; crossorigin" for script in scripts if script not in first)


def _scripts(manifest: dict[str, dict[str, object]], elements: tuple[str, ...]) -> list[str]:
    """The files of these elements and of all that they import, without the style sheets."""
    waiting = [name for name in manifest if name.rpartition("/")[2].partition(".")[0] in elements]
    found: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = str(manifest[name]["file"])
            imported = manifest[name].get("imports", [])
            waiting += imported if isinstance(imported, list) else []
    return [file for file in found.values() if file.endswith(".js")]
