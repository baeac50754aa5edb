"""A photograph made into what a network learnt from: its size, its number of channels, its dark ground.

Legend of shapes: C channels, H × W pixels.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: how bright red, green and blue look
LOOK = 128  # pixels of the longer side at which a picture is searched for what is drawn on it
INK = 0.3  # the share of the full contrast from which on a pixel belongs to what is drawn
LEAST_CONTRAST = 16  # grey levels; below it a sheet is blank


@dataclass(frozen=True)
class Prepared:
    """A picture as the network gets it."""

    image: Tensor  # (C,H,W) uint8
    inverted: bool = False  # light and dark were exchanged
    trimmed: bool = False  # the ground around what is drawn was cut off


def prepare(
    picture: NDArray[np.uint8], input_shape: tuple[int, int, int], share: float = 1.0, dark_ground: bool = False
) -> Prepared:
    """A (H,W,3) picture for a network that takes `input_shape` (C,H,W).

    In general the centre: the largest part of the right proportions, of which `share` of each side is kept.
    With `dark_ground`, for networks that learnt from grey things on black, what is drawn or lies on an even
    ground is lifted off it: light on dark, in full contrast, without margins, as digits and Fashion-MNIST are.
    """
    channels, height, width = input_shape
    image = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float()  # (3,H,W)
    if channels == 1:
        image = (image * torch.tensor(LUMA)[:, None, None]).sum(0, keepdim=True)  # (1,H,W)
    if not (channels == 1 and dark_ground):
        return Prepared(_bytes(_resized(_centre(image, width / height, share), height, width)))
    lifted, inverted = _lifted(image)
    if image.shape[1:] == (height, width):  # made for this network, as the pictures of its own test set are
        return Prepared(_bytes(255 - image if inverted else image), inverted)
    square = _padded(_trimmed(lifted), width / height)
    return Prepared(_bytes(_resized(square, height, width)), inverted, trimmed=True)


def _centre(image: Tensor, proportion: float, share: float = 1.0) -> Tensor:
    """The middle of (C,H,W) whose width is `proportion` of its height. Cut before it is resized: a picture
    of one row would otherwise unfold to gigabytes."""
    rows = max(1, round(share * min(image.shape[1], image.shape[2] / proportion)))
    columns = max(1, round(share * min(image.shape[2], image.shape[1] * proportion)))
    top, left = (image.shape[1] - rows) // 2, (image.shape[2] - columns) // 2
    return image[:, top : top + rows, left : left + columns]


def _padded(image: Tensor, proportion: float) -> Tensor:
    """(C,H,W) in the middle of black, so that the width is `proportion` of the height."""
    rows = max(image.shape[1], round(image.shape[2] / proportion))
    columns = max(image.shape[2], round(image.shape[1] * proportion))
    above, left = (rows - image.shape[1]) // 2, (columns - image.shape[2]) // 2
    return F.pad(image, (left, columns - image.shape[2] - left, above, rows - image.shape[1] - above))


def _resized(image: Tensor, height: int, width: int) -> Tensor:
    return F.interpolate(image[None], size=(height, width), mode="bicubic", antialias=True, align_corners=False)[0]


def _bytes(image: Tensor) -> Tensor:
    return image.clamp(0, 255).round().to(torch.uint8)


def _lifted(image: Tensor) -> tuple[Tensor, bool]:
    """A (1,H,W) picture less the ground it lies on, light on dark, and whether it was darker than its ground."""
    height, width = image.shape[1:]
    small = _small(image)
    ground = _ground(small)
    above = small - _plane(ground, *small.shape[1:])
    inverted = bool(-above.min() > above.max())
    sign = -1 if inverted else 1
    contrast = max(float((sign * above).max()), LEAST_CONTRAST)
    return (sign * (image - _plane(ground, height, width)) * (255 / contrast)).clamp(0, 255), inverted


def _trimmed(image: Tensor) -> Tensor:
    """The part of a (1,H,W) picture that has something on it; all of a blank one."""
    small = _small(image)[0]
    ink = small > INK * 255
    if not ink.any():
        return image
    rows, columns = ink.any(1).nonzero(), ink.any(0).nonzero()
    down, right = image.shape[1] / small.shape[0], image.shape[2] / small.shape[1]
    top, bottom = int(rows.min() * down), math.ceil((rows.max() + 1) * down)
    left, end = int(columns.min() * right), math.ceil((columns.max() + 1) * right)
    return image[:, top:bottom, left:end]


def _ground(small: Tensor) -> Tensor:
    """The brightness (3,) of the ground, a + b·row + c·column, as the border of a (1,H,W) picture shows it.

    The plane of the least absolute deviations, by reweighted least squares: a lamp to one side makes a slope, and
    what sticks out at the border counts for little.
    """
    border = torch.zeros(small.shape[1:], dtype=torch.bool)
    border[[0, -1]] = True
    border[:, [0, -1]] = True
    places, values = _places(*small.shape[1:])[border], small[0][border]  # (N,3), (N,)
    weights = torch.ones_like(values)
    ground = torch.zeros(3)
    for _ in range(20):
        root = weights.sqrt()
        ground = torch.linalg.lstsq(places * root[:, None], (values * root)[:, None]).solution[:, 0]
        weights = 1 / (values - places @ ground).abs().clamp(min=1)
    return ground


def _places(height: int, width: int) -> Tensor:
    """(H,W,3): 1, the row and the column of every pixel, rows and columns from -1 to 1."""
    rows = (2 * torch.arange(height) + 1) / height - 1
    columns = (2 * torch.arange(width) + 1) / width - 1
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([torch.ones(height, width), y, x], dim=2)


def _plane(ground: Tensor, height: int, width: int) -> Tensor:
    return _places(height, width) @ ground


def _small(image: Tensor) -> Tensor:
    """At most `LOOK` pixels long: noise and the grain of paper are averaged out."""
    scale = min(1.0, LOOK / max(image.shape[1:]))
    height, width = (max(1, round(scale * side)) for side in image.shape[1:])
    return F.interpolate(image[None], size=(height, width), mode="area")[0]
