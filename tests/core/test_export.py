"""The script of a run runs by itself and ends with the weights of the run."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from core import registry
from core.errors import UserError
from core.runs.export import script
from core.training.loop import Trainer
from core.vision.datasets.fashion_mnist import DEBIAN
from core.vision.recipe import DATASETS, MODELS, PictureRecipe
from core.vision.task import build

CPU = torch.device("cpu")
BIRTH = {"threads": 1}
SHORT = {"epochs": 2, "device": "cpu", "train_limit": 70, "batch_size": 32}


@pytest.fixture(autouse=True)
def one_thread(tmp_path, monkeypatch):
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path / "home"))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # as every run on a CPU does
    yield
    torch.set_num_threads(before)
    torch.set_flush_denormal(False)


def recipe_of(**changes) -> PictureRecipe:
    return PictureRecipe.preset("quick-look", **(SHORT | changes))


def run_script(folder, recipe, *arguments, before=""):
    """What the script printed, and the weights it wrote; `before` is what is done to its process first."""
    text = script(recipe, BIRTH)
    assert "from core" not in text
    assert "import core" not in text
    (folder / "train.py").write_text(text, encoding="utf-8")
    line = [sys.executable, "-I", "train.py", *arguments]
    if before:
        program = f"{before}\nimport runpy, sys\ndel sys.argv[0]\nrunpy.run_path('train.py', run_name='__main__')"
        line = [sys.executable, "-I", "-c", program, "train.py", *arguments]
    quiet = {**os.environ, "HOME": str(folder)}
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=240, check=False, env=quiet)
    weights = torch.load(folder / "weights.pt", weights_only=True) if done.returncode == 0 else {}
    return done, weights


def check(folder, recipe, *arguments, before=""):
    done, weights = run_script(folder, recipe, *arguments, before=before)
    assert done.returncode == 0, done.stderr
    task = build(recipe, CPU, lambda *_: None)
    *_events, last = Trainer(task, recipe, CPU).events()
    assert float(done.stdout.split("test accuracy")[1]) == pytest.approx(last["test_accuracy"], abs=1e-4)
    expected = task.model.state_dict()
    assert expected.keys() == weights.keys()
    assert all(torch.equal(expected[name], weights[name]) for name in expected)


@pytest.mark.parametrize("model", registry.names(MODELS))
def test_every_model(model, tmp_path):
    changes = {"epochs": 1, "train_limit": 40} if "18" in model else {}
    check(tmp_path, recipe_of(model=model, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"crop": 2, "flip": True, "cutout": 3, "label_smoothing": 0.1, "schedule": "one-cycle"},
        {"optimizer": "nesterov", "schedule": "step", "weight_decay": 0.01, "keep_best": False, "learning_rate": 0.05},
        {"early_stopping": 1, "epochs": 6, "learning_rate": 0.05, "optimizer": "sgd"},
        {"batch_size": 23, "seed": 7, "validation_share": 0.3, "device": "auto"},  # 70 = 3 · 23 + 1: one is left over
    ],
    ids=" ".join,
)
def test_every_setting(changes, tmp_path):
    if changes.get("device") == "auto" and torch.cuda.is_available():
        pytest.skip("compared with a run on the CPU")
    check(tmp_path, recipe_of(**changes))


def test_shapes(tmp_path):
    check(tmp_path, recipe_of(dataset="shapes:colour=1,count=200"))


def test_fashion_mnist(tmp_path):
    if not DEBIAN.is_dir():
        pytest.skip("needs Debian's package dataset-fashion-mnist")
    check(tmp_path, recipe_of(dataset="fashion-mnist", epochs=1))


CIFAR10 = """
import numpy as np, torchvision
class Cached:
    classes = ("cat", "dog")
    def __init__(self, folder, train, download):
        count = 60 if train else 20
        self.data = np.random.default_rng(train).integers(0, 255, (count, 32, 32, 3), dtype=np.uint8)
        self.targets = [k % 2 for k in range(count)]
torchvision.datasets.CIFAR10 = Cached
"""


def test_cifar10(tmp_path, monkeypatch):
    """A made-up data set of torchvision's shape: the real one is 170 MB away."""
    names: dict = {}
    monkeypatch.setattr("torchvision.datasets.CIFAR10", None)  # put back at the end
    exec(CIFAR10, names)
    check(tmp_path, recipe_of(dataset="cifar10", model="article-net", flip=True), before=CIFAR10)


@pytest.fixture
def pictures(tmp_path):
    random = np.random.default_rng(0)
    for colour, k in itertools.product(("red", "green", "blue"), range(12)):
        (tmp_path / "mine" / colour).mkdir(parents=True, exist_ok=True)
        noise = random.integers(0, 255, (20 + k, 30, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "mine" / colour / f"{k}.png")
    (tmp_path / "mine" / "red" / "broken.png").write_bytes(b"no picture")
    return tmp_path / "mine"


def test_your_own_pictures(tmp_path, pictures):
    check(tmp_path, recipe_of(dataset=f"folder:{pictures}", image_size=16))


def test_your_own_pictures_elsewhere(tmp_path, pictures):
    recipe = recipe_of(dataset=f"folder:{pictures}", image_size=16)
    elsewhere = pictures.rename(tmp_path / "moved")
    done, _weights = run_script(tmp_path, recipe)
    assert done.returncode == 1
    assert "There is no folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert run_script(tmp_path, recipe, str(elsewhere))[0].returncode == 0


def test_uploaded_pictures_are_a_folder_to_be_named(tmp_path, pictures):
    recipe = recipe_of(dataset="upload:0123456789abcdef", image_size=16)
    assert "Say which folder" in run_script(tmp_path, recipe)[0].stderr
    done, _weights = run_script(tmp_path, recipe, str(pictures))
    assert "test accuracy" in done.stdout


@pytest.mark.parametrize("dataset", registry.names(DATASETS))
@pytest.mark.parametrize("model", registry.names(MODELS))
def test_every_script_compiles(dataset, model):
    """Also that no two of the pieces have the same name."""
    compile(script(PictureRecipe(dataset=dataset, model=model)), "train.py", "exec")


def test_a_loss_that_explodes_is_told(tmp_path):
    recipe = recipe_of(model="article-net", optimizer="momentum", learning_rate=100.0, train_limit=320)
    with pytest.raises(UserError, match="learning rate"):
        list(Trainer(build(recipe, CPU, lambda *_: None), recipe, CPU).events())
    done, _weights = run_script(tmp_path, recipe)
    assert done.returncode == 1
    assert "the learning rate is too large" in done.stderr


def test_the_script_says_what_the_run_came_to():
    text = script(recipe_of(), {"test_accuracy": 0.98765, "versions": {"torch": "2.14.1"}, "device_name": "CPU"})
    assert "0.9877 (torch 2.14.1, CPU)" in text.splitlines()[2]
