"""A run's events, read once for everybody who watches it."""

import itertools
import time
from pathlib import Path
from typing import Any

import pytest

from core.runs import progress as module
from core.runs.folder import RunFolder
from core.runs.progress import MOST_STEPS, progress


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def write(folder: RunFolder, *events: dict[str, Any]) -> None:
    for event in events:
        folder.append_event(event)


def step(number: int) -> dict[str, Any]:
    return {"event": "step", "step": number}


def test_a_short_run_is_shown_whole(folder: RunFolder) -> None:
    assert progress(folder, active=False).events == ()
    events = [{"event": "started"}, *map(step, range(100)), {"event": "epoch", "epoch": 1}, step(100)]
    write(folder, *events)
    assert list(progress(folder, active=False).events) == events


def test_it_is_the_same_object_until_there_is_news_and_looks_twice_a_second(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, step(1))
    first = progress(folder)
    write(folder, step(2))
    assert progress(folder) is first
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    second = progress(folder)
    assert [event["step"] for event in second.events] == [1, 2]
    assert progress(folder) is second


def test_an_ended_run_is_read_to_its_end(folder: RunFolder) -> None:
    write(folder, step(1))
    progress(folder)
    write(folder, {"event": "finished"})
    assert progress(folder, active=False).events[-1] == {"event": "finished"}


def test_of_a_long_run_an_even_choice_is_kept_in_order_and_the_last_step_always(folder: RunFolder) -> None:
    total = 20 * MOST_STEPS + 7
    for number in range(total):
        write(folder, step(number))
        if number % 1000 == 999:
            write(folder, {"event": "epoch", "epoch": number // 1000})
            progress(folder, active=False)
    write(folder, {"event": "stopped"})
    events = progress(folder, active=False).events
    steps = [event["step"] for event in events if event["event"] == "step"]
    assert MOST_STEPS / 2 <= len(steps) <= MOST_STEPS + 1
    assert steps == sorted(steps)
    assert steps[0] == 0
    assert steps[-1] == total - 1
    assert len({later - earlier for earlier, later in itertools.pairwise(steps[:-1])}) == 1
    assert [event["epoch"] for event in events if event["event"] == "epoch"] == list(range(total // 1000))
    assert events[-1] == {"event": "stopped"}
    assert events[-2] == step(total - 1)


def test_of_the_preparation_only_the_last_word_is_kept(folder: RunFolder) -> None:
    write(folder, *({"event": "preparing", "share": share / 10} for share in range(10)))
    assert progress(folder, active=False).events == ({"event": "preparing", "share": 0.9},)
    write(folder, {"event": "started"})
    assert progress(folder, active=False).events == ({"event": "started"},)


def test_what_a_resumed_run_forgets_is_forgotten_here(folder: RunFolder) -> None:
    write(folder, *map(step, range(10)))
    size = folder.events_size()
    write(folder, *map(step, range(10, 20)))
    assert len(progress(folder, active=False).events) == 20
    folder.truncate_events(size)
    write(folder, {"event": "resumed", "step": 10})
    events = progress(folder, active=False).events
    assert [event.get("step") for event in events] == [*range(10), 10]
    folder.metrics_file.unlink()
    assert progress(folder, active=False).events == ()


def test_a_poll_of_a_long_run_is_cheap(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.metrics_file.write_text('{"event": "step", "step": 1, "loss": 0.5}\n' * 50_000)
    progress(folder, active=False)
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    began = time.process_time()
    for _ in range(50):
        write(folder, step(2))
        progress(folder)
    assert (time.process_time() - began) / 50 < 0.02  # 0.0005 s on a quiet machine; all lines anew take 0.2 s
