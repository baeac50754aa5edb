"""A little fuzzing of everything that reads what a person gives, and all that ever failed there."""

import sys

import pytest

from tests.fuzz.__main__ import by_hypothesis
from tests.fuzz.targets import TARGETS, checked, seeds

SECONDS = 2.0


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_unexpected_within_seconds(name: str) -> None:
    """``python -m tests.fuzz`` does the same for minutes."""
    tried, failed = by_hypothesis(name, SECONDS)
    assert failed is None, (name, failed)
    assert tried >= 100


@pytest.mark.parametrize("name", TARGETS)
def test_the_inputs_to_begin_with_and_what_once_failed_pass(name: str) -> None:
    assert len(seeds(name)) >= 2
    for data in seeds(name):
        checked(TARGETS[name], data)


def test_a_failure_is_found_and_kept_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the tests above would prove nothing."""
    monkeypatch.setitem(TARGETS, "tokenizer", lambda data: sys.exit("bad") if b"o" in data else None)
    _tried, failed = by_hypothesis("tokenizer", 20.0)
    assert failed is not None
    assert b"o" in failed
