"""Pictures too many for the memory: the same bits from a mapped file as from memory, and a cache that mends itself."""

import itertools
import os
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core import tasks
from core.errors import UserError
from core.home import cache_folder
from core.machine import memory_limit, resident_limit
from core.people import Person
from core.runs import shares
from core.runs.execute import execute
from core.runs.folder import RunFolder
from core.training.loop import Trainer
from core.vision import stored
from core.vision.ahead import Reader
from core.vision.network import load_network
from core.vision.pictures import Pictures
from core.vision.recipe import PictureRecipe
from core.vision.splits import load_dataset
from core.vision.stored import StoredPixels, kept

CPU = torch.device("cpu")
SHAPES = "shapes:count=400,clutter=0"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path / "home"))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path / "home"
    torch.set_num_threads(before)
    torch.set_flush_denormal(False)  # a run set it for its process, which here is everybody's


@pytest.fixture
def mapped(monkeypatch):
    """From now on nothing fits into memory."""

    def switch() -> None:
        monkeypatch.setenv("ATLAS_RESIDENT_MB", "0")

    return switch


def recipe(**changes) -> PictureRecipe:
    return PictureRecipe.preset(
        "quick-look", **{"dataset": SHAPES, "device": "cpu", "epochs": 2, "flip": True, **changes}
    )


def run(path: Path, of: PictureRecipe, stop_at: int | None = None) -> RunFolder:
    folder = RunFolder(path)
    if not folder.recipe_file.exists():
        folder.create(of)
    calls = itertools.count()
    last = list(execute(folder, pulse=lambda: next(calls) == stop_at))[-1]
    assert last["event"] == ("finished" if stop_at is None else "stopped")
    return folder


def same_weights(one: RunFolder, other: RunFolder) -> bool:
    mine, theirs = (load_network(folder.weights_file)[0].state_dict() for folder in (one, other))
    return all(torch.equal(mine[name], theirs[name]) for name in mine)


def counted(start: int, count: int) -> stored.Chunk:
    """Pictures of 2×2 pixels that have one colour each, their number; marked with it, too."""
    numbers = np.arange(start, start + count)
    return np.broadcast_to(numbers[:, None, None, None] % 256, (count, 2, 2, 3)).astype(np.uint8), numbers


def test_batches_from_a_file_are_those_from_memory(mapped):
    of = recipe(crop=2, cutout=3)
    in_memory = tasks.build_task(of, CPU)
    mapped()
    from_file = tasks.build_task(of, CPU)
    assert isinstance(from_file.parts["train"].whole, StoredPixels)
    assert from_file.metadata() == in_memory.metadata()
    assert torch.equal(from_file.model.normalisation.mean, in_memory.model.normalisation.mean)
    assert torch.equal(from_file.model.normalisation.std, in_memory.model.normalisation.std)
    for indices in torch.randperm(in_memory.num_train, generator=torch.Generator().manual_seed(3)).split(64):
        batches = [task.batch(indices, torch.Generator().manual_seed(5)) for task in (in_memory, from_file)]
        assert torch.equal(batches[0][0], batches[1][0])
        assert torch.equal(batches[0][1], batches[1][1])
        assert batches[0][0].stride() == batches[1][0].stride()
    for part in ("train", "validation", "test"):
        assert torch.equal(from_file.parts[part].images, in_memory.parts[part].images)
        assert from_file.evaluate(part) == in_memory.evaluate(part)


def test_a_run_from_a_file_stops_and_resumes_with_the_bits_of_one_from_memory(tmp_path, mapped):
    whole = run(tmp_path / "whole", recipe())
    mapped()
    for stop_at in (1, 4, 3):
        broken = run(tmp_path / "broken", recipe(), stop_at)
    assert same_weights(whole, run(broken.path, recipe()))
    reports = [np.load(folder.path / "report.npz") for folder in (whole, broken)]
    assert all(np.array_equal(reports[0][name], reports[1][name]) for name in reports[0].files)


def test_a_file_that_is_removed_does_no_harm(tmp_path, mapped):
    """A run that has it open goes on; one that is resumed makes it anew."""
    whole = run(tmp_path / "whole", recipe())
    mapped()

    def clear_out() -> bool:
        for file in cache_folder().glob("*.pixels"):
            file.unlink()
        return False

    folder = RunFolder(tmp_path / "removed")
    folder.create(recipe())
    assert list(execute(folder, pulse=clear_out))[-1]["event"] == "finished"
    assert same_weights(whole, folder)
    resumed = run(tmp_path / "resumed", recipe(), stop_at=5)
    clear_out()
    assert same_weights(whole, run(resumed.path, recipe()))


def test_a_run_whose_pictures_and_cache_are_gone_gets_a_sentence(tmp_path, mapped):
    mapped()
    for colour, k in itertools.product(("red", "blue"), range(12)):
        file = tmp_path / "mine" / colour / f"{k}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), colour).save(file)
    of = recipe(dataset=f"folder:{tmp_path / 'mine'}", image_size=16, batch_size=4)
    folder = run(tmp_path / "run", of, stop_at=2)
    assert isinstance(load_dataset(of).train.whole, StoredPixels)
    (tmp_path / "mine").rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="There is no folder"):
        list(execute(folder))
    (tmp_path / "elsewhere").rename(tmp_path / "mine")
    run(folder.path, of)


@pytest.mark.parametrize("can_ask", [stored.CAN_ASK, False])
def test_what_is_announced_is_read_and_what_was_not_is_read_too(mapped, monkeypatch, can_ask):
    mapped()
    monkeypatch.setattr(stored, "CAN_ASK", can_ask)
    monkeypatch.setattr("core.vision.ahead.CAN_ASK", can_ask)
    found = kept("counted", "1", (300, 2, 2, 3), lambda: [counted(0, 200), counted(200, 100)])
    assert isinstance(found.pixels, StoredPixels)
    assert found.marks.tolist() == list(range(300))
    rows = torch.arange(299, -1, -1)
    reader = Reader(Pictures(found.pixels, found.marks[rows], rows), CPU)
    reader.expect(torch.tensor([0, 5]))
    assert reader.batch(torch.tensor([0, 5]))[:, 0, 0, 0].tolist() == [299 % 256, 294 % 256]
    reader.expect(torch.tensor([1]))
    assert reader.batch(torch.tensor([2, 3]))[:, 2, 1, 1].tolist() == [297 % 256, 296 % 256]
    assert torch.cat(list(reader.in_order(7)))[:, 1, 1, 0].tolist() == [(299 - k) % 256 for k in range(300)]


@pytest.mark.skipif(not stored.CAN_ASK, reason="this system cannot be told what will be read")
def test_what_is_announced_is_asked_for_once_and_without_a_thread(mapped, monkeypatch):
    """Beside a processor that computes a thread costs more than it hides."""
    mapped()
    found = kept("counted", "1", (300, 2, 2, 3), lambda: [counted(0, 300)])
    asked, begin = [], StoredPixels.begin

    def noted(self, rows, pinned=False):
        asked.append(rows.tolist())
        return begin(self, rows, pinned)

    monkeypatch.setattr(StoredPixels, "begin", noted)
    reader = Reader(Pictures(found.pixels, found.marks), CPU)
    for indices in ([3, 200], [7, 8]):
        reader.expect(torch.tensor(indices))
        assert reader.batch(torch.tensor(indices))[:, 0, 0, 0].tolist() == indices
    reader.batch(torch.tensor([5, 4]))
    assert asked == [[3, 200], [7, 8], [5, 4]]
    assert reader.thread is None


@pytest.mark.skipif(not stored.CAN_ASK, reason="this system cannot be told what will be read")
@pytest.mark.parametrize("in_memory", [True, False])
def test_pictures_are_read_whether_the_system_has_them_in_memory_or_not(mapped, monkeypatch, in_memory):
    mapped()
    found = kept("counted", "1", (300, 2, 2, 3), lambda: [counted(0, 300)]).pixels
    asked, preadv = [], os.preadv
    monkeypatch.setattr(os, "posix_fadvise", lambda _file, start, size, _advice: asked.append((start, size)))

    def read(file, buffers, start, how):
        if how and not in_memory:
            raise BlockingIOError
        return preadv(file, buffers, start, how)

    monkeypatch.setattr(os, "preadv", read)
    rows = [7, 3, 4, 5, 200, 200, 299]
    images = found.begin(torch.tensor(rows))()
    assert images[:, 1, 0, 1].tolist() == [row % 256 for row in rows]
    assert images.is_contiguous(memory_format=torch.channels_last)
    pieces = [] if in_memory else [(7, 1), (3, 3), (200, 1), (200, 1), (299, 1)]
    assert asked == [(found.offset + row * 12, count * 12) for row, count in pieces]
    assert found.begin(torch.tensor([], dtype=torch.int64))().shape == (0, 3, 2, 2)
    monkeypatch.setattr(os, "preadv", lambda *_: 0)
    with pytest.raises(OSError, match="shorter"):
        found.begin(torch.tensor([1]))()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("resident", ["0", "1000"])
def test_pictures_that_have_no_room_on_the_card_are_read_ahead(monkeypatch, resident):
    card, of = torch.device("cuda"), recipe(flip=False, device="cuda", epochs=1)
    on_card = tasks.build_task(of, card)
    monkeypatch.setenv("ATLAS_RESIDENT_MB", resident)
    monkeypatch.setattr("core.vision.task.room_for_pictures", lambda device: 0)
    far = tasks.build_task(of, card)
    assert on_card.parts["train"].device.type == "cuda"
    assert far.parts["train"].device.type == "cpu"
    first, second = torch.randperm(far.num_train)[:64].split(32)
    for indices in (first, second):
        here, there = (task.batch(indices, torch.Generator("cuda")) for task in (on_card, far))
        assert torch.equal(here[0], there[0])
        assert torch.equal(here[1], there[1])
        far.expect(second)
    assert far.evaluate("validation").count == on_card.evaluate("validation").count
    assert list(Trainer(far, of, card).events())[-1]["event"] == "finished"


SHAPE = (4, 2, 2, 3)


@pytest.mark.parametrize("resident", ["0", "100"])
def test_what_is_not_whole_or_of_another_version_is_made_anew(monkeypatch, resident):
    monkeypatch.setenv("ATLAS_RESIDENT_MB", resident)
    made = []

    def make(version: str = "1", shape: tuple[int, int, int, int] = SHAPE) -> torch.Tensor:
        def chunks():
            made.append(version)
            yield counted(len(made), shape[0])

        found = kept("some", version, shape, chunks)
        return Pictures(found.pixels, found.marks).images[:, 0, 0, 0]

    assert make().tolist() == make().tolist() == [1, 2, 3, 4]
    assert make("2").tolist() == [2, 3, 4, 5]
    assert make("2", (3, 2, 2, 3)).tolist() == [3, 4, 5]
    file = cache_folder() / "some.pixels"
    assert [path.name for path in cache_folder().glob("*.pixels*") if path.suffix != ".lock"] == [file.name]
    data = file.read_bytes()
    for broken in (data[:-1], data[: len(data) // 2], data[:20], b"", b"no pixels at all"):
        file.write_bytes(broken)
        before = len(made)
        assert make("2", (3, 2, 2, 3)).tolist() == [before + 1, before + 2, before + 3]


def test_a_writer_that_fails_or_is_killed_leaves_nothing_behind(home):
    def breaks_off():
        yield counted(0, 2)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        kept("some", "1", SHAPE, breaks_off)
    assert not [path for path in cache_folder().iterdir() if path.suffix != ".lock"]
    orphan = cache_folder() / "other.pixels.tmp"  # of a writer that was killed: nobody holds its lock
    orphan.write_bytes(bytes(100))
    kept("some", "1", SHAPE, lambda: [counted(0, 4)])
    assert not orphan.exists()


def test_without_room_there_is_a_sentence_and_what_was_used_longest_ago_goes_first(monkeypatch):
    for name in ("old", "new"):
        kept(name, "1", SHAPE, lambda: [counted(0, 4)])
    usage = namedtuple("usage", "total used free")
    free = iter([0, stored.FREE_BYTES + 10_000, stored.FREE_BYTES + 10_000])
    with monkeypatch.context() as patch:
        patch.setattr("core.vision.stored.shutil.disk_usage", lambda _: usage(0, 0, next(free)))
        kept("newest", "1", SHAPE, lambda: [counted(0, 4)])
    assert {path.stem for path in cache_folder().glob("*.pixels")} == {"new", "newest"}
    monkeypatch.setattr(stored, "KEPT_BYTES", 1)
    kept("last", "1", SHAPE, lambda: [counted(0, 4)])
    assert {path.stem for path in cache_folder().glob("*.pixels")} == {"last"}
    monkeypatch.setattr("core.vision.stored.shutil.disk_usage", lambda _: usage(0, 0, stored.FREE_BYTES + 10))
    with pytest.raises(UserError, match="Choose a smaller image size"):
        kept("more", "1", SHAPE, lambda: [counted(0, 4)])


def test_the_cache_counts_and_is_cleared_out_but_not_while_it_is_written():
    kept("done", "1", SHAPE, lambda: [counted(0, 4)])
    begun, go_on = threading.Event(), threading.Event()

    def slowly():
        begun.set()
        go_on.wait(30)
        yield counted(0, 4)

    writer = threading.Thread(target=kept, args=("at-work", "1", SHAPE, slowly))
    writer.start()
    begun.wait(30)
    found = {one.id: one for one in shares.artefacts()}
    assert {one.kind for one in found.values()} == {"cache"}
    assert found["done.pixels"].size == (cache_folder() / "done.pixels").stat().st_size
    assert {name: one.busy for name, one in found.items()} == {"done.pixels": False, "at-work.pixels.tmp": True}
    assert shares.clear_out(found.values(), Person("teacher", teacher=True)) == found["done.pixels"].size
    assert not (cache_folder() / "done.pixels").exists()
    go_on.set()
    writer.join(30)
    assert (cache_folder() / "at-work.pixels").exists()


def test_the_bound_is_a_share_of_the_memory_or_what_the_environment_says(monkeypatch):
    monkeypatch.delenv("ATLAS_RESIDENT_MB", raising=False)
    assert 0 < resident_limit() == memory_limit() // 8
    monkeypatch.setenv("ATLAS_RESIDENT_MB", "3")
    assert resident_limit() == 3 * 2**20


LIMITED = """
import itertools, resource, sys
import numpy as np
import torch
from core.training.loop import Trainer
from core.vision.pictures import PictureDataset, Pictures
from core.vision.recipe import PictureRecipe
from core.vision.stored import kept
from core.vision.task import PictureTask

torch.set_num_threads(1)
CPU, MORE = torch.device("cpu"), 64 * 2**20

def train(count):
    def chunks():
        generator = np.random.default_rng(0)
        for _ in range(count // 500):
            yield generator.integers(0, 256, (500, 32, 32, 3), dtype=np.uint8), np.arange(500) % 10
    found = kept(f"random-{count}", "1", (count, 32, 32, 3), chunks)
    everything = Pictures(found.pixels, found.marks)
    train, test = torch.arange(count)[500:], torch.arange(500)
    dataset = PictureDataset("random", "1", "", tuple("0123456789"), everything.take(train), everything.take(test))
    recipe = PictureRecipe(model="small-cnn", batch_size=128, epochs=1, learning_rate=0.01, device="cpu")
    calls = itertools.count()
    trainer = Trainer(PictureTask(recipe, dataset, CPU), recipe, CPU, pulse=lambda: next(calls) == 30)
    return list(trainer.events())[-1]

train(1000)
used = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmData")) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + MORE, used + MORE))
print(train(80_000)["event"])  # 246 MB of pixels
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what a process has for itself")
@pytest.mark.parametrize(("resident", "enough"), [("1", True), ("1000", False)])
def test_data_larger_than_the_memory_a_process_may_have_train(monkeypatch, resident, enough):
    """246 MB are made, looked through and trained on with 64 MB to spare: from a file, and not in memory."""
    monkeypatch.setenv("ATLAS_RESIDENT_MB", resident)
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=False)
    assert ("stopped" in done.stdout) == enough, done.stderr
    assert enough or "Error" in done.stderr.splitlines()[-1], done.stderr
