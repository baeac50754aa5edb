"""The app as a newcomer starts it, and the browser that looks at it."""

import contextlib
import os
import shutil
import socket
import sysconfig
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tests.processes import process

ROOT = Path(__file__).parents[2]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(script: Path, port: int, output: IO[bytes] | None = None) -> Iterator[str]:
    """The address at which the app will listen, started by the console script; stopped at the end.

    What it says goes to `output`, or to where our own words go.
    """
    streamlit = Path(sysconfig.get_path("scripts")) / "streamlit"
    command = [str(streamlit), "run", str(script), "--server.port", str(port)]
    with process(command, cwd=ROOT, stdout=output, stderr=output):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def running_app(script: Path = Path("app/Home.py"), output: IO[bytes] | None = None) -> Iterator[str]:
    """The address of the app, or of another, once it listens there; stopped at the end."""
    with started(script, free_port(), output) as url:
        _wait(url)
        yield url


def chromium() -> str | None:
    """The browser's program, if there is one."""
    return os.environ.get("ATLAS_CHROMIUM") or shutil.which("chromium")


def _wait(url: str) -> None:
    for _ in range(120):
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as answer:
                assert answer.read() == b"ok"
            return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError("the app did not start")
