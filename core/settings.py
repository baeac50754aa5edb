"""What the teacher decides for this server: who may watch, how much each may take, how many train at once.

``settings.json`` below the home, read by the web process and by the supervisor; what is missing or wrong in it
counts as the default.
"""

import dataclasses
import json
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from core import events
from core.errors import UserError
from core.files import write_atomically
from core.home import atlas_home
from core.machine import usual_trainers
from core.people import Person

BOUNDS = {
    "queued": (1, 100),
    "pictures": (0, 200_000),
    "megabytes": (10, 100_000),
    "minutes": (1, 1440),
    "disk_gigabytes": (1, 10_000),
    "trainers": (1, 16),
}


@dataclass(frozen=True)
class Settings:
    """Caps are for one person where nothing else is said."""

    watch: bool = True  # whether everybody sees everybody's runs
    queued: int = 20  # runs that wait
    pictures: int = 20_000  # uploaded
    megabytes: int = 2_000  # of runs and uploaded pictures
    minutes: int = 240  # that one run trains
    disk_gigabytes: int = 20  # of everybody's runs and pictures together
    trainers: int = field(default_factory=usual_trainers)  # runs in training at once, for the server


def load() -> Settings:
    """The settings in force. ``ATLAS_TRAINERS`` takes precedence, for a server that is set up by its environment."""
    found = _read(*_stamp())
    trainers = os.environ.get("ATLAS_TRAINERS", "")
    return dataclasses.replace(found, trainers=max(1, int(trainers))) if trainers.isdecimal() else found


def save(settings: Settings, by: Person) -> None:
    """Put settings in force. Raises `UserError` unless the teacher does it and every number is within its bounds."""
    if not by.teacher:
        raise UserError("Only the teacher can change the settings.")
    for name, (low, high) in BOUNDS.items():
        if not low <= getattr(settings, name) <= high:
            raise UserError("{field} must be from {low} to {high}.", field=name, low=low, high=high)
    changed = {k: v for k, v in dataclasses.asdict(settings).items() if v != getattr(load(), k)}
    write_atomically(_file(), json.dumps(dataclasses.asdict(settings), indent=1).encode())
    events.note("settings-changed", owner=by.id, **changed)


def _file() -> Path:
    return atlas_home() / "settings.json"


def _stamp() -> tuple[Path, int]:
    file = _file()
    return file, file.stat().st_mtime_ns if file.exists() else 0


@lru_cache(maxsize=2)
def _read(file: Path, changed: int) -> Settings:
    try:
        found = json.loads(file.read_bytes()) if changed else {}
    except (OSError, ValueError):
        found = {}
    if not isinstance(found, dict):
        return Settings()
    return Settings(**{k: v for k, v in found.items() if _fits(k, v)})


def _fits(name: str, value: Any) -> bool:
    if name == "watch":
        return isinstance(value, bool)
    low, high = BOUNDS.get(name, (1, 0))
    return type(value) is int and low <= value <= high
