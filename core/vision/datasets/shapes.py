"""Coloured shapes drawn on the spot: 10 classes whose colour, rotation, texture and clutter you can turn."""

import dataclasses
import hashlib
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from core.tasks import Say
from core.vision.factors import Factors, read_factors
from core.vision.pictures import PictureDataset, Pictures
from core.vision.stored import Chunk, StoredPixels, fits_memory, kept

SIDE = 32  # pixels
DRAWN_AT_ONCE = 2_000  # pictures drawn at a time: bounds the memory
VERSION = "1"  # change it when the drawing changes


def load(argument: str, *, seed: int, image_size: int, say: Say) -> PictureDataset:
    """3×32×32 pictures in 10 classes of equal size; `argument` is such as "colour=1,count=2000"."""
    del image_size
    factors = read_factors(argument)
    settings = ",".join(f"{name}={value:g}" for name, value in dataclasses.asdict(factors).items())
    version = f"{VERSION}:{settings},seed={seed}"
    whole, labels = _pixels(factors, seed, version, say)
    rows = torch.arange(len(labels))
    train, test = rows[: factors.count], rows[factors.count :]
    return PictureDataset(
        name=f"shapes:{argument}" if argument else "shapes",
        version=version,
        source="Drawn by this program",
        classes=tuple(SHAPES),
        train=Pictures(whole, labels[train], train),
        test=Pictures(whole, labels[test], test),
    )


def _pixels(factors: Factors, seed: int, version: str, say: Say) -> tuple[Tensor | StoredPixels, Tensor]:
    """All pictures (N,3,32,32), those of the test last, and their labels (N,); from a file where they are many."""
    total = factors.count + _tested(factors)
    if fits_memory(total * 3 * SIDE * SIDE):
        return _drawn(factors, seed, say)
    name = "shapes-" + hashlib.sha256(version.encode()).hexdigest()[:12]
    stored = kept(name, version, (total, SIDE, SIDE, 3), lambda: _chunks(factors, seed, say))
    return stored.pixels, stored.marks


def _drawn(factors: Factors, seed: int, say: Say) -> tuple[Tensor, Tensor]:
    """All pictures (N,3,32,32) in memory, those of the test last, and their labels (N,)."""
    total = factors.count + _tested(factors)
    pixels, labels = torch.empty((total, SIDE, SIDE, 3), dtype=torch.uint8), torch.empty(total, dtype=torch.int64)
    done = 0
    for some, their_labels in _chunks(factors, seed, say):
        pixels[done : done + len(some)] = torch.from_numpy(some)
        labels[done : done + len(some)] = torch.from_numpy(their_labels)
        done += len(some)
    return pixels.permute(0, 3, 1, 2), labels


def _chunks(factors: Factors, seed: int, say: Say) -> Iterator[Chunk]:
    """The pictures as they are drawn, first those to learn from, then those of the test."""
    done, total = 0, factors.count + _tested(factors)
    # Even and odd seeds keep the two parts apart, whatever the seed of the recipe.
    for count, first in ((factors.count, 2 * seed), (_tested(factors), 2 * seed + 1)):
        generator = torch.Generator().manual_seed(first)
        labels = torch.arange(count) % len(SHAPES)
        labels = labels[torch.randperm(count, generator=generator)]
        for some in labels.split(DRAWN_AT_ONCE):
            images = draw_shapes(some, factors, generator)
            done += len(some)
            say("shapes", done / total)
            yield images.permute(0, 2, 3, 1).contiguous().numpy(), some.numpy()


def _tested(factors: Factors) -> int:
    """How many pictures are for the test."""
    return max(len(SHAPES), factors.count // 5)


# A shape is a field over the plane, below 0 inside and above 0 outside; near its edge it is about the
# distance to it, which gives soft edges for free. max is an intersection, min is a union.
# (N,H,W), (N,H,W) -> (N,H,W)
Field = Callable[[Tensor, Tensor], Tensor]


def _box(x: Tensor, y: Tensor, half_width: float, half_height: float) -> Tensor:
    return torch.maximum(x.abs() - half_width, y.abs() - half_height)


def _disc(x: Tensor, y: Tensor, radius: float = 1.0) -> Tensor:
    return torch.hypot(x, y) - radius


def _half_planes(x: Tensor, y: Tensor, sides: int, apothem: float) -> Tensor:
    """One field for each side of a regular polygon with a corner at the top, (sides,N,H,W)."""
    turns = [(2 * k + 1) * math.pi / sides - math.pi / 2 for k in range(sides)]
    return torch.stack([x * math.cos(t) + y * math.sin(t) - apothem for t in turns])


def _polygon(sides: int) -> Field:
    return lambda x, y: _half_planes(x, y, sides, math.cos(math.pi / sides)).amax(0)


def _star(x: Tensor, y: Tensor) -> Tensor:
    # Inside the five-pointed star means outside at most one side of its inner pentagon.
    return _half_planes(x, y, 5, 0.38).topk(2, dim=0).values[1]


def _heart(x: Tensor, y: Tensor) -> Tensor:
    lobes = torch.minimum(_disc(x - 0.42, y + 0.3, 0.55), _disc(x + 0.42, y + 0.3, 0.55))
    tip = torch.maximum((x.abs() + y) / math.sqrt(2) - 0.68, -(y + 0.25))
    return torch.minimum(lobes, tip)


def _arrow(x: Tensor, y: Tensor) -> Tensor:
    head = torch.maximum((x.abs() * 1.25 - y - 1.0) / 1.6, y)
    return torch.minimum(head, _box(x, y - 0.45, 0.28, 0.5))


SHAPES: dict[str, Field] = {
    "circle": _disc,
    "ring": lambda x, y: (torch.hypot(x, y) - 0.78).abs() - 0.22,
    "half disc": lambda x, y: torch.maximum(_disc(x, y - 0.4), y - 0.4),
    "triangle": _polygon(3),
    "square": lambda x, y: _box(x, y, 0.8, 0.8),
    "pentagon": _polygon(5),
    "star": _star,
    "cross": lambda x, y: torch.minimum(_box(x, y, 0.3, 0.95), _box(x, y, 0.95, 0.3)),
    "heart": _heart,
    "arrow": _arrow,
}


def draw_shapes(labels: Tensor, factors: Factors, generator: torch.Generator) -> Tensor:
    """One picture for each label, (N,3,32,32) uint8."""
    count = len(labels)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand((count, *shape), generator=generator)

    line = (torch.arange(SIDE) + 0.5) / SIDE * 2 - 1  # pixel centres, -1 to 1
    x, y = line.expand(1, SIDE, SIDE), line[:, None].expand(1, SIDE, SIDE)

    hue = uniform(0, 1)  # of the background
    canvas = _rgb(hue, uniform(0.1, 0.4), uniform(0.15, 0.45))[:, :, None, None]
    canvas = canvas * (1 + factors.texture * _stripes(x, y, uniform))
    for _ in range(round(10 * factors.clutter)):
        canvas = _paint(canvas, _piece(x, y, uniform), _rgb(uniform(0, 1), uniform(0.3, 1), uniform(0.3, 1)))

    size = uniform(0.5, 0.75, 1, 1)
    u, v = _turned(
        (x - uniform(-0.2, 0.2, 1, 1)) / size,
        (y - uniform(-0.2, 0.2, 1, 1)) / size,
        uniform(-math.pi, math.pi, 1, 1) * factors.rotation,
    )
    field = torch.empty((count, SIDE, SIDE))
    for label, shape in enumerate(SHAPES.values()):
        members = labels == label
        field[members] = shape(u[members], v[members])
    hue = labels / len(SHAPES) + uniform(-0.5, 0.5) * factors.colour
    paint = _rgb(hue, uniform(0.6, 1), uniform(0.7, 1))[:, :, None, None]
    paint = paint * (1 + factors.texture * _stripes(x, y, uniform))
    canvas = canvas.lerp(paint, _coverage(field * size)[:, None])
    return (canvas.clamp(0, 1) * 255).round().to(torch.uint8)


Uniform = Callable[..., Tensor]


def _piece(x: Tensor, y: Tensor, uniform: Uniform) -> Tensor:
    """Coverage of one small bar or square anywhere in each picture, (N,H,W)."""
    u, v = _turned(x - uniform(-1, 1, 1, 1), y - uniform(-1, 1, 1, 1), uniform(0, math.pi, 1, 1))
    return _coverage(torch.maximum(u.abs() - uniform(0.05, 0.3, 1, 1), v.abs() - uniform(0.05, 0.15, 1, 1)))


def _stripes(x: Tensor, y: Tensor, uniform: Uniform) -> Tensor:
    """Waves of random direction and width, (N,1,H,W), -1 to 1."""
    u, _ = _turned(x, y, uniform(0, math.pi, 1, 1))
    return torch.sin(u * uniform(6, 20, 1, 1) + uniform(0, 6, 1, 1))[:, None]


def _turned(x: Tensor, y: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    cos, sin = angle.cos(), angle.sin()
    return x * cos + y * sin, y * cos - x * sin


def _coverage(field: Tensor) -> Tensor:
    """How much of each pixel lies inside, 0 to 1; a pixel is 2/32 wide."""
    return (0.5 - field * SIDE / 2).clamp(0, 1)


def _paint(canvas: Tensor, coverage: Tensor, colour: Tensor) -> Tensor:
    return canvas.lerp(colour[:, :, None, None].expand_as(canvas), coverage[:, None])


def _rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Hue (in turns), saturation and value, each (N,), as red, green, blue (N,3), 0 to 1."""
    wheel = (hue[:, None] * 6 + torch.tensor([0.0, 4.0, 2.0])) % 6
    pure = ((wheel - 3).abs() - 1).clamp(0, 1)
    return value[:, None] * (1 + saturation[:, None] * (pure - 1))
