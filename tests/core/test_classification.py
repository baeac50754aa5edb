"""Classify: trained runs beside ImageNet, where a network looked, and the command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import captum.attr
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core.errors import UserError
from core.runs import index
from core.runs.folder import RunFolder
from core.training.recipe import Recipe
from core.training.weights import weights_bytes
from core.vision import classification
from core.vision.classification import classify
from core.vision.explanation import grad_cam, last_spatial_convolution, watched
from core.vision.network import build_network
from core.vision.recipe import PictureRecipe
from core.vision.samples import sample_pictures

RUN = "abcdefghij"


def make_run(state="finished", input_shape=(1, 8, 8), classes=("zero", "one", "two"), mean=0.3):
    """A run in the store whose weights are as they were drawn."""
    torch.manual_seed(0)
    network = build_network("small-cnn", input_shape, len(classes))
    network.normalisation.mean.fill_(mean)
    folder: RunFolder = index.folder_of(RUN)
    recipe: Recipe = PictureRecipe.defaults()
    folder.create(recipe)
    metadata = {"model": "small-cnn", "classes": list(classes), "input_shape": list(input_shape)}
    folder.weights_file.write_bytes(weights_bytes(network, metadata))
    index.add(folder, index.new_state(RUN, owner="", name="mine") | {"state": state}, most=1)
    return network.eval()


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))
    classification._trained.cache_clear()
    yield tmp_path
    classification._trained.cache_clear()


def test_a_run_answers_as_its_network_does(home):
    network = make_run()
    pictures = list(np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8))
    results = classify(pictures, RUN, top=5)
    for result in results:
        seen = torch.from_numpy(result["seen"]).permute(2, 0, 1)[None].float() / 255
        expected = network(seen).softmax(1)[0]
        assert result["seen"].shape == (8, 8, 1)
        assert [entry["label"] for entry in result["top"]] == [
            ("zero", "one", "two")[k] for k in expected.argsort(descending=True).tolist()
        ]
        assert sum(entry["probability"] for entry in result["top"]) == pytest.approx(1)
        assert result["top"][0]["probability"] == pytest.approx(float(expected.detach().max()), abs=1e-5)
        assert "heatmap" not in result


def test_more_pictures_than_one_batch_keep_their_order(home, monkeypatch):
    make_run()
    pictures = list(np.random.default_rng(0).integers(0, 256, (5, 20, 30, 3), dtype=np.uint8))
    whole = classify(pictures, RUN, explain=True)
    monkeypatch.setattr(classification, "BATCH", 2)
    parts = classify(pictures, RUN, explain=True)
    for one, other in zip(whole, parts, strict=True):
        assert one["top"][0]["label"] == other["top"][0]["label"]
        np.testing.assert_allclose(one["heatmap"], other["heatmap"], atol=1e-4)
    assert classify([], RUN) == []


@pytest.mark.parametrize(
    ("shape", "mean", "dark"), [((1, 8, 8), 0.3, True), ((1, 8, 8), 0.7, False), ((3, 8, 8), 0.3, False)]
)
def test_only_networks_that_learnt_from_a_dark_ground_exchange_light_and_dark(home, shape, mean, dark):
    make_run(input_shape=shape, mean=mean)
    sheet = np.full((40, 40, 3), 220, dtype=np.uint8)
    sheet[10:30, 18:22] = 20
    result = classify([sheet], RUN)[0]
    assert (result["inverted"], result["trimmed"]) == (dark, dark)


def test_a_deleted_run_is_not_remembered(home):
    make_run()
    classify([np.zeros((8, 8, 3), np.uint8)], RUN)
    index.remove(RUN, {"finished"})
    with pytest.raises(UserError, match="no run named"):
        classify([], RUN)


def test_a_run_without_weights_says_so(home):
    make_run(state="stopped")
    with pytest.raises(UserError, match="no weights yet"):
        classify([], RUN)


@pytest.mark.parametrize("model", ["imagenet-vgg", "../../etc", "", "zzzzzzzzzz"])
def test_unknown_models(home, model):
    with pytest.raises(UserError, match="no run named"):
        classify([], model)


class Bright(nn.Module):
    """Two classes: how much of the left half is light, and how much of the right one."""

    def __init__(self):
        super().__init__()
        self.spread = nn.Conv2d(1, 1, 1, bias=False)
        self.reduce = nn.Conv2d(1, 2, (8, 8), bias=False)  # leaves one place only: of no use for a map
        with torch.no_grad():
            self.spread.weight.fill_(1)
            self.reduce.weight.zero_()
            self.reduce.weight[0, :, :, :4] = 1
            self.reduce.weight[1, :, :, 4:] = 1

    def forward(self, x):
        return self.reduce(self.spread(x)).flatten(1)


def test_grad_cam_is_the_map_its_paper_defines():
    net = Bright()
    images = torch.zeros(2, 1, 8, 8)
    images[0, 0, 2, 1], images[1, 0, 5, 6] = 1, 0.5
    assert last_spatial_convolution(net, images[:1]) is net.spread
    maps = grad_cam(*watched(net, net.spread, images), torch.tensor([0, 1]), (8, 8))
    # The gradient's mean is the same positive weight for both, so the map is the activation itself, scaled to 1.
    assert torch.allclose(maps, images[:, 0] / images[:, 0].amax((1, 2), keepdim=True))


def test_grad_cam_of_a_place_that_speaks_against_is_dark():
    net = Bright()
    with torch.no_grad():
        net.reduce.weight.neg_()
    maps = grad_cam(*watched(net, net.spread, torch.ones(1, 1, 8, 8)), torch.tensor([0]), (8, 8))
    assert torch.equal(maps, torch.zeros(1, 8, 8))


def captums(network, layer, images, classes):
    """Grad-CAM as captum computes it, scaled as ours is."""
    maps = captum.attr.LayerGradCam(network, layer).attribute(images, target=classes, relu_attributions=True)
    maps = F.interpolate(maps.detach(), size=images.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    return maps / maps.amax(dim=(1, 2), keepdim=True)


@pytest.mark.parametrize("model", ["article-net", "small-cnn", "resnet20", "plain20"])
def test_grad_cam_is_captums(model):
    torch.manual_seed(0)
    network = build_network(model, (3, 32, 32), 10).eval()
    images, classes = torch.rand(3, 3, 32, 32), torch.tensor([1, 7, 4])
    layer = last_spatial_convolution(network, images[:1])
    logits, features = watched(network, layer, images)
    ours = grad_cam(logits, features, classes, (32, 32))
    torch.testing.assert_close(logits.detach(), network(images).detach())
    assert ours.amax() > 0.5
    torch.testing.assert_close(ours, captums(network, layer, images, classes), atol=1e-4, rtol=0)
    assert not layer._forward_hooks


def test_grad_cam_walks_through_the_network_once(home):
    """Labels and heat map come of one pass, and the way back ends where the map is drawn."""
    make_run()
    classifier = classification.load_classifier(RUN)
    network = classifier.logits
    passes = []
    handle = network.register_forward_hook(lambda *_: passes.append(1))
    classify([np.zeros((8, 8, 3), np.uint8)] * 3, RUN, explain=True)
    handle.remove()
    assert passes == [1]
    assert all(parameter.grad is None for parameter in network.parameters())


def command(*arguments, home):
    line = [sys.executable, "-m", "core.vision.classify", *map(str, arguments)]
    return subprocess.run(
        line, capture_output=True, text=True, check=False, env=os.environ | {"ATLAS_HOME": str(home)}, timeout=120
    )


def test_command_with_a_run_of_ones_own(home):
    make_run()
    Path(home, "seven.png").write_bytes(sample_pictures()["handwritten 7"])
    done = command(home / "seven.png", home / "not there.png", "--model", RUN, home=home)
    good, bad = json.loads(done.stdout)
    assert done.returncode == 1
    assert {entry["label"] for entry in good["top"]} == {"zero", "one", "two"}
    assert bad == {"file": str(home / "not there.png"), "error": "No such file or directory"}


def test_command_with_a_model_that_is_not_there(home):
    done = command(home / "not there.png", "--model", "nonsense", home=home)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == ["error: There is no run named “nonsense”."]


def test_command_needs_no_web_packages():
    code = (
        "import sys; sys.modules |= dict.fromkeys(['streamlit', 'plotly', 'pandas']); "
        "from core.vision.classification import load_classifier; import core.vision.classify"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
