"""A few convolutions with batch normalisation: small enough to learn in seconds without a GPU.

Every stage halves the picture until at most 4 × 4 cells are left, so the wide layers see few cells: that makes
it fast. 89,914 parameters for 1×28×28 pictures and ten classes.
Legend of shapes: B pictures, C channels, H × W pixels, K classes.
"""

from torch import Tensor, nn

WIDTHS = (16, 32, 64)  # channels of the first stages; all further ones have 64


class SmallCNN(nn.Module):
    """(B,C,H,W) → (B,K) logits. The shapes below are those of 1×28×28 pictures."""

    def __init__(self, input_shape: tuple[int, int, int], num_classes: int) -> None:
        super().__init__()
        channels, height, width = input_shape
        # Pictures as small as the 8×8 digits cannot spare half of their pixels at the very start.
        stride = 2 if min(height, width) >= 16 else 1
        stages: list[nn.Module] = [_stage(channels, WIDTHS[0], kernel_size=5, stride=stride)]
        height, width = -(-height // stride), -(-width // stride)  # rounded up
        channels = WIDTHS[0]
        while max(height, width) > 4:
            wider = WIDTHS[min(len(stages), len(WIDTHS) - 1)]
            stages.append(_stage(channels, wider, stride=2))
            height, width, channels = -(-height // 2), -(-width // 2), wider
        self.stages = nn.Sequential(*stages)
        self.hidden = nn.Linear(channels * height * width, 64)
        self.output = nn.Linear(64, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stages(x)  # (B,16,14,14), (B,32,7,7), (B,64,4,4)
        x = x.flatten(1)  # (B,1024)
        x = self.hidden(x).relu()  # (B,64)
        logits: Tensor = self.output(x)  # (B,K)
        return logits


def _stage(channels_in: int, channels_out: int, kernel_size: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU; the normalisation's own shift makes a bias superfluous."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel_size, stride, padding=kernel_size // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


def build(input_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """The net for pictures of `input_shape` (C,H,W), with PyTorch's default initialisation."""
    return SmallCNN(input_shape, num_classes)
