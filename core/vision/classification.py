"""What a picture shows, by a network trained on ImageNet or by one of our own runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from core.errors import UserError
from core.runs import store
from core.vision import imagenet
from core.vision.explanation import grad_cam
from core.vision.network import load_network

BATCH = 32


@dataclass(frozen=True)
class Classifier:
    """A network with its classes, and the pictures it takes."""

    network: nn.Module
    logits: Callable[[Tensor], Tensor]  # (B,C,H,W), values from 0 to 1 → (B,K)
    classes: tuple[str, ...]
    input_shape: tuple[int, int, int]  # (C,H,W)
    resize: int  # pixels of the shorter side before the centre is cut out


def classify(
    pictures: Sequence[NDArray[np.uint8]], model: str = "imagenet", top: int = 5, explain: bool = False
) -> list[dict[str, Any]]:
    """The most probable classes of each (H,W,3) picture, by "imagenet", another of `imagenet.MODELS`, or a run's id.

    For each picture {"top": [{"label", "probability"}, …], "seen": (S,S,3 or 1) uint8, the picture as the network
    gets it, "inverted": whether light and dark were exchanged, "heatmap": (S,S) from 0 to 1, when `explain`}.
    Raises `UserError` for a model that is not there.
    """
    classifier = load_classifier(model)
    results: list[dict[str, Any]] = []
    for start in range(0, len(pictures), BATCH):
        results += _classify_batch(classifier, pictures[start : start + BATCH], top, explain)
    return results


@lru_cache(maxsize=8)
def load_classifier(model: str) -> Classifier:
    """The classifier of that name; the last few stay in memory."""
    if model in imagenet.MODELS:
        known = imagenet.load(model)
        shape = (3, known.side, known.side)
        return Classifier(known.network, known.logits, imagenet.CATEGORIES, shape, known.resize)
    run = store.get(model)
    if run.state != "finished":
        raise UserError("The run {name} has no weights yet: let it finish first.", name=run.name)
    network, metadata = load_network(run.folder.weights_file)
    channels, height, width = metadata["input_shape"]
    classes = tuple(metadata["classes"])
    return Classifier(network, network, classes, (channels, height, width), min(height, width))


def _classify_batch(
    classifier: Classifier, pictures: Sequence[NDArray[np.uint8]], top: int, explain: bool
) -> list[dict[str, Any]]:
    prepared = [prepare(picture, classifier) for picture in pictures]
    images = torch.stack([image for image, _inverted in prepared]).float().div_(255)  # (B,C,H,W)
    with torch.no_grad():
        probabilities = classifier.logits(images).softmax(1)  # (B,K)
    best = probabilities.topk(min(top, probabilities.shape[1]), dim=1)
    results = [
        {
            "top": [
                {"label": classifier.classes[k], "probability": float(p)}
                for p, k in zip(values, indices, strict=True)
            ],
            "seen": image.permute(1, 2, 0).numpy(),
            "inverted": inverted,
        }
        for values, indices, (image, inverted) in zip(best.values, best.indices.tolist(), prepared, strict=True)
    ]
    if explain:
        maps = grad_cam(classifier.network, classifier.logits, images, best.indices[:, 0])
        for result, heatmap in zip(results, maps.numpy(), strict=True):
            result["heatmap"] = heatmap
    return results


def prepare(picture: NDArray[np.uint8], classifier: Classifier) -> tuple[Tensor, bool]:
    """The centre of a (H,W,3) picture as (C,S,S) bytes, and whether light and dark were exchanged.

    Nets for grey pictures learnt from light things on a black ground; a photographed sheet of paper is the reverse.
    """
    channels, height, width = classifier.input_shape
    image = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float()  # (1,3,H,W)
    scale = max(classifier.resize, height, width) / min(image.shape[2:])
    size = [max(height, round(image.shape[2] * scale)), max(width, round(image.shape[3] * scale))]
    image = F.interpolate(image, size=size, mode="bicubic", antialias=True, align_corners=False).clamp_(0, 255)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    image = image[0, :, top : top + height, left : left + width]
    if channels == 3:
        return image.round().to(torch.uint8), False
    grey = (image * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0, keepdim=True)
    border = torch.cat([grey[0, 0], grey[0, -1], grey[0, :, 0], grey[0, :, -1]])
    inverted = bool(border.mean() > 127.5)
    return (255 - grey if inverted else grey).round().to(torch.uint8), inverted
