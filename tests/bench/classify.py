"""How fast we classify: ``python -m tests.bench.classify [--browser] [--json] [--rounds N]``.

Pictures (B,3,224,224) with values from 0 to 1 to logits, on all cores, by EfficientNet-Lite0 with its own weights and
by torchvision's ResNet-18 with the weights as they are drawn, which cost as much as learnt ones. Taking turns: ours as
the app runs it, ours where onnxruntime is not installed, onnxruntime fed with what torch's exporter makes of the whole
network, and torch, in evaluation and inference mode. And what Grad-CAM adds to the labels, beside captum's.

With ``--browser`` also the time from a photograph of 12 megapixels in the uploader to its label on the page. The
recipe of others needs ``pip install onnx onnxscript onnxruntime``. Medians; with ``--json`` the last line is one JSON
object.
"""

import argparse
import contextlib
import copy
import logging
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from core.machine import usable_cores
from core.vision import imagenet
from core.vision.classification import BATCH
from core.vision.explanation import grad_cam
from core.vision.imagenet import ImageNetClassifier
from tests.bench import _classify_page
from tests.bench._timing import Contender, alternating, begin, ratio, report

ROUNDS = 7
REPEATS = {1: 20, 32: 1}  # pictures at once: how often in a round
Answer = Callable[[Tensor], Any]


def networks() -> dict[str, ImageNetClassifier]:
    torch.manual_seed(0)
    resnet = torchvision.models.resnet18(weights=None)
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    return {
        "efficientnet_lite0": imagenet.efficientnet_lite0(),
        "resnet18": imagenet.of_resnet(resnet, mean, std, side=224, share=0.875),
    }


def in_onnxruntime(network: nn.Module) -> Answer:
    """What its documentation says: export the network once, open a session, give it arrays."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), contextlib.redirect_stdout(None):
        warnings.simplefilter("ignore")
        path = Path(folder) / "network.onnx"
        example = (torch.rand(2, 3, 224, 224),)
        program = torch.onnx.export(network, example, dynamo=True, dynamic_shapes=({0: torch.export.Dim("batch")},))
        assert program is not None
        program.save(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = usable_cores()
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: session.run(None, {name: images.numpy()})


def in_torch(network: nn.Module) -> Answer:
    def answer(images: Tensor) -> Tensor:
        with torch.inference_mode():
            return network(images)  # type: ignore[no-any-return]

    return answer


def with_captum(network: nn.Sequential) -> Answer:
    """Labels and heat maps as captum computes them: a pass for the labels, another for the maps, and all the way back
    that autograd has recorded."""
    import captum.attr

    method = captum.attr.LayerGradCam(network, network[0])

    def answer(images: Tensor) -> Tensor:
        with torch.no_grad():
            best = network(images).argmax(1)
        maps: Tensor = method.attribute(images.clone().requires_grad_(), target=best, relu_attributions=True)
        return maps

    return answer


def with_grad_cam(classifier: ImageNetClassifier) -> Answer:
    def answer(images: Tensor) -> None:
        for some in images.split(BATCH):
            logits, features = classifier.explained(some)
            grad_cam(logits, features, logits.argmax(1), (224, 224))

    return answer


def in_batches(run: Answer) -> Answer:
    """As the app does."""
    return lambda images: [run(some) for some in images.split(BATCH)]


def speed(answer: Answer, count: int) -> Contender:
    images = torch.rand(count, 3, 224, 224)

    def run() -> float:
        answer(images)  # what ran before has filled the caches of the processor with something else
        began = time.perf_counter()
        for _ in range(REPEATS[count]):
            answer(images)
        return count * REPEATS[count] / (time.perf_counter() - began)

    return run


def compare(name: str, classifier: ImageNetClassifier, rounds: int) -> dict[str, float]:
    """Each contender's time over another's, for one picture and for 32."""
    whole = nn.Sequential(classifier.trunk, classifier.head)
    plain = copy.deepcopy(whole).to(memory_format=torch.contiguous_format)
    found = {}
    exported = in_onnxruntime(plain)
    for count in REPEATS:
        speeds = alternating(
            {
                "ours": speed(in_batches(classifier.logits), count),
                "ours, with Grad-CAM": speed(with_grad_cam(classifier), count),
                "ours, without onnxruntime": speed(in_batches(classifier.run_in_torch), count),
                "onnxruntime": speed(exported, count),
                "torch": speed(in_torch(plain), count),
                "torch, with captum's": speed(with_captum(whole), count),
            },
            rounds,
        )
        print(f"\n{name}, pictures at once: {count}; pictures per second")
        report(speeds)
        found |= {
            f"{name}_{count}_ours_over_onnxruntime": ratio(speeds, "onnxruntime", "ours"),
            f"{name}_{count}_ours_over_torch": ratio(speeds, "torch", "ours"),
            f"{name}_{count}_without_onnxruntime_over_torch": ratio(speeds, "torch", "ours, without onnxruntime"),
            f"{name}_{count}_grad_cam_adds": ratio(speeds, "ours", "ours, with Grad-CAM") - 1,
            f"{name}_{count}_captum_adds_to_torch": ratio(speeds, "torch", "torch, with captum's") - 1,
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.classify", description=__doc__)
    parser.add_argument("--browser", action="store_true", help="also from the upload to the label on the page")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    logging.disable(logging.WARNING)
    torch.set_num_threads(usable_cores())
    options, end = begin(parser, onnxruntime=_version("onnxruntime"), onnx=_version("onnx"))
    page = _classify_page.measure(options.rounds) if options.browser else {}
    _classify_page.report(page)
    ratios = {}
    for name, classifier in networks().items():
        ratios |= compare(name, classifier, options.rounds)
    print()
    for name, value in ratios.items():
        print(f"{name:52}{value:8.2f}")
    end({"page": page, **{name: round(value, 4) for name, value in ratios.items()}})


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    main()
