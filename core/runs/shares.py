"""How much of the disk everybody has taken, and how much they may; and the clearing out of what is oldest."""

import contextlib
import json
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core import events, settings
from core.errors import UserError
from core.files import write_atomically
from core.home import atlas_home, cache_folder
from core.people import Person
from core.runs import index

MIB = 2**20
_LOCK_S = 10.0


@dataclass(frozen=True)
class Artefact:
    """Something on the disk that can be cleared out: a run, the pictures of an upload, or a file of the cache."""

    kind: str  # run, upload or cache
    id: str
    name: str
    owner: str
    size: int  # bytes
    last: float  # epoch seconds of its last use that we know of
    busy: bool  # in the queue or in training, or needed by a run that is, or being written

    @property
    def path(self) -> Path:
        if self.kind == "run":
            return index.folder_of(self.id).path
        return (cache_folder() if self.kind == "cache" else _uploads()) / self.id


def artefacts() -> list[Artefact]:
    """Everything runs, uploads and the cache have put on the disk, what was used longest ago first."""
    states = index.rows()
    needed = {_upload_of(state) for state in states if state["state"] in index.ACTIVE}
    found = [
        Artefact(
            "run", state["id"], state["name"], state["owner"], folder_bytes(state["folder"]),
            state["ended"] or state["created"], state["state"] in index.ACTIVE,
        )
        for state in states
    ]  # fmt: skip
    known = _ledger()
    for path in _uploads().glob("[0-9a-f]*"):
        told = known.get(path.name, {})
        found.append(
            Artefact("upload", path.name, path.name, told.get("owner", ""), folder_bytes(path),
                     told.get("time", path.stat().st_mtime), path.name in needed)
        )  # fmt: skip
    return sorted([*found, *_cached()], key=lambda one: one.last)


def _cached() -> Iterator[Artefact]:
    """The files of the cache. A run that has one open goes on reading it when it is gone, and it can be made again."""
    for path in cache_folder().iterdir():
        with contextlib.suppress(FileNotFoundError):  # one that is written changes its name
            if path.suffix != ".lock" and path.is_file():
                told = path.stat()
                name = path.name.removesuffix(".tmp")
                yield Artefact("cache", path.name, name, "", told.st_size, told.st_mtime, _locked(path.with_name(name)))


def _locked(file: Path) -> bool:
    """Whether somebody writes this file, or waits for it."""
    try:
        with FileLock(file.with_name(file.name + ".lock"), timeout=0):
            return False
    except Timeout:
        return True


def check_disk(owner: str) -> None:
    """Raises `UserError` when this owner, or everybody together, has taken all the disk they may."""
    caps, taken = settings.load(), artefacts()
    if _megabytes(taken) >= caps.disk_gigabytes * 1024:
        raise UserError(
            "Runs and pictures fill the {gigabytes} GB they may take here. Ask the teacher to clear out.",
            gigabytes=caps.disk_gigabytes,
        )
    if _megabytes(one for one in taken if one.owner == owner) >= caps.megabytes:
        raise UserError(
            "Your runs and pictures fill the {megabytes} MB you may take. Delete runs you no longer need.",
            megabytes=caps.megabytes,
        )


def pictures_left(owner: str) -> int:
    """How many pictures this owner may still upload."""
    kept = [told for name, told in _ledger().items() if (_uploads() / name).is_dir()]
    return settings.load().pictures - sum(int(told["pictures"]) for told in kept if told["owner"] == owner)


def enter_upload(owner: str, dataset: str, pictures: int) -> None:
    """Count an imported zip file (``upload:<digest>``) as this owner's, if it is not somebody's already."""
    name = dataset.removeprefix("upload:")
    with FileLock(_ledger_file().with_suffix(".lock"), timeout=_LOCK_S):
        known = {digest: told for digest, told in _ledger().items() if (_uploads() / digest).is_dir()}
        known.setdefault(name, {"owner": owner, "pictures": pictures, "time": time.time()})
        write_atomically(_ledger_file(), json.dumps(known).encode())
    events.note("pictures-uploaded", owner=owner, pictures=pictures)


def oldest(megabytes: int) -> list[Artefact]:
    """What to remove, oldest first, so that at most so much is left; what is busy stays."""
    taken = artefacts()
    left = sum(one.size for one in taken)
    chosen = []
    for one in taken:
        if left <= megabytes * MIB:
            break
        if not one.busy:
            chosen.append(one)
            left -= one.size
    return chosen


def clear_out(chosen: Iterable[Artefact], by: Person) -> int:
    """Remove these, as far as they are still not busy; how many bytes were freed. Raises `UserError`."""
    if not by.teacher:
        raise UserError("Only the teacher can clear out.")
    freed = count = 0
    busy = {(one.kind, one.id) for one in artefacts() if one.busy}
    for one in chosen:
        if (one.kind, one.id) in busy or not _removed(one):
            continue
        freed += one.size
        count += 1
    events.note("cleared-out", owner=by.id, things=count, megabytes=freed // MIB)
    return freed


def folder_bytes(folder: Path) -> int:
    """What the files of a folder occupy."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # a run at work replaces its files
            total += path.lstat().st_size
    return total


def _removed(one: Artefact) -> bool:
    path = one.path
    if one.kind == "run":
        aside = index.remove(one.id, {"finished", "stopped", "interrupted", "failed"})
        if aside is None:
            return False
        path = aside.path
    if path.is_file():
        with contextlib.suppress(OSError):  # Windows keeps what is open
            path.unlink()
        return not path.exists()
    shutil.rmtree(path, ignore_errors=True)
    return True


def _megabytes(taken: Iterable[Artefact]) -> float:
    return sum(one.size for one in taken) / MIB


def _upload_of(state: dict[str, Any]) -> str:
    with contextlib.suppress(ValueError, AttributeError):
        kind, _, name = str(json.loads(state["recipe"]).get("dataset", "")).partition(":")
        return name if kind == "upload" else ""
    return ""


def _uploads() -> Path:
    return atlas_home() / "uploads"


def _ledger_file() -> Path:
    return atlas_home() / "uploads.json"


def _ledger() -> dict[str, dict[str, Any]]:
    """Whose the uploaded pictures are: {digest: {"owner", "pictures", "time"}}."""
    try:
        found = json.loads(_ledger_file().read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
