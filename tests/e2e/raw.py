"""The app as a program sees it that is no browser and keeps no rules: plain HTTP and a plain socket."""

import http.client
import json
import uuid
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect


def ask(url: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str):
    """(status, headers, body) of a request; header names with _ for -. Host and Origin may be anything."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        if body is not None and "Content_Length" not in headers:
            connection.putheader("Content-Length", str(len(body)))
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        if body:
            with suppress(BrokenPipeError, ConnectionResetError):  # refused before it was read
                connection.send(body)
        answer = connection.getresponse()
        try:
            return answer.status, answer.headers, answer.read()
        except (http.client.IncompleteRead, ConnectionResetError):  # cut off: it had not read all that we sent
            return answer.status, answer.headers, b""
    finally:
        connection.close()


def cookies(url: str) -> dict[str, str]:
    """The cookies that a new browser gets: its owner's, and Streamlit's against forged requests."""
    found = {}
    for path in ("/", "/_stcore/health"):
        for header in ask(url, path)[1].get_all("Set-Cookie") or []:
            name, _, value = header.partition(";")[0].partition("=")
            found[name] = value
    return found


@contextmanager
def session(url: str, jar: dict[str, str], link: str = ""):
    """A session at work: its id, by which its uploads are addressed."""
    header = "; ".join(f"{name}={value}" for name, value in jar.items())
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    token = jar["_streamlit_xsrf"]
    with connect(
        address, origin=url, additional_headers={"Cookie": header}, subprotocols=["streamlit", token],
        max_size=None, max_queue=None,  # what nobody reads must not hold up the good-bye
    ) as socket:  # fmt: skip
        message = BackMsg()
        message.rerun_script.query_string = link
        socket.send(message.SerializeToString())
        while True:
            told = ForwardMsg()
            told.ParseFromString(socket.recv(timeout=60))
            if told.WhichOneof("type") == "new_session":
                break
        yield told.new_session.initialize.session_id


def upload(url: str, jar: dict[str, str], session_id: str, data: bytes) -> int:
    """The status that an upload gets."""
    edge = uuid.uuid4().hex
    head = f'--{edge}\r\nContent-Disposition: form-data; name="f"; filename="../../x.png"\r\n\r\n'.encode()
    return ask(
        url, f"/_stcore/upload_file/{session_id}/{uuid.uuid4()}", "PUT", head + data + f"\r\n--{edge}--\r\n".encode(),
        Content_Type=f"multipart/form-data; boundary={edge}", X_Xsrftoken=jar["_streamlit_xsrf"],
        Cookie="; ".join(f"{name}={value}" for name, value in jar.items()),
    )[0]  # fmt: skip


def server_process(url: str) -> psutil.Process:
    """The server that listens at an address; one of our children."""
    port = str(urlsplit(url).port)
    return next(child for child in psutil.Process().children(recursive=True) if port in child.cmdline())


def health(url: str) -> tuple[int, dict[str, str]]:
    status, _headers, body = ask(url, "/healthz")
    return status, json.loads(body)
