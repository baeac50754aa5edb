"""What all tests share."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from core.machine import wait_without_spinning
from core.runs import client

wait_without_spinning()  # before any test imports torch

# A loaded machine is slow, and that is no failure of what is tested.
hypothesis.settings.register_profile(
    "atlas", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("atlas")



@pytest.fixture(autouse=True)
def exact_numbers() -> Iterator[None]:
    """A training in the tests' own process lets it flush the smallest numbers to zero; the next test has them again."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


# Tests of the queue make the worker carry out runs with a torch-free stand-in that lives beside them.
STAND_INS = Path(__file__).parent / "core"


@pytest.fixture(scope="session")
def atlas_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of its own for the test session; the supervisor that tests start in it ends with the session."""
    yield from _home(tmp_path_factory.mktemp("home"), {})


@pytest.fixture(scope="module")
def quiet_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose runs are carried out by `stand_in_executor.execute`: tests of the queue need no training."""
    settings = {
        "ATLAS_EXECUTOR": "stand_in_executor:execute",
        "ATLAS_PRELOAD": "numpy",
        "ATLAS_TRAINERS": "1",  # or there would be no queue to look at
        "PYTHONPATH": os.pathsep.join([str(STAND_INS.parents[1]), str(STAND_INS)]),  # this checkout, then those
    }
    yield from _home(tmp_path_factory.mktemp("quiet"), settings)


@pytest.fixture
def nobody_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is queued stays so: neither who queues it nor who looks at it starts a supervisor.

    One who looks does not wait for it: it would be started during the tests that come next, in their homes or the
    user's own.
    """
    for start in ("wake", "look_after"):
        monkeypatch.setattr(client, start, lambda: None)


def _home(folder: Path, settings: dict[str, str]) -> Iterator[Path]:
    changed = {"ATLAS_HOME": str(folder), "ATLAS_IDLE_EXIT": "120", **settings}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield folder
        client.shutdown()
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
