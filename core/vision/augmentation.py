"""Random variation of pictures, for a whole batch at once, on whatever device the batch lies.

Shapes: (B,C,H,W), any dtype. Every picture of the batch gets its own draw. Each function returns a new tensor and
draws from the generator it is given, so that the same seed varies pictures the same way.
"""

import torch
from torch import Tensor


def random_crop(images: Tensor, pixels: int, generator: torch.Generator) -> Tensor:
    """Shift every picture by up to ±`pixels` in both directions; what comes in from outside is black."""
    batch, _, height, width = images.shape
    padded = torch.nn.functional.pad(images, (pixels,) * 4)
    top, left = torch.randint(0, 2 * pixels + 1, (2, batch, 1), generator=generator, device=images.device)
    rows = top + torch.arange(height, device=images.device)  # (B,H)
    columns = left + torch.arange(width, device=images.device)  # (B,W)
    which = torch.arange(batch, device=images.device)[:, None, None]
    # Indexing the channels-last view copies whole pixels, and the result is channels-last again.
    shifted = padded.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]]  # (B,H,W,C)
    return shifted.permute(0, 3, 1, 2)


def random_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror half of the pictures left to right."""
    mirrored = torch.rand(len(images), generator=generator, device=images.device) < 0.5
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


def random_cutout(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Blank out one square of `side` pixels in every picture (DeVries and Taylor 2017, arXiv 1708.04552)."""
    batch, _, height, width = images.shape
    device = images.device
    centre = torch.rand((2, batch, 1), generator=generator, device=device)
    rows = torch.arange(height, device=device) - (centre[0] * height).floor()  # (B,H) distance to the centre
    columns = torch.arange(width, device=device) - (centre[1] * width).floor()  # (B,W)
    hit_rows = (rows >= -(side // 2)) & (rows < side - side // 2)
    hit_columns = (columns >= -(side // 2)) & (columns < side - side // 2)
    return images.masked_fill((hit_rows[:, :, None] & hit_columns[:, None, :])[:, None], 0)
