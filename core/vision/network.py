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
from core.vision.recipe import MODELS


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
        return (images - self.mean) / self.std


class PictureNetwork(nn.Module):
    """Pictures (B,C,H,W), values from 0 to 1 → logits (B,K)."""

    def __init__(self, network: nn.Module, channels: int) -> None:
        super().__init__()
        self.normalisation = Normalisation(channels)
        self.network = network

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
