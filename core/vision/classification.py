"""What a picture shows, by a network trained on ImageNet or by one of our own runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import UserError
from core.runs import store
from core.vision import imagenet
from core.vision.explanation import grad_cam, last_spatial_convolution, watched
from core.vision.network import load_network
from core.vision.preparation import prepare
from core.vision.recipe import PictureRecipe

BATCH = 8  # pictures at once; more are no faster on a CPU and take more memory
LEARNT_FROM_DARK = 0.4  # mean brightness below which grey training pictures have a dark ground; digits: 0.31


@dataclass(frozen=True)
class Classifier:
    """A network with its classes, and the pictures (B,C,H,W) it takes, values from 0 to 1."""

    logits: Callable[[Tensor], Tensor]  # pictures → (B,K)
    explained: Callable[[Tensor], tuple[Tensor, Tensor]]  # pictures → logits and features, for `grad_cam`
    classes: tuple[str, ...]
    input_shape: tuple[int, int, int]  # (C,H,W)
    share: float = 1.0  # of the shorter side of a picture, that is looked at
    dark_ground: bool = False  # whether it learnt from light things on black, as those of Fashion-MNIST are


def classify(
    pictures: Sequence[NDArray[np.uint8]], model: str = "imagenet", top: int = 5, explain: bool = False
) -> list[dict[str, Any]]:
    """The most probable classes of each (H,W,3) picture, by "imagenet", another of `imagenet.MODELS`, or a run's id.

    For each picture {"top": [{"label", "probability"}, …], "seen": (S,S,3 or 1) uint8, the picture as the network
    gets it (see `preparation.prepare`), "inverted": whether light and dark were exchanged, "trimmed": whether an
    empty margin was cut off, "heatmap": (S,S) from 0 to 1, where it looked for the first class, when `explain`}.
    Raises `UserError` for a model that is not there.
    """
    classifier = load_classifier(model)
    results: list[dict[str, Any]] = []
    for start in range(0, len(pictures), BATCH):
        results += _classify_batch(classifier, pictures[start : start + BATCH], top, explain)
    return results


def load_classifier(model: str) -> Classifier:
    """The classifier of that name. Raises `UserError` when there is none."""
    if model in imagenet.MODELS:
        known = imagenet.load(model)
        shape = (3, known.side, known.side)
        return Classifier(known.logits, known.explained, imagenet.CATEGORIES, shape, known.share)
    run = store.get(model)
    if run.state != "finished":
        raise UserError("The run {name} has no weights yet: let it finish first.", name=run.name)
    if not isinstance(run.recipe, PictureRecipe):
        raise UserError("The run {name} has learnt a language, not pictures.", name=run.name)
    return _trained(run.folder.weights_file)


@lru_cache(maxsize=8)
def _trained(weights_file: Path) -> Classifier:
    """The classifier of a finished run, whose weights never change; the last few stay in memory."""
    network, metadata = load_network(weights_file)
    channels, height, width = metadata["input_shape"]
    dark = channels == 1 and float(network.normalisation.mean) < LEARNT_FROM_DARK
    network.requires_grad_(False)
    layer = last_spatial_convolution(network, torch.zeros(1, channels, height, width))
    explained = partial(watched, network, layer)
    return Classifier(network, explained, tuple(metadata["classes"]), (channels, height, width), dark_ground=dark)


def _classify_batch(
    classifier: Classifier, pictures: Sequence[NDArray[np.uint8]], top: int, explain: bool
) -> list[dict[str, Any]]:
    shape, share, dark_ground = classifier.input_shape, classifier.share, classifier.dark_ground
    prepared = [prepare(picture, shape, share, dark_ground) for picture in pictures]
    images = torch.stack([one.image for one in prepared]).float().div_(255)  # (B,C,H,W)
    features = None
    if explain:
        logits, features = classifier.explained(images)  # (B,K), (B,F,h,w)
    else:
        with torch.inference_mode():
            logits = classifier.logits(images)
    probabilities = logits.detach().softmax(1)
    best = probabilities.topk(min(top, probabilities.shape[1]), dim=1)
    results = [
        {
            "top": [
                {"label": classifier.classes[k], "probability": float(p)} for p, k in zip(values, indices, strict=True)
            ],
            "seen": one.image.permute(1, 2, 0).numpy(),
            "inverted": one.inverted,
            "trimmed": one.trimmed,
        }
        for values, indices, one in zip(best.values, best.indices.tolist(), prepared, strict=True)
    ]
    if features is not None:
        maps = grad_cam(logits, features, best.indices[:, 0], shape[1:])
        for result, heatmap in zip(results, maps.numpy(), strict=True):
            result["heatmap"] = heatmap
    return results
