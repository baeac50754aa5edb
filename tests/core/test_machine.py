"""What is asked of the machine without torch."""

import sys

import psutil
import pytest

from core import machine


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
def test_what_was_freed_is_given_back():
    process = psutil.Process()
    held = [bytearray(8_000) for _ in range(10_000)]
    pins = held[::100]  # the C library cannot give back by itself what lies between things that are still used
    full = process.memory_info().rss
    del held
    machine.give_back_freed_memory()
    assert process.memory_info().rss < full - 40e6
    del pins


def test_where_the_library_cannot_be_told_nothing_happens(monkeypatch):
    def nobody(_name: None) -> None:
        raise OSError

    monkeypatch.setattr(machine.ctypes, "CDLL", nobody)
    assert machine.give_back_freed_memory() is False
