"""Whom the processes of the app have spoken to, by what `tests.e2e.watched` has written down."""

import ipaddress
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WATCHED = Path(__file__).parent / "watched"


@dataclass(frozen=True)
class Heard:
    """All that was written down."""

    born: frozenset[int]  # processes that were listened to
    outside: list[dict[str, Any]]  # what went, or was to go, beyond this machine
    inside: int  # how much stayed on it


def environment(file: Path) -> dict[str, str]:
    """What a process is given so that it and all it starts are listened to."""
    path = [str(WATCHED), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"ATLAS_WATCHED": str(file), "PYTHONPATH": os.pathsep.join(path)}


def heard(file: Path) -> Heard:
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    calls = [line for line in lines if line["event"] != "born"]
    outside = [call for call in calls if not _is_here(call)]
    return Heard(frozenset(line["pid"] for line in lines), outside, len(calls) - len(outside))


def _is_here(call: dict[str, Any]) -> bool:
    """A socket in the file system, or an address of this machine alone; a name would have to be asked for."""
    if call.get("family") not in (None, socket.AF_INET, socket.AF_INET6):
        return True  # a file, or the kernel
    address = call["address"]
    host = address[0] if isinstance(address, list) else address
    if host in (None, "", "localhost"):
        return True
    try:
        place = ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return place.is_loopback or place.is_unspecified
