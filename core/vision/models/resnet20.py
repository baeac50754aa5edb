"""ResNet-20 for small pictures: 19 convolutions with shortcuts, and one linear layer (He et al. 2015, §4.2)."""

from torch import nn

from core.vision.models._residual import cifar_resnet


def build(input_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """(B,C,H,W) → (B,K)."""
    return cifar_resnet(input_shape, num_classes, depth=20)
