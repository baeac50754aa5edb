"""Random variation of pictures, for a whole batch at once, on whatever device the batch lies.

Shapes: (B,C,H,W), any dtype. Every picture of the batch gets its own draw. Each function returns a new tensor and
draws from the generator it is given, so that the same seed varies pictures the same way.
"""

import torch
from torch import Tensor


def random_move(images: Tensor, pixels: int, flip: bool | Tensor, generator: torch.Generator) -> Tensor:
    """Shift every picture by up to ±`pixels` in both directions and, with `flip`, mirror half of them left to right.

    `flip` may also say which ones, (B,) truths. What comes in from outside is black.
    """
    batch, device = len(images), images.device
    top, left = torch.zeros((2, batch), dtype=torch.int64, device=device)
    if pixels:
        top, left = torch.randint(0, 2 * pixels + 1, (2, batch), generator=generator, device=device) - pixels
    if isinstance(flip, Tensor):
        mirrored = flip
    elif flip:
        mirrored = torch.rand(batch, generator=generator, device=device) < 0.5
    else:
        mirrored = torch.zeros(batch, dtype=torch.bool, device=device)
    on_cpu = device.type == "cpu" and images.dtype == torch.uint8
    return (_moved_by_rows if on_cpu else _moved_by_pixels)(images, pixels, top, left, mirrored)


def _moved_by_pixels(images: Tensor, pixels: int, top: Tensor, left: Tensor, mirrored: Tensor) -> Tensor:
    """One gather of whole pixels: the place in the batch is computed for every pixel that is wanted, and those outside
    point to a black one behind the last. For a device with thousands of threads."""
    batch, channels, height, width = images.shape
    device = images.device
    columns = torch.arange(width, device=device).expand(batch, width)
    columns = torch.where(mirrored[:, None], width - 1 - columns, columns) + left[:, None]
    rows = torch.arange(height, device=device).expand(batch, height) + top[:, None]
    first = height * torch.arange(batch, device=device)[:, None]
    places = ((first + rows) * width)[:, :, None] + columns[:, None, :]  # (B,H,W)
    if pixels:
        inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
        places.masked_fill_(~inside, batch * height * width)
    # Rows of this table are pixels, because the batch is channels-last; the result is channels-last again.
    table = images.permute(0, 2, 3, 1).reshape(-1, channels)
    table = torch.cat([table, table.new_zeros(1, channels)])
    return table.index_select(0, places.flatten()).view(batch, height, width, channels).permute(0, 3, 1, 2)


def _moved_by_rows(images: Tensor, pixels: int, top: Tensor, left: Tensor, mirrored: Tensor) -> Tensor:
    """The same bytes in a fraction of the time on a CPU: rows are cut out of pictures with a black margin.

    In memory, channels-last, what is wanted of a row is one piece; torch copies such pieces whole, and mirrors bytes
    with vector instructions.
    """
    batch, channels, height, width = images.shape
    rows, columns = height + 2 * pixels, width + 2 * pixels
    framed = images.new_zeros((batch, rows, columns, channels))
    framed[:, pixels : pixels + height, pixels : pixels + width] = images.permute(0, 2, 3, 1)
    # Row p of this table is the piece that begins at pixel p of the batch; the pieces overlap.
    table = framed.as_strided((batch * rows * columns - width + 1, width * channels), (channels, 1))
    first = (torch.arange(batch) * rows + top + pixels) * columns + left + pixels  # (B,) each picture's first pixel
    places = first[:, None] + torch.arange(height) * columns  # (B,H)
    moved = table.index_select(0, places.flatten()).view(batch, height, width, channels)
    chosen = mirrored.nonzero().flatten()
    flipped = moved.index_select(0, chosen).permute(0, 3, 1, 2).flip(3).permute(0, 2, 3, 1)
    moved.numpy()[chosen.numpy()] = flipped.numpy()  # index_copy_ takes thirty times as long
    return moved.permute(0, 3, 1, 2)


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
