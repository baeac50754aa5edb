"""The index of all runs: a SQLite table that answers quickly what the run folders know slowly.

The folders are the truth. Every change of a run's state is made here, under SQLite's write lock: read the folder,
check, write the folder, then the row. So two processes never change a run at once, and an index that is lost or
broken is built again from the folders. WAL, short transactions, one connection for each.
"""

import contextlib
import json
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from core import events
from core.errors import UserError
from core.home import atlas_home
from core.runs.disk import give_way
from core.runs.folder import RunFolder
from core.runs.turns import Waiting, in_order

ACTIVE = ("queued", "running", "stopping")
_BUSY_S = 15.0  # how long a transaction waits for another one
_VERSION = 1  # 0 is an empty file: not built yet

State = dict[str, Any]


def runs_folder() -> Path:
    folder = atlas_home() / "runs"
    folder.mkdir(exist_ok=True)
    return folder


def folder_of(run_id: str) -> RunFolder:
    return RunFolder(runs_folder() / run_id)


def rows(where: str = "1", *values: object) -> list[State]:
    """The states of the runs that meet a condition on the columns, newest first; with "id", "recipe" and "folder"."""
    with _reading() as db:
        found = db.execute(
            f"SELECT id, recipe, document FROM runs WHERE {where} ORDER BY created DESC, id",  # noqa: S608  ours
            values,
        ).fetchall()
    folder = runs_folder()
    return [
        {**json.loads(document), "id": run_id, "recipe": recipe, "folder": folder / run_id}
        for run_id, recipe, document in found
    ]


def add(folder: RunFolder, state: State, most: int) -> bool:
    """Enter a new run whose folder holds its recipe, unless its owner has `most` waiting already."""
    with _writing() as db:
        if _waiting_of(db, state["owner"]) >= most:
            return False
        folder.write_state(state)
        _put(db, folder, state)
    _note(state)
    return True


def change(run_id: str, expected: Collection[str], most: int | None = None, **changes: Any) -> State | None:
    """Change a run if its state is one of those expected: the new state, or None when it is another (or no run).

    With `most`, only if its owner has fewer runs waiting.
    """
    with _writing() as db:
        folder = folder_of(run_id)
        state = _current(db, folder)
        if state.get("state") not in expected or (most is not None and _waiting_of(db, state["owner"]) >= most):
            return None
        state.update(changes)
        folder.write_state(state)
        _put(db, folder, state)
    if "state" in changes:
        _note(state)
    return state


def remove(run_id: str, expected: Collection[str]) -> RunFolder | None:
    """Take a run out of the index and its folder out of the way; the caller deletes the folder returned."""
    with _writing() as db:
        folder = folder_of(run_id)
        if _current(db, folder).get("state") not in expected:
            return None
        aside = RunFolder(folder.path.with_name(f".deleted-{run_id}"))
        folder.path.rename(aside.path)
        db.execute("DELETE FROM runs WHERE id = ?", (run_id,))
    return aside


def waiting() -> list[str]:
    """The ids of the queued runs in the order in which they will start."""
    with _reading() as db:
        queued = db.execute("SELECT id, owner, queued FROM runs WHERE state = 'queued'").fetchall()
        turns = dict(db.execute("SELECT owner, MAX(claimed) FROM runs WHERE claimed > 0 GROUP BY owner").fetchall())
    return in_order([Waiting(*row) for row in queued], turns)


def reconcile() -> None:
    """Make the rows agree with the folders; a folder put there by hand becomes a run, one taken away is none."""
    with _writing() as db:
        _rebuild(db)


@contextlib.contextmanager
def _writing() -> Iterator[sqlite3.Connection]:
    with _database() as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")


@contextlib.contextmanager
def _reading() -> Iterator[sqlite3.Connection]:
    """`_database` for those who only read: SQLite wants to write even then, some kilobytes beside its file.

    On a disk that has not even these, not the ballast's either, they see what its file says: what was changed in the
    last moments may be missing.
    """
    try:
        db = _open()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN):
            raise
        db = sqlite3.connect(f"{_file().as_uri()}?immutable=1", uri=True)
    try:
        yield db
    finally:
        db.close()


@contextlib.contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    db = _open()
    try:
        yield db
    finally:
        db.close()


def _file() -> Path:
    return atlas_home() / "runs.sqlite"


def _open() -> sqlite3.Connection:
    path = _file()
    give_way()  # even reading needs a little room
    try:
        return _opened(path)
    except sqlite3.DatabaseError as error:
        if not _is_broken(error):
            raise
    with FileLock(path.with_suffix(".lock"), timeout=_BUSY_S):
        try:
            return _opened(path)  # another process was quicker
        except sqlite3.DatabaseError as error:
            if not _is_broken(error):
                raise
        for end in ("", "-wal", "-shm"):
            Path(f"{path}{end}").unlink(missing_ok=True)
        return _opened(path)


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version != _VERSION:
            _build(db)
        db.execute("PRAGMA synchronous = NORMAL")  # a power cut may lose the last rows, never a folder
        return db
    except BaseException:
        db.close()
        raise


def _is_broken(error: sqlite3.DatabaseError) -> bool:
    return error.sqlite_errorcode in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _build(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("BEGIN IMMEDIATE")
    db.execute("DROP TABLE IF EXISTS runs")
    db.execute(
        "CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT, owner TEXT, created REAL, queued REAL, claimed REAL,"
        " recipe TEXT, document TEXT)"
    )
    _rebuild(db)
    db.execute(f"PRAGMA user_version = {_VERSION}")
    db.execute("COMMIT")


def _waiting_of(db: sqlite3.Connection, owner: str) -> int:
    (count,) = db.execute("SELECT COUNT(*) FROM runs WHERE owner = ? AND state = 'queued'", (owner,)).fetchone()
    return int(count)


def _rebuild(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM runs")
    for path in runs_folder().iterdir():
        folder = RunFolder(path)
        if path.name.startswith(".") or not folder.recipe_file.exists():
            continue
        _put(db, folder, folder.read_state() or _found(folder))


def _current(db: sqlite3.Connection, folder: RunFolder) -> State:
    """The state in the folder, {} when there is no such folder (any more); then there is no row for it either."""
    if folder.recipe_file.exists():
        return folder.read_state() or _found(folder)
    db.execute("DELETE FROM runs WHERE id = ?", (folder.id,))
    return {}


def _found(folder: RunFolder) -> State:
    """The state of a folder that says nothing of itself: whoever made it did not get to the end."""
    made = folder.recipe_file.stat().st_mtime
    done = folder.weights_file.exists()
    return new_state(folder.id, owner="", name="", created=made) | {"state": "finished" if done else "interrupted"}


def new_state(run_id: str, *, owner: str, name: str, created: float | None = None) -> State:
    """The state of a run that has just been asked for."""
    now = time.time() if created is None else created
    return {
        "id": run_id, "state": "queued", "owner": owner, "name": name, "created": now, "queued": now,
        "claimed": 0.0, "started": None, "ended": None, "error": None, "finished": None, "deaths": 0, "saved": None,
    }  # fmt: skip


def _note(state: Mapping[str, Any]) -> None:
    """A line of the log for each new state of a run: here is where all of them are made."""
    why = UserError.from_json(state["error"]) if state.get("error") else None
    events.note(f"run-{state['state']}", owner=state["owner"], run=state["id"], name=state["name"], why=why)


def _put(db: sqlite3.Connection, folder: RunFolder, state: Mapping[str, Any]) -> None:
    db.execute(
        "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            folder.id, state["state"], state["owner"], state["created"], state["queued"], state["claimed"],
            folder.recipe_file.read_text(encoding="utf-8"), json.dumps(state, ensure_ascii=False),
        ),
    )  # fmt: skip
