"""The script of a run runs by itself and comes to the test accuracy of the run."""

import subprocess
import sys

import pytest
import torch

from core.runs.export import script
from core.training.loop import Trainer
from core.vision.recipe import PictureRecipe
from core.vision.task import build


@pytest.mark.parametrize(
    "changes", [{}, {"model": "article-net", "flip": True}, {"model": "resnet20", "train_limit": 60}]
)
def test_script_reproduces_the_run(tmp_path, changes):
    preset = PictureRecipe.preset("quick-look").to_mapping()
    recipe = PictureRecipe.from_mapping(preset | {"epochs": 2, "device": "cpu"} | changes)
    text = script(recipe)
    assert text is not None
    assert "from core" not in text
    (tmp_path / "train.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "train.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    cpu = torch.device("cpu")
    *_events, last = Trainer(build(recipe, cpu, lambda *_: None), recipe, cpu).events()
    printed = float(done.stdout.split("test accuracy")[1])
    assert printed == pytest.approx(last["test_accuracy"], abs=0.02)  # other thread counts round differently


def test_other_data_sets_have_no_script():
    assert script(PictureRecipe.from_mapping({"dataset": "shapes"})) is None
