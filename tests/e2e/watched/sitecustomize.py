"""Python runs this first wherever this folder is on ``PYTHONPATH``: each process writes down whom it speaks to.

One JSON line in the file ``ATLAS_WATCHED`` for its birth, by start or by fork, and one for each address that it
connects to, sends to or asks the way to. `tests.e2e.watching` reads them.
"""

import json
import os
import sys

FILE = os.environ.get("ATLAS_WATCHED", "")
TO_SOMEBODY = ("socket.connect", "socket.sendto", "socket.sendmsg")  # their arguments: the socket, the address
LOOKED_UP = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")


def note(event: str, **facts: object) -> None:
    line = json.dumps({"pid": os.getpid(), "event": event, **facts}) + "\n"
    fd = os.open(FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(fd, line.encode())  # at once: many processes write here
    finally:
        os.close(fd)


def heard(event: str, values: tuple) -> None:
    if event in TO_SOMEBODY and values[1] is not None:
        note(event, family=int(values[0].family), address=_plain(values[1]))
    elif event in LOOKED_UP:
        note(event, address=_plain(values[0]))


def _plain(address: object) -> object:
    """As JSON knows it: a path or a name, or a list that begins with the host."""
    if isinstance(address, bytes):
        return address.decode(errors="replace")
    return [_plain(part) for part in address] if isinstance(address, tuple) else address


if FILE:
    note("born", command=sys.orig_argv[:6])
    os.register_at_fork(after_in_child=lambda: note("born", command=["fork"]))
    sys.addaudithook(heard)
