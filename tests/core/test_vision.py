"""Models, classification and scores, against what is known of them."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.metrics import precision_recall_fscore_support

from core import registry
from core.vision.augmentation import random_cutout, random_move
from core.vision.classification import classify
from core.vision.decoding import decode_picture
from core.vision.network import Normalisation
from core.vision.recipe import MODELS
from core.vision.samples import sample_pictures
from core.vision.scores import per_class_scores
from core.vision.summary import layer_table

NAMES = registry.names(MODELS)


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 48)])
@pytest.mark.parametrize("name", NAMES)
def test_models_give_logits_and_finite_gradients(name, shape):
    torch.manual_seed(0)
    model = registry.load(MODELS, name).build(shape, 7)
    logits = model(torch.rand(2, *shape))
    assert logits.shape == (2, 7)
    logits.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


@pytest.mark.parametrize("name", ["article-net", "small-cnn", "resnet20", "plain20"])
def test_models_overfit_eight_pictures(name):
    torch.manual_seed(0)
    model = registry.load(MODELS, name).build((3, 32, 32), 8)
    images, labels = torch.rand(8, 3, 32, 32), torch.arange(8)
    optimizer = torch.optim.Adam(model.parameters(), 0.003)
    for _ in range(150):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
    assert (model(images).argmax(1) == labels).all()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("article-net", 62_006), ("resnet20", 269_722), ("resnet32", 464_154), ("resnet56", 853_018)],
)
def test_parameters_are_those_of_the_papers(name, parameters):
    assert sum(row["parameters"] for row in layer_table(name, (3, 32, 32), 10)) == parameters


def test_a_plain_twin_differs_in_nothing_but_the_shortcuts():
    residual, plain = (registry.load(MODELS, name).build((3, 32, 32), 10) for name in ("resnet20", "plain20"))
    assert residual.state_dict().keys() == plain.state_dict().keys()


def test_imagenet_knows_the_samples():
    pictures = sample_pictures()
    results = classify([decode_picture(pictures[name]) for name in ("china", "flower")], explain=True)
    assert [result["top"][0]["label"] for result in results] == ["palace", "daisy"]
    assert results[0]["seen"].shape == (224, 224, 3)
    assert results[0]["heatmap"].min() >= 0
    assert results[0]["heatmap"].max() == pytest.approx(1)


def test_classify_command(tmp_path):
    (tmp_path / "flower.jpg").write_bytes(sample_pictures()["flower"])
    (tmp_path / "text.png").write_text("no picture")
    line = [sys.executable, "-m", "core.vision.classify", str(tmp_path / "text.png"), str(tmp_path / "flower.jpg")]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    bad, good = json.loads(done.stdout)
    assert "no PNG" in bad["error"]
    assert good["top"][0]["label"] == "daisy"
    assert len(good["top"]) == 5


def test_scores_are_scikit_learn_s():
    generator = np.random.default_rng(0)
    true, predicted = generator.integers(0, 4, 200), generator.integers(0, 4, 200)
    confusion = np.zeros((4, 4), dtype=np.int64)
    np.add.at(confusion, (true, predicted), 1)
    expected = precision_recall_fscore_support(true, predicted)
    for k, row in enumerate(per_class_scores(confusion)):
        assert list(row.values()) == pytest.approx([column[k] for column in expected])


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("channels", [1, 3])
def test_normalisation_is_its_formula_in_every_layout(channels, layout):
    pictures = torch.randint(256, (50, channels, 6, 5), dtype=torch.uint8).contiguous(memory_format=layout)
    normalisation = Normalisation(channels)
    normalisation.fit([pictures])
    values = pictures / 255
    assert torch.equal(normalisation(values), (values - normalisation.mean) / normalisation.std)
    assert torch.allclose(normalisation(values).mean((0, 2, 3)), torch.zeros(channels), atol=1e-4)
    assert normalisation(values).is_contiguous(memory_format=layout)


def test_augmentation_moves_whole_pictures():
    images = torch.randint(1, 256, (64, 3, 9, 9), dtype=torch.uint8)
    shifted = random_move(images, 2, False, torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(images, (2,) * 4)
    for one, whole in zip(shifted, padded, strict=True):
        windows = [whole[:, y : y + 9, x : x + 9] for y in range(5) for x in range(5)]
        assert any(torch.equal(one, window) for window in windows)
    flipped = random_move(images, 0, True, torch.Generator().manual_seed(0))
    same = (flipped == images).all(dim=(1, 2, 3))
    assert torch.equal(flipped[~same], images.flip(3)[~same])
    assert 16 < int(same.sum()) < 48
    generator = torch.Generator().manual_seed(0)
    both = random_move(images, 2, True, generator)
    generator.manual_seed(0)
    tops, lefts = torch.randint(0, 5, (2, 64, 1), generator=generator).squeeze(2).tolist()
    mirrored = (torch.rand(64, generator=generator) < 0.5).tolist()
    for one, whole, top, left, mirror in zip(both, padded, tops, lefts, mirrored, strict=True):
        window = whole[:, top : top + 9, left : left + 9]
        assert torch.equal(one, window.flip(2) if mirror else window)
    assert both.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(both.float(), random_move(images.float(), 2, True, generator.manual_seed(0)))  # as a GPU does it
    cut = random_cutout(images, 4, torch.Generator().manual_seed(0))
    blanks = (cut == 0).all(1).sum((1, 2))
    assert blanks.max() == 16
    assert blanks.min() >= 4
