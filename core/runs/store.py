"""The runs, for the pages: make one, look at it, stop, resume, rename and delete it. Imports no torch.

Whoever asks says who they are (`by`): a run is changed by its owner or the teacher only, and seen by nobody else
either when the teacher wants it so. Knowing a run's id gives no power over it.
"""

import base64
import contextlib
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core import events, people, settings, tasks, teacher
from core.errors import UserError
from core.home import atlas_home
from core.people import NOBODY, Person
from core.runs import client, index, shares
from core.runs.folder import RunFolder
from core.training.recipe import Recipe

LONGEST_NAME = 80  # characters
_SPARE_BYTES = 200 * 2**20  # a run is not begun on a disk with less
_ID = re.compile(r"[a-z2-7]{10}")
_RESUMABLE = ("stopped", "interrupted", "failed")


@dataclass(frozen=True)
class Run:
    """A run as it was when it was read."""

    id: str
    name: str
    state: str  # queued, running, stopping, stopped, finished, failed or interrupted
    recipe: Recipe
    owner: str
    created: float  # this and the next two in epoch seconds
    started: float | None
    ended: float | None
    error: UserError | None
    queue_position: int | None  # 1 is next
    finished_event: dict[str, Any] | None
    folder: RunFolder

    @property
    def active(self) -> bool:
        """Whether something is still going to happen by itself."""
        return self.state in index.ACTIVE

    @property
    def resumable(self) -> bool:
        # An interrupted run that did not get to a checkpoint begins anew: it was not its recipe's fault.
        anew = self.started is None or self.state == "interrupted"
        return self.state in _RESUMABLE and (anew or self.folder.can_go_on)


def submit(recipe: Recipe, owner: str = "") -> str:
    """Queue a run and see to it that somebody is there to train it. The id of the run.

    Raises `UserError` when the disk is nearly full, or the owner or everybody together has taken all they may.
    """
    if shutil.disk_usage(atlas_home()).free < _SPARE_BYTES:
        raise UserError("The disk is nearly full. Delete runs that nobody needs, then try again.")
    _check_source(recipe, Person(owner, teacher.is_signed_in(owner)))
    most = _check_queue(owner)
    shares.check_disk(owner)
    run_id = base64.b32encode(secrets.token_bytes(10))[:10].decode().lower()
    folder = index.folder_of(run_id)
    folder.create(recipe)
    if not index.add(folder, index.new_state(run_id, owner=owner, name=_first_name(recipe)), most):
        shutil.rmtree(folder.path, ignore_errors=True)
        raise _too_many(most)  # another tab was quicker
    client.wake()
    return run_id


def get(run_id: str, by: Person = NOBODY) -> Run:
    """The run of that id. Raises `UserError` when there is none, or none that this person may see."""
    found = index.rows("id = ?", _checked(run_id))
    if not found or not _may_see(found[0], by):
        raise _unknown(run_id)
    places = index.waiting() if found[0]["state"] == "queued" else []
    return _run(found[0], places)


def list_runs(by: Person = NOBODY) -> list[Run]:
    """All runs this person may see, the newest first; without those whose recipe this version cannot read."""
    places = index.waiting()
    runs: list[Run] = []
    for state in index.rows():
        with contextlib.suppress(UserError):
            if _may_see(state, by):
                runs.append(_run(state, places))
    return runs


def read_events(run: Run, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """The events after a byte offset of the metrics, and the offset to go on from.

    A run that is resumed forgets what came after its checkpoint. Then all events are read anew and the new offset
    belongs to the whole list: keep the old events only if ``continues(run, offset)``.
    """
    return run.folder.read_events(offset if continues(run, offset) else 0)


def continues(run: Run, offset: int) -> bool:
    """Whether a line of the metrics still ends at this offset."""
    return run.folder.continues(offset)


def stop(run_id: str, by: Person = NOBODY) -> None:
    """Ask a run to stop: at once when it is queued, at its next step when it is running. Others are left alone."""
    _check_power(run_id, by)
    folder = index.folder_of(run_id)
    if index.change(run_id, {"queued"}, state="stopped", ended=time.time()) is not None:
        return
    if index.change(run_id, {"running"}, state="stopping") is not None:
        folder.ask_to_stop()
        client.wake()
    elif not folder.state_file.exists():
        raise _unknown(run_id)


def resume(run_id: str, by: Person = NOBODY) -> None:
    """Queue a run again to go on from its checkpoint. Raises `UserError` when there is nothing to go on from."""
    _check_power(run_id, by)
    run = get(run_id, by)
    if run.active:
        return
    if not run.resumable:
        raise UserError("This run has no checkpoint to go on from. Train its recipe anew.")
    most = _check_queue(run.owner)
    run.folder.clear_stop()
    changes = {"queued": time.time(), "ended": None, "error": None, "deaths": 0, "saved": None}
    if index.change(run_id, _RESUMABLE, most, state="queued", **changes) is None:
        _check_queue(run.owner)  # another tab was quicker
    client.wake()


def delete(run_id: str, by: Person = NOBODY) -> None:
    """Remove a run and its folder. Raises `UserError` while it is running."""
    _check_power(run_id, by)
    aside = index.remove(run_id, {"queued", "finished", *_RESUMABLE})
    if aside is not None:
        events.note("run-deleted", owner=by.id, run=run_id)
        shutil.rmtree(aside.path, ignore_errors=True)  # the supervisor sweeps up what cannot be removed now
        return
    get(run_id, by)
    raise UserError("This run is still running. Stop it first.")


def rename(run_id: str, name: str, by: Person = NOBODY) -> None:
    """Give a run a name of 1 to `LONGEST_NAME` characters."""
    _check_power(run_id, by)
    name = people.one_line(name)
    if not name or len(name) > LONGEST_NAME:
        raise UserError("A name has between 1 and {maximum} characters.", maximum=LONGEST_NAME)
    every = {*index.ACTIVE, *_RESUMABLE, "finished"}
    if index.change(run_id, every, name=name) is None:
        raise _unknown(run_id)
    events.note("run-renamed", owner=by.id, run=run_id, name=name)


def may_change(run: Run, by: Person) -> bool:
    """Whether this person may stop, resume, rename and delete the run."""
    return by.owns(run.owner)


def _check_source(recipe: Recipe, by: Person) -> None:
    """Raises `UserError` when a run would go on from another that this person may not see. One that was deleted
    is told by who trains."""
    since = getattr(recipe, "since", "")
    if since and not all(_may_see(state, by) for state in index.rows("id = ?", _checked(since))):
        raise _unknown(since)


def _check_queue(owner: str) -> int:
    """How many runs one may have waiting. Raises `UserError` when this owner has so many."""
    most = settings.load().queued
    if len(index.rows("owner = ? AND state = 'queued'", owner)) >= most:
        raise _too_many(most)
    return most


def _too_many(most: int) -> UserError:
    return UserError("You have {count} runs waiting already. Stop one of them first.", count=most)


def _check_power(run_id: str, by: Person) -> None:
    """Raises `UserError` unless the run is this person's to change; one that is not there is told by the caller."""
    for state in index.rows("id = ?", _checked(run_id)):
        if not _may_see(state, by):
            raise _unknown(run_id)
        if not by.owns(state["owner"]):
            raise UserError("This run belongs to somebody else. Only they and the teacher can change it.")


def _may_see(state: dict[str, Any], by: Person) -> bool:
    """Programs of this machine see everything: who asks them for it has been looked at by then."""
    return by == NOBODY or settings.load().watch or by.owns(state["owner"])


def _run(state: dict[str, Any], places: list[str]) -> Run:
    run_id = state["id"]
    if state["state"] in index.ACTIVE:
        client.look_after()
    return Run(
        id=run_id,
        name=state["name"],
        state=state["state"],
        recipe=_recipe(state["recipe"]),
        owner=state["owner"],
        created=state["created"],
        started=state["started"],
        ended=state["ended"],
        error=UserError.from_json(state["error"]) if state["error"] else None,
        queue_position=places.index(run_id) + 1 if run_id in places else None,
        finished_event=state["finished"],
        folder=RunFolder(state["folder"]),
    )


@lru_cache(maxsize=2000)
def _recipe(text: str) -> Recipe:
    """Recipes never change, and checking one takes longer than finding it."""
    return tasks.recipe_from_json(text)


def _checked(run_id: str) -> str:
    """The id, once it is sure to be one: it becomes the name of a folder."""
    if not isinstance(run_id, str) or not _ID.fullmatch(run_id):
        raise _unknown(run_id)
    return run_id


def _unknown(run_id: object) -> UserError:
    return UserError("There is no run named “{name}”.", name=str(run_id)[:40])


def _first_name(recipe: Recipe) -> str:
    values = recipe.to_mapping()
    parts = [str(values[field]) for field in ("model", "dataset", "source", "tokens") if field in values]
    return " · ".join(parts)[:LONGEST_NAME] or recipe.task
