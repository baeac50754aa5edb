"""ResNet-9 for speed: whitened patches, seven convolutions with shortcuts, one linear layer; 2.6 million parameters.

The nine layers after David Page's ResNet-9 ("How to Train Your ResNet", 2018, first on Stanford's DAWNBench); widths
and the frozen whitening layer after Keller Jordan's airbench94 (2024, arXiv 2404.00498, §3, "patch-whitening").
Legend of shapes: B pictures, C channels, H × W pixels, K classes.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (64, 256, 256)  # channels of the three stages


class Whitening(nn.Module):
    """2×2 patches as their principal components, each scaled to variance 1, and the same with the opposite sign.

    Neighbouring pixels say nearly the same; a net learns faster from numbers that are uncorrelated and of one size.
    The filters come from the training pictures and are not trained, so that no gradient has to reach the pixels.
    """

    def __init__(self, channels: int, side: int = 2, least: float = 5e-4) -> None:
        """`least` is added to every variance: without it, components that are all noise would be blown up."""
        super().__init__()
        self.side, self.least = side, least
        self.filters: Tensor
        values = channels * side * side
        filters = torch.randn(values, channels, side, side) / values**0.5  # until it is fitted
        self.register_buffer("filters", torch.cat([filters, -filters]))

    def fit(self, images: Tensor) -> None:
        """Take the filters from the patches of (N,C,H,W) pictures as the net sees them."""
        patches = F.unfold(images, self.side).transpose(1, 2).flatten(0, 1)  # (N·places, C·side·side)
        if images.device.type != "mps":  # has none
            patches = patches.double()  # the small variances are lost beside the large ones in rounded sums
        covariance = (patches.T @ patches / len(patches)).cpu()
        variances, components = torch.linalg.eigh(covariance)  # components are columns
        scaled = (components / (variances + self.least).sqrt()).T.reshape(-1, *self.filters.shape[1:])
        self.filters.copy_(torch.cat([scaled, -scaled]))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.filters)  # (B,2·C·side²,H−1,W−1)


class Layer(nn.Module):
    """3×3 convolution, the larger of every 2×2 pixels if it pools, batch normalisation, GELU."""

    def __init__(self, channels_in: int, channels_out: int, pools: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
        self.pool = nn.MaxPool2d(2) if pools else nn.Identity()
        # A short run's mean and variance have to follow the weights quickly: four tenths new at each step.
        self.norm = nn.BatchNorm2d(channels_out, momentum=0.4)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.norm(self.pool(self.conv(x))))


class Stage(nn.Module):
    """A layer that widens and halves the picture, then x + F(x) with F of a few layers."""

    def __init__(self, channels_in: int, channels_out: int, pools: bool, layers: int) -> None:
        super().__init__()
        self.widen = Layer(channels_in, channels_out, pools)
        self.branch = nn.Sequential(*(Layer(channels_out, channels_out) for _ in range(layers)))

    def forward(self, x: Tensor) -> Tensor:
        x = self.widen(x)
        y: Tensor = x + self.branch(x)
        return y


class ResNet9(nn.Module):
    """(B,C,H,W) → (B,K) logits. The shapes below are those of 3×32×32 pictures."""

    def __init__(self, input_shape: tuple[int, int, int], num_classes: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        channels, height, width = input_shape
        self.whitening = Whitening(channels)
        channels, shorter = len(self.whitening.filters), min(height, width) - 1
        stages: list[nn.Module] = []
        for wider in widths:
            layers = 2 if len(stages) + 1 == len(widths) else 1  # where the picture is smallest, one more costs little
            stages.append(Stage(channels, wider, shorter >= 2, layers))
            channels, shorter = wider, max(1, shorter // 2)
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(channels, num_classes, bias=False)

    def fit(self, images: Tensor) -> None:
        """Prepare for the training part, (N,C,H,W) as the net will see them: see `Whitening`."""
        self.whitening.fit(images)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.whitening(x))  # (B,24,31,31)
        x = self.stages(x)  # (B,64,15,15), (B,256,7,7), (B,256,3,3)
        logits: Tensor = self.head(x.amax((2, 3))) / 8  # small at first: a net that is sure of nothing yet
        return logits


def build(input_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """The net for pictures of `input_shape` (C,H,W)."""
    return ResNet9(input_shape, num_classes, WIDTHS)
