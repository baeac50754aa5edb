"""The texts that a model can learn: stories made here, and those that people hand in, kept by their hash.

A text is named by its *source*: ``stories:LANGUAGE:COUNT:SEED``, or ``text:DIGEST`` for one that was handed in.
Imports no torch: the web process checks what people hand in.
"""

import codecs
import hashlib
import os
import re
from pathlib import Path

from core.errors import UserError
from core.files import write_atomically
from core.home import atlas_home
from core.language.stories import LANGUAGES, MOST_STORIES, stories

MOST_BYTES = 5_000_000
FEWEST_CHARACTERS = 1_000
MOST_DIFFERENT = 20_000  # characters: more than any language writes with
MOST_KEPT = 300  # texts; the one that was not used for longest makes room
_OUTLANDISH = 0.002  # share of control characters from which on it is no text
_STORIES = re.compile(r"stories:([a-z]{2}):([0-9]{1,6}):([0-9]{1,10})")
_KEPT = re.compile(r"text:([0-9a-f]{16})")


def read_text(path: Path) -> str:
    """The text of a file. Raises `UserError` for one that is missing, or as `decoded` does."""
    try:
        if path.stat().st_size > MOST_BYTES:  # before it is read: it may be larger than the memory
            raise _too_large()
        data = path.read_bytes()
    except OSError:
        raise UserError("There is no text {path} that can be read.", path=str(path)[:200]) from None
    return decoded(data)[0]


def decoded(data: bytes) -> tuple[str, str]:
    """The text of these bytes and the encoding it was in: UTF-8, UTF-16 with its mark, or GB18030 (GBK, GB2312).

    Lines end in a line feed. Raises `UserError` for what is too large, no text, or nothing to learn from.
    """
    if len(data) > MOST_BYTES:
        raise _too_large()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings: tuple[str, ...] = ("utf-16",)
    elif b"\0" in data:
        raise _binary()
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        names = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "gb18030": "GB18030"}
        return checked(text), names[encoding]
    raise UserError("This is not a text in UTF-8 or GB18030. Save it as UTF-8 and try again.")


def checked(text: str) -> str:
    """The text with plain line ends, once it is sure that something can be learnt from it. Raises `UserError`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text.encode("utf-8", "replace")) > 2 * MOST_BYTES:
        raise _too_large()
    strange = sum(not letter.isprintable() and not letter.isspace() for letter in text[:100_000])
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in set(text)) or (
        strange > _OUTLANDISH * min(len(text), 100_000) + 2
    ):
        raise _binary()
    if len(text.strip()) < FEWEST_CHARACTERS:
        raise UserError("A text needs at least {fewest} characters to learn from; this one has {given}.",
                        fewest=f"{FEWEST_CHARACTERS:,}", given=f"{len(text.strip()):,}")  # fmt: skip
    different = len(set(text.strip()))
    if different < 2:
        raise UserError("This text repeats a single character: there is nothing to predict.")
    if different > MOST_DIFFERENT:
        raise UserError("This has {given} different characters; no text has more than {maximum}.",
                        given=f"{different:,}", maximum=f"{MOST_DIFFERENT:,}")  # fmt: skip
    return text


def keep(text: str) -> str:
    """Store a text and return its source; the same text is kept once. Raises `UserError` as `checked` does."""
    data = checked(text).encode()
    digest = hashlib.sha256(data).hexdigest()[:16]
    path = _folder() / f"{digest}.txt"
    if not path.exists():
        others = sorted(_folder().glob("*.txt"), key=_used)
        for old in others[: max(0, len(others) - MOST_KEPT + 1)]:
            old.unlink(missing_ok=True)
        write_atomically(path, data)
    return f"text:{digest}"


def load(source: str) -> str:
    """The text of a source. Raises `UserError` when it is none, or no longer kept."""
    made = _STORIES.fullmatch(source)
    if made:
        check(source)
        return "\n".join(stories(made[1], int(made[2]), int(made[3]))) + "\n"
    kept = _KEPT.fullmatch(source)
    path = _folder() / f"{kept[1]}.txt" if kept else None
    if path is None or not path.exists():
        raise UserError("This text is not kept here (any more). Hand it in again on the page Text.")
    os.utime(path)  # it is in use
    return path.read_text(encoding="utf-8")


def check(source: str) -> None:
    """Raises `UserError` for what cannot name a text; says nothing about whether it is still kept."""
    made = _STORIES.fullmatch(source)
    if made:
        if made[1] in LANGUAGES and 10 <= int(made[2]) <= MOST_STORIES:
            return
        raise UserError("There are stories in {languages}, from 10 to {maximum} of them.",
                        languages=", ".join(LANGUAGES), maximum=f"{MOST_STORIES:,}")  # fmt: skip
    if not _KEPT.fullmatch(source):
        raise UserError("“{name}” names no text. Choose one on the page Text.", name=source[:40])


def _folder() -> Path:
    folder = atlas_home() / "texts"
    folder.mkdir(exist_ok=True)
    return folder


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _too_large() -> UserError:
    return UserError("A text has at most {megabytes} MB; this one is larger.", megabytes=MOST_BYTES // 10**6)


def _binary() -> UserError:
    return UserError("This is a binary file, not a text.")
