"""ResNet-18 for small pictures: 17 wide convolutions with shortcuts, 11 million parameters (He et al. 2015)."""

from torch import nn

from core.vision.models._residual import resnet_18


def build(input_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """(B,C,H,W) → (B,K)."""
    return resnet_18(input_shape, num_classes)
