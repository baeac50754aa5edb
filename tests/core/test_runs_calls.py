"""Calls into warm processes, and the bounds they run in."""

import concurrent.futures
import os
import signal
import socket
import sys
import time
from multiprocessing import AuthenticationError
from pathlib import Path

import numpy as np
import psutil
import pytest

from core.errors import UserError
from core.runs import client, endpoint
from core.runs.endpoint import address

pytestmark = pytest.mark.usefixtures("quiet_home")


def test_values_survive_the_way() -> None:
    value = {"a": [1, 2.5, "Ü"], "b": b"\0" * 3, "c": np.arange(6, dtype=np.float32).reshape(2, 3)}
    back = client.call("core.runs.probe:echo", pool="decode", value=value)
    assert back["a"] == value["a"]
    assert back["b"] == value["b"]
    np.testing.assert_array_equal(back["c"], value["c"])


def test_threads_of_a_process_sleep_while_they_wait() -> None:
    assert client.call("core.runs.probe:about")["threads wait"] == "PASSIVE"


def test_a_large_upload_arrives_whole() -> None:
    data = os.urandom(2**20) * 64
    assert client.call("core.runs.probe:echo", pool="decode", value=data) == data


def test_a_supervisor_that_took_over_meanwhile_is_greeted_with_its_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    client.ensure_supervisor()
    now = endpoint._key()
    looks = iter([b"of the supervisor before"])
    monkeypatch.setattr(endpoint, "_key", lambda: next(looks, now))
    assert client.ping() is not None


def test_a_stranger_at_the_address_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    client.ensure_supervisor()
    monkeypatch.setattr(endpoint, "_key", lambda: b"of somebody else")
    with pytest.raises(AuthenticationError):
        endpoint.connect()


def test_an_error_of_the_person_comes_back_as_it_was() -> None:
    with pytest.raises(UserError) as caught:
        client.call("core.runs.probe:refuse", pool="decode", name="a.png")
    assert caught.value.message == "The picture {name} cannot be read."
    assert caught.value.values == {"name": "a.png"}


def test_a_mistake_of_ours_is_told_from_it() -> None:
    with pytest.raises(client.RemoteError, match="a mistake of ours"):
        client.call("core.runs.probe:stumble", pool="decode")
    assert client.call("core.runs.probe:echo", pool="decode", value=1) == 1


@pytest.mark.parametrize(
    "name", ["os:system", "core.runs.warm:_packed", "core.home:os.system", "core", "core.nothing:x"]
)
def test_only_public_functions_of_core_are_called(name: str) -> None:
    with pytest.raises(client.RemoteError, match=r"LookupError|ModuleNotFoundError"):
        client.call(name, pool="decode")


def test_a_call_that_takes_too_long_is_stopped_and_its_process_replaced() -> None:
    client.call("core.runs.probe:echo", pool="decode", value=0)  # what a first process takes to start is another matter
    before = time.monotonic()
    with pytest.raises(UserError, match=r"longer than 0\.3 seconds"):
        client.call("core.runs.probe:sleep", pool="decode", timeout=0.3, seconds=60)
    assert time.monotonic() - before < 3
    assert client.call("core.runs.probe:echo", pool="decode", value=1) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the address space")
def test_a_call_that_wants_too_much_memory_at_once_gets_none() -> None:
    with pytest.raises(UserError, match="more memory than is allowed"):
        client.call("core.runs.probe:allocate", pool="decode", mebibytes=900)
    assert client.call("core.runs.probe:allocate", pool="decode", mebibytes=300) == 300 * 2**20


def test_a_call_that_hoards_memory_is_stopped() -> None:
    with pytest.raises(UserError, match="more memory than is allowed"):
        client.call("core.runs.probe:hoard", pool="decode", mebibytes=2000)


def test_a_call_that_crashes_is_told_and_its_process_replaced() -> None:
    for _ in range(3):  # more than the pool has processes
        with pytest.raises(UserError, match="ended while it worked"):
            client.call("core.runs.probe:die", pool="decode")
    assert client.call("core.runs.probe:echo", pool="decode", value=1) == 1


def test_more_calls_than_processes_wait_their_turn() -> None:
    with concurrent.futures.ThreadPoolExecutor(12) as threads:
        calls = [threads.submit(client.call, "core.runs.probe:echo", pool="decode", value=i) for i in range(60)]
        assert [c.result() for c in calls] == list(range(60))


@pytest.mark.skipif(sys.platform == "win32", reason="speaks to a Unix socket")
def test_archives_hold_up_nobody_who_wants_a_single_picture() -> None:
    for _ in range(2):
        client.call("core.runs.probe:echo", pool="import", value=0)  # what a first process takes is another matter
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        slow = [threads.submit(client.call, "core.runs.probe:sleep", pool="import", seconds=3) for _ in range(4)]
        begun = time.monotonic()
        assert client.call("core.runs.probe:echo", pool="decode", value=1) == 1
        assert time.monotonic() - begun < 2
        assert not any(one.done() for one in slow)
        assert [one.result() for one in slow] == [None] * 4


@pytest.mark.skipif(not hasattr(os, "nice"), reason="no such priorities")
def test_archives_give_way_to_pages() -> None:
    mine = os.nice(0)
    assert [client.call("core.runs.probe:about", pool=pool)["niceness"] for pool in ("decode", "import")] == [
        mine, min(mine + 5, 19)
    ]  # fmt: skip


def test_bad_clients_harm_nobody() -> None:
    silent = socket.socket(socket.AF_UNIX)
    silent.connect(address())
    rude = socket.socket(socket.AF_UNIX)
    rude.connect(address())
    rude.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
    rude.close()
    try:
        assert client.call("core.runs.probe:echo", pool="decode", value=1) == 1
    finally:
        silent.close()


@pytest.mark.skipif(sys.platform == "win32", reason="modes of Unix")
def test_only_this_user_reaches_the_supervisor(quiet_home: Path) -> None:
    assert (quiet_home / "supervisor").stat().st_mode & 0o077 == 0
    assert (quiet_home / "supervisor" / "key").stat().st_mode & 0o077 == 0


def test_a_wrong_key_opens_nothing(quiet_home: Path) -> None:
    key = quiet_home / "supervisor" / "key"
    right = key.read_bytes()
    key.write_bytes(b"wrong" * 8)
    try:
        with pytest.raises(UserError, match="could not be started"):
            client.call("core.runs.probe:echo", pool="decode", value=1)
    finally:
        key.write_bytes(right)


def test_many_starters_make_one_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))
    try:
        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: client.ensure_supervisor(), range(8)))
        mine = [p for p in psutil.process_iter() if _serves(p, tmp_path)]
        assert len(mine) == 1
    finally:
        client.shutdown()
    assert not _serves(mine[0], tmp_path)


def test_one_that_is_too_slow_to_answer_is_taken_note_of_when_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))
    monkeypatch.setattr(client, "START_S", 0.0)
    with pytest.raises(UserError, match="could not be started"):
        client.ensure_supervisor()

    def started() -> list[psutil.Process]:
        return [child for child in psutil.Process().children() if _serves(child, tmp_path)]

    _eventually(started)  # for a moment a new process has no command line yet
    (slow,) = started()
    slow.terminate()
    _eventually(lambda: not psutil.pid_exists(slow.pid))  # the system forgets it once somebody has taken note


def test_a_very_long_home_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path / ("long" * 30)))
    try:
        client.ensure_supervisor()
        assert client.ping() is not None
    finally:
        client.shutdown()


def test_it_ends_when_nobody_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))
    monkeypatch.setenv("ATLAS_IDLE_EXIT", "0.5")
    client.ensure_supervisor()
    state = client.ping()
    assert state is not None
    _eventually(lambda: not _alive(state["pid"]))


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_a_killed_supervisor_takes_its_warm_processes_along_and_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))
    try:
        client.ensure_supervisor()
        warm = client.call("core.runs.probe:about", pool="decode")["pid"]
        state = client.ping()
        assert state is not None
        os.kill(state["pid"], signal.SIGKILL)
        _eventually(lambda: not _alive(warm))
        assert client.call("core.runs.probe:echo", pool="decode", value=1) == 1
    finally:
        client.shutdown()


def test_a_supervisor_with_older_code_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))
    try:
        client.ensure_supervisor()
        old = client.ping()
        assert old is not None
        newer = old["code_time"] + 1
        monkeypatch.setattr(client, "code_time", lambda: newer)
        client.ensure_supervisor()
        new = client.ping()
        assert new is not None
        assert new["pid"] != old["pid"]
    finally:
        client.shutdown()


def _serves(process: psutil.Process, home: Path) -> bool:
    try:
        return "core.runs.supervisor" in process.cmdline() and process.environ().get("ATLAS_HOME") == str(home)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _eventually(true: object, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)
