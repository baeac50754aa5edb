"""The loop: the same seed gives the same bits, an interruption leaves no trace, the article's net is the article's."""

import errno
import itertools
import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from core import tasks
from core.errors import UserError
from core.runs.checkpoints import Checkpoints
from core.runs.execute import execute, pause_after
from core.runs.folder import RunFolder
from core.training.batches import Batches, batch_at, batches_in
from core.training.loop import Trainer
from core.training.meter import Meter
from core.training.optimizers import learning_rate_at, make_optimizer
from core.training.weights import read_metadata, read_state
from core.vision.network import load_network
from core.vision.recipe import PictureRecipe

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    torch.set_flush_denormal(False)  # the run set it for its process, which here is everybody's


def small(**changes) -> PictureRecipe:
    return PictureRecipe.preset("quick-look", **{"device": "cpu", "epochs": 2, "train_limit": 320, **changes})


def weights(folder: RunFolder) -> dict[str, torch.Tensor]:
    network, _ = load_network(folder.weights_file)
    return network.state_dict()


def run(path: Path, recipe: PictureRecipe, stop_at: int | None = None) -> tuple[RunFolder, list[dict]]:
    folder = RunFolder(path)
    folder.create(recipe)
    calls = itertools.count()
    events = list(execute(folder, pulse=lambda: next(calls) == stop_at))
    return folder, events


def test_a_run_leaves_weights_metrics_and_report(tmp_path):
    folder, events = run(tmp_path / "run", small())
    kinds = [event["event"] for event in events]
    assert kinds[0] == "preparing"
    assert "started" in kinds
    assert kinds.count("epoch") == 2
    assert kinds[-1] == "finished"
    assert folder.read_events()[0] == json.loads(json.dumps(events))
    metadata = read_metadata(folder.weights_file)
    assert metadata["classes"] == [str(d) for d in range(10)]
    assert metadata["result"]["test_accuracy"] == events[-1]["test_accuracy"] > 0.5
    assert not folder.checkpoint_file.exists()


def test_a_finished_run_keeps_no_checkpoint_however_long_the_last_one_is_ago(tmp_path, monkeypatch):
    monkeypatch.setattr("core.runs.execute.CHECKPOINT_EVERY_S", 0.0)
    folder, events = run(tmp_path / "run", small(epochs=1))
    assert events[-1]["event"] == "finished"
    assert not folder.checkpoint_file.exists()


def test_checkpoints_that_take_long_are_fewer(monkeypatch):
    monkeypatch.setattr("core.runs.execute.CHECKPOINT_EVERY_S", 10.0)
    assert [pause_after(seconds) for seconds in (0.003, 0.1, 0.2, 5.0)] == [10.0, 10.0, 20.0, 60.0]


def test_stopped_runs_end_with_the_same_bits(tmp_path):
    recipe = small(crop=1, flip=True, cutout=2)
    whole, whole_events = run(tmp_path / "whole", recipe)
    broken = RunFolder(tmp_path / "broken")
    broken.create(recipe)
    for stop_at in (1, 4, 3):  # before, inside and after the first epoch of five steps
        calls = itertools.count()
        events = list(execute(broken, pulse=lambda calls=calls, stop_at=stop_at: next(calls) == stop_at))
        assert events[-1]["event"] == "stopped"
    events = list(execute(broken))
    assert "resumed" in [event["event"] for event in events]
    assert events[-1]["event"] == "finished"
    expected, actual = weights(whole), weights(broken)
    assert all(torch.equal(expected[name], actual[name]) for name in expected)
    losses = [[e["loss"] for e in part if e["event"] == "step"] for part in (whole_events, broken.read_events()[0])]
    assert losses[0] == losses[1]


def test_runs_killed_after_any_event_end_with_the_same_bits(tmp_path, monkeypatch):
    """A checkpoint may come between the last step of an epoch and its validation, which chooses the weights."""
    monkeypatch.setattr("core.runs.execute.CHECKPOINT_EVERY_S", 0.0)
    recipe = small(epochs=3)
    whole, whole_events = run(tmp_path / "whole", recipe)
    written = [e["event"] for e in whole_events if e["event"] in ("step", "epoch")]
    assert written == (["step"] * 5 + ["epoch"]) * 3
    for number in range(1, len(written) + 1):
        broken = RunFolder(tmp_path / f"broken-{number}")
        broken.create(recipe)
        seen = 0
        for event in execute(broken):  # killed when so many events are written, and perhaps a checkpoint
            seen += event["event"] in ("step", "epoch")
            if seen > number:
                break
        events = list(execute(broken))
        assert events[-1]["event"] == "finished"
        expected, actual = weights(whole), weights(broken)
        assert all(torch.equal(expected[name], actual[name]) for name in expected), number
        kinds = [e["event"] for e in broken.read_events()[0] if e["event"] in ("step", "epoch")]
        assert kinds == written, number


def trainer_of(recipe: PictureRecipe) -> Trainer:
    return Trainer(tasks.build_task(recipe, CPU), recipe, CPU)


def test_training_goes_on_while_the_disk_takes_a_checkpoint(tmp_path, monkeypatch):
    """And the one before stays until then: a power cut finds one of the two, whole."""
    folder, trainer, disk = RunFolder(tmp_path), trainer_of(small()), threading.Event()
    with Checkpoints(folder) as checkpoints:
        checkpoints.save(trainer)
        checkpoints.wait()
        monkeypatch.setattr(os, "fsync", lambda _file: disk.wait(10))
        events = trainer.events()
        next(events)
        checkpoints.save(trainer)
        next(events)  # changes the weights that were written
        assert read_state(folder.checkpoint_file)["trainer"]["step"] == 0
        disk.set()
    state = read_state(folder.checkpoint_file)["trainer"]
    assert state["step"] == 1
    again = trainer_of(small())
    next(again.events())
    assert all(torch.equal(state["model"][name], tensor) for name, tensor in again.task.model.state_dict().items())


def test_a_checkpoint_that_the_disk_refuses_is_told_at_the_next(tmp_path, monkeypatch):
    def full(_file):
        raise OSError(errno.ENOSPC, "No space left on device")

    trainer = trainer_of(small())
    with Checkpoints(RunFolder(tmp_path)) as checkpoints:
        monkeypatch.setattr(os, "fsync", full)
        checkpoints.save(trainer)
        with pytest.raises(OSError, match="No space left"):
            checkpoints.save(trainer)
        checkpoints.wait()
    assert not RunFolder(tmp_path).checkpoint_file.exists()


@pytest.mark.parametrize(("count", "epochs", "every"), [(320, 1, 1), (6400, 1, 5), (1280, 500, 10), (640_000, 1, 50)])
def test_a_run_has_so_many_readings_as_a_curve_shows(count, epochs, every):
    trainer = trainer_of(small(epochs=epochs))
    trainer.steps_per_epoch = count // trainer.recipe.batch_size
    trainer.steps = trainer.steps_per_epoch * epochs
    assert trainer._steps_between_readings() == every


def test_the_norm_of_the_gradient_is_torch_s():
    trainer = trainer_of(small())
    event = next(trainer.events())
    grads = [parameter.grad for parameter in trainer.task.model.parameters()]
    assert event["gradient_norm"] == pytest.approx(float(torch.nn.utils.get_total_norm(grads)), rel=1e-5)


def test_golden_curve():
    """A change that should not matter must not move this. Made with torch 2.14 on one CPU thread."""
    recipe = small(model="article-net", optimizer="momentum", learning_rate=0.05, crop=0, epochs=1)
    task = tasks.build_task(recipe, CPU)
    losses = [e["loss"] for e in Trainer(task, recipe, CPU).events() if e["event"] == "step"]
    assert losses == pytest.approx(GOLDEN_LOSSES, rel=1e-4)


GOLDEN_LOSSES = [2.316329, 2.3078368, 2.3005376, 2.3048103, 2.2991869]


def test_stopping_early_and_keeping_the_best():
    recipe = small(epochs=40, early_stopping=2, optimizer="adamw", learning_rate=0.02)
    events = list(Trainer(tasks.build_task(recipe, CPU), recipe, CPU).events())
    epochs = [e for e in events if e["event"] == "epoch"]
    losses = [e["validation_loss"] for e in epochs]
    assert len(epochs) < 40
    assert min(losses) == losses[-3]
    best = max(epochs, key=lambda e: e["validation_accuracy"])
    assert events[-1]["tested_epoch"] == best["epoch"]
    assert events[-1]["validation_accuracy"] == best["validation_accuracy"]


def test_a_loss_that_explodes_is_told():
    recipe = small(model="article-net", optimizer="momentum", learning_rate=100.0, crop=0)
    with pytest.raises(UserError, match="learning rate 100"):
        list(Trainer(tasks.build_task(recipe, CPU), recipe, CPU).events())


def test_a_single_picture_left_over_joins_the_last_batch():
    """ResNet-18 has one value per channel at the end of 8×8 pictures: alone it cannot be normalised."""
    recipe = small(model="resnet18", batch_size=16, train_limit=33, epochs=1)
    events = list(Trainer(tasks.build_task(recipe, CPU), recipe, CPU).events())
    assert [e["step"] for e in events if e["event"] == "step"] == [1, 2]
    assert events[-1]["event"] == "finished"


@pytest.mark.parametrize(("examples", "size", "sizes"), [
    (10, 4, [4, 4, 2]), (9, 4, [4, 5]), (8, 4, [4, 4]), (3, 4, [3]), (1, 4, [1]), (3, 1, [1, 1, 1]), (5, 2, [2, 3]),
])  # fmt: skip
def test_batches_hold_every_example_once(examples, size, sizes):
    order = torch.arange(examples)
    batches = [batch_at(order, place, size) for place in range(batches_in(examples, size))]
    assert [len(batch) for batch in batches] == sizes
    assert torch.equal(torch.cat(batches), order)


def test_a_batch_of_one_that_cannot_be_normalised_gets_a_sentence():
    recipe = small(model="resnet18", batch_size=1, train_limit=20, epochs=1)
    with pytest.raises(UserError, match="batch size of at least 2"):
        list(Trainer(tasks.build_task(recipe, CPU), recipe, CPU).events())


@pytest.mark.parametrize("optimizer", PictureRecipe.settings()["optimizer"][1].choices)
def test_every_optimizer_is_torch_s_own(optimizer):
    model = torch.nn.Linear(3, 2)
    assert make_optimizer(model, small(optimizer=optimizer)).__module__.startswith("torch.optim")


@pytest.mark.parametrize("schedule", PictureRecipe.settings()["schedule"][1].choices)
def test_schedules_stay_within_the_peak(schedule):
    rate = learning_rate_at(small(schedule=schedule, learning_rate=0.5), 100)
    rates = [rate(step) for step in range(100)]
    assert max(rates) == pytest.approx(0.5)
    assert all(0 < r <= 0.5 + 1e-12 for r in rates)


@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_one_cycle_for_few_steps(steps):
    rate = learning_rate_at(small(schedule="one-cycle", learning_rate=0.5), steps)
    assert all(0 < rate(step) <= 0.5 for step in range(steps))


def test_cross_entropy_is_minus_log_p_of_the_label():
    task = tasks.build_task(small(), CPU)
    logits = torch.tensor([[2.0, 0.0, -1.0]])
    p = math.exp(2) / (math.exp(2) + 1 + math.exp(-1))
    assert float(task.loss(logits, torch.tensor([0]))) == pytest.approx(-math.log(p))


def cli(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "core.training", *options], capture_output=True, text=True, check=False
    )


def test_command_line_trains_and_refuses_to_overwrite(tmp_path):
    line = ["--preset", "quick-look", "--epochs", "1", "--train-limit", "128", "--out", str(tmp_path / "run")]
    done = cli(*line)
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["event"] == "finished"
    assert 0 <= last["test_accuracy"] <= 1
    assert {p.name for p in (tmp_path / "run").iterdir()} >= {"weights.safetensors", "recipe.json", "metrics.jsonl"}
    again = cli(*line)
    assert again.returncode == 2
    assert "finished" in again.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--learning-rate", "-1"], "learning_rate must be at least 1e-07, not -1.0."),
        (["--epochs", "many"], "epochs must be a whole number, not “many”."),
        (["--model", "alexnet"], "model must be one of"),
        (["--recipe", "/no/such/file"], "cannot be read"),
    ],
)
def test_command_line_says_in_one_line_what_is_wrong(options, reason):
    done = cli(*options)
    assert done.returncode == 2
    assert reason in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


@pytest.mark.parametrize("changes", [{"crop": 2, "flip": True, "cutout": 3}, {"flip": True, "alternating_flip": True}])
def test_batches_that_are_made_together_are_those_made_one_by_one(monkeypatch, changes):
    """Also taken up from the state at any place; 7 batches of 40 and one of 8."""
    task = tasks.build_task(small(train_limit=288, **changes), CPU)

    def supply(together: int) -> Batches:
        monkeypatch.setattr(task, "batches_together", lambda _size: together)
        return Batches(task, 40, 3, CPU)

    def same(one, other) -> bool:
        return all(torch.equal(a, b) and a.stride() == b.stride() for a, b in zip(one, other, strict=True))

    single, several = supply(1), supply(3)
    for _epoch in range(2):
        single.begin_epoch()
        several.begin_epoch()
        for place in range(batches_in(task.num_train, 40)):
            resumed = supply(3)
            resumed.load_state_dict(several.state_dict())
            wanted = single.at(place)
            assert same(several.at(place), wanted)
            assert same(resumed.at(place), wanted)
            assert same(resumed.state_dict().values(), several.state_dict().values())


def test_what_is_judged_later_adds_up_to_the_same(monkeypatch):
    task = tasks.build_task(small(), CPU)
    generator = torch.Generator().manual_seed(0)
    batches = [(torch.rand((), generator=generator), torch.randn(8, 10, generator=generator), torch.arange(8) % 10)
               for _ in range(9)]  # fmt: skip
    found = []
    for values in (0, 200, 10**6):  # each at once, three at a time, all at the end
        monkeypatch.setattr("core.training.meter.KEPT_VALUES", values)
        meter = Meter(task, CPU)
        for loss, logits, targets in batches:
            meter.add(loss, logits, targets)
            meter.counted(len(targets))
        found.append(meter.read()[:2])
    right = sum(task.correct(logits, targets).item() for _loss, logits, targets in batches)
    assert found[0] == found[1] == found[2] == (pytest.approx(sum(loss.item() for loss, *_ in batches) / 9), right / 72)
