"""What makes a short run good: Muon, whitening, flips that alternate; and a step that is recorded and replayed."""

import contextlib
import itertools
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from core import events, tasks
from core.training.loop import Trainer
from core.training.muon import COEFFICIENTS, Muon, Together, orthogonalise
from core.training.optimizers import hidden_matrices, make_optimizer
from core.training.step import ReplayedStep
from core.training.weights import read_state, state_parts
from core.vision.ahead import Reader
from core.vision.augmentation import alternating_mirror, random_move
from core.vision.models import resnet9
from core.vision.models.resnet9 import Whitening
from core.vision.network import build_network
from core.vision.pictures import Pictures
from core.vision.recipe import PictureRecipe

CPU = torch.device("cpu")
OPTIMIZERS = PictureRecipe.settings()["optimizer"][1].choices


class Again:
    """Stands for CUDA graphs where there are none: what is recorded is simply done again."""

    aside = contextlib.nullcontext

    def record(self, work):
        return work


def recipe_of(**changes) -> PictureRecipe:
    values = {"epochs": 2, "train_limit": 150, "batch_size": 40, "device": "cpu", "keep_best": False, **changes}
    return PictureRecipe.preset("quick-look", **values)


def run(recipe: PictureRecipe, recorder=None) -> tuple[list[float], dict[str, torch.Tensor], Trainer]:
    """Losses, weights and the trainer of a run, its steps recorded and replayed if a recorder is given."""
    trainer = Trainer(tasks.build_task(recipe, CPU), recipe, CPU)
    if recorder is not None:
        trainer.take_step = ReplayedStep(trainer.take_step, recorder)
    losses = [event["loss"] for event in trainer.events() if event["event"] == "step"]
    return losses, trainer.task.model.state_dict(), trainer


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("shape", [(6, 6), (4, 30), (30, 4)])
def test_orthogonalise_changes_the_singular_values_and_nothing_else(shape):
    matrices = torch.randn(3, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    left, values, right = torch.linalg.svd(matrices, full_matrices=False)
    a, b, c = COEFFICIENTS
    pushed = values / matrices.norm(dim=(1, 2))[:, None]
    for _ in range(5):
        pushed = a * pushed + b * pushed**3 + c * pushed**5
    made = orthogonalise(matrices)
    assert torch.allclose(made, left @ torch.diag_embed(pushed) @ right, atol=1e-9)
    long = shape[0] != shape[1]  # a square one has a value near 0, which stays behind
    assert not long or (pushed.min() > 0.65 and pushed.max() < 1.25)


def test_muon_is_torch_s_for_matrices():
    """torch's computes in bfloat16, which has three digits; the same learning rate and decay as AdamW's."""
    torch.manual_seed(0)
    ours = [nn.Parameter(torch.randn(16, 24)), nn.Parameter(torch.randn(24, 16)), nn.Parameter(torch.randn(16, 24))]
    theirs = [nn.Parameter(weight.detach().clone()) for weight in ours]
    start = [weight.detach().clone() for weight in ours]
    optimizers = (
        Muon(ours, 0.01, weight_decay=0.1),
        torch.optim.Muon(theirs, 0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
    )
    for _ in range(4):
        for weight, other in zip(ours, theirs, strict=True):
            weight.grad = torch.randn_like(weight)
            other.grad = weight.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for weight, other, before in zip(ours, theirs, start, strict=True):
        assert (weight - other).norm() < 0.02 * (other - before).norm()


def test_muon_takes_a_filter_for_the_matrix_of_its_flat_rows():
    torch.manual_seed(0)
    filters = nn.Parameter(torch.randn(8, 3, 3, 3).contiguous(memory_format=torch.channels_last))
    matrix = nn.Parameter(filters.detach().flatten(1).clone())
    filters.grad = torch.randn_like(filters)
    matrix.grad = filters.grad.flatten(1)
    for weight in (filters, matrix):
        Muon([weight], 0.1).step()
    assert torch.allclose(filters.flatten(1), matrix, atol=1e-6)


def test_muon_gets_the_hidden_matrices_and_adamw_the_rest():
    model = build_network("resnet9", (3, 32, 32), 10)
    optimizer = make_optimizer(model, recipe_of(optimizer="muon"))
    assert isinstance(optimizer, Together)
    muon, adamw = optimizer.parts
    matrices = muon.param_groups[0]["params"]
    assert [weight.ndim for weight in matrices] == [4] * 7
    rest = list(itertools.chain(*(group["params"] for group in adamw.param_groups)))
    assert model.network.head.weight.shape in [weight.shape for weight in rest]
    everything = [id(weight) for weight in (*matrices, *rest)]
    assert sorted(everything) == sorted(id(weight) for weight in model.parameters())


def test_a_model_without_hidden_matrices_is_trained_by_adamw_alone():
    model = nn.Linear(3, 2)
    assert hidden_matrices(model) == []
    assert type(make_optimizer(model, recipe_of(optimizer="muon"))) is torch.optim.AdamW


def test_a_muon_run_taken_up_from_its_stored_state_ends_with_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(resnet9, "WIDTHS", (8, 16, 16))
    recipe = recipe_of(model="resnet9", optimizer="muon", train_limit=80, flip=True, alternating_flip=True, crop=1)
    losses, weights, _trainer = run(recipe)
    for stop_at in (1, 3):  # within the first epoch of two steps, within the second
        calls = itertools.count()
        broken = Trainer(
            tasks.build_task(recipe, CPU), recipe, CPU, lambda calls=calls, stop_at=stop_at: next(calls) == stop_at
        )
        before = [event["loss"] for event in broken.events() if event["event"] == "step"]
        (tmp_path / "state").write_bytes(b"".join(state_parts(broken.state_dict())))
        again = Trainer(tasks.build_task(recipe, CPU), recipe, CPU)
        again.load_state_dict(read_state(tmp_path / "state"))
        after = [event["loss"] for event in again.events() if event["event"] == "step"]
        assert before + after == losses
        assert same(again.task.model.state_dict(), weights)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_replayed_step_is_the_plain_step(optimizer):
    """What is recorded for a CUDA graph, done again and again here; four batches of 40 and one of 30."""
    recipe = recipe_of(optimizer=optimizer, epochs=4, schedule="cosine", learning_rate=0.01, crop=1, train_limit=190)
    plain, weights, _trainer = run(recipe)
    replayed, others, trainer = run(recipe, Again())
    assert replayed == pytest.approx(plain, rel=1e-4)  # a rate in a tensor has fewer digits
    assert all(torch.allclose(others[name], weights[name], rtol=1e-3, atol=1e-4) for name in weights)
    assert len(trainer.take_step.recorded.inputs) == 40
    assert all(isinstance(group["lr"], float) for group in trainer.optimizer.param_groups)
    assert not any(group.get("capturable") for group in trainer.optimizer.param_groups)


def test_a_step_that_cannot_be_recorded_stays_a_plain_one(atlas_home):
    recipe = recipe_of(epochs=3, optimizer="momentum", learning_rate=0.01, train_limit=190)

    class Refusing(Again):
        attempts = 0

        def record(self, work):
            self.attempts += 1
            raise RuntimeError("operation not permitted when stream is capturing\nand more")

    recorder = Refusing()
    plain, weights, _trainer = run(recipe)
    refused, others, trainer = run(recipe, recorder)
    assert (refused, recorder.attempts) == (plain, 1)
    assert same(others, weights)
    assert trainer.take_step.refused == "operation not permitted when stream is capturing"
    assert 'step-not-recorded reason="operation not permitted' in events.log_file().read_text(encoding="utf-8")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_cuda_graph_learns_what_plain_steps_learn(optimizer):
    recipe = recipe_of(optimizer=optimizer, epochs=4, learning_rate=0.003, device="cuda", dataset="digits")
    found = []
    for plain in (True, False):
        device = torch.device("cuda")
        trainer = Trainer(tasks.build_task(recipe, device), recipe, device)
        if plain:
            trainer.take_step = trainer.take_step.step
        found.append([event["loss"] for event in trainer.events() if event["event"] == "step"])
        assert plain or not trainer.take_step.refused
    assert found[1] == pytest.approx(found[0], rel=0.02)


def correlated(count: int) -> torch.Tensor:
    """(N,3,12,12) pictures whose neighbours and channels are alike, as those of photographs are."""
    noise = torch.randn(count, 1, 14, 14, generator=torch.Generator().manual_seed(0))
    smooth = F.avg_pool2d(noise, 3, stride=1)
    return torch.cat([smooth, 2 * smooth + 0.1, -smooth], 1) + 0.1 * torch.randn(count, 3, 12, 12)


def test_whitened_patches_are_uncorrelated_and_of_one_size():
    torch.manual_seed(0)
    images = correlated(400)
    layer = Whitening(3, least=1e-6)
    layer.fit(images)
    out = layer(images)  # (N,24,11,11), the second half the first with the other sign
    assert torch.equal(out[:, :12], -out[:, 12:])
    values = out[:, :12].transpose(0, 1).flatten(1)
    assert torch.allclose(values @ values.T / values.shape[1], torch.eye(12), atol=0.02)


def test_the_network_is_whitened_by_its_training_pictures_of_all_classes():
    dark = torch.randint(0, 60, (6000, 3, 8, 8), dtype=torch.uint8)  # the first 6,000 are of one class
    light = torch.randint(160, 256, (6000, 3, 8, 8), dtype=torch.uint8)
    images = torch.cat([dark, light])
    torch.manual_seed(0)
    network = build_network("resnet9", (3, 8, 8), 2)
    network.fit(Pictures(images.contiguous(memory_format=torch.channels_last), torch.arange(len(images)) // 6000))
    patches = network.network.whitening(network.normalisation(images[::7].float() / 255))[:, :12]
    assert patches.square().mean().item() == pytest.approx(1, abs=0.1)


def test_filters_are_kept_and_not_trained(monkeypatch):
    monkeypatch.setattr(resnet9, "WIDTHS", (8, 16, 16))
    recipe = recipe_of(model="resnet9", train_limit=80, epochs=1)
    task = tasks.build_task(recipe, CPU)
    before = task.model.network.whitening.filters.clone()
    list(Trainer(task, recipe, CPU).events())
    assert torch.equal(task.model.network.whitening.filters, before)
    assert "network.whitening.filters" in task.model.state_dict()


def test_two_epochs_show_every_picture_both_ways():
    recipe = recipe_of(flip=True, alternating_flip=True, crop=0, train_limit=60)
    task = tasks.build_task(recipe, CPU)
    everything = torch.arange(task.num_train)
    generator = torch.Generator().manual_seed(5)
    epochs = []
    for epoch in range(4):
        task.begin_epoch(epoch)
        epochs.append(task.batch(everything, generator)[0])
    assert torch.equal(epochs[1], epochs[0].flip(3))
    assert torch.equal(epochs[2], epochs[0])
    assert torch.equal(epochs[3], epochs[1])
    as_they_are = task.parts["train"].images / 255
    turned = (epochs[0] != as_they_are).any(dim=(1, 2, 3))
    assert torch.equal(turned, alternating_mirror(task.num_train, recipe.seed))
    assert 15 < int(turned.sum()) < 45


def test_flips_that_are_told_leave_the_draws_of_the_crop_alone():
    images = torch.randint(1, 256, (16, 1, 9, 9), dtype=torch.uint8)
    told = random_move(images, 2, torch.zeros(16, dtype=torch.bool), torch.Generator().manual_seed(0))
    assert torch.equal(told, random_move(images, 2, False, torch.Generator().manual_seed(0)))


def test_judged_with_its_mirror_image_a_picture_has_the_answer_of_the_mirror_image():
    recipe = recipe_of(epochs=1, flip_test=True)
    task = tasks.build_task(recipe, CPU)
    list(Trainer(task, recipe, CPU).events())
    test = task.parts["test"]
    answers = torch.cat([logits for logits, _labels in task._predictions("test")])
    flipped = test.images.flip(3).contiguous(memory_format=torch.channels_last)
    task.readers["test"] = Reader(Pictures(flipped, test.labels), CPU)
    mirrored = torch.cat([logits for logits, _labels in task._predictions("test")])
    assert torch.allclose(answers, mirrored, atol=1e-5)
    task.recipe = replace(recipe, flip_test=False)
    alone = torch.cat([logits for logits, _labels in task._predictions("test")])
    assert not torch.allclose(alone, mirrored, atol=1e-2)


BLOCKED = ("streamlit", "plotly", "pandas", "timm", "captum", "sklearn", "psutil", "networkx", "tokenizers")
BENCH = f"""
import sys
for name in {BLOCKED!r}:
    sys.modules[name] = None  # as where it is not installed
from tests.bench import speedrun
speedrun.LONG_MODEL, speedrun.LOADS = "article-net", (("article-net", 32),)  # what takes seconds on a card only
speedrun.main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def small_cifar(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cifar")
    random = np.random.default_rng(0)
    for part, count in (("train", 30), ("test", 5)):
        for label in range(10):
            (folder / part / f"class{label}").mkdir(parents=True)
            for k in range(count):
                pixels = random.integers(0, 60, (32, 32, 3), dtype=np.uint8) + np.uint8(15 * label)
                Image.fromarray(pixels).save(folder / part / f"class{label}" / f"{k}.jpg")
    return folder


def test_the_speed_run_bench_runs_with_torch_alone(small_cifar, atlas_home):
    line = ["--data", str(small_cifar), "--width", "4", "--epochs", "1", "--seeds", "1", "--json"]
    line += ["--utilisation", "--rounds", "1", "--resnet18", "--reference-epochs", "2", "--short-epochs", "1"]
    done = subprocess.run([sys.executable, "-c", BENCH, *line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["race"].keys() == {"airbench94", "ours, 1 epochs"}
    assert found["article-net_loop_over_fixed_batch"] > 0
    below = found["resnet18_reference"] - found["resnet18_accuracy"]
    assert found["resnet18_points_below"] == pytest.approx(100 * below)
    assert all(len(row["runs"]) == 1 and 0 <= row["accuracy"] <= 1 for row in found["race"].values())
