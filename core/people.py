"""Who is asking: a person without an account, known by the cookie of their browser.

The cookie holds an id and its signature by this home's key, so knowing somebody's id gives nobody their place.
A name is what a person chooses to be called; there need be none.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import UserError
from core.files import write_atomically
from core.home import atlas_home

LONGEST_NAME = 40  # characters
MOST_NAMES = 5000  # kept: a script that takes names under new ids must not fill the disk
_LOCK_S = 5.0
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Person:
    """Somebody with an id of their own, who may be the teacher."""

    id: str
    teacher: bool = False

    def owns(self, owner: str) -> bool:
        """Whether what belongs to `owner` is theirs to change."""
        return self.teacher or self.id == owner


NOBODY = Person("")  # programs on this machine; owns what has no owner, such as a folder put there by hand


def new_id() -> str:
    return secrets.token_hex(16)


def cookie_name() -> str:
    """Differs between homes: two servers on one machine share their cookies, which know no port."""
    return f"atlas_owner_{_signature(_key(), 'cookie')[:8]}"


def cookie_for(owner: str) -> str:
    """The cookie's value: the id and its signature."""
    return f"{owner}.{_signature(_key(), f'owner:{owner}')}"


def owner_of(cookie: object) -> str | None:
    """The id in a cookie that we have signed; None for whatever else there is in its place."""
    owner, _, signature = cookie.partition(".") if isinstance(cookie, str) else ("", "", "")
    if not _ID.fullmatch(owner) or not signature.isascii():
        return None
    return owner if hmac.compare_digest(signature, _signature(_key(), f"owner:{owner}")) else None


def name_of(owner: str) -> str:
    """What this person wants to be called, or ""."""
    return _names_in(*_stamp()).get(owner, "")


def rename(person: Person, name: str) -> None:
    """Choose a name of up to `LONGEST_NAME` characters; none takes it away. Raises `UserError`."""
    name = one_line(name)
    if len(name) > LONGEST_NAME:
        raise UserError("A name has at most {maximum} characters.", maximum=LONGEST_NAME)
    try:
        with FileLock(secrets_folder() / "names.lock", timeout=_LOCK_S):
            names = dict(_names_in(*_stamp()))
            names.pop(person.id, None)
            if name:
                if len(names) >= MOST_NAMES:
                    names.pop(next(iter(names)))
                names[person.id] = name
            write_atomically(_names_file(), json.dumps(names, ensure_ascii=False).encode())
    except Timeout:
        raise UserError("Too many save at the same moment. Try again.") from None


def one_line(text: str) -> str:
    """Plain text of one line: no line breaks, and no marks that turn the direction of what follows."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def secrets_folder() -> Path:
    """Keys, hashes and names; readable by the server's user only."""
    folder = atlas_home() / "people"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def write_secret(file: Path, data: bytes) -> None:
    """Write a file that nobody else may read, whole or not at all."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.replace(file)


def _key() -> bytes:
    return _key_in(secrets_folder() / "cookie.key")


@lru_cache(maxsize=4)
def _key_in(file: Path) -> bytes:
    """The key of a home, made at the first use."""
    with FileLock(file.with_suffix(".lock"), timeout=_LOCK_S):
        if not file.exists():
            write_secret(file, secrets.token_bytes(32))
        return file.read_bytes()


def _signature(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _names_file() -> Path:
    return secrets_folder() / "names.json"


def _stamp() -> tuple[Path, int]:
    file = _names_file()
    return file, file.stat().st_mtime_ns if file.exists() else 0


@lru_cache(maxsize=2)
def _names_in(file: Path, changed: int) -> dict[str, str]:
    """The names as of a change of their file, which every page asks for at every turn."""
    try:
        names = json.loads(file.read_bytes()) if changed else {}
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(names, dict):
        return {}
    return {owner: one_line(str(name))[:LONGEST_NAME] for owner, name in names.items()}
