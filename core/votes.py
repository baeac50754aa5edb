"""What a class thinks before it is told: one vote a voter and question, counted for all who share a home.

One small file a question, ``votes/<question>.json``: {voter: choice}. A voter is kept as a hash: the votes
are no list of who is there. Writing holds a lock and replaces the file whole, so no vote is lost or torn.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import UserError
from core.files import write_atomically
from core.home import atlas_home

MAX_VOTERS = 2000  # of one question: a script that votes under new names must not fill the disk
_LOCK_S = 5.0
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


def cast(question: str, voter: str, choice: str, choices: Collection[str]) -> None:
    """Count a vote. The first vote of a voter stays: later ones were cast knowing the answer.

    Raises `UserError` for a choice that is not offered, when nobody more can vote, and when the home is busy.
    """
    if choice not in choices:
        raise UserError("That is none of the answers to choose from.")
    path = _path(question)
    path.parent.mkdir(exist_ok=True)
    try:
        with FileLock(path.with_suffix(".lock"), timeout=_LOCK_S):
            votes = _read(path)
            if len(votes) >= MAX_VOTERS and _hash(voter) not in votes:
                raise UserError("{maximum} votes have been cast on this; no more are taken.", maximum=MAX_VOTERS)
            votes.setdefault(_hash(voter), choice)
            write_atomically(path, json.dumps(votes).encode())
    except Timeout:
        raise UserError("Too many vote at the same moment. Try again.") from None


def vote_of(question: str, voter: str) -> str | None:
    """What this voter has answered, or None."""
    return _read(_path(question)).get(_hash(voter))


def tally(question: str, choices: Collection[str]) -> dict[str, int]:
    """How many have chosen each of the choices, in their order."""
    counted = Counter(_read(_path(question)).values())
    return {choice: counted[choice] for choice in choices}


def _path(question: str) -> Path:
    if not _NAME.fullmatch(question):
        raise ValueError(f"no name of a question: {question!r}")
    return atlas_home() / "votes" / f"{question}.json"


def _hash(voter: str) -> str:
    return hashlib.sha256(voter.encode()).hexdigest()[:32]


def _read(path: Path) -> dict[str, str]:
    """The votes so far; a file that somebody has spoilt counts as none."""
    try:
        votes = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(votes, dict):
        return {}
    return {voter: choice for voter, choice in votes.items() if isinstance(choice, str)}
