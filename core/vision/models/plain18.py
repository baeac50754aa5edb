"""The plain twin of ResNet-18: the same layers without the shortcuts."""

from torch import nn

from core.vision.models._residual import resnet_18


def build(input_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """(B,C,H,W) → (B,K)."""
    return resnet_18(input_shape, num_classes, plain=True)
