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
    return moved(images, pixels, draw_moves(len(images), pixels, flip, generator))


def draw_moves(count: int, pixels: int, flip: bool | Tensor, generator: torch.Generator) -> Tensor:
    """The draws of `random_move`, (3,B) int64: where cutting out begins, rows down and columns right; mirrored?"""
    device = generator.device
    moves = torch.zeros((3, count), dtype=torch.int64, device=device)
    if pixels:
        moves[:2] = torch.randint(0, 2 * pixels + 1, (2, count), generator=generator, device=device) - pixels
    if isinstance(flip, Tensor):
        moves[2] = flip
    elif flip:
        moves[2] = torch.rand(count, generator=generator, device=device) < 0.5
    return moves


def moved(images: Tensor, pixels: int, moves: Tensor) -> Tensor:
    """`images` shifted, by up to ±`pixels`, and mirrored as `moves` (3,B) says."""
    top, left, mirrored = moves
    on_cpu = images.device.type == "cpu" and images.dtype == torch.uint8
    return (_moved_by_rows if on_cpu else _moved_by_pixels)(images, pixels, top, left, mirrored.bool())


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


def alternating_mirror(count: int, seed: int) -> Tensor:
    """Which of `count` pictures are mirrored in even epochs, (N,) truths; in odd epochs it is the others.

    So two epochs see every picture both ways, where chance shows half of them twice the same (Jordan 2024,
    arXiv 2404.00498, §3.6).
    """
    return torch.rand(count, generator=torch.Generator().manual_seed(seed)) < 0.5


def random_cutout(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Blank out one square of `side` pixels in every picture (DeVries and Taylor 2017, arXiv 1708.04552)."""
    return cut_out(images, side, draw_centres(len(images), generator))


def draw_centres(count: int, generator: torch.Generator) -> Tensor:
    """The draws of `random_cutout`, (2,B): how far down and to the right each square's centre is, from 0 to 1."""
    return torch.rand((2, count), generator=generator, device=generator.device)


def cut_out(images: Tensor, side: int, centres: Tensor) -> Tensor:
    """`images` with a square of `side` pixels blanked out around each of the `centres` (2,B)."""
    _, _, height, width = images.shape
    down, right = centres[:, :, None]
    rows = torch.arange(height, device=images.device) - (down * height).floor()  # (B,H) distance to the centre
    columns = torch.arange(width, device=images.device) - (right * width).floor()  # (B,W)
    hit_rows = (rows >= -(side // 2)) & (rows < side - side // 2)
    hit_columns = (columns >= -(side // 2)) & (columns < side - side // 2)
    return images.masked_fill((hit_rows[:, :, None] & hit_columns[:, None, :])[:, None], 0)
