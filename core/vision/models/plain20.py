"""The plain twin of ResNet-20: the same layers without the shortcuts."""

from torch import nn

from core.vision.models._residual import cifar_resnet


def build(input_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """(B,C,H,W) → (B,K)."""
    return cifar_resnet(input_shape, num_classes, depth=20, plain=True)
