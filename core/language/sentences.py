"""What a class writes together: a few sentences each, which become a text of its own to learn from.

One small file, ``sentences.json``: a list of [writer, sentence]. A writer is kept as a hash, as voters are. Writing
holds a lock and replaces the file whole, so nothing is lost or torn.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import UserError
from core.files import write_atomically
from core.home import atlas_home

MOST_LETTERS = 200  # of a sentence
MOST_OF_ONE = 20  # sentences of one writer
MOST = 3_000  # of all
_LOCK_S = 5.0

Rows = list[tuple[str, str]]
"""Writer, as a hash, and sentence."""


def add(writer: str, sentence: str) -> None:
    """Add a sentence. Raises `UserError` when it is empty, too long or there already, and when nobody more may."""
    sentence = " ".join("".join(c if c.isprintable() else " " for c in sentence[: 4 * MOST_LETTERS]).split())
    if not 2 <= len(sentence) <= MOST_LETTERS:
        raise UserError("A sentence has from 2 to {maximum} characters.", maximum=MOST_LETTERS)

    def with_it(rows: Rows) -> Rows:
        if (_hash(writer), sentence) in rows:
            raise UserError("You have written this sentence already.")
        if sum(who == _hash(writer) for who, _text in rows) >= MOST_OF_ONE:
            raise UserError("Everybody may write {maximum} sentences. Take one back first.", maximum=MOST_OF_ONE)
        if len(rows) >= MOST:
            raise UserError("The class has written {maximum} sentences; no more are taken.", maximum=MOST)
        return [*rows, (_hash(writer), sentence)]

    _change(with_it)


def take_back(writer: str, sentence: str) -> None:
    """Remove a sentence of one's own; nothing happens when there is none."""
    _change(lambda rows: [row for row in rows if row != (_hash(writer), sentence)])


def written() -> tuple[list[str], int]:
    """All sentences in the order in which they came, and how many people wrote them."""
    rows = _read()
    return [text for _who, text in rows], len({who for who, _text in rows})


def own(writer: str) -> list[str]:
    return [text for who, text in _read() if who == _hash(writer)]


def as_text() -> str:
    """One line a sentence."""
    return "".join(f"{text}\n" for text in written()[0])


def _change(change: Callable[[Rows], Rows]) -> None:
    path = _path()
    try:
        with FileLock(path.with_suffix(".lock"), timeout=_LOCK_S):
            write_atomically(path, json.dumps(change(_read()), ensure_ascii=False).encode())
    except Timeout:
        raise UserError("Too many write at the same moment. Try again.") from None


def _path() -> Path:
    return atlas_home() / "sentences.json"


def _hash(writer: str) -> str:
    return hashlib.sha256(writer.encode()).hexdigest()[:32]


def _read() -> Rows:
    """The sentences so far; a file that somebody has spoilt counts as none."""
    try:
        rows = json.loads(_path().read_bytes())
        return [(str(who), str(text)) for who, text in rows]
    except (FileNotFoundError, ValueError, TypeError):
        return []
