"""Files that were made to hurt, by the way that uploads and checkpoints take."""

import contextlib
import io
import json
import pickle
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from core.errors import UserError
from core.runs import client
from core.runs.execute import execute
from core.runs.folder import RunFolder
from core.training.weights import read_state, state_parts
from core.vision.network import load_network
from core.vision.recipe import PictureRecipe
from tests.corpus import Case, all_cases

CASES = all_cases()


@pytest.fixture(scope="module")
def judged() -> dict[str, dict[str, Any]]:
    """Every file through the code of the decoding worker, in a process of its own that is watched."""
    if sys.platform == "win32":
        pytest.skip("no getrusage and no fork on Windows")
    command = [sys.executable, "-W", "ignore", "-m", "tests.corpus", "--json"]
    done = subprocess.run(command, capture_output=True, check=True)
    return {one["name"]: one for one in json.loads(done.stdout)}


def test_there_are_enough_and_no_two_are_called_the_same() -> None:
    assert len(CASES) >= 160
    assert len({case.name for case in CASES}) == len(CASES)
    assert sum(case.refused is not None for case in CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case.name)[1:41])
def test_each_gets_its_answer_within_bounds_and_does_no_more(case: Case, judged: dict[str, dict[str, Any]]) -> None:
    one = judged[case.name]
    assert one["wrong"] == [], one


@pytest.mark.usefixtures("quiet_home")
def test_the_real_worker_gives_the_same_answers_and_survives_them_all() -> None:
    client.ensure_supervisor()
    for case in CASES:
        data = case.make()
        arguments: dict[str, Any] = {"text": data.decode()} if case.function.endswith("json") else {"data": data}
        expected = contextlib.nullcontext() if case.refused is None else pytest.raises(UserError, match=case.refused)
        with expected:
            client.call(case.function, pool="decode", timeout=20.0, **arguments)
    assert client.call("core.runs.probe:echo", pool="decode", value=1) == 1


class Evil:
    """Unpickling it makes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.file,))


def _zip_of(data: bytes) -> bytes:
    """As torch packs a pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/version", "3")
    return buffer.getvalue()


def hostile_weights(trap: Path) -> dict[str, bytes]:
    evil = pickle.dumps({"trainer": Evil(trap)})
    described = {"__metadata__": {"atlas": json.dumps({"state": {"dict": [["trainer", {"tensor": 7}]]}})}}
    header = json.dumps(described).encode()
    claimed = json.dumps({"0": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
    good = b"".join(state_parts({"trainer": {"step": 1}}))
    return {
        "pickle": evil,
        "zip of a pickle": _zip_of(evil),
        "zip bomb": _zip_of(bytes(300_000_000)),
        "nothing": b"",
        "eight bytes": bytes(8),
        "header of 60 MB": (60_000_000).to_bytes(8, "little") + b"{" + b" " * 60_000_000,
        "header longer than the file": (2**63).to_bytes(8, "little") + b"{}",
        "no JSON": (9).to_bytes(8, "little") + b"not json!",
        "deep JSON": (500_000).to_bytes(8, "little") + b"[" * 500_000,
        "no description": safetensors.torch.save({"a": torch.zeros(2)}),
        "tensor that is not there": len(header).to_bytes(8, "little") + header,
        "four terabytes": len(claimed).to_bytes(8, "little") + claimed,
        "cut": good[:-20],
        "another state": b"".join(state_parts({"trainer": {"step": "three"}})),
    }


@pytest.mark.parametrize("name", hostile_weights(Path("unused")))
def test_a_checkpoint_or_weights_of_somebody_else_run_nothing_and_get_a_sentence(name: str, tmp_path: Path) -> None:
    trap = tmp_path / "executed"
    data = hostile_weights(trap)[name]
    folder = RunFolder(tmp_path / "run")
    folder.create(PictureRecipe.preset("quick-look", epochs=1, train_limit=320, device="cpu"))
    folder.checkpoint_file.write_bytes(data)
    folder.weights_file.write_bytes(data)
    began = time.process_time()
    with pytest.raises(UserError, match="cannot be read"):
        load_network(folder.weights_file)
    assert time.process_time() - began < 2
    with pytest.raises(UserError, match="checkpoint of this run cannot be read"):
        list(execute(folder))
    assert not trap.exists()


def test_the_trap_snaps_where_pickles_are_loaded(tmp_path: Path) -> None:
    """Or the test above would prove nothing."""
    pickle.loads(pickle.dumps(Evil(tmp_path / "executed")))
    assert (tmp_path / "executed").exists()


def test_a_state_comes_back_bit_for_bit(tmp_path: Path) -> None:
    pictures = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    whole = torch.arange(6.0)
    state = {
        "numbers": [1, 2.5, float("inf"), -0.0, 1e-320, None, True, "Ü"],
        "pair": (0.9, 0.999),
        "by number": {0: {"step": torch.tensor(3.0)}, 1: whole[:3], 2: whole},
        "pictures": pictures,
        "empty": torch.empty(0, dtype=torch.int64),
        "random": torch.get_rng_state(),
    }
    file = tmp_path / "state"
    file.write_bytes(b"".join(state_parts(state)))
    back = read_state(file)
    assert back["numbers"] == state["numbers"]
    assert str(back["numbers"][3]) == "-0.0"
    assert back["pair"] == state["pair"]
    assert list(back["by number"]) == [0, 1, 2]
    assert torch.equal(back["by number"][1], whole[:3])
    assert torch.equal(back["pictures"], pictures)
    assert back["pictures"].is_contiguous(memory_format=torch.channels_last)
    assert back["empty"].shape == (0,)
    assert torch.equal(back["random"], state["random"])  # type: ignore[arg-type]


def test_no_file_of_a_person_is_unpickled() -> None:
    """Pickles cross only between our own processes, which have proved that they hold the key; torch.load reads none."""
    root = Path(__file__).parents[2]
    allowed = {"core/runs/client.py", "core/runs/warm.py", "core/runs/pool.py"}
    for file in [*(root / "core").rglob("*.py"), *(root / "app").rglob("*.py")]:
        text, place = file.read_text(encoding="utf-8"), file.relative_to(root).as_posix()
        assert place in allowed or "pickle.load" not in text, place
        assert "allow_pickle=True" not in text, place
        for place_of in re.finditer(r"(?<!safetensors\.)torch\.load\(", text):
            assert "weights_only=True" in text[place_of.start() : place_of.start() + 200], place


