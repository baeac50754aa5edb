"""A home for a bench alone, with nobody else's runs in it."""

import contextlib
import os
import tempfile
from collections.abc import Iterator

from core.runs import client


@contextlib.contextmanager
def home_of_its_own(**environment: str) -> Iterator[None]:
    """A warm supervisor of a fresh home, ended at the end."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(environment, ATLAS_HOME=home)
        try:
            client.ensure_supervisor()
            client.call("core.runs.probe:about", timeout=120)
            yield
        finally:
            client.shutdown()
            os.environ.clear()
            os.environ.update(before)
