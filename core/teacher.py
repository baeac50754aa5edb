"""The teacher: whoever knows the secret of this server.

The secret is chosen in the environment or made at the first start and told once. Kept is its scrypt hash; a try is
compared in constant time, and an address has five tries a minute. Who has signed in is remembered by the id of
their browser's cookie, for half a day.
"""

import collections
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from pathlib import Path

from core import events
from core.errors import UserError
from core.people import Person, secrets_folder, write_secret

SHORTEST = 8  # characters
TRIES = 5  # of one address in `WINDOW_S`
TRIES_OF_ALL = 60  # of all addresses together: a class of clients behind many addresses guesses no faster
WINDOW_S = 60.0
LASTS_S = 12 * 3600.0
VARIABLE = "ATLAS_TEACHER_SECRET"
_COST = {"n": 2**14, "r": 8, "p": 1}  # 16 MB and some 50 ms a try

_lock = threading.Lock()
_tries: dict[str, collections.deque[float]] = collections.defaultdict(collections.deque)


def prepare() -> str | None:
    """See to it that there is a secret. The one that was just made, to be told once; None when it is known.

    Raises `UserError` when the one in the environment is too short.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen is not None:
        if len(chosen) < SHORTEST:
            raise UserError("{name} must have at least {minimum} characters.", name=VARIABLE, minimum=SHORTEST)
        if not _is_secret(chosen):
            _keep(chosen)
        return None
    if _file().exists():
        return None
    made = secrets.token_urlsafe(9)
    _keep(made)
    return made


def sign_in(person: Person, secret: str, address: str) -> None:
    """Make this person the teacher for half a day. Raises `UserError` for a wrong secret or too many tries."""
    with _lock:
        _count_try(address)
    if not _is_secret(secret):
        events.note("teacher-refused")
        raise UserError("That is not the teacher's secret.")
    with _lock:
        write_secret(_signed_in_file(), json.dumps(_signed_in() | {person.id: time.time() + LASTS_S}).encode())
    events.note("teacher-signed-in", owner=person.id)


def sign_out(person: Person) -> None:
    with _lock:
        write_secret(_signed_in_file(), json.dumps({k: v for k, v in _signed_in().items() if k != person.id}).encode())


def is_signed_in(owner: str) -> bool:
    return owner in _signed_in()


def _count_try(address: str) -> None:
    """Raises `UserError` when this address, or all together, have tried too often; such a try counts for nothing."""
    now = time.monotonic()
    for known in list(_tries):
        while _tries[known] and now - _tries[known][0] > WINDOW_S:
            _tries[known].popleft()
        if not _tries[known]:
            del _tries[known]
    if len(_tries[address]) >= TRIES or sum(map(len, _tries.values())) >= TRIES_OF_ALL:
        events.note("teacher-too-many-tries")
        raise UserError("Too many tries. Wait a minute.")
    _tries[address].append(now)


def _is_secret(text: str) -> bool:
    try:
        kept = json.loads(_file().read_bytes())
        salt, known = bytes.fromhex(kept["salt"]), bytes.fromhex(kept["hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return hmac.compare_digest(_hash(text, salt), known)


def _keep(secret: str) -> None:
    """A new secret; whoever was signed in by the old one is so no more."""
    salt = secrets.token_bytes(16)
    write_secret(_file(), json.dumps({"salt": salt.hex(), "hash": _hash(secret, salt).hex()}).encode())
    _signed_in_file().unlink(missing_ok=True)


def _hash(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, dklen=32, maxmem=64 * 2**20, **_COST)


def _signed_in() -> dict[str, float]:
    """Until when (epoch seconds) which ids are signed in."""
    try:
        found = json.loads(_signed_in_file().read_bytes())
    except (OSError, ValueError):
        return {}
    now = time.time()
    return {owner: until for owner, until in found.items() if isinstance(until, int | float) and until > now}


def _file() -> Path:
    return secrets_folder() / "teacher.json"


def _signed_in_file() -> Path:
    return secrets_folder() / "signed-in.json"
