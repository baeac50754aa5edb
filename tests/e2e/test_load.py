"""A class at once, in small; ``python -m tests.bench.load`` does it with fifty sessions for ten minutes."""

import gc
import tomllib
from pathlib import Path

import pytest

from tests.bench import load

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    return load.measured(sessions=10, seconds=30)


def test_nobody_sees_an_error_and_everybody_is_kept_up_to_date(found: dict[str, object]) -> None:
    assert found["errors"] == []
    assert found["updates"] >= 8 * 30 * 0.3  # of one a second; less on a machine that is busy with other things
    assert found["slides"] >= 6
    assert found["pictures_per_second"] > 0


def test_the_server_stays_small_and_does_not_grow(found: dict[str, object]) -> None:
    over_time = found["memory_mb_over_time"]
    assert isinstance(over_time, list)
    assert max(over_time) <= 400
    assert over_time[-1] - over_time[0] <= 20


def test_no_rerun_ends_with_a_full_garbage_collection() -> None:
    """A hidden option of Streamlit's, on by default: 50 sessions that poll wait 3.5 s then, 11 ms without it."""
    from streamlit import config

    with (ROOT / ".streamlit" / "config.toml").open("rb") as file:
        assert tomllib.load(file)["runner"]["postScriptGC"] is False
    assert "runner.postScriptGC" in config._config_options_template, "renamed: look for what it is called now"
    runner = Path(config.__file__).parent / "runtime" / "scriptrunner" / "script_runner.py"
    source = runner.read_text(encoding="utf-8")
    assert 'if config.get_option("runner.postScriptGC"):' in source
    assert gc.isenabled()  # the ordinary collections remain
