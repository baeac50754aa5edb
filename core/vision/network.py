"""A picture classifier as it is trained, stored and used: normalisation and network in one module."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import safetensors.torch
import torch
from torch import Tensor, nn

from core import registry
from core.errors import UserError
from core.training.weights import NOT_OURS, read_metadata
from core.vision.pictures import Pictures
from core.vision.recipe import MODELS

PIXELS_SEEN = 2_000_000  # of training pictures that a network is shown before it is trained, if it wants to see some


class Normalisation(nn.Module):
    """x ↦ (x − mean) / std for each channel; the training part's mean and std travel with the weights."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("std", torch.ones(channels, 1, 1))

    def fit(self, chunks: Iterable[Tensor]) -> None:
        """Take mean and std from all pictures, (B,C,H,W) bytes at a time; the std never below one grey level, as of a
        blank channel. How often each level occurs is counted, which is exact however the pictures are cut up."""
        counts = torch.zeros(len(self.mean), 256, dtype=torch.float64)
        for images in chunks:
            for channel in range(len(counts)):
                counts[channel] += torch.bincount(images[:, channel].flatten().int(), minlength=256).cpu()
        levels = torch.arange(256, dtype=torch.float64) / 255
        for channel, count in enumerate(counts):
            mean = (count * levels).sum() / count.sum()
            variance = (count * (levels - mean) ** 2).sum() / count.sum()
            self.mean[channel] = mean
            self.std[channel] = variance.sqrt().clamp(min=1 / 255)

    def forward(self, images: Tensor) -> Tensor:
        mean, std = self.mean, self.std
        layout = torch.channels_last
        if images.device.type == "cpu" and len(mean) > 1 and images.is_contiguous(memory_format=layout):
            # Three values would be fetched anew for every pixel. Spread over a whole picture, (1,C,H,W), the same
            # arithmetic takes a fifth of the time.
            mean = mean.expand_as(images[:1]).contiguous(memory_format=layout)
            std = std.expand_as(images[:1]).contiguous(memory_format=layout)
        return (images - mean).div_(std)  # in place: the difference is nobody else's


class PictureNetwork(nn.Module):
    """Pictures (B,C,H,W), values from 0 to 1 → logits (B,K)."""

    def __init__(self, network: nn.Module, channels: int) -> None:
        super().__init__()
        self.normalisation = Normalisation(channels)
        self.network = network

    @torch.no_grad()
    def fit(self, pictures: Pictures) -> None:
        """Prepare for the training part: normalisation, and what the network itself has to fit."""
        self.normalisation.fit(pictures.chunks())
        if hasattr(self.network, "fit"):
            _, _, height, width = pictures.whole.shape
            every = -(-len(pictures) * height * width // PIXELS_SEEN)  # not the first: they may all be of one class
            shown = pictures.at(torch.arange(0, len(pictures), every, device=pictures.device))
            values = shown.to(self.normalisation.mean.device, torch.float32).div(255)
            cast(Any, self.network).fit(self.normalisation(values))

    def forward(self, images: Tensor) -> Tensor:
        return cast(Tensor, self.network(self.normalisation(images)))


def build_network(model: str, input_shape: tuple[int, int, int], num_classes: int) -> PictureNetwork:
    """A fresh network of the named model for (C,H,W) pictures of K classes."""
    network = registry.load(MODELS, model).build(input_shape, num_classes)
    return PictureNetwork(network, channels=input_shape[0])


def load_network(path: Path) -> tuple[PictureNetwork, dict[str, Any]]:
    """The trained network of a weights file, in evaluation mode, and its metadata.

    Reads safetensors only, never a pickle. Raises `UserError` when the file is not one of ours.
    """
    metadata = read_metadata(path)
    try:
        network = build_network(metadata["model"], tuple(metadata["input_shape"]), len(metadata["classes"]))
        network.load_state_dict(safetensors.torch.load_file(path))
    except NOT_OURS:
        raise UserError("This weights file cannot be read: it was not written by a finished run.") from None
    return network.eval(), metadata
