"""Run one of our own short texts of Python in a process of its own, and tell what really happened.

The Article page shows code that fails; here it fails for real. Only constants of the content are run, chosen
by id, never a text from a person: the limits below contain our mistakes, they are no prison for an attacker.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

OUTPUT_BYTES = 64 * 1024  # kept of each of stdout and stderr
FILE_BYTES = 1024 * 1024  # the largest file the code may write, its output included
MEMORY_BYTES = 3 * 1024**3  # of data; `import torch` alone takes 0.75 GB of it
_SLOTS = threading.BoundedSemaphore(2)  # thirty students pressing at once must not start thirty torches

# Limits are set inside the child: code between fork and exec is unsafe in a server with threads. The
# traceback drops the one frame that is ours, so it reads as if the snippet had been started as a script.
_CHILD = """
import linecache, os, sys, traceback
def limit():
    try:
        import resource
    except ImportError:
        return
    memory, seconds, file_bytes = map(int, sys.argv[1:4])
    for name, value in (("RLIMIT_DATA", memory), ("RLIMIT_CPU", seconds), ("RLIMIT_FSIZE", file_bytes),
                        ("RLIMIT_CORE", 0)):
        try:
            resource.setrlimit(getattr(resource, name), (value, value))
        except (AttributeError, ValueError, OSError):
            pass
    os.nice(10)
def run(code):
    del sys.argv[1:]
    linecache.cache["<snippet>"] = (len(code), None, code.splitlines(True), "<snippet>")
    try:
        exec(compile(code, "<snippet>", "exec"), {"__name__": "__main__"})
    except Exception as error:
        trace = error.__traceback__.tb_next
        traceback.print_exception(type(error), error, trace)
        sys.exit(1)
limit()
run(sys.stdin.read())
"""


class SnippetResult(TypedDict):
    """What came of a snippet.

    `error` is the last line of the traceback, such as ``NameError: name 'F' is not defined``, or why the
    process was stopped; None when it ended well. `exit_code` is negative for a process ended by a signal.
    """

    stdout: str
    stderr: str
    error: str | None
    exit_code: int
    seconds: float


def run_snippet(code: str, timeout: float = 20) -> SnippetResult:
    """Run a text of ours in a fresh Python, in an empty folder, without a GPU, for `timeout` seconds at most.

    Starting torch in it takes seconds: never call this on the way to drawing a page, only when asked for.
    """
    with _SLOTS, tempfile.TemporaryDirectory(prefix="snippet-", ignore_cleanup_errors=True) as folder:
        work = Path(folder) / "work"
        work.mkdir()
        out, err = Path(folder) / "stdout", Path(folder) / "stderr"
        began = time.monotonic()
        exit_code, timed_out = _run(code, timeout, work, out, err)
        seconds = time.monotonic() - began
        stdout, stderr = _read(out), _read(err)
    error = f"TimeoutError: stopped after {timeout:g} seconds" if timed_out else _error(exit_code, stderr)
    return {"stdout": stdout, "stderr": stderr, "error": error, "exit_code": exit_code, "seconds": seconds}


def _run(code: str, timeout: float, work: Path, out: Path, err: Path) -> tuple[int, bool]:
    """Exit code, and whether the time was up. Output goes to files: the size limit bounds them, not pipes."""
    limits = [str(MEMORY_BYTES), str(int(timeout) + 1), str(FILE_BYTES)]
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603  a constant of ours, by the Python that runs us
            [sys.executable, "-I", "-X", "utf8", "-c", _CHILD, *limits],
            stdin=subprocess.PIPE, stdout=stdout, stderr=stderr,
            cwd=work, env=_environment(work), start_new_session=True,
        )  # fmt: skip
        try:
            process.communicate(code.encode(), timeout=timeout)
            timed_out = False
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            _end(process)
    return process.returncode, timed_out


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of ours leaks in, least of all secrets; the few names that a Python may need to start stay."""
    kept = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "HOME": str(folder), "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder),
        "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "",
    }  # fmt: skip


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and everything it started, and wait for it."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):  # all gone; macOS says the second of a zombie
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(OUTPUT_BYTES).decode("utf-8", errors="replace")


def _error(exit_code: int, stderr: str) -> str | None:
    if exit_code == 0:
        return None
    lines = [line for line in stderr.splitlines() if line.strip()]
    return lines[-1] if lines else f"The process ended with code {exit_code}"
