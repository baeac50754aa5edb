"""ImageNet's networks in torch and in onnxruntime: the same answers."""

import sys

import captum.attr
import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from core.vision import imagenet, onnx_graph
from core.vision.classification import classify
from core.vision.explanation import grad_cam
from core.vision.samples import sample_pictures


def resnet(name):
    """One of torchvision's with the weights as they are drawn, its normalisations as if it had been trained."""
    torch.manual_seed(0)
    network = torchvision.models.get_model(name, weights=None)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.2, 0.2)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
            nn.init.uniform_(layer.weight, 0.2, 0.6)
    return network


def classifier_of(name):
    if name == "efficientnet_lite0":
        return imagenet.efficientnet_lite0()
    return imagenet.of_resnet(resnet(name), [0.4, 0.5, 0.6], [0.2, 0.3, 0.4], side=224, share=0.875)


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18", "resnet50"])
def test_onnxruntime_says_what_torch_says(name):
    pytest.importorskip("onnxruntime")
    classifier = classifier_of(name)
    run = onnx_graph.session(classifier.trunk, classifier.head, classifier.side)
    assert run is not None
    for count in (1, 3):
        images = torch.rand(count, 3, 224, 224, generator=torch.Generator().manual_seed(count))
        features, logits = run(images)
        expected_features, expected = classifier.run_in_torch(images)
        torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(features, expected_features, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18"])
def test_the_two_parts_are_the_whole_network(name):
    """As timm and torchvision put them together; they normalise nothing themselves."""
    timm = pytest.importorskip("timm")
    classifier = classifier_of(name)
    mean, std = (0.498, 0.502) if name == "efficientnet_lite0" else ([0.4, 0.5, 0.6], [0.2, 0.3, 0.4])
    whole = timm.create_model("tf_efficientnet_lite0") if name == "efficientnet_lite0" else resnet(name)
    if name == "efficientnet_lite0":
        stored = [*classifier.trunk.state_dict().values(), *classifier.head.state_dict().values()][2:]
        whole.load_state_dict(dict(zip(whole.state_dict(), stored, strict=True)))
    images = torch.rand(2, 3, 224, 224)
    shape = (-1, 1, 1)
    normalised = (images - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)
    with torch.inference_mode():
        torch.testing.assert_close(classifier.logits(images), whole.eval()(normalised), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("engine", ["onnxruntime", "torch"])
def test_grad_cam_is_captums(engine, monkeypatch):
    if engine == "torch":
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
    else:
        pytest.importorskip("onnxruntime")
    classifier = imagenet.efficientnet_lite0()
    images, classes = torch.rand(2, 3, 224, 224), torch.tensor([3, 985])
    logits, features = classifier.explained(images)
    ours = grad_cam(logits, features, classes, (224, 224))
    torch.testing.assert_close(logits.detach(), classifier.logits(images), atol=1e-4, rtol=1e-4)
    network = nn.Sequential(classifier.trunk, classifier.head)
    method = captum.attr.LayerGradCam(network, network[0])
    maps = method.attribute(images.requires_grad_(), target=classes, relu_attributions=True).detach()
    maps = F.interpolate(maps, size=(224, 224), mode="bilinear", align_corners=False)[:, 0]
    torch.testing.assert_close(ours, maps / maps.amax(dim=(1, 2), keepdim=True), atol=2e-3, rtol=0)


def test_grad_cam_waits_for_no_thread_of_onnxruntime():
    """Its threads spin for a while after they are done, and torch's would wait for a core."""
    pytest.importorskip("onnxruntime")
    classifier = imagenet.efficientnet_lite0()
    images = torch.rand(1, 3, 224, 224)
    classifier.logits(images)
    threads = []
    handle = classifier.head.register_forward_hook(lambda *_: threads.append(torch.get_num_threads()))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    logits, features = classifier.explained(images)
    features.register_hook(lambda _gradient: threads.append(torch.get_num_threads()))
    grad_cam(logits, features, logits.argmax(1), (224, 224))
    handle.remove()
    threads.append(torch.get_num_threads())
    torch.set_num_threads(before)
    assert threads == [1, 1, 2]


@pytest.mark.parametrize("missing", ["onnxruntime", "onnx"])
def test_without_the_extra_torch_answers(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    classifier = imagenet.efficientnet_lite0()
    assert classifier._run == classifier.run_in_torch


def test_photographs_are_known(monkeypatch):
    """Both engines, on what the weights' own package says it can do."""
    from core.vision.decoding import decode_picture

    pictures = [decode_picture(sample_pictures()[name]) for name in ("china", "flower")]
    imagenet.load.cache_clear()
    first = classify(pictures, explain=True)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    imagenet.load.cache_clear()
    second = classify(pictures, explain=True)
    imagenet.load.cache_clear()
    assert [one["top"][0]["label"] for one in first] == ["palace", "daisy"]
    for one, other in zip(first, second, strict=True):
        assert [entry["label"] for entry in one["top"]] == [entry["label"] for entry in other["top"]]
        probabilities = ([entry["probability"] for entry in result["top"]] for result in (one, other))
        np.testing.assert_allclose(*probabilities, atol=1e-4)
        np.testing.assert_allclose(one["heatmap"], other["heatmap"], atol=2e-3)


def test_a_layer_that_has_no_node_is_named():
    pytest.importorskip("onnx")
    with pytest.raises(NotImplementedError, match="Hardswish"):
        onnx_graph.graph_bytes(nn.Sequential(nn.Hardswish()), nn.Sequential(nn.Flatten(1)), 8)
