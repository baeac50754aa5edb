"""Picture models beyond the contract that test_vision.py checks: memory format, size, and the table of layers."""

import numpy as np
import pytest
import torch
from sklearn.metrics import precision_recall_fscore_support
from torch.nn import functional as F

from core import registry
from core.errors import UserError
from core.vision.models import article_net
from core.vision.models._residual import PaddedShortcut
from core.vision.recipe import MODELS
from core.vision.scores import accuracy, macro_average, per_class_scores
from core.vision.summary import layer_table

NAMES = registry.names(MODELS)


@pytest.mark.parametrize("name", NAMES)
def test_memory_format_changes_nothing(name):
    torch.manual_seed(0)
    model = registry.load(MODELS, name).build((3, 16, 16), 4).eval()
    images = torch.rand(2, 3, 16, 16)
    expected = model(images)
    logits = model.to(memory_format=torch.channels_last)(images.contiguous(memory_format=torch.channels_last))
    assert torch.allclose(logits, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_learns(name):
    """One step against eight pictures lowers their loss, and no parameter is left without a gradient."""
    torch.manual_seed(0)
    model = registry.load(MODELS, name).build((1, 16, 16), 4)
    images, labels = torch.rand(8, 1, 16, 16), torch.arange(8) % 4
    before = F.cross_entropy(model(images), labels)
    before.backward()
    for parameter in model.parameters():
        assert parameter.grad.abs().sum() > 0
        parameter.data -= 0.001 * parameter.grad
    assert F.cross_entropy(model(images), labels) < before


def test_layer_table_lists_what_the_article_net_does():
    rows = [tuple(row.values()) for row in layer_table("article-net", (3, 32, 32), 10)]
    assert rows == [
        ("conv1", "Conv2d", [6, 28, 28], 456),
        ("pool", "MaxPool2d", [6, 14, 14], 0),
        ("conv2", "Conv2d", [16, 10, 10], 2416),
        ("pool", "MaxPool2d", [16, 5, 5], 0),
        ("fc1", "Linear", [120], 48_120),
        ("fc2", "Linear", [84], 10_164),
        ("fc3", "Linear", [10], 850),
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 64, 64)])
def test_layer_table_counts_every_parameter(name, shape):
    model = registry.load(MODELS, name).build(shape, 10)
    rows = layer_table(name, shape, 10)
    assert sum(row["parameters"] for row in rows) == sum(p.numel() for p in model.parameters())
    assert rows[-1]["output_shape"] == [10]


def test_resnet18_has_eleven_million_parameters():
    assert sum(row["parameters"] for row in layer_table("resnet18", (3, 32, 32), 10)) == 11_173_962


def test_a_padded_shortcut_keeps_every_second_pixel():
    x = torch.arange(2 * 4 * 4.0).view(1, 2, 4, 4)
    y = PaddedShortcut(new_channels=2, stride=2)(x)
    assert y.shape == (1, 4, 2, 2)
    assert torch.equal(y[:, 1:3], x[:, :, ::2, ::2])
    assert not y[:, [0, 3]].any()


def test_a_picture_too_small_for_the_article_net_is_refused():
    with pytest.raises(UserError, match="at least 4 × 4 pixels, not 3 × 8"):
        article_net.build((1, 3, 8), 10)


def test_averages_are_scikit_learn_s_and_empty_classes_count_as_nothing():
    true, predicted = np.array([0, 0, 1, 1, 1, 2]), np.array([0, 1, 1, 1, 0, 0])
    confusion = np.zeros((4, 4), dtype=np.int64)  # nobody is of class 3, or taken for it
    np.add.at(confusion, (true, predicted), 1)
    expected = precision_recall_fscore_support(true, predicted, labels=range(4), average="macro", zero_division=0)
    assert list(macro_average(confusion).values()) == pytest.approx(expected[:3])
    assert per_class_scores(confusion)[3] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}
    assert accuracy(confusion) == pytest.approx(3 / 6)
    assert accuracy(np.zeros((2, 2), dtype=np.int64)) == 0
