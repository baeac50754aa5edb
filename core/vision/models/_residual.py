"""Residual networks and their plain twins (He et al. 2015, arXiv 1512.03385).

Legend of shapes: B pictures, C channels, H × W pixels, K classes. A plain twin is the same net without shortcuts.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """Two 3×3 convolutions; with a shortcut, their result is added to what came in: y = F(x) + x (§3.2)."""

    def __init__(self, in_channels: int, channels: int, stride: int, shortcut: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))  # (B,C,H/stride,W/stride)
        y = self.norm2(self.conv2(y))
        if self.shortcut is not None:
            y = y + self.shortcut(x)
        return F.relu(y)


class PaddedShortcut(nn.Module):
    """Option A of §3.3: every second pixel, and zeros for the channels that are new. It has no parameters."""

    def __init__(self, new_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels, self.stride = new_channels, stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, self.new_channels // 2, self.new_channels - self.new_channels // 2))


def projection(in_channels: int, channels: int, stride: int) -> nn.Module:
    """Option B of §3.3: a 1×1 convolution where the shape changes."""
    return nn.Sequential(nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))


class ResNet(nn.Module):
    """Stages of blocks, each after the first with half the pixels; then the mean over pixels and one linear layer."""

    def __init__(
        self, in_channels: int, num_classes: int, widths: Sequence[int], blocks: int, option: str, plain: bool
    ) -> None:
        """`blocks` per stage, `widths` the channels of each stage, `option` "A" or "B" for the shortcuts."""
        super().__init__()
        self.conv = nn.Conv2d(in_channels, widths[0], 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(widths[0])
        layers: list[nn.Module] = []
        before = widths[0]
        for stage, width in enumerate(widths):
            for place in range(blocks):
                stride = 2 if stage > 0 and place == 0 else 1
                shortcut = None if plain else _shortcut(before, width, stride, option)
                layers.append(Block(before, width, stride, shortcut))
                before = width
        self.blocks = nn.Sequential(*layers)
        self.head = nn.Linear(widths[-1], num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):  # He et al. 2015, arXiv 1502.01852, §2.2
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.conv(x)))  # (B,widths[0],H,W)
        x = self.blocks(x)  # (B,widths[-1],H/2^s,W/2^s)
        return cast(Tensor, self.head(torch.mean(x, dim=(2, 3))))  # (B,K)


def _shortcut(before: int, width: int, stride: int, option: str) -> nn.Module:
    if before == width and stride == 1:
        return nn.Identity()
    return PaddedShortcut(width - before, stride) if option == "A" else projection(before, width, stride)


def cifar_resnet(input_shape: tuple[int, int, int], num_classes: int, depth: int, plain: bool = False) -> ResNet:
    """The nets of §4.2: three stages of 16, 32 and 64 channels, depth = 6 n + 2 layers with weights."""
    assert depth % 6 == 2, depth
    return ResNet(input_shape[0], num_classes, (16, 32, 64), (depth - 2) // 6, "A", plain)


def resnet_18(input_shape: tuple[int, int, int], num_classes: int, plain: bool = False) -> ResNet:
    """ResNet-18 of Table 1 for small pictures: a 3×3 convolution in place of the 7×7 one and the pooling."""
    return ResNet(input_shape[0], num_classes, (64, 128, 256, 512), 2, "B", plain)
