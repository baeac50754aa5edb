"""``python -m tests.corpus [--json]``: send every file of the corpus through the code that takes uploads.

Each in a process of its own, forked from a clean one, by the function the decoding worker uses and within its bound of
memory. Python's own audit tells what was opened, started or connected to meanwhile. Linux and macOS.
"""

import argparse
import contextlib
import json
import os
import pickle
import re
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from core.runs.supervisor import _decode_bounds
from core.runs.warm import answer
from tests.corpus import ARCHIVE, PICTURE, Case, all_cases

MOST_BYTES, MOST_SECONDS = 200e6, 2.0
UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
STARTS = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "socket.", "pickle.find_class", "exec",
          "ctypes.", "webbrowser.", "os.symlink", "os.link", "tempfile.mkstemp")  # fmt: skip
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def judged(case: Case, home: Path) -> dict[str, Any]:
    """What became of one file: {"name", "wrong": what was not as expected, "answer", "megabytes", "seconds"}."""
    data = case.make()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.write(write, json.dumps(_measured(case, data, home)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    found = json.loads(told) if told else {"wrong": ["its process died"], "answer": "", "megabytes": 0, "seconds": 0}
    left = [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]
    kept = re.compile(r"uploads/[0-9a-f]{16}/.+\.png")
    if any(case.classes is None or not kept.fullmatch(path) for path in left):
        found["wrong"].append(f"left behind: {left[:3]}")
    shutil.rmtree(home / "uploads", ignore_errors=True)
    return {"name": case.name, "bytes": len(data), **found}


def _measured(case: Case, data: bytes, home: Path) -> dict[str, Any]:
    events: list[str] = []
    arguments = {"text": data.decode()} if case.function.endswith("json") else {"data": data}
    request = pickle.dumps((case.function, arguments))
    watching = [False]

    def watch(event: str, values: tuple[Any, ...]) -> None:
        if watching[0] and _forbidden(event, values, home):
            events.append(f"{event} {str(values)[:100]}")

    sys.addaudithook(watch)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    watching[0] = True
    reply = answer(request, _decode_bounds().setup.memory_bytes)
    watching[0] = False
    seconds = time.process_time() - began
    grew = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * UNIT
    kind, value = pickle.loads(reply[1:])
    wrong = [*events, *_differences(case, kind, value)]
    if grew > MOST_BYTES:
        wrong.append(f"{grew / 1e6:.0f} MB")
    if seconds > MOST_SECONDS:
        wrong.append(f"{seconds:.1f} s")
    return {"wrong": wrong, "answer": _told(kind, value), "megabytes": round(grew / 1e6), "seconds": round(seconds, 2)}


def _forbidden(event: str, values: tuple[Any, ...], home: Path) -> bool:
    """Starts something, speaks to somebody, or writes outside the home."""
    if event == "open":
        path, _mode, flags = values
        return bool((flags or 0) & WRITES) and not str(path).startswith(str(home))
    if event in ("os.mkdir", "os.rename", "os.remove", "shutil.rmtree", "os.rmdir"):
        return isinstance(values[0], str) and not values[0].startswith(str(home)) and os.path.isabs(values[0])
    if event in ("exec", "pickle.find_class"):  # imports and the bounds' own pickle, made by ourselves, are no threat
        return event == "exec" and getattr(values[0], "co_filename", "").startswith("<")
    return event.startswith(STARTS)


def _differences(case: Case, kind: str, value: Any) -> list[str]:
    if case.refused is not None:
        ok = kind == "user-error" and re.search(case.refused, _told(kind, value))
        return [] if ok else [f"expected “{case.refused}”, not {_told(kind, value)}"]
    if kind != "result":
        return [f"expected to be taken: {_told(kind, value)}"]
    wrong = []
    if case.function == PICTURE:
        height, width, _channels = value.shape
        middle = value[height // 2, width // 2].astype(int)
        if case.size not in (None, (width, height)):
            wrong.append(f"size {width} × {height}")
        if case.colour is not None and abs(middle - case.colour).max() > 8:
            wrong.append(f"colour {middle.tolist()}")
    if case.function == ARCHIVE and tuple(value["classes"]) != case.classes:
        wrong.append(f"classes {value['classes']}")
    return wrong


def _told(kind: str, value: Any) -> str:
    if kind == "user-error":
        from core.errors import UserError

        return str(UserError.from_json(value))
    if kind == "bug":
        return str(value)[-300:]
    return f"{value.shape[1]} × {value.shape[0]}" if hasattr(value, "shape") else str(value)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON list")
    options = parser.parse_args()
    for module in ("core.vision.uploads", "core.tasks"):  # as a worker is before its first call
        __import__(module)
    warm_up = answer(pickle.dumps((PICTURE, {"data": b""})))
    assert warm_up
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder).resolve() / "home"
        home.mkdir()
        os.environ["ATLAS_HOME"] = str(home)
        os.chdir(folder)
        found = [judged(case, home) for case in all_cases()]
    if options.json:
        print(json.dumps(found))
        return 0
    for one in sorted(found, key=lambda one: (bool(one["wrong"]), one["megabytes"])):
        cost = f"{one['bytes']:10,} B{one['megabytes']:5} MB{one['seconds']:6.2f} s"
        print(f"{one['name'][:40]!r:44}{cost}  {one['answer'][:70]!r}")
    wrong = {one["name"]: one["wrong"] for one in found if one["wrong"]}
    most, longest = max(one["megabytes"] for one in found), max(one["seconds"] for one in found)
    print(f"{len(found)} files, {len(wrong)} wrong; at most {most} MB and {longest:.2f} s")
    for name, what in wrong.items():
        print(f"WRONG {name!r}: {what}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
