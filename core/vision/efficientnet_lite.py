"""EfficientNet-Lite0: 4.7 million parameters, 0.4 billion multiplications a picture (Tan and Le 2019, arXiv 1905.11946;
the Lite variants, without squeeze-and-excitation and with ReLU6, are Google's of 2020).

Legend of shapes: B pictures, C channels, H × W pixels.
"""

from torch import Tensor, nn

SIDE = 224  # pixels of the pictures it was trained on
# Each stage: how many blocks, kernel, stride of the first, how often wider inside, channels that come out.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, FEATURES = 32, 1280


class Residual(nn.Module):
    """x ↦ x + f(x)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) + x  # type: ignore[no-any-return]


def trunk() -> nn.Sequential:
    """Normalised pictures (B,3,H,W), H and W multiples of 32 → features (B,1280,H/32,W/32)."""
    layers: list[nn.Module] = [*_convolution(3, STEM, kernel=3, stride=2), nn.ReLU6()]
    given = STEM
    for blocks, kernel, first_stride, wider, wanted in STAGES:
        for k in range(blocks):
            layers.append(_block(given, wanted, kernel, first_stride if k == 0 else 1, wider))
            given = wanted
    return nn.Sequential(*layers, *_convolution(given, FEATURES), nn.ReLU6())


def _block(given: int, wanted: int, kernel: int, stride: int, wider: int) -> nn.Module:
    """Widen, look at each channel's surroundings, make narrow again; around it a shortcut where the shapes allow."""
    width = given * wider
    layers: list[nn.Module] = [*_convolution(given, width), nn.ReLU6()] if wider > 1 else []
    layers += [*_convolution(width, width, kernel, stride, groups=width), nn.ReLU6(), *_convolution(width, wanted)]
    inner = nn.Sequential(*layers)
    return Residual(inner) if stride == 1 and given == wanted else inner


def _convolution(given: int, wanted: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """With its normalisation. Where it halves a picture, the right and the lower margin are one pixel wider, as in
    TensorFlow, where the weights were learnt."""
    both = kernel // 2
    layer = nn.Conv2d(given, wanted, kernel, stride, padding=both if stride == 1 else 0, groups=groups, bias=False)
    normalisation = nn.BatchNorm2d(wanted, eps=1e-3)
    if stride == 1:
        return [layer, normalisation]
    return [nn.ZeroPad2d((both - 1, both, both - 1, both)), layer, normalisation]
