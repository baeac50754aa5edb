"""Carry out a run in its folder: the worker of the queue and the command line both do it here."""

import os
import time
from collections.abc import Callable, Iterator

import torch

from core import tasks
from core.device import choose_device, device_name, prepare, versions
from core.errors import UserError
from core.files import write_atomically
from core.language.recipe import LanguageRecipe
from core.machine import give_back_freed_memory
from core.runs.checkpoints import Checkpoints
from core.runs.disk import check_room
from core.runs.folder import RunFolder
from core.training.loop import Event, Trainer
from core.training.task import Task
from core.training.weights import NOT_OURS, read_state, weights_bytes

CHECKPOINT_EVERY_S = float(os.environ.get("ATLAS_CHECKPOINT_EVERY", "10"))


def execute(folder: RunFolder, pulse: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Train the recipe of a folder, from its checkpoint if it has one, and yield the events as they are written.

    `pulse` is called at every step; when it answers True the run is saved and stops. Raises `UserError`.
    """
    started = time.time()
    recipe = folder.recipe()
    device = choose_device(recipe.device)
    prepare(device)
    if not folder.checkpoint_file.exists():
        folder.truncate_events(0)
    yield _preparing(folder, "data", 0.0)
    if isinstance(recipe, LanguageRecipe):
        yield from _live(folder, recipe, device, pulse, started)
        return
    said: list[Event] = []
    task = tasks.build_task(recipe, device, lambda what, share: said.append(_preparing(folder, what, share)))
    yield from said
    give_back_freed_memory()  # half a gigabyte, after pictures that were drawn
    trainer = Trainer(task, recipe, device, pulse)
    if _resume(folder, trainer):
        yield _written(folder, {"event": "resumed", "step": trainer.step, "time": started})
    else:
        yield _written(folder, _started(task, trainer, device, started))
    due = time.monotonic() + CHECKPOINT_EVERY_S
    with Checkpoints(folder) as checkpoints:
        for event in trainer.events():
            if event["event"] == "finished":
                checkpoints.wait()  # or it would come after it was removed
                yield _finished(folder, task, _started(task, trainer, device, started) | event)
                return
            yield _written(folder, event)
            now = time.monotonic()
            if event["event"] == "stopped" or now > due:
                checkpoints.save(trainer)
                saved = time.monotonic()
                due = saved + pause_after(saved - now)
        checkpoints.wait()


def pause_after(seconds: float) -> float:
    """How long to train until the next checkpoint, when the last one took so many seconds: at least as long as is set,
    and so long that they take a hundredth of the time, but not six times what is set: that much may be lost."""
    return max(CHECKPOINT_EVERY_S, min(100 * seconds, 6 * CHECKPOINT_EVERY_S))


def _live(
    folder: RunFolder, recipe: LanguageRecipe, device: torch.device, pulse: Callable[[], bool], started: float
) -> Iterator[Event]:
    """A language model's life: many short trainings. What it keeps is kept after each node, not at every step."""
    from core.language.task import LanguageLife  # noqa: PLC0415  pictures do without it

    birth = {
        "event": "resumed" if folder.life_file.exists() else "started", "device": device.type,
        "device_name": device_name(device), "threads": torch.get_num_threads(), "seed": recipe.seed,
        "versions": versions(), "time": started,
    }  # fmt: skip
    folder.truncate_events(0)  # what is known is told again
    yield _written(folder, birth)
    since = RunFolder(folder.path.parent / recipe.since) if recipe.since else None
    life = LanguageLife(recipe, device, pulse, folder, since)
    for event in life.events():
        if event["event"] == "finished":
            facts = life.metadata() | {"result": event}
            write_atomically(folder.weights_file, weights_bytes(life.model, facts))
        yield _written(folder, event)


def _written(folder: RunFolder, event: Event) -> Event:
    folder.append_event(event)
    return event


def _preparing(folder: RunFolder, what: str, share: float) -> Event:
    return _written(folder, {"event": "preparing", "what": what, "share": share})


def _started(task: Task, trainer: Trainer, device: torch.device, started: float) -> Event:
    """The birth certificate of every figure of this run."""
    facts = {k: v for k, v in task.metadata().items() if k not in ("recipe", "task", "tokenizer")}
    return {
        "event": "started",
        **facts,
        "device": device.type,
        "device_name": device_name(device),
        "threads": torch.get_num_threads(),
        "steps": trainer.steps,
        "epochs": trainer.recipe.epochs,
        "seed": trainer.recipe.seed,
        "versions": versions(),
        "time": started,
    }


def _finished(folder: RunFolder, task: Task, event: Event) -> Event:
    """Keep what a run came to. Its checkpoint goes last: killed before that, the run can still end again."""
    check_room(folder.path, 0)
    task.write_report(folder.path)
    write_atomically(folder.weights_file, weights_bytes(task.model, task.metadata() | {"result": event}))
    folder.append_event(event)
    folder.checkpoint_file.unlink(missing_ok=True)
    return event


def _resume(folder: RunFolder, trainer: Trainer) -> bool:
    """Go on from the checkpoint, if there is one; what was measured after it will be measured again."""
    if not folder.checkpoint_file.exists():
        return False
    try:
        state = read_state(folder.checkpoint_file)
        trainer.load_state_dict(state["trainer"])
    except NOT_OURS as error:
        raise UserError("The checkpoint of this run cannot be read; start the run anew.") from error
    folder.truncate_events(state["events_size"])
    return True
