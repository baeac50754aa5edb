"""What happened, one line an event, for the teacher to read: ``logs/atlas.log`` below the home, and older files.

No personal data beyond the name that a person chose: no addresses, no ids of people or sessions.
"""

import contextlib
import os
import time
from pathlib import Path

from filelock import FileLock, Timeout

from core import people
from core.home import atlas_home

LARGEST = 1_000_000  # bytes of a file; then the next begins
FILES = 5  # older ones that are kept
LONGEST_LINE = 2000  # characters


def note(event: str, *, owner: str = "", **facts: object) -> None:
    """Write down an event. Never fails: a full disk must not stop what is being told."""
    with contextlib.suppress(OSError, Timeout):
        if name := people.name_of(owner) if owner else "":
            facts = {**facts, "by": name}
        told = "".join(f" {key}={_quoted(str(value))}" for key, value in facts.items() if value not in (None, ""))
        line = f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {event}{told}"[:LONGEST_LINE] + "\n"
        file = log_file()
        if file.exists() and file.stat().st_size > LARGEST:
            _turn(file)
        fd = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(fd, line.encode())  # one write a line: several processes write here
        finally:
            os.close(fd)


def log_file() -> Path:
    folder = atlas_home() / "logs"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / "atlas.log"


def _quoted(text: str) -> str:
    """As it is when it is one word; else in quotes, without anything that could begin a line of its own."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    plain = text and not set(text) & set(" \"=\\")
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _turn(file: Path) -> None:
    with FileLock(file.with_suffix(".lock"), timeout=1):
        if file.stat().st_size <= LARGEST:
            return  # another process was quicker
        for place in range(FILES - 1, 0, -1):
            older = file.with_suffix(f".{place}.log")
            if older.exists():
                older.replace(file.with_suffix(f".{place + 1}.log"))
        file.replace(file.with_suffix(".1.log"))
