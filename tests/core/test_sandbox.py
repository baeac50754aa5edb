"""The sandbox runs our constants and shows what really happened."""

import os
import subprocess
import sys
import time

import pytest

from core.sandbox import OUTPUT_BYTES, run_snippet

posix = pytest.mark.skipif(sys.platform == "win32", reason="no resource limits and process groups on Windows")


def test_output_and_success():
    result = run_snippet("print('交叉熵')")
    assert result["stdout"].strip() == "交叉熵"
    assert (result["error"], result["exit_code"], result["stderr"]) == (None, 0, "")
    assert 0 < result["seconds"] < 20


def test_the_real_error_is_shown_with_its_line():
    result = run_snippet("x = 1\nF.relu(x)\n")
    assert result["error"] == "NameError: name 'F' is not defined"
    assert result["exit_code"] == 1
    assert "line 2" in result["stderr"]
    assert "F.relu(x)" in result["stderr"]
    assert "exec(compile" not in result["stderr"], "our own frame must not show"


def test_a_syntax_error_is_an_error_too():
    assert (run_snippet("def f(:\n")["error"] or "").startswith("SyntaxError")


def test_an_exit_code_passes_through():
    assert run_snippet("import sys; sys.exit(7)")["exit_code"] == 7


def test_nothing_of_ours_leaks_in(monkeypatch):
    monkeypatch.setenv("ATLAS_SECRET", "swordfish")
    shown = "os.listdir('.'), sys.argv, 'ATLAS_SECRET' in os.environ, sys.flags.isolated"
    code = f"import os, sys; print({shown})"
    assert run_snippet(code)["stdout"].strip() == "[] ['-c'] False 1"


@posix
def test_time_out_kills_the_whole_group():
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    began = time.monotonic()
    result = run_snippet(code, timeout=2)
    assert time.monotonic() - began < 10
    assert result["error"] == "TimeoutError: stopped after 2 seconds"
    assert result["exit_code"] < 0
    assert not _alive(int(result["stdout"]))


def _alive(pid: int) -> bool:
    """Whether the process still runs; one that ended and waits to be reaped does not."""
    for _ in range(50):
        command = ["ps", "-o", "stat=", "-p", str(pid)]
        state = subprocess.run(command, capture_output=True, text=True, check=False)
        if not state.stdout.strip() or state.stdout.startswith("Z"):
            return False
        time.sleep(0.1)
    return True


@posix
def test_memory_is_limited():
    assert "MemoryError" in (run_snippet("b'x' * (5 * 1024**3)")["error"] or "")


@posix
def test_endless_output_ends_and_is_cut():
    result = run_snippet("while True: print('x' * 1000)")
    assert len(result["stdout"]) == OUTPUT_BYTES
    assert "File too large" in (result["error"] or "")


def test_no_folder_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run_snippet("open('left', 'w').write('x')")
    assert os.listdir(tmp_path) == []
