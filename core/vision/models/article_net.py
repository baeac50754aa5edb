"""Two convolutions and three fully connected layers: the net of the article, in the line of LeNet-5.

The layers of the net in PyTorch's introductory tutorial; 62,006 parameters for 3×32×32 pictures and ten classes.
Legend of shapes: B pictures, C channels, H × W pixels, K classes.
"""

from torch import Tensor, nn

from core.errors import UserError

SMALLEST = 4  # two poolings halve a side twice


class ArticleNet(nn.Module):
    """(B,C,H,W) → (B,K) logits. The shapes below are those of 3×32×32 pictures."""

    def __init__(self, input_shape: tuple[int, int, int], num_classes: int) -> None:
        super().__init__()
        channels, height, width = input_shape
        if min(height, width) < SMALLEST:
            raise UserError(
                "This network needs pictures of at least {smallest} × {smallest} pixels, not {height} × {width}.",
                smallest=SMALLEST,
                height=height,
                width=width,
            )
        # An unpadded 5×5 kernel takes four pixels off each side; below 16 pixels nothing would be left.
        padding = 2 if min(height, width) < 16 else 0
        self.conv1 = nn.Conv2d(channels, 6, kernel_size=5, padding=padding)
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5, padding=padding)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(16 * _left(height, padding) * _left(width, padding), 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.conv1(x).relu())  # (B,6,14,14)
        x = self.pool(self.conv2(x).relu())  # (B,16,5,5)
        x = x.flatten(1)  # (B,400)
        x = self.fc1(x).relu()  # (B,120)
        x = self.fc2(x).relu()  # (B,84)
        logits: Tensor = self.fc3(x)  # (B,K)
        return logits


def _left(pixels: int, padding: int) -> int:
    """How much of a side is left after both convolutions and poolings: 5 of 32, 4 of 28, 2 of 8."""
    for _ in range(2):
        pixels = (pixels + 2 * padding - 4) // 2
    return pixels


def build(input_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """The net for pictures of `input_shape` (C,H,W), with PyTorch's default initialisation."""
    return ArticleNet(input_shape, num_classes)
